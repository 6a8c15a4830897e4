//! `F#<user>` in `UserTable`: the second factors of a user. It exists only for users who have added one or were about to.
//!
//! The epoch of `U#` orders all changes of factors: each is one transaction of both items, on the condition of the epoch that the
//! change was decided in, and begins a new epoch.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::expression::{Condition, Value, any};
use super::row::{self, TTL, attributes, row};
use super::send::{MOST_ROUNDS, Transacted, Written};
use super::table::{Item, Users};
use super::users;
use super::write::Update;
use crate::factors::{
    App, BackupCodes, DEVICE_FAILURES, Enrolment, FREE_FAILURES, FactorAttempt, FactorSet, Finding, MOST_DEVICES,
    NewDevice, Pending, ProvenFactor, SealedSecret, TrustedDevice, Used,
};
use crate::observe::report::{self, Step};
use crate::people::{EndReason, User};
use crate::words::{Entropy, Error, ExpiresAt, ItemKey, Result, SessionId, Timestamp, UserId, random_id};

row! {
    #[derive(Serialize, Deserialize)]
    struct Row {
        /// `F#` and the user's id.
        PK = "pk" => #[serde(deserialize_with = "row::key")] pk: ItemKey,
        /// The authenticator apps, by id.
        APPS = "tt" => #[serde(default)] apps: BTreeMap<String, AppRow>,
        /// The app that waits for its first code.
        ENROLMENT = "en" => #[serde(default)] enrolment: Option<EnrolmentRow>,
        /// The digests of the unused backup codes. The values say nothing.
        BACKUP_CODES = "bk" => #[serde(default)] backup_codes: BTreeMap<String, u64>,
        /// The id of the key of these digests.
        BACKUP_KEY = "bkk" => #[serde(default)] backup_key: Option<String>,
        /// Wrong codes of six digits since the last right factor.
        FAILURES = "f" => #[serde(default)] failures: u32,
        /// When the last of them was counted, in Unix seconds.
        FAILED = "fl" => #[serde(default)] failed: Option<u64>,
        /// How many factors were proven so far.
        PROVEN = "pn" => #[serde(default)] proven: u32,
        /// The invocation that proved the last one.
        PROVEN_BY = "wr" => #[serde(default)] proven_by: String,
        /// The trusted devices, by the digest of their token.
        DEVICES = "td" => #[serde(default)] devices: BTreeMap<String, DeviceRow>,
    }
}

attributes! {
    /// In an app or enrolment: the nonce and ciphertext of its secret.
    SECRET = "x";
    /// In an app or enrolment: the id of the key of the secret.
    SECRET_KEY = "k";
    /// In an app: the last step that was accepted.
    LAST_STEP = "ls";
    /// In an enrolment: the id of the app.
    ID = "i";
    /// In an enrolment or a trusted device: when it ends, in Unix seconds.
    ENDS = "e";
    /// In a trusted device: the user's epoch when it was trusted.
    DEVICE_EPOCH = "ep";
    /// In a trusted device: wrong codes of its own since the last right one.
    DEVICE_FAILED = "f";
}

#[derive(Serialize, Deserialize)]
struct AppRow {
    #[serde(rename = "x")]
    secret: ByteBuf,
    #[serde(rename = "k")]
    key: String,
    #[serde(rename = "ls")]
    last_step: u64,
    #[serde(rename = "c")]
    created: u64,
    #[serde(rename = "n")]
    name: String,
}

#[derive(Serialize, Deserialize)]
struct EnrolmentRow {
    #[serde(rename = "i")]
    id: String,
    #[serde(rename = "x")]
    secret: ByteBuf,
    #[serde(rename = "k")]
    key: String,
    #[serde(rename = "e")]
    end: u64,
    #[serde(rename = "n")]
    name: String,
}

#[derive(Serialize, Deserialize)]
struct DeviceRow {
    #[serde(rename = "e")]
    end: u64,
    #[serde(rename = "w")]
    words: String,
    #[serde(rename = "c")]
    created: u64,
    #[serde(rename = "ep")]
    epoch: u32,
    #[serde(rename = "f")]
    failures: u32,
}

