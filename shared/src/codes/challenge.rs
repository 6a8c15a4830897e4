//! Challenges: the policy for codes, the stored state of one identifier, and the decision about a request for a code.
//!
//! These are pure rules. The table enforces each rule in the condition of a write, and a refused write is decided again. The
//! protocol, with its lemma, is in `docs/protocols.md`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::codes::bucket::{Bucket, KNOWN, TAGGED, has_room};
use crate::codes::code::{CodeDigest, MORE_DIGITS, SHORT_LENGTHS, Strength};
use crate::codes::hold::{AFTER_COMPLAINT, COMPLAINT, Hold};
use crate::codes::purpose::Purpose;
use crate::codes::receipt::Receipts;
use crate::codes::resend::{Calls, FOLLOWS_AFTER, Resends};
use crate::codes::sent_message::SentMessage;
use crate::codes::sms_policy::{EXPIRY_MINUTES, SmsPolicy, read_sms_expiry};
use crate::config::Reader;
use crate::words::{Channel, Destination, ExpiresAt, Lane, Timestamp};

/// How long codes are valid, and how often they may be attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengePolicy {
    /// Digits of a short code.
    pub length: usize,
    /// How long a short code sent by email is valid.
    pub email_expiry: Duration,
    /// The policy for SMS.
    pub sms: SmsPolicy,
    /// Attempts of a code with digits.
    pub attempts: u32,
    /// How long a repeated request for a challenge gets the same answer without a message.
    pub resend_after: Duration,
}

/// Expired entries that one write removes. It adds one at most, so a longer list becomes shorter.
const MOST_REMOVED: usize = 12;
/// How long a long code is accepted.
pub const LONG_LIFE: Duration = Duration::from_secs(600);
/// Texts of a UTC day to one number that nobody has answered. After them, only known devices are served.
const MOST_TEXTS: u32 = 10;
/// A client of a tagged address whose mailbox has used up its mails is always told to wait so long, whenever the next one is due.
pub const MAILBOX_WAIT: Duration = TAGGED.every;
/// A client that asks for a code with another purpose than a sign-in is always told to wait so long, whenever the next one is due.
pub const PURPOSE_WAIT: Duration = Duration::from_secs(240);
/// Attempts that strangers' codes may be charged a day, with the usual digits and with eight.
const OPEN_CHARGES: [u32; 2] = [12, 120];
/// The same for known browsers.
const KNOWN_CHARGES: [u32; 2] = [6, 60];
/// Answers a day without an id that are compared with another network's code, if that code came from an alias.
pub const MOST_ELSEWHERE: u32 = 2;
/// NIST SP 800-63B-4 §3.2.2: fewer consecutive failures than this happen at codes that can be guessed.
const MOST_FAILURES: u32 = 100;

/// Settings of earlier versions. A function with one of them names its replacement and does not start.
pub const GONE: [&str; 2] = ["OTP_REQUESTS_PER_HOUR", "OTP_REQUESTS_PER_HOUR_PER_IP"];

impl ChallengePolicy {
    /// Reads the settings for codes.
    pub fn read(read: &mut Reader<'_>) -> ChallengePolicy {
        let lengths = *SHORT_LENGTHS.start() as u64..=*SHORT_LENGTHS.end() as u64;
        for gone in GONE {
            read.gone(gone, "an identifier has a bucket of five messages, and gets one more every 240 seconds");
        }
        ChallengePolicy {
            length: read.number_or_alias("OTP_LENGTH", ("OTP_CODE_LENGTH", 1), 6, lengths) as usize,
            email_expiry: read_email_expiry(read),
            attempts: read.count("OTP_MAX_ATTEMPTS", 3, 1..=6),
            resend_after: read_resend_after(read),
            sms: SmsPolicy::read_with_money(read),
        }
    }

    /// The digits of a short code. While the brake is on (`is_braked`), strangers' codes have eight at least.
    pub fn digits(&self, lane: Lane, is_braked: bool) -> usize {
        match lane {
            Lane::Open if is_braked => self.length.max(MORE_DIGITS),
            Lane::Open | Lane::Known => self.length,
        }
    }

