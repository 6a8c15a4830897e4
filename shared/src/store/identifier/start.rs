//! Starting a challenge: the write that begins one, alone or beside those that live.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_bytes::ByteArray;

use super::item::{self, Entry, KEPT_FOR};
use crate::codes::{ChallengePolicy, Draft, HOUR, IdentifierState, LONGEST_LIFE, Start, Strength};
use crate::store::OtpTable;
use crate::store::write::{self, Written, number};
use crate::words::{Error, Lane, NetworkDigest, Result, Timestamp};

/// Each refused write of ours means that another one went through, and only [`Lane::most_live`] of these can.
pub(in crate::store) const MOST_TRIES: usize = 16;

/// Who asks, and under which rules.
#[derive(Clone, Copy)]
pub struct ChallengeRequest<'a> {
    /// The identifier's digest.
    pub identifier: &'a str,
    /// The network's digest.
    pub network: &'a NetworkDigest,
    /// The rules.
    pub policy: &'a ChallengePolicy,
    /// The time.
    pub now: Timestamp,
}

impl OtpTable {
    /// Begins a challenge on the draft's lane with one of its codes, and says with which.
    ///
    /// # Errors
    /// As [`IdentifierState::start`]; [`Error::Unavailable`] when the item never stands still.
    pub async fn start(
        &self,
        draft: &Draft,
        request: ChallengeRequest<'_>,
        seen: Option<IdentifierState>,
    ) -> Result<Strength> {
        let ChallengeRequest { identifier, network, policy, now } = request;
        let mut seen = seen;
        for _ in 0..MOST_TRIES {
            // Mostly there is nothing, or nothing that matters any more: try that first, without a read.
            let start = match &seen {
                Some(state) => {
                    let start = state.start(draft.lane(), network, policy, now);
                    start.inspect_err(|error| item::note_refusal(error, state, draft.lane()))?
                }
                None => Start::Fresh(Strength::Short),
            };
            let write = self.table.update(&item::key(identifier));
            let (write, strength) = match start {
                Start::Fresh(strength) => (fresh(write, draft, request, strength)?, strength),
                Start::Join { strength, new_hour, expired, unbound } => {
                    (join(write, draft, request, &Joining { strength, new_hour, expired, unbound })?, strength)
                }
            };
            match write::update(write).await? {
                Written::Done(item) => {
                    item::note("begun", &item::read(item)?, draft.lane(), strength == Strength::Long);
                    return Ok(strength);
                }
                Written::Refused(item) => seen = item.map(item::read).transpose()?,
            }
            // The SDK repeats a write whose answer was lost; the repetition is refused by its own success.
            if let Some(strength) = seen.as_ref().and_then(|state| draft.held_by(state)) {
                return Ok(strength);
            }
        }
        Err(Error::unavailable("the identifier's item is busy"))
    }
}

/// The first challenge of an hour in which nothing lives: all counts but the failures begin again.
fn fresh(
    write: UpdateItemFluentBuilder,
    draft: &Draft,
    request: ChallengeRequest<'_>,
    strength: Strength,
) -> Result<UpdateItemFluentBuilder> {
    let ChallengeRequest { policy, now, .. } = request;
    let (write, may_go_on) = when_strength_fits(write, draft.lane(), strength, policy, now);
    let challenges = [(draft.key.clone(), entry(draft, strength, policy, now, 0).to_attribute()?)];
    // Nobody answers a challenge of the other lane unbound, so that is no reason to compare anything.
    let (mine, other, ux) = match draft.lane() {
        Lane::Open => ("ch = :ch, n = :one", "cd = :none, nd = :zero", policy.attempts),
        Lane::Known => ("cd = :ch, nd = :one", "ch = :none, n = :zero", 0),
    };
    let write = hour_of(write, draft.lane(), request);
    Ok(write
        .update_expression(format!(
            "SET {mine}, {other}, w0 = :now, la = :now, ip = :ip, u = :zero, ux = :ux, f = if_not_exists(f, :zero), \
             fd = if_not_exists(fd, :zero), #ttl = :ttl"
        ))
        .condition_expression(format!("attribute_not_exists(pk) OR (w0 <= :hour_ago AND la <= :dead AND {may_go_on})"))
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":ch", AttributeValue::M(challenges.into()))
        .expression_attribute_values(":none", AttributeValue::M(HashMap::new()))
        .expression_attribute_values(":now", number(now.unix()))
        .expression_attribute_values(":one", number(1_u32))
        .expression_attribute_values(":zero", number(0_u32))
        .expression_attribute_values(":ux", number(ux))
        .expression_attribute_values(":hour_ago", number(now.before(HOUR).unix()))
        .expression_attribute_values(":dead", number(now.before(LONGEST_LIFE).unix()))
        .expression_attribute_values(":ttl", number(now.after(KEPT_FOR).unix())))
}

struct Joining {
    strength: Strength,
    new_hour: bool,
    expired: Vec<String>,
    unbound: u32,
}

