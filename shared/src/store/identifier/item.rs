//! The item of an identifier, and how it is read.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::codes::{
    Asked, Calls, CodeDigest, DEVICE_LIFE, DIGEST_LENGTH, Hold, IdentifierState, Kept, LongCode, Message, Messages,
    OwnCode, Purpose, Receipts, Resends, SentMessage, Supply,
};
use crate::observe::report::{self, Step};
use crate::store::expression::{Path, any};
use crate::store::row::{self, TTL, row};
use crate::store::table::{Item, OtpTable};
use crate::store::write::Unconditional;
use crate::words::{Error, ExpiresAt, IdentifierDigest, Lane, Result, Timestamp};

/// Long enough to remember charged attempts for longer than any attack lasts (S05), and the epoch for as long as device tokens.
pub(super) const KEPT_FOR: Duration = DEVICE_LIFE;

impl OtpTable {
    pub(super) fn update_identifier(&self, identifier: &IdentifierDigest) -> Unconditional<'_> {
        self.table.update(identifier.item("I"))
    }

    /// Reads what is kept about an identifier, strongly consistent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn identifier(&self, identifier: &IdentifierDigest) -> Result<IdentifierState> {
        read(self.table.get(&identifier.item("I")).await?)
    }

    /// The same for a request for a code. For a tagged address, it also reads the bucket of its mailbox, at the same time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn identifier_and_mailbox(&self, identifier: &IdentifierDigest) -> Result<IdentifierState> {
        let (state, mailbox_full_at) = tokio::try_join!(self.identifier(identifier), self.mailbox_full_at(identifier))?;
        Ok(IdentifierState { mailbox_full_at, ..state })
    }
}

impl OtpTable {
    /// Makes all device tokens of these identifiers invalid. Their items then live as long as the longest-lived of the tokens.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn forget_devices(
        &self,
        identifiers: impl Iterator<Item = IdentifierDigest>,
        now: Timestamp,
    ) -> Result<()> {
        let forget = |identifier: IdentifierDigest| async move {
            let any_epoch = any([EPOCH.is_missing(), EPOCH.at_least(0)]);
            let write = self.update_identifier(&identifier).when(any_epoch).add(EPOCH, 1);
            write.set(TTL, now.after(KEPT_FOR)).send().await
        };
        try_join_all(identifiers.map(forget)).await.map(drop)
    }
}

row! {
    /// Every attribute may be missing: items of earlier versions have only `f`, and a device's epoch may come first.
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Row {
        /// When the bucket is full again, in Unix seconds.
        pub(super) FULL_AT = "tat" => full_at: Option<u64>,
        /// Codes with digits of clients without a device token, by random names. Expired ones stay until the next message.
        pub(super) CODES = "co" => codes: BTreeMap<String, OwnEntry>,
        /// Long codes, by random names. Expired ones stay until the next message.
        pub(super) LONG_CODES = "lg" => long_codes: BTreeMap<String, LongEntry>,
        /// The day of the charges, in days since 1970.
        pub(super) DAY = "dd" => day: u64,
        /// Attempts charged on that day to codes with the usual digits.
        pub(super) CHARGED = "d6" => charged: u32,
        /// Attempts charged on that day to codes with eight digits.
        pub(super) CHARGED_EIGHT = "d8" => charged_eight: u32,
        /// Comparisons on that day of answers without an id with alias codes of another network.
        pub(super) ELSEWHERE = "du" => elsewhere: u32,
        /// Texts of that day for clients without a device token that nobody has answered.
        pub(super) TEXTS = "dt" => texts: u32,
        /// Attempts charged since the last right answer, of all clients.
        pub(super) CHARGED_IN_A_ROW = "f" => charged_in_a_row: u32,
        /// `FULL_AT` of clients with a device token.
        pub(super) KNOWN_FULL_AT = "tk" => known_full_at: u64,
        /// `CODES` of clients with a device token.
        pub(super) KNOWN_CODES = "ck" => known_codes: BTreeMap<String, OwnEntry>,
        /// `CHARGED` of clients with a device token.
        pub(super) KNOWN_CHARGED = "k6" => known_charged: u32,
        /// `CHARGED_EIGHT` of clients with a device token.
        pub(super) KNOWN_CHARGED_EIGHT = "k8" => known_charged_eight: u32,
        /// How often the owner has signed out everywhere. Device tokens carry it.
        pub(super) EPOCH = "ep" => epoch: u32,
        /// The name of the newest send. A right answer removes it.
        pub(super) NEWEST = "w" => newest: Option<String>,
        /// The name of the send with the newest receipt, and its provider's id, if the provider wants feedback.
        pub(super) MESSAGE = "mi" => message: Option<String>,
        /// The newest hold, also after its end.
        pub(super) HOLD = "hd" => hold: Option<HoldEntry>,
        /// When the owner last complained about a mail, in Unix seconds.
        pub(super) COMPLAINED = "cp" => complained: Option<u64>,
        /// When a provider last refused a text because the number has opted out, in Unix seconds.
        pub(super) OPTED_OUT = "oo" => opted_out: Option<u64>,
        /// The day of the counted calls, in days since 1970.
        pub(super) CALLS_DAY = "vd" => calls_day: u64,
        /// Calls on that day.
        pub(super) CALLS = "vn" => calls: u32,
    }
}