    /// How long a code of this strength, sent to `to`, is accepted.
    pub fn life_of(&self, to: &Destination, strength: Strength) -> Duration {
        match strength {
            Strength::Long => LONG_LIFE,
            Strength::Short | Strength::Eight => self.short_life(to.channel()),
        }
    }

    fn short_life(&self, channel: Channel) -> Duration {
        match channel {
            Channel::Email => self.email_expiry,
            Channel::Sms | Channel::Voice | Channel::Whatsapp => self.sms.expiry,
        }
    }

    /// The life that every answer to a request can promise, because a shared code has at least this much of its life left.
    pub fn promise(&self, to: &Destination) -> Duration {
        promise(to.channel(), self.short_life(to.channel()))
    }
}

fn read_email_expiry(read: &mut Reader<'_>) -> Duration {
    Duration::from_secs(read.number_or_alias("OTP_EMAIL_EXPIRY_SECONDS", EXPIRY_MINUTES, 600, 60..=600))
}

fn read_resend_after(read: &mut Reader<'_>) -> Duration {
    read.seconds("OTP_RESEND_SECONDS", 30, 10..=600)
}

/// A shared code has at least this much of its life left.
fn promise(channel: Channel, short_life: Duration) -> Duration {
    short_life.min(LONG_LIFE.saturating_sub(shared_for(channel)))
}

/// The promises of answers to requests for codes: the part of [`ChallengePolicy`] for functions that send none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promises {
    email: Duration,
    sms: Duration,
    resend_after: Duration,
}

impl Promises {
    /// Reads the settings.
    pub fn read(read: &mut Reader<'_>) -> Promises {
        Promises { email: read_email_expiry(read), sms: read_sms_expiry(read), resend_after: read_resend_after(read) }
    }

    /// How long an answer about a message by `channel` promises that its code is accepted.
    pub fn life(&self, channel: Channel) -> Duration {
        match channel {
            Channel::Email => promise(channel, self.email),
            Channel::Sms | Channel::Voice | Channel::Whatsapp => promise(channel, self.sms),
        }
    }

    /// How long a repeated request gets the same answer without a message.
    pub fn resend_after(&self, channel: Channel) -> Duration {
        self.resend_after.min(self.life(channel))
    }
}

/// Codes that one network may have under way before it gets long ones.
fn most_live_per_network(channel: Channel) -> usize {
    match channel {
        Channel::Email => 2,
        // Three texts have short codes, whoever asks for them.
        Channel::Sms | Channel::Voice | Channel::Whatsapp => 3,
    }
}

/// How long further requests share a long code.
fn shared_for(channel: Channel) -> Duration {
    match channel {
        Channel::Email => Duration::from_secs(240),
        Channel::Sms | Channel::Voice | Channel::Whatsapp => Duration::from_secs(300),
    }
}

/// A challenge with a code of its own, as stored in the table.
#[derive(Clone, Debug)]
pub struct OwnCode {
    /// The code's digest.
    pub digest: CodeDigest,
    /// The id of the digest's pepper.
    pub pepper_id: String,
    /// When the code expires.
    pub expires: ExpiresAt,
    /// Attempts left.
    pub attempts_left: u32,
    /// Sends so far.
    pub sends: u32,
    /// The short digest of the network that asked for it.
    pub network: String,
    /// The UTC day to which its attempts are charged.
    pub day: u64,
    /// Whether it has eight digits because the day's attempts with fewer digits were used up.
    pub is_eight: bool,
    /// Whether it was asked for through an alias.
    pub by_alias: bool,
    /// Its purpose.
    pub purpose: Purpose,
    /// The receipts of its newest message.
    pub receipts: Receipts,
}

/// A long code, as stored in the table. A used one is removed.
#[derive(Clone, Debug)]
pub struct LongCode {
    /// The code's digest.
    pub digest: CodeDigest,
    /// The id of the digest's pepper.
    pub pepper_id: String,
    /// When the code expires, [`LONG_LIFE`] after its send.
    pub expires: ExpiresAt,
    /// The short digest of the network that asked for it.
    pub network: String,
    /// What it is for. Only codes for a sign-in are shared.
    pub purpose: Purpose,
}

