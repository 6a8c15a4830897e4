//! `S#<session>` in `UserTable`: the chain of one session's refresh tokens.

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use super::UserTable;
use super::write::{self, Item, Written, number, text};
use crate::observe::report::{self, Step};
use crate::people::User;
use crate::sessions::{Device, Grant, Rotation, Seed, Session, SessionPolicy};
use crate::words::{Error, ExpiresAt, Result, Timestamp, UserId};

#[derive(Serialize, Deserialize)]
struct Row {
    pk: String,
    uid: UserId,
    /// The current generation.
    g: u32,
    /// The key of its token.
    k: String,
    /// The seed of its token's second MAC.
    sd: ByteArray<16>,
    /// When it was opened.
    cre: u64,
    /// When the current generation began.
    pat: u64,
    /// When it got tokens last, with what, and where from.
    lu: u64,
    dv: String,
    ip: String,
    /// Its idle end.
    idl: u64,
    /// Its absolute end.
    ax: u64,
    /// How its person proved who they are.
    amr: Vec<String>,
    /// The invocation that wrote last.
    wr: String,
    ttl: u64,
}

/// A rotation about to be tried.
pub struct RotationRequest<'a> {
    /// What the presented token says.
    pub grant: &'a Grant,
    /// The key that is active for the next token.
    pub next_key: &'a str,
    /// Names this invocation.
    pub invocation: &'a str,
    /// What it was presented with.
    pub device: &'a Device,
    /// The rules.
    pub policy: &'a SessionPolicy,
}

impl UserTable {
    /// Writes a new session. It lives once its user's item says so.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_session(&self, session: &Session) -> Result<()> {
        let put = self.table.client.put_item().table_name(&self.table.name).set_item(Some(self.session_item(session)?));
        write::put_new(put).await
    }

    /// The sessions of `user` that live at `now`: what its list says, but for those that came to their end by themselves,
    /// which nobody takes out of it.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn sessions(&self, user: &User, now: Timestamp) -> Result<Vec<Session>> {
        let reads = user.sessions.keys().map(|id| write::get(self.table.get(&key(id)).consistent_read(true)));
        let found = try_join_all(reads).await?.into_iter().flatten();
        let sessions: Vec<Session> = found.map(read).collect::<Result<_>>()?;
        Ok(sessions.into_iter().filter(|session| !session.is_over(now)).collect())
    }

    /// Moves the session on from the presented generation, in one conditional write; or says why not, from the item
    /// that refused it. Two parallel refreshes cannot fork the chain (V15).
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn rotate(&self, presented: RotationRequest<'_>, now: Timestamp) -> Result<Rotation> {
        let RotationRequest { grant, next_key, invocation, device, policy } = presented;
        let step = if policy.rotation { "g = g + :one, pat = :now, k = :k, wr = :wr, " } else { "" };
        let mut write = self
            .table
            .update(&key(grant.session.as_str()))
            .update_expression(format!("SET {step}idl = :idl, lu = :now, dv = :dv, ip = :ip"))
            .condition_expression("g = :g AND uid = :uid AND idl > :now AND ax > :now")
            .expression_attribute_values(":g", number(grant.generation))
            .expression_attribute_values(":uid", text(&grant.user.to_string()))
            .expression_attribute_values(":now", number(now.unix()))
            .expression_attribute_values(":idl", number(now.after(policy.idle).unix()))
            .expression_attribute_values(":dv", text(&device.words))
            .expression_attribute_values(":ip", text(&device.prefix));
        if policy.rotation {
            write = write
                .expression_attribute_values(":one", number(1_u32))
                .expression_attribute_values(":k", text(next_key))
                .expression_attribute_values(":wr", text(invocation));
        }
        let rotation = match write::update(write).await? {
            Written::Done(item) => Rotation::Rotated(read(item)?),
            Written::Refused(None) => Rotation::Refused,
            Written::Refused(Some(item)) => read(item)?.judge(grant.generation, invocation, policy, now),
        };
        report::note(Step::Refresh { led_to: rotation.name().into() });
        Ok(rotation)
    }

    pub(super) fn session_item(&self, session: &Session) -> Result<Item> {
        let row = Row {
            pk: key(session.id.as_str()),
            uid: session.user.clone(),
            g: session.generation,
            k: session.key_id.clone(),
            sd: ByteArray::new(session.seed.0),
            cre: session.created.unix(),
            pat: session.rotated.unix(),
            lu: session.used.unix(),
            dv: session.device.words.clone(),
            ip: session.device.prefix.clone(),
            idl: session.idle_end.moment().unix(),
            ax: session.absolute_end.moment().unix(),
            amr: session.methods.clone(),
            wr: session.written_by.clone(),
            ttl: session.absolute_end.moment().unix(),
        };
        serde_dynamo::to_item(row).map_err(Error::internal)
    }
}

fn key(session: &str) -> String {
    format!("S#{session}")
}

fn read(item: Item) -> Result<Session> {
    let row: Row = write::row(item)?;
    let at = Timestamp::from_unix;
    Ok(Session {
        id: row.pk.strip_prefix("S#").unwrap_or_default().parse()?,
        user: row.uid,
        generation: row.g,
        key_id: row.k,
        seed: Seed(row.sd.into_array()),
        created: at(row.cre),
        rotated: at(row.pat),
        used: at(row.lu),
        device: Device { words: row.dv, prefix: row.ip },
        idle_end: ExpiresAt::at(at(row.idl)),
        absolute_end: ExpiresAt::at(at(row.ax)),
        methods: row.amr,
        written_by: row.wr,
    })
}