row! {
    /// A challenge with a code of its own. `LongEntry` has the same names.
    #[derive(Serialize, Deserialize)]
    pub(super) struct OwnEntry {
        /// The code's digest.
        pub(super) DIGEST = "h" => digest: ByteArray<DIGEST_LENGTH>,
        /// The id of the pepper in the digest.
        pub(super) PEPPER = "k" => pepper: String,
        /// When the code expires, in Unix seconds.
        pub(super) ENDS = "e" => ends: u64,
        /// Attempts left.
        pub(super) ATTEMPTS_LEFT = "t" => attempts_left: u32,
        /// Codes sent.
        pub(super) SENDS = "c" => sends: u32,
        /// The short digest of the network that asked.
        pub(super) NETWORK = "n" => network: String,
        /// The day to which its attempts are charged, in days since 1970.
        pub(super) CHARGED_TO = "y" => day: u64,
        /// Whether its attempts are charged to codes with eight digits.
        pub(super) IS_EIGHT = "g" => #[serde(default, skip_serializing_if = "std::ops::Not::not")] is_eight: bool,
        /// What it is for. Missing for a sign-in.
        pub(super) PURPOSE = "p" => #[serde(default, skip_serializing_if = "Option::is_none")] purpose: Option<String>,
        /// Whether it was asked for through an alias.
        pub(super) BY_ALIAS = "a" => #[serde(default, skip_serializing_if = "std::ops::Not::not")] by_alias: bool,
        // How many seconds after the newest send the first receipt of each kind came. `LongEntry` may have them too.
        /// The recipient's server did not take it yet.
        pub(super) DELAYED = "d" => #[serde(skip_serializing_if = "Option::is_none")] delayed: Option<u64>,
        /// Another carrier took it.
        pub(super) HANDED_OVER = "o" => #[serde(skip_serializing_if = "Option::is_none")] handed_over: Option<u64>,
        /// It came back, and the recipient exists.
        pub(super) RETURNED = "r" => #[serde(skip_serializing_if = "Option::is_none")] returned: Option<u64>,
        /// It was delivered.
        pub(super) DELIVERED = "v" => #[serde(skip_serializing_if = "Option::is_none")] delivered: Option<u64>,
        /// It was certainly not delivered.
        pub(super) FAILED = "x" => #[serde(skip_serializing_if = "Option::is_none")] failed: Option<u64>,
    }
}

/// A long code. Its use removes the digest, and the rest stays for receipts of its message.
#[derive(Serialize, Deserialize)]
pub(super) struct LongEntry {
    #[serde(rename = "h")]
    pub(super) digest: Option<ByteArray<DIGEST_LENGTH>>,
    #[serde(rename = "k", default)]
    pub(super) pepper: String,
    #[serde(rename = "e")]
    pub(super) ends: u64,
    #[serde(rename = "n")]
    pub(super) network: String,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(super) purpose: Option<String>,
}

/// The attributes of all kinds of receipts, in the order of [`Receipts`].
pub(super) const RECEIPTS: [Path<'static>; 5] = [DELAYED, HANDED_OVER, RETURNED, DELIVERED, FAILED];

/// An entry as its receipts see it.
#[derive(Deserialize)]
struct ReceiptsEntry {
    #[serde(rename = "e")]
    ends: u64,
    #[serde(rename = "t", default)]
    attempts_left: u32,
    #[serde(rename = "c", default)]
    sends: u32,
    #[serde(rename = "y", default)]
    day: u64,
    #[serde(rename = "p")]
    purpose: Option<String>,
    #[serde(rename = "d")]
    delayed: Option<u64>,
    #[serde(rename = "o")]
    handed_over: Option<u64>,
    #[serde(rename = "r")]
    returned: Option<u64>,
    #[serde(rename = "v")]
    delivered: Option<u64>,
    #[serde(rename = "x")]
    failed: Option<u64>,
}

/// The item as its receipts see it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ReceiptsRow {
    #[serde(rename = "co")]
    codes: BTreeMap<String, ReceiptsEntry>,
    #[serde(rename = "ck")]
    known_codes: BTreeMap<String, ReceiptsEntry>,
    #[serde(rename = "lg")]
    long_codes: BTreeMap<String, ReceiptsEntry>,
    #[serde(rename = "w")]
    newest: Option<String>,
    #[serde(rename = "hd")]
    hold: Option<HoldEntry>,
    #[serde(rename = "vd")]
    calls_day: u64,
    #[serde(rename = "vn")]
    calls: u32,
}

