//! `S#<session>` in `UserTable`: one session and the state of its refresh token.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use super::expression::Value;
use super::row::{self, row};
use super::send::Written;
use super::table::{Item, Users};
use super::write::Update;
use crate::observe::report::{self, Step};
use crate::people::{Familiarity, User};
use crate::sessions::{DISAVOWAL_LIFE, Device, Grant, Proof, RotatedBy, Rotation, Seed, Session, SessionPolicy};
use crate::words::{ExpiresAt, ItemKey, Result, SessionId, Timestamp, UserId};

row! {
    #[derive(Serialize, Deserialize)]
    struct Row {
        /// `S#` and the session's id.
        PK = "pk" => #[serde(deserialize_with = "row::key")] pk: ItemKey,
        /// The user of the session.
        pub(super) USER = "uid" => user: UserId,
        /// The current generation: how often the refresh token was rotated.
        GENERATION = "g" => generation: u32,
        /// The id of the key of the current refresh token.
        KEY = "k" => key: String,
        /// The seed of the token's second MAC.
        SEED = "sd" => seed: ByteArray<16>,
        /// When the session was opened, in Unix seconds.
        CREATED = "cre" => created: u64,
        /// When the user last gave a proof of the session's level, in Unix seconds. Missing for sessions from before it was kept.
        AUTHENTICATED = "at" => #[serde(default)] authenticated: Option<u64>,
        /// When the current generation began, in Unix seconds.
        ROTATED = "pat" => rotated: u64,
        /// The hour in which the session last got tokens, in Unix seconds.
        USED = "lu" => used: u64,
        /// A short description of the device that got them.
        DEVICE = "dv" => device: String,
        /// The prefix of the IP address that got them.
        PREFIX = "ip" => prefix: String,
        /// When the session expires unless it is used, in Unix seconds.
        IDLE_END = "idl" => idle_end: u64,
        /// When the session expires in any case, in Unix seconds.
        ABSOLUTE_END = "ax" => absolute_end: u64,
        /// How long the session may be unused, in seconds, if its user did not want to be remembered.
        SHORT_IDLE = "rm" => #[serde(default, skip_serializing_if = "Option::is_none")] short_idle: Option<u64>,
        /// How the user signed in and gave further proofs, as in the `amr` claim.
        METHODS = "amr" => methods: Vec<String>,
        /// The way of the sign-in: `otp_email`, `otp_sms`, `otp_voice` or `otp_whatsapp`.
        WAY = "via" => #[serde(default, skip_serializing_if = "String::is_empty")] way: String,
        /// How well the client of the sign-in was known: a name of [`Familiarity`].
        FAMILIARITY = "fa" => #[serde(default, skip_serializing_if = "String::is_empty")] familiarity: String,
        /// Whether the user has disavowed the sign-in.
        DISAVOWED = "da" => #[serde(default, skip_serializing_if = "std::ops::Not::not")] disavowed: bool,
        /// The request that began the current generation: `=` and the digest of its retry key, or the id of its invocation.
        ROTATED_BY = "wr" => rotated_by: String,
        /// From when DynamoDB may delete the item, in Unix seconds: the same as `ABSOLUTE_END`.
        TTL = "ttl" => ttl: u64,
    }
}

pub(super) const KIND: &str = "S";

/// A rotation of a refresh token.
pub struct RotationRequest<'a> {
    /// The content of the presented token.
    pub grant: &'a Grant,
    /// The id of the active key, for the next token.
    pub next_key: &'a str,
    /// This request, as its repetition would name it.
    pub by: &'a RotatedBy,
    /// The device that presented the token.
    pub device: &'a Device,
    /// The rules for sessions.
    pub policy: &'a SessionPolicy,
}

/// A step-up: its session gets the next tokens, as after a rotation.
pub struct Raise<'a> {
    /// The id of the active key, for the next token.
    pub next_key: &'a str,
    /// This request, as its repetition would name it.
    pub by: &'a RotatedBy,
    /// The device that gave the proof.
    pub device: &'a Device,
    /// The rules for sessions.
    pub policy: &'a SessionPolicy,
}