impl OwnCode {
    fn resends(&self) -> Resends {
        Resends { attempts_left: self.attempts_left, sends: self.sends, day: self.day }
    }
}

impl LongCode {
    /// When it was sent.
    pub fn sent(&self) -> Timestamp {
        self.expires.moment().before(LONG_LIFE)
    }
}

/// The bucket, codes and charges of one lane.
#[derive(Clone, Debug, Default)]
pub struct Supply {
    /// When the bucket is full again.
    pub full_at: Timestamp,
    /// Codes with digits, by their names. Expired ones stay until the next message.
    pub codes: BTreeMap<String, OwnCode>,
    /// Attempts charged to [`IdentifierState::day`], with the usual digits and with eight.
    pub charged: [u32; 2],
}

/// The stored item of one identifier, as last read.
#[derive(Clone, Debug, Default)]
pub struct IdentifierState {
    /// Whether the item exists with a bucket.
    pub is_kept: bool,
    /// The supply of clients without a device token, which all of them share.
    pub open: Supply,
    /// The supply of clients with a device token.
    pub known: Supply,
    /// Long codes, by their names.
    pub long: BTreeMap<String, LongCode>,
    /// When the entries of used long codes expire, by their names. Receipts of their messages are kept until then.
    pub used_long: BTreeMap<String, ExpiresAt>,
    /// The UTC day of the charges.
    pub day: u64,
    /// Comparisons on that day of answers without an id from other networks.
    pub elsewhere: u32,
    /// Texts of that day for clients without a device token that nobody has answered.
    pub texts: u32,
    /// Attempts charged since the last right answer.
    pub charged_in_a_row: u32,
    /// How often the owner has signed out everywhere. It ends older device tokens.
    pub epoch: u32,
    /// The message with the newest receipt, if its provider wants to hear that the code was used.
    pub message: Option<SentMessage>,
    /// The newest hold, also after its end.
    pub hold: Option<Hold>,
    /// When the owner last complained about a mail.
    pub complained: Option<Timestamp>,
    /// When a provider last refused a text because the number has opted out.
    pub opted_out: Option<Timestamp>,
    /// The newest calls.
    pub calls: Calls,
    /// For a tagged address: when the bucket of all tagged addresses of its mailbox is full again. Kept in another item.
    pub mailbox_full_at: Option<Timestamp>,
}

/// A request for a code, as the decision needs it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The lane of the client.
    pub lane: Lane,
    /// The short digest of the client's network.
    pub network: &'a str,
    /// The lane and name of the client's own challenge, if it named one.
    pub named: Option<(Lane, &'a str)>,
    /// Whether it came through an alias.
    pub by_alias: bool,
    /// The channel of the message.
    pub channel: Channel,
    /// The code's purpose.
    pub purpose: Purpose,
    /// The rules for codes.
    pub policy: &'a ChallengePolicy,
    /// The current time.
    pub now: Timestamp,
}

/// The decision about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A message is sent.
    Send(Plan),
    /// The newest long code serves this request too. Nothing is written.
    Share,
    /// The number has used up its texts, or the owner has complained about a mail.
    Wait(Duration),
    /// A code with another purpose than a sign-in is never shared, and no message is left for one.
    NoneToSpare,
    /// The address has refused a mail.
    Held,
    /// For a tagged address only: its mailbox has used up the mails to tagged addresses.
    MailboxFull,
    /// A call or a WhatsApp message comes too soon after the challenge's newest message.
    TooSoon(Duration),
}

/// A message to be sent, and the write before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The lane that pays for it.
    pub lane: Lane,
    /// The strength of its code.
    pub strength: Strength,
    /// The name of the challenge that gets a new code. `None` if a new challenge begins.
    pub again: Option<String>,
    /// Expired codes to remove, by their names.
    pub expired: Vec<(Kept, String)>,
}

