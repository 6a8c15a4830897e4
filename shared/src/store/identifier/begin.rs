//! A request for a code: the write that takes a token and stores the code, and the one that takes it back.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{
    self, ATTEMPTS_LEFT, CHARGED_IN_A_ROW, CODES, DAY, DIGEST, ELSEWHERE, ENDS, FULL_AT, KEPT_FOR, KNOWN_CODES,
    KNOWN_FULL_AT, LONG_CODES, LongEntry, NEWEST, OwnEntry, PEPPER, RECEIPTS, SENDS, TEXTS,
};
use crate::codes::{
    Asked, Decision, Draft, Drafting, IdentifierState, Kept, LongCode, OutgoingCode, OwnCode, Plan, SendName, Strength,
    bucket,
};
use crate::store::expression::Path;
use crate::store::row::TTL;
use crate::store::send::{MOST_ROUNDS, Written};
use crate::store::table::{Item, OtpTable};
use crate::store::write::Update;
use crate::words::{Channel, Entropy, Error, ExpiresAt, IdentifierDigest, Lane, Result, Timestamp, short_id};

/// A request for a code, as the table needs it.
#[derive(Clone, Copy)]
pub struct ChallengeRequest<'a> {
    /// The identifier's digest.
    pub identifier: &'a IdentifierDigest,
    /// The facts for the decision.
    pub asked: Asked<'a>,
    /// The material of its codes.
    pub drafting: Drafting<'a>,
}

/// The result of a request.
#[derive(Debug)]
pub enum Begun {
    /// A code is stored and must be sent.
    Outgoing(OutgoingCode),
    /// A long code under way serves this request too.
    Shared,
    /// The number has used up its texts, or the owner has complained about a mail.
    Wait(std::time::Duration),
    /// No message is left for a code with another purpose than a sign-in.
    NoneToSpare,
    /// A call or a WhatsApp message comes too soon after the challenge's newest message.
    TooSoon(std::time::Duration),
    /// The address has refused a mail.
    Held,
    /// The mailbox has used up the mails to its tagged addresses.
    MailboxFull,
}

/// A write of one plan: what it relies on, and what it stores.
struct Writing<'a> {
    request: ChallengeRequest<'a>,
    seen: &'a IdentifierState,
    plan: &'a Plan,
    draft: &'a Draft,
    /// The attempts that it charges.
    charged: u32,
    /// The number of the send.
    number: u32,
}

impl Writing<'_> {
    fn name(&self) -> SendName {
        SendName { kept: self.plan.kept(), key: self.draft.key.clone(), number: self.number }
    }
}

impl OtpTable {
    /// Decides about a request for a code and stores its code. `seen` is the identifier's state as just read. For a tagged address,
    /// it takes a token out of the bucket of its mailbox at the same time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when parallel requests keep changing an item, or when the table is unreachable.
    pub async fn begin(&self, seen: IdentifierState, request: ChallengeRequest<'_>) -> Result<Begun> {
        let Some(seen_full_at) = seen.mailbox_full_at else { return self.begin_challenge(seen, request).await };
        if !matches!(seen.decide(request.asked), Decision::Send(_)) {
            return self.begin_challenge(seen, request).await;
        }
        let taking = self.take_tagged(request.identifier, seen_full_at, request.asked);
        let (begun, taken) = tokio::join!(self.begin_challenge(seen, request), taking);
        match (begun, taken) {
            (Ok(begun @ Begun::Outgoing(_)), Ok(true)) => Ok(begun),
            // Nothing is sent, so the token goes back.
            (begun, Ok(true)) => {
                self.return_tagged(request.identifier).await;
                begun
            }
            (Ok(Begun::Outgoing(outgoing)), refused) => {
                self.withdraw_challenge(&outgoing, request).await?;
                refused.map(|_| Begun::MailboxFull)
            }
            (begun, _) => begun,
        }
    }