pub(super) const KIND: &str = "F";

/// How long an item is kept that has nothing but an enrolment.
const ENROLMENT_KEPT: Duration = Duration::from_secs(86_400);

/// A change of a user's factors.
pub enum FactorChange<'a> {
    /// Adds the app of the enrolment with its id. A user's first app comes with backup codes.
    Confirm {
        /// The confirmed app.
        app: &'a App,
        /// The codes of a user without a factor.
        backup_codes: Option<&'a BackupCodes>,
    },
    /// Removes an app. With the last one, the backup codes go too.
    Remove {
        /// The id of the app.
        app: &'a str,
        /// Whether it is the user's only one.
        is_last: bool,
    },
    /// Replaces all backup codes.
    Renew(&'a BackupCodes),
}

/// The result of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is done, and a new epoch began.
    Done,
    /// Another change was first, or the session has ended. Read both items again.
    Overtaken,
}

impl Users<'_> {
    /// Reads the factors of a user. They are empty if the item is missing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn factors(&self, user: &UserId) -> Result<FactorSet> {
        let item = self.table.get(&self.key(KIND, &user.to_string())).await?;
        Ok(item.map(read).transpose()?.unwrap_or_default())
    }

    /// Counts an attempt at six digits for the pending's user, before the comparison (S91). `device` is the id of the trusted device
    /// that the client has shown. It has attempts of its own.
    ///
    /// # Errors
    /// [`Error::InvalidOtp`] if the pending was taken or the user has no factor; [`Error::TooManyAttempts`] while attempts have to
    /// wait; [`Error::Unavailable`] when the table is unreachable.
    pub(crate) async fn count_factor_attempt(
        &self,
        pending: &Pending,
        device: Option<&str>,
        now: Timestamp,
    ) -> Result<FactorAttempt> {
        let counting = || self.update_factors(&pending.user).when(is_count(pending.proven)).when(APPS.exists());
        if let Some(device) = device {
            let device_field = |field| DEVICES.entry("device", device).field(field);
            let failed = device_field(DEVICE_FAILED);
            let write = counting().when(device_field(ENDS).above(("now", now)));
            let write = write.when(device_field(DEVICE_EPOCH).is(("epoch", pending.epoch)));
            let write = write.when(failed.below(("most", DEVICE_FAILURES)));
            if let Written::Done(item) = write.raise(failed, 1).send().await? {
                return Ok(FactorAttempt::counted(read(item)?, Some(device.to_owned())));
            }
        }
        let free = any([FAILURES.is_missing(), FAILURES.below(("free", FREE_FAILURES))]);
        let mut refused = match count(counting().when(free), now).send().await? {
            Written::Done(item) => return Ok(FactorAttempt::counted(noted(read(item)?), None)),
            Written::Refused(item) => item,
        };
        let set = |item: Option<Item>| -> Result<FactorSet> {
            let set = item.map(read).transpose()?.ok_or(Error::InvalidOtp)?;
            let is_ours = set.proven == pending.proven && !set.apps.is_empty();
            is_ours.then_some(set).ok_or(Error::InvalidOtp)
        };
        // The second round is for a wait that has passed. If another attempt takes it meanwhile, the next wait begins.
        for _ in 0..2 {
            let seen = set(refused)?;
            let end = seen.waits_until().unwrap_or(now);
            if end > now {
                return Err(Error::TooManyAttempts { retry_after: now.until(end) });
            }
            let is_as_seen = FAILURES.is(("seen", seen.failures));
            match count(counting().when(is_as_seen), now).send().await? {
                Written::Done(item) => return Ok(FactorAttempt::counted(noted(read(item)?), None)),
                Written::Refused(item) => refused = item,
            }
        }
        Err(Error::TooManyAttempts { retry_after: Duration::from_secs(1) })
    }

    /// Uses up a factor together with its pending, in one write, and forgets the failures (S92, S95). Trusts `device` in the same
    /// write.
    ///
    /// # Errors
    /// [`Error::InvalidOtp`] if another request used the factor or took a pending of this user; [`Error::Unavailable`] when the table
    /// is unreachable.
    pub(crate) async fn use_up_factor(
        &self,
        finding: &Finding,
        pending: Pending,
        device: Option<&NewDevice>,
        now: Timestamp,
    ) -> Result<ProvenFactor> {
        let by = random_id(&Entropy)?;
        let mut set = finding.set.clone();
        for _ in 0..MOST_ROUNDS {
            let write = self.update_factors(&pending.user).when(is_count(pending.proven)).add(PROVEN, 1);
            let write = write.set(PROVEN_BY, by.as_str()).remove(FAILURES).remove(FAILED);
            let resealed;
            let write = match &finding.used {
                Used::Step { app, step, resealed: new } => {
                    let app = APPS.entry("app", app);
                    let write = write
                        .when(app.field(LAST_STEP).below(("step", *step)))
                        .set(app.field(LAST_STEP), ("step", *step));
                    match new {
                        Some(SealedSecret { bytes, key_id }) => {
                            resealed = AttributeValue::B(bytes.clone().into());
                            write.set(app.field(SECRET), resealed).set(app.field(SECRET_KEY), key_id.as_str())
                        }
                        None => write,
                    }
                }
                Used::BackupCode(digest) => {
                    let code = BACKUP_CODES.entry("code", digest);
                    write.when(code.exists()).remove(code)
                }
                Used::Enrolment => write.when(APPS.exists()),
            };
            let write = settle_device(write, &set, finding.device.as_deref());
            let write = match device {
                Some(device) => trust(write, &set, device, pending.epoch, now)?,
                None => write,
            };
            match write.send().await? {
                Written::Done(_) => return Ok(finding.proven(pending)),
                Written::Refused(item) => set = item.map(read).transpose()?.ok_or(Error::InvalidOtp)?,
            }
            // The SDK repeats a write whose answer was lost, and the first one makes the repetition fail.
            if set.proven_by == by {
                return Ok(finding.proven(pending));
            }
            let is_still_there = match &finding.used {
                Used::Step { app, step, .. } => set.apps.iter().any(|own| own.id == *app && own.last_step < *step),
                Used::BackupCode(digest) => set.backup_codes.contains(digest),
                Used::Enrolment => !set.apps.is_empty(),
            };
            if set.proven != pending.proven || !is_still_there {
                return Err(Error::InvalidOtp);
            }
        }
        Err(Error::unavailable("too many parallel requests change the user's factors"))
    }

    /// Notes a new app that waits for its first code. It takes the place of an earlier one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn begin_enrolment(&self, user: &UserId, enrolment: &Enrolment) -> Result<()> {
        let Enrolment { id, name, secret, end } = enrolment;
        let row = EnrolmentRow {
            id: id.clone(),
            secret: ByteBuf::from(secret.bytes.clone()),
            key: secret.key_id.clone(),
            end: end.moment().unix(),
            name: name.clone(),
        };
        let entry = AttributeValue::M(row::write(row)?);
        let write = || self.update_factors(user);
        // Without an app, DynamoDB removes the item some day.
        let first = write().when(APPS.is_missing()).set(ENROLMENT, entry.clone());
        let first = first.set(TTL, ("kept", end.moment().after(ENROLMENT_KEPT)));
        if let Written::Done(_) = first.send().await? {
            return Ok(());
        }
        match write().when(APPS.exists()).set(ENROLMENT, entry).send().await? {
            Written::Done(_) => Ok(()),
            Written::Refused(_) => Err(Error::unavailable("another request removed the user's factors")),
        }
    }

    /// Changes the factors of `user`, as just read, in a transaction with `U#`: a new epoch begins, and all sessions end except
    /// `session`, which must be active (S97). Without `session`, the change belongs to a sign-in that has none yet.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn change_factors(
        &self,
        user: &User,
        session: Option<&SessionId>,
        change: &FactorChange<'_>,
        now: Timestamp,
    ) -> Result<Changed> {
        // Every change ends the trust in all devices (S96).
        let factors = self.update_factors(&user.id);
        let factors = match *change {
            FactorChange::Confirm { app, backup_codes } => {
                let write = factors.when(ENROLMENT.field(ID).is(("app_id", app.id.as_str())));
                let write = write.when(ENROLMENT.field(ENDS).above(("now", now)));
                let write = write.remove(ENROLMENT).remove(TTL);
                let entry = AttributeValue::M(row::write(AppRow::of(app))?);
                match backup_codes {
                    // The first app makes the map. The epoch keeps another change from being first.
                    Some(codes) => {
                        let apps = Item::from([(app.id.clone(), entry)]);
                        with_backup_codes(write.when(APPS.is_missing()).set(APPS, apps), codes, now)
                    }
                    None => write.when(APPS.exists()).set(APPS.entry("app", &app.id), entry),
                }
            }
            FactorChange::Remove { app, is_last: true } => {
                let write = factors.when(APPS.entry("app", app).exists()).remove(APPS);
                write.remove(BACKUP_CODES).remove(BACKUP_KEY).remove(FAILURES).remove(FAILED).remove(ENROLMENT)
            }
            FactorChange::Remove { app, is_last: false } => {
                let app = APPS.entry("app", app);
                factors.when(app.exists()).remove(app)
            }
            FactorChange::Renew(codes) => with_backup_codes(factors.when(APPS.exists()), codes, now),
        };
        let epoch = users::in_epoch(user.epoch);
        let owner = self.update_user(&user.id).when(epoch).add(users::EPOCH, 1);
        let owner = owner.set(users::END_REASON, EndReason::Factors.name());
        let opened = session.and_then(|session| Some((session, *user.sessions.get(session.as_str())?)));
        let owner = match (session, opened) {
            (None, _) => owner.set(users::SESSIONS, Item::new()),
            (Some(_), None) => return Ok(Changed::Overtaken),
            (Some(_), Some((session, opened))) => {
                let only = Item::from([(session.as_str().to_owned(), opened.attribute_value())]);
                owner.when(users::entry(session).is(("opened", opened))).set(users::SESSIONS, only)
            }
        };
        let owner = match change {
            FactorChange::Confirm { backup_codes: Some(_), .. } => owner.set(users::SECOND_FACTOR_SINCE, ("now", now)),
            FactorChange::Remove { is_last: true, .. } => owner.remove(users::SECOND_FACTOR_SINCE),
            FactorChange::Confirm { .. } | FactorChange::Remove { .. } | FactorChange::Renew(_) => owner,
        };
        let writes = [factors.remove(DEVICES).in_transaction()?, owner.in_transaction()?];
        match self.table.transact(writes, &random_id(&Entropy)?).await? {
            Transacted::Done => Ok(Changed::Done),
            Transacted::Refused(_) => Ok(Changed::Overtaken),
        }
    }

    /// Ends the trust in one device, or in all. Returns whether there was any.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn forget_trusted(&self, user: &UserId, device: Option<&str>) -> Result<bool> {
        let devices = device.map_or(DEVICES, |device| DEVICES.entry("device", device));
        let write = self.update_factors(user).when(devices.exists()).remove(devices);
        Ok(matches!(write.send().await?, Written::Done(_)))
    }

    /// Deletes the factors of a user who is gone. The key of their item names the user.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn erase_factors(&self, user: &UserId) -> Result<()> {
        self.table.delete(&self.key(KIND, &user.to_string()), &PK.exists()).await
    }

    fn update_factors(&self, user: &UserId) -> super::write::Unconditional<'_> {
        self.table.update(self.key(KIND, &user.to_string()))
    }
}