impl Users<'_> {
    /// Writes a new session. It is active once it is also in its user's list.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub(crate) async fn put_session(&self, session: &Session) -> Result<()> {
        self.table.put_new(self.session_item(session)?).await
    }

    /// The session with this id, active or not.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn session(&self, id: &SessionId) -> Result<Option<Session>> {
        self.table.get(&self.key(KIND, id.as_str())).await?.map(read).transpose()
    }

    /// The active sessions of `user`. The user's list may contain expired sessions, and this function leaves them out.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn sessions(&self, user: &User, now: Timestamp) -> Result<Vec<Session>> {
        let reads = user.sessions.keys().map(|id| async move { self.table.get(&self.key(KIND, id)).await });
        let found = try_join_all(reads).await?.into_iter().flatten();
        let sessions: Vec<Session> = found.map(read).collect::<Result<_>>()?;
        Ok(sessions.into_iter().filter(|session| !session.is_over(now)).collect())
    }

    /// Replaces the presented generation by the next one in a single conditional write. After a refusal, the refusing item
    /// decides the result. So parallel refreshes keep to one line of generations (V15). Without rotation, only the times and the
    /// device change.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn rotate(&self, presented: RotationRequest<'_>, now: Timestamp) -> Result<Rotation> {
        let RotationRequest { grant, by, device, policy, .. } = presented;
        let rotation = match self.advance(&presented, now).send().await? {
            Written::Done(item) => Rotation::Rotated(read(item)?),
            Written::Refused(None) => Rotation::Refused,
            Written::Refused(Some(item)) => read(item)?.judge(grant.generation, by, device, policy, now),
        };
        report::note(Step::Refresh { led_to: rotation.name().into() });
        Ok(rotation)
    }

    /// Adds `proof` to `session`, as just read, and moves it to its next generation in the same conditional write (S130). Returns
    /// `None` if the session has changed since the read or is over. Its methods are a condition too, because without rotation a
    /// parallel step-up leaves the generation as it is.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn raise(
        &self,
        session: &Session,
        proof: Proof<'_>,
        next: Raise<'_>,
        now: Timestamp,
    ) -> Result<Option<Session>> {
        let Raise { next_key, by, device, policy } = next;
        let raised = session.proved_by(proof, now);
        let grant = &session.grant();
        let write = self.advance(&RotationRequest { grant, next_key, by, device, policy }, now);
        let write = write.when(METHODS.is(("seen_methods", list(&session.methods))));
        let write = write.set(METHODS, list(&raised.methods)).set(AUTHENTICATED, raised.authenticated);
        match write.send().await? {
            Written::Done(item) => read(item).map(Some),
            Written::Refused(None) => Ok(None),
            // The SDK repeats a write if its answer is lost, and then the first one makes the repetition fail.
            Written::Refused(Some(item)) => {
                Ok(Some(read(item)?).filter(|found| found.is_raised(&raised, by, policy, now)))
            }
        }
    }

    /// The write that gives an active session its next tokens.
    fn advance(&self, presented: &RotationRequest<'_>, now: Timestamp) -> Update<'_> {
        let RotationRequest { grant, next_key, by, device, policy } = presented;
        let write = self
            .table
            .update(self.key(KIND, grant.session.as_str()))
            .when(GENERATION.is(("generation", grant.generation)))
            .when(USER.is(grant.user.to_string().as_str()))
            .when(IDLE_END.above(("now", now)))
            .when(ABSOLUTE_END.above(("now", now)))
            .set_sum(IDLE_END, ("now", now), SHORT_IDLE, ("idle", policy.idle.as_secs()))
            .set(USED, ("hour", now.hour()))
            .set(DEVICE, device.words.as_str())
            .set(PREFIX, device.prefix.as_str());
        if !policy.rotation {
            return write;
        }
        let write = write.raise(GENERATION, 1).set(ROTATED, ("now", now)).set(KEY, *next_key);
        write.set(ROTATED_BY, rotated_by(by).as_str())
    }

    /// Notes that the user has disavowed this sign-in. A session that was erased meanwhile stays erased.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn note_disavowed(&self, session: &SessionId) -> Result<()> {
        let write = self.table.update(self.key(KIND, session.as_str())).when(USER.exists());
        write.set(DISAVOWED, AttributeValue::Bool(true)).send().await.map(|_| ())
    }

    pub(super) fn session_item(&self, session: &Session) -> Result<Item> {
        row::write(Row {
            pk: self.key(KIND, session.id.as_str()),
            user: session.user.clone(),
            generation: session.generation,
            key: session.key_id.clone(),
            seed: ByteArray::new(session.seed.0),
            created: session.created.unix(),
            authenticated: Some(session.authenticated.unix()),
            rotated: session.rotated.unix(),
            used: session.used.unix(),
            device: session.device.words.clone(),
            prefix: session.device.prefix.clone(),
            idle_end: session.idle_end.moment().unix(),
            absolute_end: session.absolute_end.moment().unix(),
            short_idle: session.short_idle.map(|idle| idle.as_secs()),
            methods: session.methods.clone(),
            way: session.way.clone(),
            familiarity: session.familiarity.name().to_owned(),
            disavowed: session.is_disavowed,
            rotated_by: rotated_by(&session.rotated_by),
            // The link of a notice needs the item too.
            ttl: session.absolute_end.moment().max(session.created.after(DISAVOWAL_LIFE)).unix(),
        })
    }
}