    async fn begin_challenge(&self, seen: IdentifierState, request: ChallengeRequest<'_>) -> Result<Begun> {
        let Asked { now, lane, policy, purpose, .. } = request.asked;
        let mut seen = seen;
        for _ in 0..MOST_ROUNDS {
            let plan = match seen.decide(request.asked) {
                Decision::Send(plan) => plan,
                Decision::Share => {
                    item::note("shared", &seen, request.asked, Lane::Open, true);
                    return Ok(Begun::Shared);
                }
                Decision::Wait(wait) => {
                    item::note("refused", &seen, request.asked, lane, false);
                    return Ok(Begun::Wait(wait));
                }
                Decision::NoneToSpare => {
                    item::note("refused", &seen, request.asked, lane, false);
                    return Ok(Begun::NoneToSpare);
                }
                Decision::MailboxFull => {
                    item::note("refused", &seen, request.asked, lane, false);
                    return Ok(Begun::MailboxFull);
                }
                Decision::TooSoon(left) => {
                    item::note("refused", &seen, request.asked, lane, false);
                    return Ok(Begun::TooSoon(left));
                }
                Decision::Held => {
                    item::note("held", &seen, request.asked, lane, false);
                    return Ok(Begun::Held);
                }
            };
            let key = plan.again.clone().map_or_else(|| short_id(&Entropy), Ok)?;
            let draft = request.drafting.draw(key, purpose, plan.strength)?;
            let charged = if plan.again.is_none() && plan.strength != Strength::Long { policy.attempts } else { 0 };
            let replaced = plan.again.as_ref().and_then(|key| seen.on(plan.lane).codes.get(key)).cloned().map(Box::new);
            let number = replaced.as_ref().map_or(0, |code| code.sends).saturating_add(1);
            let write = self.taking(&Writing { request, seen: &seen, plan: &plan, draft: &draft, charged, number })?;
            let (is_done, state) = match write.send().await? {
                Written::Done(item) => (true, item::read(Some(item))?),
                Written::Refused(item) => {
                    let state = item::read(item)?;
                    // The SDK retries a write after a lost answer. The retry is refused because the first attempt succeeded.
                    (holds(&state, &plan, &draft, now), state)
                }
            };
            if is_done {
                let did = if plan.again.is_some() { "sent_again" } else { "begun" };
                item::note(did, &state, request.asked, plan.lane, plan.strength == Strength::Long);
                return Ok(Begun::Outgoing(OutgoingCode { draft, plan, charged, number, replaced }));
            }
            seen = IdentifierState { mailbox_full_at: seen.mailbox_full_at, ..state };
        }
        Err(Error::unavailable("too many parallel requests change the identifier's item"))
    }

    /// Takes back a code that was certainly not sent, with its token and its charges. Nobody has seen the code.
    /// Does nothing if something else changed the code meanwhile.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn withdraw(&self, outgoing: &OutgoingCode, request: ChallengeRequest<'_>) -> Result<()> {
        tokio::join!(self.withdraw_challenge(outgoing, request), self.return_tagged(request.identifier)).0
    }

    async fn withdraw_challenge(&self, outgoing: &OutgoingCode, request: ChallengeRequest<'_>) -> Result<()> {
        let Asked { channel, now, .. } = request.asked;
        let OutgoingCode { draft, plan, charged, replaced, .. } = outgoing;
        let entry = item::entry(plan.kept(), &draft.key);
        let lane = item::names(plan.lane);
        let write = self
            .update_identifier(request.identifier)
            .when(entry.field(DIGEST).is(draft.digest().as_bytes()))
            .lower(lane.full_at, seconds(plan.lane, channel));
        let write = match (replaced, charged) {
            // The person may still get the message with the code before.
            (Some(before), _) => with_receipts(write, entry, before)
                .lower(entry.field(SENDS), 1)
                .set(entry.field(DIGEST), ("before", before.digest.as_bytes()))
                .set(entry.field(PEPPER), before.pepper_id.as_str())
                .set(entry.field(ENDS), before.expires.moment()),
            (None, 0) => write.remove(entry),
            (None, attempts) => write
                .when(entry.field(ATTEMPTS_LEFT).is(*attempts))
                .when(DAY.is(("day", day(now))))
                .when(CHARGED_IN_A_ROW.at_least(*attempts))
                .lower(lane.charges(plan.strength == Strength::Eight), *attempts)
                .lower(CHARGED_IN_A_ROW, *attempts)
                .remove(entry),
        };
        let write = match is_text(plan, channel) {
            true => write.when(DAY.is(("day", day(now)))).when(TEXTS.at_least(1)).lower(TEXTS, 1),
            false => write,
        };
        write.send().await?;
        Ok(())
    }

    /// The write of a plan. Its conditions cover all values that the decision relied on.
    fn taking<'a>(&'a self, writing: &Writing<'_>) -> Result<Update<'a>> {
        let Writing { request, seen, plan, .. } = *writing;
        let Asked { channel, now, .. } = request.asked;
        let lane = item::names(plan.lane);
        let full_at = bucket(plan.lane, channel).taken(seen.on(plan.lane).full_at, now);
        let write = self.update_identifier(request.identifier);
        let write = match seen.is_kept {
            false => begin_alone(write.when(FULL_AT.is_missing()), writing)?,
            true => join(write.when(lane.full_at.is(("seen_full_at", seen.on(plan.lane).full_at))), writing)?,
        };
        let write = write.set(NEWEST, ("newest", writing.name().to_string().as_str()));
        Ok(charge(write, writing).set(lane.full_at, ("full_at", full_at)).set(TTL, now.after(KEPT_FOR)))
    }
}

