//! What happens at once, in a scenario's own words.

use futures_util::future::BoxFuture;

use super::{Deed, World};
use crate::Tokens;

/// Something that happens at once, prepared anew for each order.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub settings: &'static [(&'static str, &'static str)],
    /// Whether keys change, so that reading them is a call like others.
    pub rotates: bool,
    /// How many orders make a difference.
    pub orders: usize,
    pub prepare: Prepare,
}

/// How a scenario's scene is prepared.
pub type Prepare = for<'w> fn(&'w World) -> BoxFuture<'w, Scene>;

impl Scenario {
    /// One with the development profile's settings, of which so many orders make a difference.
    pub const fn new(name: &'static str, orders: usize, prepare: Prepare) -> Scenario {
        Scenario { name, settings: &[], rotates: false, orders, prepare }
    }

    /// The same with other settings.
    #[must_use]
    pub const fn with(self, settings: &'static [(&'static str, &'static str)]) -> Scenario {
        Scenario { settings, ..self }
    }

    /// The same where keys change, or are not at hand.
    #[must_use]
    pub const fn with_keys(self) -> Scenario {
        Scenario { rotates: true, ..self }
    }
}

/// One who does something.
#[derive(Clone, Debug)]
pub struct Actor {
    pub name: &'static str,
    pub deed: Deed,
    /// The network that it comes from.
    pub network: u8,
    /// Whether nothing that the others do may keep it from succeeding.
    pub must_succeed: bool,
}

/// The actors, and what has been before.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub actors: Vec<Actor>,
    /// Whose identifier it is about.
    pub who: String,
    /// Sessions that live before, the oldest first.
    pub sessions: Vec<Tokens>,
    /// How many sessions a user may have; no matter where it is nothing.
    pub most_sessions: Option<usize>,
    /// Tries that are left before, bound and unbound; no matter where it is nothing.
    pub tries_left: Option<[usize; 2]>,
    /// Messages that may still be sent.
    pub messages_left: Option<usize>,
    /// The actor of whose calls one went wrong.
    pub struck: Option<usize>,
    /// Whether keys change, or are not at hand, so that reading them is a call like others.
    pub rotates: bool,
}

impl Scene {
    /// About one identifier.
    pub fn about(who: &str) -> Scene {
        Scene { who: who.to_owned(), ..Scene::default() }
    }

    /// With one more who does something, from a network of its own.
    #[must_use]
    pub fn and(mut self, name: &'static str, deed: Deed) -> Scene {
        let network = u8::try_from(self.actors.len()).unwrap() + 1;
        self.actors.push(Actor { name, deed, network, must_succeed: false });
        self
    }

    /// With one more whom nobody may keep from it.
    #[must_use]
    pub fn and_surely(self, name: &'static str, deed: Deed) -> Scene {
        let mut scene = self.and(name, deed);
        scene.actors.last_mut().unwrap().must_succeed = true;
        scene
    }

    /// With sessions that live before.
    #[must_use]
    pub fn with_sessions(self, sessions: &[&Tokens]) -> Scene {
        Scene { sessions: sessions.iter().map(|tokens| (*tokens).clone()).collect(), ..self }
    }
}
