//! Scenes: parallel actions and the state before them.

use futures_util::future::BoxFuture;

use super::{Action, World};
use crate::{Authenticator, Tokens};

/// Parallel actions, prepared again for each order.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub settings: &'static [(&'static str, &'static str)],
    /// True if keys change or may be missing, so that reading them counts as a call.
    pub rotates: bool,
    /// The number of different orders.
    pub orders: usize,
    pub prepare: Prepare,
}

/// Prepares the scene of a scenario.
pub type Prepare = for<'w> fn(&'w World) -> BoxFuture<'w, Scene>;

impl Scenario {
    /// A scenario with the development profile's settings and this number of different orders.
    pub const fn new(name: &'static str, orders: usize, prepare: Prepare) -> Scenario {
        Scenario { name, settings: &[], rotates: false, orders, prepare }
    }

    /// The same with other settings.
    #[must_use]
    pub const fn with(self, settings: &'static [(&'static str, &'static str)]) -> Scenario {
        Scenario { settings, ..self }
    }

    /// The same, but keys change or are missing.
    #[must_use]
    pub const fn with_keys(self) -> Scenario {
        Scenario { rotates: true, ..self }
    }
}

/// A client or operator and its action.
#[derive(Clone, Debug)]
pub struct Actor {
    pub name: &'static str,
    pub action: Action,
    /// The last part of its network address.
    pub network: u8,
    /// True if the action must succeed whatever the others do.
    pub must_succeed: bool,
}

/// The actors, and the state before their actions.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub actors: Vec<Actor>,
    /// The identifier of the scene's user.
    pub who: String,
    /// Active sessions before the actions, the oldest first.
    pub sessions: Vec<Tokens>,
    /// The user's authenticator app, for a sign-in afterwards. It may be the one that an action adds.
    pub app: Option<Authenticator>,
    /// The maximum of sessions per user. `None` skips the check.
    pub most_sessions: Option<usize>,
    /// The attempts that are left. `None` if they are not checked.
    pub tries_left: Option<usize>,
    /// The mails that the bucket of the identifier still lets through.
    pub mails_left: Option<usize>,
    /// Messages that may still be sent. `None` skips the check.
    pub messages_left: Option<usize>,
    /// The actor whose call had a fault.
    pub faulty_actor: Option<usize>,
    /// True if keys change or may be missing, so that reading them counts as a call.
    pub rotates: bool,
}

impl Scene {
    /// A scene about one identifier.
    pub fn about(who: &str) -> Scene {
        Scene { who: who.to_owned(), ..Scene::default() }
    }

    /// Adds an actor with its own network.
    #[must_use]
    pub fn and(mut self, name: &'static str, action: Action) -> Scene {
        let network = u8::try_from(self.actors.len()).unwrap() + 1;
        self.actors.push(Actor { name, action, network, must_succeed: false });
        self
    }

    /// Lets the last actor act from this network.
    #[must_use]
    pub fn at(mut self, network: u8) -> Scene {
        self.actors.last_mut().unwrap().network = network;
        self
    }

    /// Adds an actor whose action must succeed.
    #[must_use]
    pub fn and_surely(self, name: &'static str, action: Action) -> Scene {
        let mut scene = self.and(name, action);
        scene.actors.last_mut().unwrap().must_succeed = true;
        scene
    }

    /// Sets the sessions active before the actions.
    #[must_use]
    pub fn with_sessions(self, sessions: &[&Tokens]) -> Scene {
        Scene { sessions: sessions.iter().map(|tokens| (*tokens).clone()).collect(), ..self }
    }
}
