//! Challenges: requests for a code that may still be answered, and all that is counted beside them.
//!
//! Pure rules over one identifier's [`IdentifierState`], the item that holds them. The table enforces each rule in the condition
//! of a write; what stands here decides which write to try, and what a refused one means.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::codes::code::{CodeDigest, SHORT_LENGTHS, Strength};
use crate::codes::limits::Lockout;
use crate::codes::sms_policy::{EXPIRY_MINUTES, SmsPolicy};
use crate::config::Reader;
use crate::keys::LONGEST_CODE;
use crate::words::{Destination, Error, ExpiresAt, Lane, NetworkDigest, Result, Timestamp};

/// How codes live and how often they may be asked for and tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengePolicy {
    /// Digits of a short code.
    pub length: usize,
    /// How long a code sent by email is valid.
    pub email_expiry: Duration,
    /// Where codes go by SMS.
    pub sms: SmsPolicy,
    /// Bound tries a code, and unbound ones.
    pub attempts: u32,
    /// How long to wait between sends of one challenge.
    pub resend_after: Duration,
    /// New challenges of one identifier in an hour.
    pub per_hour: u32,
    /// How many of these one network may start.
    pub per_hour_per_network: u32,
}

/// Challenges of one identifier that may live at once on the open lane.
const MOST_LIVE: usize = 5;
/// The same on the lane of known browsers. Its item must stay below one write unit.
const MOST_LIVE_KNOWN: usize = 2;
/// Sends of one challenge: the first and three resends.
pub const MOST_SENDS: u32 = 4;
/// Refused sends of one challenge that cost no waiting.
pub const FREE_REFUSALS: u32 = 2;
/// The window of [`ChallengePolicy::per_hour`].
pub const HOUR: Duration = Duration::from_secs(3_600);

impl ChallengePolicy {
    /// Reads its variables.
    pub fn read(read: &mut Reader<'_>) -> ChallengePolicy {
        let lengths = *SHORT_LENGTHS.start() as u64..=*SHORT_LENGTHS.end() as u64;
        let email_expiry = read.number_or_alias("OTP_EMAIL_EXPIRY_SECONDS", EXPIRY_MINUTES, 600, 60..=600);
        ChallengePolicy {
            length: read.number_or_alias("OTP_LENGTH", ("OTP_CODE_LENGTH", 1), 6, lengths) as usize,
            email_expiry: Duration::from_secs(email_expiry),
            attempts: ChallengePolicy::read_attempts(read),
            resend_after: read.seconds("OTP_RESEND_SECONDS", 30, 10..=600),
            per_hour: read.count("OTP_REQUESTS_PER_HOUR", 5, 1..=1_000_000),
            per_hour_per_network: read.count("OTP_REQUESTS_PER_HOUR_PER_IP", 3, 1..=1_000_000),
            sms: SmsPolicy::read(read),
        }
    }

    /// Reads how many bound attempts a code has, and how many unbound ones.
    pub fn read_attempts(read: &mut Reader<'_>) -> u32 {
        read.count("OTP_MAX_ATTEMPTS", 3, 1..=10)
    }

    /// Where waits begin and codes become long.
    pub fn lockout(&self) -> Lockout {
        Lockout::new(self.attempts, (MOST_LIVE + MOST_LIVE_KNOWN) as u32)
    }

    /// How long a code sent to `to` lives.
    ///
    /// # Errors
    /// As [`SmsPolicy::target`], where no SMS reaches it.
    pub fn life_of_code(&self, to: &Destination) -> Result<Duration> {
        match to {
            Destination::Email(_) => Ok(self.email_expiry),
            Destination::Sms(phone) => self.sms.target(phone).map(|_| self.sms.expiry),
        }
    }
}

/// One challenge as the table holds it.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The code's digest.
    pub digest: CodeDigest,
    /// The pepper it is made with.
    pub pepper_id: String,
    /// When the code dies.
    pub expires: ExpiresAt,
    /// When it was sent; the epoch where the send was surely refused.
    pub sent: Timestamp,
    /// Bound tries left.
    pub tries_left: u32,
    /// Sends so far.
    pub sends: u32,
    /// The count of unbound tries when it began.
    pub unbound_from: u32,
}

/// One lane of an identifier.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// Challenges by the digest of their id; expired ones stay until the next begins.
    pub challenges: BTreeMap<String, Challenge>,
    /// New challenges in the running hour.
    pub started: u32,
    /// Consecutive failures; those of the open lane are all that there were.
    pub failures: u32,
    /// When the last of them happened.
    pub last_failure: Timestamp,
}

/// All that is remembered of one identifier: its item, as last seen.
#[derive(Clone, Debug)]
pub struct IdentifierState {
    /// What everybody does.
    pub open: Counted,
    /// What browsers do in which the identifier was proved before.
    pub known: Counted,
    /// When the running hour began.
    pub window_start: Timestamp,
    /// When the newest code was sent.
    pub newest: Timestamp,
    /// New challenges of each network on the open lane in the running hour, by its short digest.
    pub started_by: BTreeMap<String, u32>,
    /// Unbound tries; only grows while any challenge lives.
    pub unbound: u32,
}