impl Plan {
    /// The map of its entry.
    pub fn kept(&self) -> Kept {
        if self.strength == Strength::Long { Kept::Long } else { Kept::Own(self.lane) }
    }
}

/// The map of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Codes with digits on a lane.
    Own(Lane),
    /// Long codes.
    Long,
}

impl IdentifierState {
    /// The supply of one lane.
    pub fn on(&self, lane: Lane) -> &Supply {
        match lane {
            Lane::Open => &self.open,
            Lane::Known => &self.known,
        }
    }

    /// The tokens that are left on a lane.
    pub fn tokens(&self, lane: Lane, channel: Channel, now: Timestamp) -> u32 {
        bucket(lane, channel).tokens(self.on(lane).full_at, now)
    }

    /// The attempts charged on a lane on the day of `now`.
    pub fn charged(&self, lane: Lane, now: Timestamp) -> [u32; 2] {
        if self.day == now.day() { self.on(lane).charged } else { [0, 0] }
    }

    /// The comparisons of answers without an id from elsewhere on the day of `now`.
    pub fn elsewhere(&self, now: Timestamp) -> u32 {
        if self.day == now.day() { self.elsewhere } else { 0 }
    }

    /// The unanswered texts on the day of `now`.
    pub fn texts(&self, now: Timestamp) -> u32 {
        if self.day == now.day() { self.texts } else { 0 }
    }

    /// Decides about a request for a code.
    pub fn decide(&self, asked: Asked<'_>) -> Decision {
        let Asked { channel, now, .. } = asked;
        if self.is_held(now) {
            return Decision::Held;
        }
        // First, so that the answer is the same for all tagged addresses of the mailbox.
        if self.mailbox_full_at.is_some_and(|full_at| !has_room(full_at, asked.lane, now)) {
            return Decision::MailboxFull;
        }
        if channel.follows_text() {
            return self.follow(asked);
        }
        if let Some(plan) = self.for_known_device(asked) {
            return Decision::Send(plan);
        }
        if asked.purpose != Purpose::SignIn {
            return self.unshared(asked).map_or(Decision::NoneToSpare, Decision::Send);
        }
        if let Some(decision) = self.after_complaint(asked) {
            return decision;
        }
        let tokens = self.tokens(Lane::Open, channel, now);
        let is_out_of_texts = channel.is_to_phones() && self.texts(now) >= MOST_TEXTS;
        if tokens >= 2
            && !is_out_of_texts
            && let Some(plan) = self.own(asked)
        {
            return Decision::Send(plan);
        }
        let may_send = tokens >= 1 && !is_out_of_texts;
        if self.has_shared(asked, may_send) {
            return Decision::Share;
        }
        // By mail, the last token was spent on a long code that is still shared (the lemma). If another clock is ahead of
        // this one, a token may be missing for some seconds. This request then takes it early.
        if channel == Channel::Email || may_send {
            return Decision::Send(self.plan(Lane::Open, Strength::Long, None, now));
        }
        Decision::Wait(self.next_text(is_out_of_texts, channel, now))
    }

    /// Decides about a call or a WhatsApp message: a new code for a challenge of the client's own, whose newest message is
    /// [`FOLLOWS_AFTER`] old (S260, S261). Any other challenge has to wait, whatever is the matter with it. A long code is never spoken.
    fn follow(&self, asked: Asked<'_>) -> Decision {
        let Asked { lane, named, channel, policy, now, .. } = asked;
        if channel == Channel::Voice && !self.calls.are_left(now) {
            return Decision::Wait(now.until(now.next_day()));
        }
        let is_out_of_texts = self.texts(now) >= MOST_TEXTS;
        let may_pay = |of| match of {
            Lane::Known => lane == Lane::Known && self.tokens(of, channel, now) >= 1,
            Lane::Open => self.tokens(of, channel, now) >= 2 && !is_out_of_texts,
        };
        let text = named.filter(|(of, _)| may_pay(*of)).and_then(|(of, key)| {
            let sent = self.on(of).codes.get(key)?.expires.moment().before(policy.short_life(channel));
            Some((self.again(of, asked)?, now.until(sent.after(FOLLOWS_AFTER))))
        });
        match text {
            Some((plan, left)) if left.is_zero() => Decision::Send(plan),
            Some((_, left)) => Decision::TooSoon(left.min(FOLLOWS_AFTER)),
            None => Decision::Wait(self.next_text(is_out_of_texts, channel, now).max(FOLLOWS_AFTER)),
        }
    }

