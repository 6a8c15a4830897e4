//! Challenges: requests for a code that can still be answered, and the counters of their identifier.
//!
//! These are pure rules over [`IdentifierState`], the item of one identifier. The table enforces each rule in the
//! condition of a write. The code here chooses the write and interprets a refused one.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::codes::code::{CodeDigest, SHORT_LENGTHS, Strength};
use crate::codes::limits::Lockout;
use crate::codes::sms_policy::{EXPIRY_MINUTES, SmsPolicy};
use crate::config::Reader;
use crate::keys::LONGEST_CODE;
use crate::words::{Destination, Error, ExpiresAt, Lane, NetworkDigest, Result, Timestamp};

/// How long codes are valid, and how often they may be requested and attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengePolicy {
    /// Digits of a short code.
    pub length: usize,
    /// How long a code sent by email is valid.
    pub email_expiry: Duration,
    /// The policy for SMS.
    pub sms: SmsPolicy,
    /// Bound attempts per code, and unbound ones.
    pub attempts: u32,
    /// The minimum time between sends of one challenge.
    pub resend_after: Duration,
    /// New challenges per identifier and hour.
    pub per_hour: u32,
    /// New challenges per identifier and hour from one network.
    pub per_hour_per_network: u32,
}

/// Active challenges of one identifier on the open lane.
const MOST_LIVE: usize = 5;
/// Active challenges on the lane of known browsers. Few, because the item must fit into one write unit.
const MOST_LIVE_KNOWN: usize = 2;
/// Sends of one challenge: the first and three resends.
pub const MOST_SENDS: u32 = 4;
/// Failed sends of one challenge that may be repeated immediately.
pub const FREE_REFUSALS: u32 = 2;
/// The window of [`ChallengePolicy::per_hour`].
pub const HOUR: Duration = Duration::from_secs(3_600);

impl ChallengePolicy {
    /// Reads the settings for codes.
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

    /// Reads the number of attempts per code, bound and unbound.
    pub fn read_attempts(read: &mut Reader<'_>) -> u32 {
        read.count("OTP_MAX_ATTEMPTS", 3, 1..=10)
    }

    /// The lockout with this policy's number of attempts.
    pub fn lockout(&self) -> Lockout {
        Lockout::new(self.attempts, (MOST_LIVE + MOST_LIVE_KNOWN) as u32)
    }

    /// How long a code sent to `to` is valid.
    ///
    /// # Errors
    /// As [`SmsPolicy::target`], if no SMS may be sent there.
    pub fn life_of_code(&self, to: &Destination) -> Result<Duration> {
        match to {
            Destination::Email(_) => Ok(self.email_expiry),
            Destination::Sms(phone) => self.sms.target(phone).map(|_| self.sms.expiry),
        }
    }
}

/// A challenge as stored in the table.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The code's digest.
    pub digest: CodeDigest,
    /// The id of the digest's pepper.
    pub pepper_id: String,
    /// When the code expires.
    pub expires: ExpiresAt,
    /// When it was sent, or the epoch if the message was certainly not sent.
    pub sent: Timestamp,
    /// Bound attempts left.
    pub tries_left: u32,
    /// Sends so far.
    pub sends: u32,
    /// The identifier's count of unbound attempts when this challenge began.
    pub unbound_from: u32,
}

/// The challenges and counters of one lane.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// Challenges by the digest of their id. Expired ones stay until the next challenge begins.
    pub challenges: BTreeMap<String, Challenge>,
    /// New challenges in the current hour.
    pub started: u32,
    /// Consecutive failures. The open lane's number includes those of the known lane.
    pub failures: u32,
    /// When the last failure happened.
    pub last_failure: Timestamp,
}

/// The stored item of one identifier, as last read.
#[derive(Clone, Debug)]
pub struct IdentifierState {
    /// The lane for everybody.
    pub open: Counted,
    /// The lane for browsers with a device cookie.
    pub known: Counted,
    /// When the current hour began.
    pub window_start: Timestamp,
    /// When the newest code was sent.
    pub newest: Timestamp,
    /// New challenges of each network in the current hour, by the network's short digest. Only the open lane counts.
    pub started_by: BTreeMap<String, u32>,
    /// Unbound attempts. The count never decreases while a challenge is active.
    pub unbound: u32,
}

/// The write that begins a challenge.
#[derive(Debug, PartialEq, Eq)]
pub enum Start {
    /// Replace the item: there is none, or its hour is over and all its challenges have expired.
    Fresh(Strength),
    /// Add to the existing item.
    Join(Join),
}

/// A challenge added to an existing item.
#[derive(Debug, PartialEq, Eq)]
pub struct Join {
    /// The strength of the code to send.
    pub strength: Strength,
    /// Whether a new hour begins and its counters restart.
    pub new_hour: bool,
    /// Expired challenges to remove.
    pub expired: Vec<String>,
    /// The current count of unbound attempts, stored with the challenge.
    pub unbound: u32,
}

impl Lane {
    /// The number of challenges that can be active at once.
    pub fn most_live(self) -> usize {
        match self {
            Lane::Open => MOST_LIVE,
            Lane::Known => MOST_LIVE_KNOWN,
        }
    }
}

impl IdentifierState {
    /// The challenges and counters of a lane.
    pub fn on(&self, lane: Lane) -> &Counted {
        match lane {
            Lane::Open => &self.open,
            Lane::Known => &self.known,
        }
    }

    /// The strength of the next code. It is the same on both lanes, because an attacker guesses at the same identifier (S04).
    pub fn strength(&self, policy: &ChallengePolicy) -> Strength {
        if self.open.failures >= policy.lockout().long_from() { Strength::Long } else { Strength::Short }
    }

    /// How long unbound attempts, and new challenges with short codes, have to wait after the last failure on their lane.
    pub fn wait_left(&self, lane: Lane, now: Timestamp) -> Duration {
        let Counted { failures, last_failure, .. } = self.on(lane);
        match Lockout::wait(*failures) {
            // Zero even if this instance's clock is behind and the failure seems to be in the future.
            Duration::ZERO => Duration::ZERO,
            wait => now.until(last_failure.after(wait)),
        }
    }

    /// Chooses the write for a new challenge on a lane.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] during the wait of a lockout. [`Error::RateLimited`] if the identifier or the
    /// network has used up its hour, or if too many challenges are active.
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

    /// Whether the challenge `key` can be resent, and with which strength. `None` means that a new challenge must begin.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if it is too soon.
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