/// The write that begins a challenge.
#[derive(Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing lives and the last hour is over, or nothing is known: begin anew.
    Fresh(Strength),
    /// Join what lives.
    Join(Join),
}

/// A challenge that joins what lives.
#[derive(Debug, PartialEq, Eq)]
pub struct Join {
    /// The code to send.
    pub strength: Strength,
    /// Whether the hour is over and counts begin again.
    pub new_hour: bool,
    /// Expired challenges to remove.
    pub expired: Vec<String>,
    /// The count of unbound tries that it is compared from.
    pub unbound: u32,
}

impl Lane {
    /// How many challenges may live on it at once.
    pub fn most_live(self) -> usize {
        match self {
            Lane::Open => MOST_LIVE,
            Lane::Known => MOST_LIVE_KNOWN,
        }
    }
}

impl IdentifierState {
    /// One of its lanes.
    pub fn on(&self, lane: Lane) -> &Counted {
        match lane {
            Lane::Open => &self.open,
            Lane::Known => &self.known,
        }
    }

    /// The code strength for the failures so far, on whatever lane: what is guessed at is the same (S04).
    pub fn strength(&self, policy: &ChallengePolicy) -> Strength {
        if self.open.failures >= policy.lockout().long_from() { Strength::Long } else { Strength::Short }
    }

    /// How long unbound tries, and new challenges with short codes, still wait after the last failure on their lane.
    pub fn wait_left(&self, lane: Lane, now: Timestamp) -> Duration {
        let Counted { failures, last_failure, .. } = self.on(lane);
        match Lockout::wait(*failures) {
            // Not even for an instance whose clock is behind that of the one which counted the failure.
            Duration::ZERO => Duration::ZERO,
            wait => now.until(last_failure.after(wait)),
        }
    }

    /// Which write begins a challenge on a lane, given this state.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] in the wait of a lockout; [`Error::RateLimited`] at a limit of the hour, of the
    /// network's share of it, or of live challenges.
    pub fn start(
        &self,
        lane: Lane,
        network: &NetworkDigest,
        policy: &ChallengePolicy,
        now: Timestamp,
    ) -> Result<Start> {
        let strength = self.strength(policy);
        let retry_after = self.wait_left(lane, now);
        if strength == Strength::Short && !retry_after.is_zero() {
            return Err(Error::TooManyAttempts { retry_after });
        }
        let hour_end = ExpiresAt::after(self.window_start, HOUR);
        let new_hour = hour_end.has_passed(now);
        if new_hour && ExpiresAt::after(self.newest, LONGEST_CODE).has_passed(now) {
            return Ok(Start::Fresh(strength));
        }
        if !new_hour && self.hour_is_spent(lane, network, policy) {
            return Err(Error::RateLimited { retry_after: now.until(hour_end.moment()) });
        }
        let (expired, live): (Vec<_>, Vec<_>) =
            self.on(lane).challenges.iter().partition(|(_, challenge)| challenge.expires.has_passed(now));
        if live.len() >= lane.most_live() {
            let first_end = live.iter().map(|(_, challenge)| challenge.expires.moment()).min().unwrap_or(now);
            return Err(Error::RateLimited { retry_after: now.until(first_end) });
        }
        let expired = expired.into_iter().map(|(key, _)| key.clone()).collect();
        Ok(Start::Join(Join { strength, new_hour, expired, unbound: self.unbound }))
    }

    fn hour_is_spent(&self, lane: Lane, network: &NetworkDigest, policy: &ChallengePolicy) -> bool {
        let by_network = self.started_by.get(network.short()).copied().unwrap_or(0);
        let is_networks_share_spent = lane == Lane::Open && by_network >= policy.per_hour_per_network;
        self.on(lane).started >= policy.per_hour || is_networks_share_spent
    }

    /// Whether the challenge `key` can be sent again: its strength then, or `None` where a new one must begin.
    ///
    /// # Errors
    /// [`Error::RateLimited`] where it is too soon.
    pub fn resend(&self, lane: Lane, key: &str, policy: &ChallengePolicy, now: Timestamp) -> Result<Option<Strength>> {
        let Some(challenge) = self.on(lane).challenges.get(key) else { return Ok(None) };
        if challenge.expires.has_passed(now) || challenge.tries_left == 0 {
            return Ok(None);
        }
        let free_again = ExpiresAt::after(challenge.sent, policy.resend_after);
        if !free_again.has_passed(now) {
            return Err(Error::RateLimited { retry_after: now.until(free_again.moment()) });
        }
        Ok((challenge.sends < MOST_SENDS).then(|| self.strength(policy)))
    }
}

#[cfg(test)]
pub(crate) mod tests;