row! {
    /// A hold.
    #[derive(Serialize, Deserialize)]
    pub(super) struct HoldEntry {
        /// The name of the send that caused it.
        pub(super) HELD_BY = "b" => by: String,
        /// When that mail was refused, in Unix seconds.
        pub(super) HELD_FROM = "f" => from: u64,
        /// Refusals in a row.
        pub(super) LEVEL = "l" => level: u32,
    }
}

/// The attributes of one lane.
pub(super) struct Names {
    pub(super) full_at: Path<'static>,
    pub(super) codes: Path<'static>,
    pub(super) charged: Path<'static>,
    pub(super) charged_eight: Path<'static>,
}

pub(super) fn names(lane: Lane) -> Names {
    match lane {
        Lane::Open => Names { full_at: FULL_AT, codes: CODES, charged: CHARGED, charged_eight: CHARGED_EIGHT },
        Lane::Known => Names {
            full_at: KNOWN_FULL_AT,
            codes: KNOWN_CODES,
            charged: KNOWN_CHARGED,
            charged_eight: KNOWN_CHARGED_EIGHT,
        },
    }
}

impl Names {
    pub(super) fn charges(&self, is_eight: bool) -> Path<'static> {
        if is_eight { self.charged_eight } else { self.charged }
    }
}

/// The map that holds an entry.
pub(super) fn map(kept: Kept) -> Path<'static> {
    match kept {
        Kept::Own(lane) => names(lane).codes,
        Kept::Long => LONG_CODES,
    }
}

pub(super) fn entry(kept: Kept, key: &str) -> Path<'_> {
    map(kept).entry("code", key)
}

/// A missing item is an empty state.
pub(super) fn read(item: Option<Item>) -> Result<IdentifierState> {
    let row: Row = item.map(row::read).transpose()?.unwrap_or_default();
    let at = Timestamp::from_unix;
    let (long, used): (Vec<_>, Vec<_>) = row.long_codes.into_iter().partition(|(_, entry)| entry.digest.is_some());
    let own = |codes: BTreeMap<String, OwnEntry>| codes.into_iter().map(|(key, entry)| (key, entry.into())).collect();
    Ok(IdentifierState {
        is_kept: row.full_at.is_some(),
        open: Supply {
            full_at: at(row.full_at.unwrap_or_default()),
            codes: own(row.codes),
            charged: [row.charged, row.charged_eight],
        },
        known: Supply {
            full_at: at(row.known_full_at),
            codes: own(row.known_codes),
            charged: [row.known_charged, row.known_charged_eight],
        },
        used_long: used.into_iter().map(|(key, entry)| (key, ExpiresAt::at(at(entry.ends)))).collect(),
        long: long.into_iter().filter_map(|(key, entry)| Some((key, entry.unused()?))).collect(),
        day: row.day,
        elsewhere: row.elsewhere,
        texts: row.texts,
        charged_in_a_row: row.charged_in_a_row,
        epoch: row.epoch,
        message: row.message.and_then(|text| SentMessage::read(&text)),
        hold: row.hold.map(Hold::from),
        complained: row.complained.map(at),
        opted_out: row.opted_out.map(at),
        calls: Calls { day: row.calls_day, count: row.calls },
        mailbox_full_at: None,
    })
}

/// Reports what a request for a code came to, with the identifier's counts at that time.
pub(super) fn note(did: &'static str, state: &IdentifierState, asked: Asked<'_>, lane: Lane, long: bool) {
    let Asked { channel, purpose, now, .. } = asked;
    let tokens = state.tokens(lane, channel, now);
    let (charged, purpose) = (state.charged_in_a_row, purpose.noted());
    report::note(Step::Challenge { did: did.into(), lane: lane.name().into(), purpose, tokens, charged, long });
}

/// An entry as an attribute.
pub(super) fn value(entry: impl Serialize) -> Result<AttributeValue> {
    serde_dynamo::to_attribute_value(entry).map_err(Error::internal)
}

