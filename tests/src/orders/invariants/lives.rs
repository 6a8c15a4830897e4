//! Invariants of active and ended sessions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Broken, Seen, is_done, tokens_in, unless};
use crate::deployment::session_of;
use crate::orders::step::Step;
use crate::orders::{Action, Actor, RETRY};
use crate::{Answer, Tokens};

impl Seen<'_> {
    pub(super) fn live_sessions(&self) -> usize {
        self.listed().len()
    }

    /// The ids in the users' lists of sessions.
    fn listed(&self) -> BTreeSet<String> {
        let ids = |user: Value| user["ss"]["M"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        self.world.auth.items("U#").into_iter().flat_map(ids).collect()
    }

    /// A sign-in that began before a change of factors ends with it. Afterwards only the session of the change lives.
    pub(super) fn ways_past_factors(&self) -> Option<Broken> {
        let changes = self.done().filter(|(actor, _)| actor.action.changes_factors());
        let own: BTreeSet<_> = changes.filter_map(|(actor, _)| actor.action.session()).collect();
        let others = self.listed().difference(&own).count();
        unless(own.is_empty() || others == 0, "no way past a factor", || {
            format!("{others} sessions of the time before a change of factors are active")
        })
    }

    /// A sign-in that read the user before a sign-out everywhere opens no session after it.
    pub(super) fn outlived(&self, steps: &[Step]) -> Option<Broken> {
        let of_user =
            |step: &Step, operation: &str| step.waiting.label() == format!("{operation} U#") && step.outcome == "ok";
        let ends_all = |step: &Step| {
            matches!(self.scene.actors[step.waiting.actor].action, Action::Logout { all: true, .. })
                && of_user(step, "UpdateItem")
        };
        let signs_in =
            |actor: usize| matches!(self.scene.actors[actor].action, Action::Answer { .. } | Action::SecondStep(_));
        for (at, entered) in steps.iter().enumerate().filter(|(_, step)| of_user(step, "UpdateItem")) {
            let actor = entered.waiting.actor;
            let read = |step: &Step| step.waiting.actor == actor && of_user(step, "GetItem");
            let Some(read) = steps[..at].iter().rposition(read).filter(|_| signs_in(actor)) else { continue };
            if steps[read..at].iter().any(ends_all) {
                let why = || format!("{} entered a session that a sign-out everywhere had ended", entered.name);
                return unless(false, "nothing after logout", why);
            }
        }
        None
    }

    pub(super) async fn ended(&self) -> Option<Broken> {
        let ended = self.ended_by(self.done());
        for tokens in self.tokens().iter().filter(|tokens| ended.contains(&session_of(&tokens.access))) {
            let client = self.world.client(250);
            let refreshed = client.refresh(&tokens.refresh).await;
            let shown = Action::Profile(tokens.clone()).perform(self.world, client).await;
            if refreshed.code() == "ok" || shown.code() == "ok" {
                return unless(false, "nothing after logout", || "an ended session is active".to_owned());
            }
        }
        None
    }

    pub(super) async fn honest(&self) -> Option<Broken> {
        let (gone, tokens) = (self.may_be_gone(), self.tokens());
        // The newest tokens of each session.
        let living: BTreeMap<_, _> = tokens.iter().map(|tokens| (session_of(&tokens.access), tokens)).collect();
        for (session, tokens) in living.iter().filter(|(session, _)| !gone.contains(*session)) {
            let of_it = || {
                self.all().filter(|(actor, _)| {
                    actor.action.refreshed().is_some() && actor.action.session().as_ref() == Some(session)
                })
            };
            let has_key = of_it().any(|(actor, _)| matches!(actor.action, Action::RefreshAgain(_)));
            let refused = of_it().filter(|(_, answer)| answer.status.is_client_error());
            let refused = refused.map(|(actor, answer)| (actor.name, answer.code())).next();
            // The client whose answer was lost has the older token, and its key.
            let client = self.world.client(251);
            let after = match has_key {
                true => client.refresh_with(&tokens.refresh, RETRY).await,
                false => client.refresh(&tokens.refresh).await,
            };
            if refused.is_some() || after.code() != "ok" {
                let why = format!("a session ended without a reason: {refused:?}, and then {}", after.code());
                return unless(false, "honest clients stay", || why);
            }
        }
        None
    }

    /// All tokens of all clients, the newest of a session last.
    fn tokens(&self) -> Vec<Tokens> {
        let gives = |action: &Action| {
            action.signs_in() || action.refreshed().is_some() || matches!(action, Action::StepUp { .. })
        };
        let given = self.done().filter(|(actor, _)| gives(&actor.action)).filter_map(|(_, answer)| tokens_in(answer));
        self.scene.sessions.iter().cloned().chain(given).collect()
    }

    /// The sessions ended by these actions.
    fn ended_by<'a>(&self, those: impl Iterator<Item = (&'a Actor, &'a Answer)>) -> BTreeSet<String> {
        let before = || self.scene.sessions.iter().map(|tokens| session_of(&tokens.access));
        let mut ended = BTreeSet::new();
        for (actor, _) in those {
            let own = actor.action.session();
            match &actor.action {
                Action::Logout { all: false, .. } | Action::Reuse(_) => ended.extend(own),
                Action::Logout { .. } => ended.extend(before()),
                Action::EndOthers(_) | Action::Confirm { .. } | Action::Remove { .. } => {
                    ended.extend(before().filter(|session| Some(session) != own.as_ref()))
                }
                Action::End { session, .. } => drop(ended.insert(session.clone())),
                _ => {}
            }
        }
        ended
    }

    /// The sessions that may be over: those ended by an action or by the limit on sessions. If a client signs out everywhere,
    /// also sessions opened in the meantime.
    fn may_be_gone(&self) -> BTreeSet<String> {
        // A request without an answer may have succeeded.
        let mut gone = self
            .ended_by(self.all().filter(|(actor, answer)| self.scene.faulty_actor.is_some() || is_done(actor, answer)));
        let opened = self.done().filter(|(actor, _)| actor.action.signs_in());
        let opened: Vec<_> = opened.filter_map(|(_, answer)| tokens_in(answer)).collect();
        let may_be_open = if self.scene.faulty_actor.is_some() { self.answers.len() } else { opened.len() };
        let most = self.scene.most_sessions.unwrap_or(usize::MAX);
        let surplus = (self.scene.sessions.len() + may_be_open).saturating_sub(most);
        gone.extend(self.scene.sessions.iter().take(surplus).map(|tokens| session_of(&tokens.access)));
        let is_everywhere = |actor: &Actor| {
            let ends_all = matches!(actor.action, Action::Logout { all: true, .. } | Action::EndOthers(_));
            ends_all || actor.action.changes_factors()
        };
        if self.scene.actors.iter().any(is_everywhere) {
            gone.extend(opened.iter().map(|tokens| session_of(&tokens.access)));
        }
        gone
    }
}
