//! When a second factor is due.

use std::time::Duration;

use crate::config::Reader;
use crate::people::User;
use crate::words::Timestamp;

/// The setting `SECOND_FACTOR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactorMode {
    /// Nobody can add one, and no sign-in asks for one.
    Off,
    /// Users may add one. Then each sign-in asks for it.
    Optional,
    /// Every user needs one, after a grace period.
    Required,
    /// Users may add one. Sign-ins ask for it if the device is unknown or the identifier is under attack.
    Risk,
}

impl SecondFactorMode {
    const ALL: [SecondFactorMode; 4] =
        [SecondFactorMode::Off, SecondFactorMode::Optional, SecondFactorMode::Required, SecondFactorMode::Risk];

    /// Its name in settings and answers.
    pub fn name(self) -> &'static str {
        match self {
            SecondFactorMode::Off => "off",
            SecondFactorMode::Optional => "optional",
            SecondFactorMode::Required => "required",
            SecondFactorMode::Risk => "risk",
        }
    }

    /// Whether a step-up of `user` needs the second factor.
    pub fn asks(self, user: &User) -> bool {
        self != SecondFactorMode::Off && user.has_second_factor()
    }

    /// Reads the setting.
    pub fn read(read: &mut Reader<'_>) -> SecondFactorMode {
        let name = read.choice("SECOND_FACTOR", "off", &SecondFactorMode::ALL.map(SecondFactorMode::name));
        SecondFactorMode::ALL.into_iter().find(|mode| mode.name() == name).unwrap_or(SecondFactorMode::Off)
    }
}

/// The settings about second factors.
#[derive(Clone, Debug)]
pub struct SecondFactorPolicy {
    /// The policy.
    pub mode: SecondFactorMode,
    /// How long a user may sign in without one, from the first sign-in under [`SecondFactorMode::Required`] on.
    pub grace: Duration,
    /// How long a device stays trusted. Zero if users may trust none.
    pub trust: Duration,
}

/// What a sign-in with a right code needs besides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing more.
    Nothing,
    /// Nothing more yet. The grace period has begun, or goes on.
    Grace,
    /// One of the user's second factors, unless the device is trusted.
    Factor,
    /// The user has to add one first.
    Enrolment,
}

impl SecondFactorPolicy {
    /// Reads the settings.
    pub fn read(read: &mut Reader<'_>) -> SecondFactorPolicy {
        SecondFactorPolicy {
            mode: SecondFactorMode::read(read),
            grace: read.days("SECOND_FACTOR_GRACE_DAYS", 14, 0..=90),
            trust: read.days("TRUSTED_DEVICE_DAYS", 30, 0..=90),
        }
    }

    /// Whether second factors exist in this deployment.
    pub fn is_on(&self) -> bool {
        self.mode != SecondFactorMode::Off
    }

    /// What a sign-in of `user` needs. `known_since` is the issue of the client's device token. A token from before the user's first
    /// factor does not count, because a thief of the mailbox may have got it. `is_under_attack` is whether the code was a long one.
    pub(crate) fn need(
        &self,
        user: &User,
        known_since: Option<Timestamp>,
        is_under_attack: bool,
        now: Timestamp,
    ) -> Need {
        let is_known = known_since.is_some_and(|known| user.second_factor_since.is_some_and(|since| known >= since));
        match self.mode {
            SecondFactorMode::Off => Need::Nothing,
            SecondFactorMode::Required if !user.has_second_factor() => self.need_to_enrol(user.grace_began, now),
            _ if !user.has_second_factor() => Need::Nothing,
            SecondFactorMode::Risk if is_known && !is_under_attack => Need::Nothing,
            SecondFactorMode::Optional | SecondFactorMode::Required | SecondFactorMode::Risk => Need::Factor,
        }
    }

    /// What the sign-up of a new user needs.
    pub(crate) fn need_at_sign_up(&self, now: Timestamp) -> Need {
        match self.mode {
            SecondFactorMode::Required => self.need_to_enrol(None, now),
            SecondFactorMode::Off | SecondFactorMode::Optional | SecondFactorMode::Risk => Need::Nothing,
        }
    }

    fn need_to_enrol(&self, began: Option<Timestamp>, now: Timestamp) -> Need {
        if began.unwrap_or(now).after(self.grace) > now { Need::Grace } else { Need::Enrolment }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Entropy, SessionId, UserId};

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    /// S98: who needs a second factor, and from when on.
    #[test]
    fn the_policy_decides_who_needs_a_second_factor() {
        let day = Duration::from_secs(86_400);
        let policy = |mode, days: u32| SecondFactorPolicy { mode, grace: day * days, trust: day };
        let ada = "ada@example.com".parse().unwrap();
        let id = UserId::draw(&Entropy, at(0)).unwrap();
        let none = User::sign_up(id, &ada, &SessionId::draw(&Entropy).unwrap(), at(0));
        let some = User { second_factor_since: Some(at(10)), ..none.clone() };
        let in_grace = User { grace_began: Some(at(0)), ..none.clone() };
        let (known, strange, before) = (Some(at(10)), None, Some(at(9)));
        use SecondFactorMode::{Off, Optional, Required, Risk};
        for (mode, days, user, known_since, is_under_attack, now, need) in [
            (Off, 1, &some, strange, true, 0, Need::Nothing),
            (Optional, 1, &none, strange, true, 0, Need::Nothing),
            (Optional, 1, &some, known, false, 0, Need::Factor),
            (Required, 1, &some, known, false, 0, Need::Factor),
            (Required, 1, &none, known, false, 0, Need::Grace),
            (Required, 1, &in_grace, known, false, 86_399, Need::Grace),
            (Required, 1, &in_grace, known, false, 86_400, Need::Enrolment),
            (Required, 0, &none, known, false, 0, Need::Enrolment),
            (Risk, 1, &none, strange, true, 0, Need::Nothing),
            (Risk, 1, &some, known, false, 0, Need::Nothing),
            (Risk, 1, &some, known, true, 0, Need::Factor),
            (Risk, 1, &some, strange, false, 0, Need::Factor),
            (Risk, 1, &some, before, false, 20, Need::Factor),
        ] {
            let found = policy(mode, days).need(user, known_since, is_under_attack, at(now));
            assert_eq!(found, need, "{mode:?} {days} {known_since:?} {is_under_attack} {now}");
        }
        assert_eq!(policy(Required, 1).need_at_sign_up(at(0)), Need::Grace);
        assert_eq!(policy(Required, 0).need_at_sign_up(at(0)), Need::Enrolment);
        assert_eq!(policy(Optional, 0).need_at_sign_up(at(0)), Need::Nothing);
    }
}