/// Notes an attempt after which the next one has to wait, unless this one is right.
fn noted(set: FactorSet) -> FactorSet {
    if set.waits_until().is_some() {
        report::note(Step::Lockout { of: "factor".into() });
    }
    set
}

fn count(write: Update<'_>, now: Timestamp) -> Update<'_> {
    write.add(FAILURES, 1).set(FAILED, ("now", now))
}

/// Matches factors that were proven so often.
fn is_count(proven: u32) -> Condition {
    if proven == 0 { PROVEN.is_missing() } else { PROVEN.is(("proven", proven)) }
}

/// Forgets the failures of a trusted device.
fn settle_device<'a>(write: Update<'a>, set: &FactorSet, device: Option<&str>) -> Update<'a> {
    let device = device.filter(|id| set.devices.iter().any(|own| own.id == *id));
    let Some(device) = device else { return write };
    let device = DEVICES.entry("shown", device);
    write.when(device.exists()).set(device.field(DEVICE_FAILED), 0)
}

/// Adds a trusted device, in the place of the oldest if there are too many.
fn trust<'a>(write: Update<'a>, set: &FactorSet, device: &NewDevice, epoch: u32, now: Timestamp) -> Result<Update<'a>> {
    let id = device.token.id();
    let row = DeviceRow {
        end: device.end.moment().unix(),
        words: device.words.clone(),
        created: now.unix(),
        epoch,
        failures: 0,
    };
    let entry = AttributeValue::M(row::write(row)?);
    if set.devices.is_empty() {
        // An empty map may be there as well.
        let is_empty = any([DEVICES.is_missing(), DEVICES.has_fewer_than(1)]);
        return Ok(write.when(is_empty).set(DEVICES, Item::from([(id, entry)])));
    }
    let mut kept: Vec<_> = set.devices.iter().filter(|device| device.is_trusted(epoch, now)).collect();
    kept.sort_by_key(|device| device.created);
    let surplus = (kept.len() + 1).saturating_sub(MOST_DEVICES);
    let over = set.devices.iter().filter(|device| !device.is_trusted(epoch, now));
    let mut write = write.when(DEVICES.exists()).set(DEVICES.entry("new", &id), entry);
    for device in over.chain(kept.into_iter().take(surplus)) {
        write = write.remove(DEVICES.entry("old", &device.id));
    }
    Ok(write)
}

