//! Statements of a policy, and their decision about a permission.

use super::actions;
use super::condition::Condition;
use super::need::Need;
use super::pattern;

pub(super) struct Statement {
    /// Its place in the template, for messages.
    pub(super) place: String,
    pub(super) effect: Effect,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) conditions: Vec<Condition>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// The decision of all statements of a function.
pub(super) enum Decision<'a> {
    Allowed,
    /// This statement denies it.
    Denied(&'a Statement),
    /// No statement allows it.
    NotAllowed,
}

impl Statement {
    /// Whether it applies to `need`.
    pub(super) fn covers(&self, need: &Need) -> bool {
        self.actions.iter().any(|action| actions::matches(action, &need.action))
            && self.resources.iter().any(|resource| pattern::matches(resource, &need.resource))
            && self.conditions.iter().all(|condition| condition.holds(&need.context))
    }
}

impl Decision<'_> {
    /// A deny wins over every allow.
    pub(super) fn of<'a>(statements: &'a [Statement], need: &Need) -> Decision<'a> {
        let find = |effect| statements.iter().find(|statement| statement.effect == effect && statement.covers(need));
        match (find(Effect::Deny), find(Effect::Allow)) {
            (Some(statement), _) => Decision::Denied(statement),
            (None, Some(_)) => Decision::Allowed,
            (None, None) => Decision::NotAllowed,
        }
    }
}