/// Sets the receipts of a code again.
fn with_receipts<'a>(write: Update<'a>, entry: Path<'_>, code: &OwnCode) -> Update<'a> {
    let came = RECEIPTS.into_iter().zip(code.receipts.0);
    came.fold(write, |write, (receipt, came)| match came.and_then(|came| u32::try_from(came.as_secs()).ok()) {
        Some(came) => write.set(entry.field(receipt), came),
        None => write.remove(entry.field(receipt)),
    })
}

/// The first message of an identifier, as far as the item knows.
fn begin_alone<'a>(write: Update<'a>, writing: &Writing<'_>) -> Result<Update<'a>> {
    let Writing { plan, draft, .. } = *writing;
    let here = plan.kept();
    let with = |of: Kept| -> Result<Item> {
        if of == here { Ok(Item::from([(draft.key.clone(), new_entry(writing)?)])) } else { Ok(Item::new()) }
    };
    let other = if plan.lane == Lane::Open { KNOWN_FULL_AT } else { FULL_AT };
    Ok(write
        .set(CODES, with(Kept::Own(Lane::Open))?)
        .set(KNOWN_CODES, with(Kept::Own(Lane::Known))?)
        .set(LONG_CODES, with(Kept::Long)?)
        .set(other, 0))
}

/// A message next to others.
fn join<'a>(write: Update<'a>, writing: &Writing<'_>) -> Result<Update<'a>> {
    let Writing { request, seen, plan, draft, .. } = *writing;
    let Asked { now, .. } = request.asked;
    let here = item::entry(plan.kept(), &draft.key);
    let mut write = match &plan.again {
        None => write.set(here, new_entry(writing)?),
        Some(key) => {
            let digest = seen.on(plan.lane).codes.get(key).map(|code| code.digest.as_bytes());
            let digest = digest.ok_or_else(|| Error::internal("a plan names a code that the item does not have"))?;
            // Receipts are those of the newest send.
            let write = RECEIPTS.into_iter().fold(write, |write, receipt| write.remove(here.field(receipt)));
            write
                .when(here.field(DIGEST).is(("seen_digest", digest)))
                .when(here.field(ATTEMPTS_LEFT).at_least(1))
                .set(here.field(DIGEST), draft.digest().as_bytes())
                .set(here.field(PEPPER), draft.pepper_id.as_str())
                .set(here.field(ENDS), ends(writing))
                .raise(here.field(SENDS), 1)
        }
    };
    for (of, key) in &plan.expired {
        let expired = item::map(*of).entry("expired", key);
        write = write.when(expired.field(ENDS).at_most(("now", now))).remove(expired);
    }
    Ok(write)
}