pub(super) fn read(item: Item) -> Result<Session> {
    let row: Row = row::read(item)?;
    let at = Timestamp::from_unix;
    Ok(Session {
        id: row.pk.last_part().parse()?,
        user: row.user,
        generation: row.generation,
        key_id: row.key,
        seed: Seed(row.seed.into_array()),
        created: at(row.created),
        authenticated: at(row.authenticated.unwrap_or(row.created)),
        rotated: at(row.rotated),
        used: at(row.used),
        device: Device { words: row.device, prefix: row.prefix },
        idle_end: ExpiresAt::at(at(row.idle_end)),
        absolute_end: ExpiresAt::at(at(row.absolute_end)),
        short_idle: row.short_idle.map(Duration::from_secs),
        methods: row.methods,
        way: row.way,
        familiarity: Familiarity::named(&row.familiarity),
        is_disavowed: row.disavowed,
        rotated_by: match row.rotated_by.strip_prefix(RETRY) {
            Some(digest) => RotatedBy::Retry(digest.to_owned()),
            None => RotatedBy::Invocation(row.rotated_by),
        },
    })
}

fn list(methods: &[String]) -> AttributeValue {
    AttributeValue::L(methods.iter().map(|method| method.as_str().attribute_value()).collect())
}

/// Marks the digest of a retry key. No id contains it.
const RETRY: char = '=';

fn rotated_by(by: &RotatedBy) -> String {
    match by {
        RotatedBy::Retry(digest) => format!("{RETRY}{digest}"),
        RotatedBy::Invocation(id) => id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::proven;
    use crate::sessions::{Opening, POLICY};
    use crate::store::table::{Table, UserTable, size};
    use crate::words::{Entropy, Level, Tenant};

    fn longest() -> Session {
        let now = Timestamp::from_unix(4_102_444_800);
        let device = &Device { words: "w".repeat(40), prefix: "2001:db8a::/32".to_owned() };
        let (key_id, familiarity) = (&"k".repeat(64), Familiarity::SignUp);
        let opening = Opening { policy: &POLICY, key_id, device, familiarity, id: None, is_remembered: false };
        let user = UserId::draw(&Entropy, now).unwrap();
        let session =
            Session::open(Proof::Code(&proven().for_sign_in().unwrap()), user, opening, &Entropy, now).unwrap();
        let methods = ["otp", "mfa"].map(str::to_owned).to_vec();
        let rotated_by = RotatedBy::Retry("d".repeat(22));
        Session { generation: u32::MAX, rotated_by, methods, is_disavowed: true, ..session }
    }

    #[test]
    fn the_longest_session_is_one_write_unit() {
        let (table, tenant) = (UserTable { table: Table::without_calls() }, Tenant::default());
        let bytes = size(&table.of(&tenant).session_item(&longest()).unwrap());
        assert!(bytes < 1_024, "{bytes} bytes");
    }

    #[test]
    fn a_session_is_read_as_it_was_written() {
        let (table, tenant) = (UserTable { table: Table::without_calls() }, Tenant::default());
        let users = table.of(&tenant);
        for by in [RotatedBy::Retry("d".repeat(22)), RotatedBy::Invocation("d".repeat(22))] {
            let session = Session { rotated_by: by.clone(), ..longest() };
            assert_eq!(read(users.session_item(&session).unwrap()).unwrap().rotated_by, by);
        }
        let session = Session { authenticated: Timestamp::from_unix(4_102_444_900), ..longest() };
        let again = read(users.session_item(&session).unwrap()).unwrap();
        assert_eq!((again.authenticated, again.level()), (session.authenticated, Level::Factor));
        assert_eq!((again.is_remembered(), again.short_idle), (false, session.short_idle));
    }

    /// S131: a session from before proofs were dated counts from its sign-in.
    #[test]
    fn an_older_session_was_proved_at_its_sign_in() {
        let (table, tenant) = (UserTable { table: Table::without_calls() }, Tenant::default());
        let mut item = table.of(&tenant).session_item(&longest()).unwrap();
        item.remove("at");
        item.remove("rm");
        let session = read(item).unwrap();
        assert_eq!((session.authenticated, session.is_remembered()), (session.created, true));
    }
}