impl From<OwnEntry> for OwnCode {
    fn from(entry: OwnEntry) -> OwnCode {
        OwnCode {
            digest: CodeDigest::from_table(entry.digest.into_array()),
            pepper_id: entry.pepper,
            expires: ExpiresAt::at(Timestamp::from_unix(entry.ends)),
            attempts_left: entry.attempts_left,
            sends: entry.sends,
            network: entry.network,
            day: entry.day,
            is_eight: entry.is_eight,
            by_alias: entry.by_alias,
            purpose: Purpose::of_mark(entry.purpose.as_deref()),
            receipts: came([entry.delayed, entry.handed_over, entry.returned, entry.delivered, entry.failed]),
        }
    }
}

fn came(seconds: [Option<u64>; 5]) -> Receipts {
    Receipts(seconds.map(|came| came.map(Duration::from_secs)))
}

impl From<OwnCode> for OwnEntry {
    fn from(code: OwnCode) -> OwnEntry {
        let [delayed, handed_over, returned, delivered, failed] =
            code.receipts.0.map(|came| came.map(|came| came.as_secs()));
        OwnEntry {
            digest: ByteArray::new(*code.digest.as_bytes()),
            pepper: code.pepper_id,
            ends: code.expires.moment().unix(),
            attempts_left: code.attempts_left,
            sends: code.sends,
            network: code.network,
            day: code.day,
            is_eight: code.is_eight,
            purpose: code.purpose.mark().map(str::to_owned),
            by_alias: code.by_alias,
            delayed,
            handed_over,
            returned,
            delivered,
            failed,
        }
    }
}

impl From<LongCode> for LongEntry {
    fn from(code: LongCode) -> LongEntry {
        LongEntry {
            digest: Some(ByteArray::new(*code.digest.as_bytes())),
            pepper: code.pepper_id,
            ends: code.expires.moment().unix(),
            network: code.network,
            purpose: code.purpose.mark().map(str::to_owned),
        }
    }
}

impl LongEntry {
    /// The code, unless it is used.
    fn unused(self) -> Option<LongCode> {
        Some(LongCode {
            digest: CodeDigest::from_table(self.digest?.into_array()),
            pepper_id: self.pepper,
            expires: ExpiresAt::at(Timestamp::from_unix(self.ends)),
            network: self.network,
            purpose: Purpose::of_mark(self.purpose.as_deref()),
        })
    }
}

impl From<HoldEntry> for Hold {
    fn from(HoldEntry { by, from, level }: HoldEntry) -> Hold {
        Hold { by, from: Timestamp::from_unix(from), level }
    }
}

/// A hold as an attribute.
pub(super) fn hold(hold: &Hold) -> Result<AttributeValue> {
    value(HoldEntry { by: hold.by.clone(), from: hold.from.unix(), level: hold.level })
}

fn read_receipts(item: Option<Item>) -> Result<ReceiptsRow> {
    Ok(item.map(row::read).transpose()?.unwrap_or_default())
}

/// The name of the newest send, and the hold.
pub(super) fn read_hold(item: Option<Item>) -> Result<(Option<String>, Option<Hold>)> {
    let ReceiptsRow { newest, hold, .. } = read_receipts(item)?;
    Ok((newest, hold.map(Hold::from)))
}

/// The messages of an identifier. A missing item has none.
pub(super) fn read_messages(item: Option<Item>) -> Result<Messages> {
    let ReceiptsRow { codes, known_codes, long_codes, hold, calls_day, calls, .. } = read_receipts(item)?;
    let of = |kept, codes: BTreeMap<String, ReceiptsEntry>| {
        codes.into_iter().map(move |(key, entry)| (kept, key, Message::from(entry)))
    };
    let (open, known) = (of(Kept::Own(Lane::Open), codes), of(Kept::Own(Lane::Known), known_codes));
    let all = open.chain(known).chain(of(Kept::Long, long_codes)).collect();
    Ok(Messages::new(all, hold.map(Hold::from), Calls { day: calls_day, count: calls }))
}

impl From<ReceiptsEntry> for Message {
    fn from(entry: ReceiptsEntry) -> Message {
        let ReceiptsEntry { ends, attempts_left, sends, day, purpose, .. } = entry;
        let ReceiptsEntry { delayed, handed_over, returned, delivered, failed, .. } = entry;
        Message {
            ends: Timestamp::from_unix(ends),
            resends: Resends { attempts_left, sends, day },
            purpose: Purpose::of_mark(purpose.as_deref()),
            receipts: came([delayed, handed_over, returned, delivered, failed]),
        }
    }
}