/// Counts a message: a text of the day, and the attempts of a new code with digits for the day and in the row of failures.
fn charge<'a>(write: Update<'a>, writing: &Writing<'_>) -> Update<'a> {
    let Writing { request, seen, plan, charged, .. } = *writing;
    let Asked { channel, now, .. } = request.asked;
    let is_eight = plan.strength == Strength::Eight;
    let charges = (charged > 0).then(|| item::names(plan.lane).charges(is_eight));
    let texts = is_text(plan, channel).then_some(TEXTS);
    if seen.is_kept && charges.is_none() && texts.is_none() {
        return write;
    }
    let write = if seen.is_kept { write.when(DAY.is(("seen_day", Timestamp::from_unix(seen.day)))) } else { write };
    let is_new_day = !seen.is_kept || seen.day != now.day();
    let write = if is_new_day { new_day(write, [charges, texts], now) } else { write };
    let write = match texts {
        Some(texts) if is_new_day => write.set(texts, 1),
        Some(texts) => write.add(texts, 1),
        None => write,
    };
    let Some(charges) = charges else {
        return if seen.is_kept { write } else { write.set(CHARGED_IN_A_ROW, seen.charged_in_a_row) };
    };
    let [short, eight] = seen.charged(plan.lane, now);
    let before = if is_eight { eight } else { short };
    let write = if is_new_day { write } else { write.when(charges.is(("seen_charged", before))) };
    let write = match seen.is_kept {
        true => write.when(CHARGED_IN_A_ROW.is(("seen_in_a_row", seen.charged_in_a_row))),
        false => write,
    };
    write
        .set(charges, ("charged", before + charged))
        .set(CHARGED_IN_A_ROW, ("in_a_row", seen.charged_in_a_row.saturating_add(charged)))
}

/// Whether a message counts as a text of the day, as calls and WhatsApp messages do.
fn is_text(plan: &Plan, channel: Channel) -> bool {
    channel.is_to_phones() && plan.lane == Lane::Open
}