fn with_backup_codes<'a>(write: Update<'a>, codes: &BackupCodes, now: Timestamp) -> Update<'a> {
    let digests = codes.digests.iter().map(|digest| (digest.clone(), now.attribute_value()));
    write.set(BACKUP_CODES, digests.collect::<Item>()).set(BACKUP_KEY, codes.key_id.as_str())
}

impl AppRow {
    fn of(app: &App) -> AppRow {
        AppRow {
            secret: ByteBuf::from(app.secret.bytes.clone()),
            key: app.secret.key_id.clone(),
            last_step: app.last_step,
            created: app.created.unix(),
            name: app.name.clone(),
        }
    }
}

fn read(item: Item) -> Result<FactorSet> {
    let row: Row = row::read(item)?;
    let at = Timestamp::from_unix;
    let sealed = |secret: ByteBuf, key_id| SealedSecret { bytes: secret.into_vec(), key_id };
    let app = |(id, AppRow { secret, key, last_step, created, name })| App {
        id,
        name,
        secret: sealed(secret, key),
        last_step,
        created: at(created),
    };
    let device = |(id, DeviceRow { end, words, created, epoch, failures })| TrustedDevice {
        id,
        words,
        created: at(created),
        end: ExpiresAt::at(at(end)),
        epoch,
        failures,
    };
    Ok(FactorSet {
        apps: row.apps.into_iter().map(app).collect(),
        enrolment: row.enrolment.map(|EnrolmentRow { id, secret, key, end, name }| Enrolment {
            id,
            name,
            secret: sealed(secret, key),
            end: ExpiresAt::at(at(end)),
        }),
        backup_key: row.backup_key,
        backup_codes: row.backup_codes.into_keys().collect::<BTreeSet<_>>(),
        failures: row.failures,
        failed: row.failed.map(at),
        proven: row.proven,
        proven_by: row.proven_by,
        devices: row.devices.into_iter().map(device).collect(),
    })
}