/// A further challenge beside what lives. Whatever it relies on stands in its condition.
fn join(
    write: UpdateItemFluentBuilder,
    draft: &Draft,
    request: ChallengeRequest<'_>,
    joining: &Joining,
) -> Result<UpdateItemFluentBuilder> {
    let ChallengeRequest { policy, now, .. } = request;
    let Joining { strength, new_hour, expired, unbound } = joining;
    let ch = item::names(draft.lane()).challenges;
    let (mut write, may_go_on) = when_strength_fits(write, draft.lane(), *strength, policy, now);
    let mut condition = format!("{may_go_on} AND size({ch}) < :room");
    let mut remove = String::new();
    for (index, key) in expired.iter().enumerate() {
        condition.push_str(&format!(" AND {ch}.#x{index}.e <= :now"));
        remove.push_str(&format!("{} {ch}.#x{index}", if index == 0 { " REMOVE" } else { "," }));
        write = write.expression_attribute_names(format!("#x{index}"), key);
    }
    let (write, counts, hour) = if *new_hour {
        first_of_hour(write, draft.lane(), request)
    } else {
        next_of_hour(write, draft.lane(), request)
    };
    let (write, compared, from) = compared_from(write, draft.lane(), policy, *unbound);
    Ok(write
        .update_expression(format!("SET {ch}.#c = :entry, la = :now, #ttl = :ttl, {counts}{compared}{remove}"))
        .condition_expression(format!("{condition} AND {hour}{from}"))
        .expression_attribute_names("#c", &draft.key)
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":entry", entry(draft, *strength, policy, now, *unbound).to_attribute()?)
        .expression_attribute_values(":room", number((draft.lane().most_live() + expired.len()) as u64))
        .expression_attribute_values(":now", number(now.unix()))
        .expression_attribute_values(":one", number(1_u32))
        .expression_attribute_values(":hour_ago", number(now.before(HOUR).unix()))
        .expression_attribute_values(":ttl", number(now.after(KEPT_FOR).unix())))
}

/// What a challenge that begins an hour sets, and on which condition.
fn first_of_hour(
    write: UpdateItemFluentBuilder,
    lane: Lane,
    request: ChallengeRequest<'_>,
) -> (UpdateItemFluentBuilder, &'static str, &'static str) {
    let counts = match lane {
        Lane::Open => "w0 = :now, ip = :ip, n = :one, nd = :zero",
        Lane::Known => "w0 = :now, ip = :ip, n = :zero, nd = :one",
    };
    let write = hour_of(write, lane, request).expression_attribute_values(":zero", number(0_u32));
    (write, counts, "w0 <= :hour_ago")
}

/// The same of one within an hour.
fn next_of_hour(
    write: UpdateItemFluentBuilder,
    lane: Lane,
    request: ChallengeRequest<'_>,
) -> (UpdateItemFluentBuilder, &'static str, &'static str) {
    let ChallengeRequest { network, policy, .. } = request;
    let write = write.expression_attribute_values(":per_hour", number(policy.per_hour));
    match lane {
        Lane::Known => (write, "nd = nd + :one", "w0 > :hour_ago AND nd < :per_hour"),
        Lane::Open => (
            write
                .expression_attribute_names("#ip", network.short())
                .expression_attribute_values(":zero", number(0_u32))
                .expression_attribute_values(":per_network", number(policy.per_hour_per_network)),
            "n = n + :one, ip.#ip = if_not_exists(ip.#ip, :zero) + :one",
            "w0 > :hour_ago AND n < :per_hour AND (attribute_not_exists(ip.#ip) OR ip.#ip < :per_network)",
        ),
    }
}

/// How far unbound tries go on for a new challenge; they match none of a known browser.
fn compared_from(
    write: UpdateItemFluentBuilder,
    lane: Lane,
    policy: &ChallengePolicy,
    unbound: u32,
) -> (UpdateItemFluentBuilder, &'static str, &'static str) {
    match lane {
        Lane::Known => (write, "", ""),
        Lane::Open => (
            write
                .expression_attribute_values(":unbound", number(unbound))
                .expression_attribute_values(":ux", number(unbound.saturating_add(policy.attempts))),
            ", ux = :ux",
            " AND u = :unbound",
        ),
    }
}

/// A guessable code only below the lockout's cap and outside its waits; a long one only from the cap on.
fn when_strength_fits(
    write: UpdateItemFluentBuilder,
    lane: Lane,
    strength: Strength,
    policy: &ChallengePolicy,
    now: Timestamp,
) -> (UpdateItemFluentBuilder, String) {
    let write = write.expression_attribute_values(":long_from", number(policy.lockout().long_from()));
    match strength {
        Strength::Long => (write, "f >= :long_from".to_owned()),
        Strength::Short => {
            let (write, not_waiting) = item::when_not_waiting(write, lane, now);
            (write, format!("f < :long_from AND {not_waiting}"))
        }
    }
}

fn entry(draft: &Draft, strength: Strength, policy: &ChallengePolicy, now: Timestamp, unbound: u32) -> Entry {
    Entry {
        h: ByteArray::new(*draft.digest(strength).as_bytes()),
        k: draft.pepper_id.clone(),
        e: draft.expires.moment().unix(),
        s: now.unix(),
        t: strength.tries(policy),
        c: 1,
        x: 0,
        u: unbound,
    }
}

/// A new hour's shares of networks: known browsers take none.
fn hour_of(write: UpdateItemFluentBuilder, lane: Lane, request: ChallengeRequest<'_>) -> UpdateItemFluentBuilder {
    let shares = match lane {
        Lane::Open => [(request.network.short().to_owned(), number(1_u32))].into(),
        Lane::Known => HashMap::new(),
    };
    write.expression_attribute_values(":ip", AttributeValue::M(shares))
}