/// Begins the counts of a day, except those that the caller sets.
fn new_day<'a>(write: Update<'a>, except: [Option<Path<'static>>; 2], now: Timestamp) -> Update<'a> {
    let [open, known] = [Lane::Open, Lane::Known].map(item::names);
    let all = [open.charged, open.charged_eight, known.charged, known.charged_eight, ELSEWHERE, TEXTS];
    let is_set = |path: Path<'_>| except.into_iter().flatten().any(|except| except.name() == path.name());
    let zeros = all.into_iter().filter(|path| !is_set(*path));
    zeros.fold(write, |write, path| write.set(path, 0)).set(DAY, ("day", day(now)))
}

fn new_entry(writing: &Writing<'_>) -> Result<AttributeValue> {
    let Writing { request, plan, draft, charged, .. } = *writing;
    let Asked { network, by_alias, purpose, now, .. } = request.asked;
    let (digest, pepper_id) = (draft.digest().clone(), draft.pepper_id.clone());
    let (expires, network) = (ExpiresAt::at(ends(writing)), network.to_owned());
    match plan.strength {
        Strength::Long => item::value(LongEntry::from(LongCode { digest, pepper_id, expires, network, purpose })),
        Strength::Short | Strength::Eight => item::value(OwnEntry::from(OwnCode {
            digest,
            pepper_id,
            expires,
            attempts_left: charged,
            sends: 1,
            network,
            day: now.day(),
            is_eight: plan.strength == Strength::Eight,
            by_alias,
            purpose,
            receipts: Default::default(),
        })),
    }
}

/// When the code that is written expires.
fn ends(writing: &Writing<'_>) -> Timestamp {
    let Writing { request, plan, .. } = *writing;
    let Asked { policy, now, .. } = request.asked;
    now.after(policy.life_of(request.drafting.to, plan.strength))
}

fn holds(state: &IdentifierState, plan: &Plan, draft: &Draft, now: Timestamp) -> bool {
    state.live(plan.kept(), &draft.key, now).is_some_and(|(digest, _)| digest.matches(draft.digest()))
}

/// The time in which one token of a lane comes back, in seconds.
pub(super) fn seconds(lane: Lane, channel: Channel) -> u32 {
    u32::try_from(bucket(lane, channel).every.as_secs()).unwrap_or(u32::MAX)
}

/// A day as a number.
fn day(now: Timestamp) -> Timestamp {
    Timestamp::from_unix(now.day())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{Brake, Calls, Purpose, Supply, policy};
    use crate::store::refused::Refused;
    use crate::store::table::Table;
    use crate::words::{Destination, Index, MacKey, Tenant};

    fn with_request<T>(lane: Lane, work: impl FnOnce(&OtpTable, ChallengeRequest<'_>) -> T) -> T {
        let (refused, brake, mail) = (Refused::default(), Brake::default(), Default::default());
        let table = OtpTable { table: Table::without_calls(), refused, brake, mail };
        let (tenant, pepper, policy) = (Tenant::default(), MacKey::new([1; 32]), policy());
        let to = Destination::of("ada@example.com".parse().unwrap(), None).unwrap();
        let identifier = Index::new(MacKey::new([1; 32]), &tenant).identifier(&to.identifier());
        let drafting = Drafting { tenant: &tenant, to: &to, pepper_id: "0123456789abcdef", pepper: &pepper, length: 6 };
        let (network, channel, now) = ("AAAAAAAA", Channel::Email, Timestamp::from_unix(4_102_444_800));
        let purpose = Purpose::StepUp;
        let asked = Asked { lane, network, named: None, by_alias: true, channel, purpose, policy: &policy, now };
        work(&table, ChallengeRequest { identifier: &identifier, asked, drafting })
    }

    /// As full as a day of attacks makes it: `open` codes of strangers and a long one, and three codes of known browsers.
    fn fullest(open: usize, now: Timestamp) -> IdentifierState {
        let own = |number: usize| {
            let code = OwnCode {
                digest: crate::codes::CodeDigest::from_table([1; 16]),
                pepper_id: "0123456789abcdef".to_owned(),
                expires: ExpiresAt::at(now),
                attempts_left: 3,
                sends: 4,
                network: "AAAAAAAA".to_owned(),
                day: now.day(),
                is_eight: true,
                // A code of an alias is always for a sign-in. Its mark is as long as that of a purpose.
                by_alias: false,
                purpose: Purpose::StepUp,
                receipts: Default::default(),
            };
            (format!("{number:08}"), code)
        };
        let supply = |codes: usize| Supply { full_at: now, codes: (0..codes).map(own).collect(), charged: [12, 120] };
        let (_, code) = own(0);
        let OwnCode { digest, pepper_id, expires, network, purpose, .. } = code;
        let long = LongCode { digest, pepper_id, expires, network, purpose };
        let (open, known) = (supply(open), supply(3));
        let day = now.day();
        let long = [("00000009".to_owned(), long)].into();
        let (elsewhere, texts, charged_in_a_row, epoch) = (2, 10, 99, 100);
        // Each used within its life. One write removes some of them.
        let used_long = (10..90).map(|number| (format!("{number:08}"), expires)).collect();
        let (message, hold, complained, opted_out, mailbox_full_at) = (None, None, None, None, None);
        let calls = Calls { day, count: 2 };
        IdentifierState {
            is_kept: true,
            open,
            known,
            long,
            used_long,
            day,
            elsewhere,
            texts,
            charged_in_a_row,
            epoch,
            message,
            hold,
            complained,
            opted_out,
            calls,
            mailbox_full_at,
        }
    }

    /// DynamoDB allows expressions of 4 KB. The longest one begins a challenge while the most codes have expired.
    #[test]
    fn the_longest_expressions_are_within_the_limit() {
        for lane in [Lane::Open, Lane::Known] {
            with_request(lane, |table, request| {
                let seen = IdentifierState { charged_in_a_row: 0, ..fullest(MAILS, request.asked.now) };
                let draft =
                    request.drafting.draw("12345678".to_owned(), request.asked.purpose, Strength::Eight).unwrap();
                let expired = match seen.decide(request.asked) {
                    Decision::Send(plan) => plan.expired,
                    other => panic!("{other:?}"),
                };
                assert_eq!(expired.len(), 12);
                let plan = Plan { lane, strength: Strength::Eight, again: None, expired };
                let writing = Writing { request, seen: &seen, plan: &plan, draft: &draft, charged: 3, number: 1 };
                let item = table.taking(&writing).unwrap().in_transaction().unwrap();
                let write = item.update().unwrap();
                let lengths = [write.update_expression(), write.condition_expression().unwrap()].map(str::len);
                assert!(lengths.into_iter().all(|length| length < 4_096), "{lengths:?}");
            });
        }
    }

    /// The size as DynamoDB counts it: UTF-8 bytes of names and values, half a byte for each digit of a number plus one, 3 bytes
    /// for a map plus one for each entry.
    fn size(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            AttributeValue::B(bytes) => bytes.as_ref().len(),
            AttributeValue::Bool(_) => 1,
            AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| name.len() + size(value) + 1).sum::<usize>(),
            other => panic!("{other:?} is not in an identifier's item"),
        }
    }

    /// An entry whose message got these receipts within seconds.
    fn told(entry: impl serde::Serialize, receipts: &[&str]) -> AttributeValue {
        let AttributeValue::M(mut entry) = item::value(entry).unwrap() else { panic!("an entry is a map") };
        let after = || AttributeValue::N("99".to_owned());
        entry.extend(receipts.iter().map(|receipt| ((*receipt).to_owned(), after())));
        AttributeValue::M(entry)
    }

    /// The most codes with digits of strangers at once, by mail and by text.
    const MAILS: usize = 6;
    const TEXTS_AT_ONCE: usize = 4;

    #[test]
    fn the_fullest_item_is_one_write_unit() {
        let number = |number: u64| AttributeValue::N(number.to_string());
        let message = AttributeValue::S(format!("0AAAAAAAA4 {}", "0".repeat(36)));
        let of_phones = vec![("mi", message), ("oo", number(4_102_444_800)), ("vd", number(99_999)), ("vn", number(2))];
        for (codes, receipts, others) in [(MAILS, &["v"][..], vec![]), (TEXTS_AT_ONCE, &["d", "o", "v"], of_phones)] {
            let bytes = bytes_of_the_fullest(codes, receipts) + bytes(others);
            assert!(bytes < 1_024, "{bytes} bytes");
        }
    }

    fn bytes(attributes: impl IntoIterator<Item = (&'static str, AttributeValue)>) -> usize {
        attributes.into_iter().map(|(name, value)| name.len() + size(&value)).sum()
    }

    fn bytes_of_the_fullest(codes: usize, receipts: &[&str]) -> usize {
        let now = Timestamp::from_unix(4_102_444_800);
        let state = fullest(codes, now);
        let number = |number: u64| AttributeValue::N(number.to_string());
        let map = |codes: std::collections::BTreeMap<String, OwnCode>| {
            AttributeValue::M(
                codes.into_iter().map(|(key, code)| (key, told(OwnEntry::from(code), receipts))).collect(),
            )
        };
        let long = state.long.into_iter().map(|(key, code)| (key, told(LongEntry::from(code), receipts)));
        bytes([
            ("pk", AttributeValue::S(format!("I#{}", "A".repeat(43)))),
            ("tat", number(now.unix())),
            ("tk", number(now.unix())),
            ("co", map(state.open.codes)),
            ("ck", map(state.known.codes)),
            ("lg", AttributeValue::M(long.collect())),
            ("dd", number(now.day())),
            ("d6", number(12)),
            ("d8", number(120)),
            ("du", number(2)),
            ("dt", number(10)),
            ("k6", number(6)),
            ("k8", number(60)),
            ("f", number(99)),
            ("ep", number(100)),
            ("w", AttributeValue::S("0AAAAAAAA4".to_owned())),
            ("ttl", number(now.unix())),
        ])
    }
}