    /// A message of the bucket of all clients for another purpose than a sign-in (S272). It leaves the last token, which buys the long code
    /// that all clients share.
    fn unshared(&self, asked: Asked<'_>) -> Option<Plan> {
        let Asked { channel, now, .. } = asked;
        let is_out_of_texts = channel.is_to_phones() && self.texts(now) >= MOST_TEXTS;
        let may_send = self.tokens(Lane::Open, channel, now) >= 2 && !is_out_of_texts && !self.has_complained(now);
        may_send.then(|| self.own(asked).unwrap_or_else(|| self.plan(Lane::Open, Strength::Long, None, now)))
    }

    /// How long until a stranger's text may be sent again.
    fn next_text(&self, is_out_of_texts: bool, channel: Channel, now: Timestamp) -> Duration {
        let refilled = bucket(Lane::Open, channel).refilled_in(self.open.full_at, now);
        if is_out_of_texts { refilled.max(now.until(now.next_day())) } else { refilled }
    }

    /// Whether the address is held. Everybody is told so.
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.is_on(now))
    }

    /// For a day after a complaint, strangers together get one mail in ten minutes, with a long code that they share.
    fn after_complaint(&self, asked: Asked<'_>) -> Option<Decision> {
        let Asked { channel, policy, now, .. } = asked;
        if !self.has_complained(now) {
            return None;
        }
        if self.has_shared(asked, false) {
            return Some(Decision::Share);
        }
        let life = policy.short_life(channel);
        let own = self.open.codes.values().map(|code| code.expires.moment().before(life));
        let newest = own.chain(self.long.values().map(LongCode::sent)).max();
        let wait = newest.map_or(Duration::ZERO, |sent| now.until(sent.after(AFTER_COMPLAINT)));
        Some(match wait.is_zero() {
            true => Decision::Send(self.plan(Lane::Open, Strength::Long, None, now)),
            false => Decision::Wait(wait),
        })
    }

    fn has_complained(&self, now: Timestamp) -> bool {
        self.complained.is_some_and(|complained| now < complained.after(COMPLAINT))
    }

    fn for_known_device(&self, asked: Asked<'_>) -> Option<Plan> {
        let Asked { lane, channel, now, .. } = asked;
        if lane != Lane::Known || self.tokens(Lane::Known, channel, now) == 0 {
            return None;
        }
        if let Some(again) = self.again(Lane::Known, asked) {
            return Some(again);
        }
        let strength = self.strength(Lane::Known, asked);
        (strength != Strength::Long).then(|| self.plan(Lane::Known, strength, None, now))
    }

    /// A code of its own: a new code for the client's own challenge, or a new challenge.
    fn own(&self, asked: Asked<'_>) -> Option<Plan> {
        let Asked { network, by_alias, channel, now, .. } = asked;
        if let Some(again) = self.again(Lane::Open, asked) {
            return Some(again);
        }
        if self.live_of(network, now) >= most_live_per_network(channel) {
            return None;
        }
        let is_long = by_alias && self.elsewhere(now) >= MOST_ELSEWHERE;
        let strength = if is_long { Strength::Long } else { self.strength(Lane::Open, asked) };
        Some(self.plan(Lane::Open, strength, None, now))
    }

    /// A new code for the challenge that the request names. An alias cannot name one, so it means the newest of its network.
    fn again(&self, lane: Lane, asked: Asked<'_>) -> Option<Plan> {
        let Asked { network, named, by_alias, purpose, now, .. } = asked;
        let codes = &self.on(lane).codes;
        let key = match named {
            Some((of, key)) => codes.get_key_value(key).filter(|_| of == lane)?.0,
            None if by_alias && lane == Lane::Open => {
                let is_own = |code: &OwnCode| code.network == network && code.purpose == purpose;
                let own = codes.iter().filter(|(_, code)| is_own(code) && !code.expires.has_passed(now));
                own.max_by_key(|(_, code)| code.expires)?.0
            }
            None => return None,
        };
        let code = codes.get(key)?;
        let is_same = code.purpose == purpose;
        let may_be_resent = is_same && !code.expires.has_passed(now) && code.resends().may_go_on(now);
        let strength = if code.is_eight { Strength::Eight } else { Strength::Short };
        may_be_resent.then(|| self.plan(lane, strength, Some(key.clone()), now))
    }

    fn plan(&self, lane: Lane, strength: Strength, again: Option<String>, now: Timestamp) -> Plan {
        let own = |lane| {
            let expired = self.on(lane).codes.iter().filter(|(_, code)| code.expires.has_passed(now));
            expired.map(move |(key, _)| (Kept::Own(lane), key.clone()))
        };
        let long = self.long.iter().map(|(key, code)| (key, code.expires));
        let long = long.chain(self.used_long.iter().map(|(key, expires)| (key, *expires)));
        let long = long.filter(|(_, expires)| expires.has_passed(now)).map(|(key, _)| (Kept::Long, key.clone()));
        let expired = own(Lane::Open).chain(own(Lane::Known)).chain(long).take(MOST_REMOVED).collect();
        Plan { lane, strength, again, expired }
    }

    /// The strength of a new code: its attempts must fit into the day's charges and below a hundred failures in a row.
    fn strength(&self, lane: Lane, asked: Asked<'_>) -> Strength {
        let attempts = asked.policy.attempts;
        let [short, eight] = self.charged(lane, asked.now);
        let [most_short, most_eight] = match lane {
            Lane::Open => OPEN_CHARGES,
            Lane::Known => KNOWN_CHARGES,
        };
        if self.charged_in_a_row + attempts >= MOST_FAILURES {
            Strength::Long
        } else if short + attempts <= most_short {
            Strength::Short
        } else if eight + attempts <= most_eight {
            Strength::Eight
        } else {
            Strength::Long
        }
    }

    /// Codes under way that `network` asked for.
    fn live_of(&self, network: &str, now: Timestamp) -> usize {
        let own = self.open.codes.values().filter(|code| code.network == network && !code.expires.has_passed(now));
        let long = self.long.values().filter(|code| code.network == network && !code.expires.has_passed(now));
        own.count() + long.count()
    }

    /// Whether the newest long code serves this request too. While a message may be sent, it must be the newest code of all, because
    /// people type the code of the newest message.
    fn has_shared(&self, asked: Asked<'_>, may_send: bool) -> bool {
        let Asked { channel, policy, now, .. } = asked;
        let shared = self.long.values().filter(|code| code.purpose == Purpose::SignIn);
        let Some(long) = shared.max_by_key(|code| code.expires.moment()) else { return false };
        let end = long.expires.moment();
        if end <= now.after(LONG_LIFE.saturating_sub(shared_for(channel))) {
            return false;
        }
        let (sent, life) = (end.before(LONG_LIFE), policy.short_life(channel));
        let mut own = self.open.codes.values().chain(self.known.codes.values());
        // Of two codes of one second, either may be newer. A network gets its long code after its own ones.
        let is_newer = |code: &OwnCode| {
            let own_sent = code.expires.moment().before(life);
            own_sent > sent || (own_sent == sent && code.network != long.network)
        };
        // People may type it, although it is not for a sign-in.
        let is_newest = || self.long.values().all(|other| other.purpose == Purpose::SignIn || other.sent() <= sent);
        !may_send || (!own.any(is_newer) && is_newest())
    }
}

/// The bucket of a lane.
pub(crate) fn bucket(lane: Lane, channel: Channel) -> Bucket {
    match lane {
        Lane::Open => Bucket::of(channel),
        Lane::Known => KNOWN,
    }
}

#[cfg(test)]
pub(crate) mod tests;
