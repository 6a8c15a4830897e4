//! What strangers do. Each attack says when it acts, and what it does before and after the owner asks.

use crate::world::{DAY, HOUR, MINUTE, World};

/// What is attacked. It decides who the owner is, and which promises are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One address.
    Address,
    /// One mailbox, through its other spellings.
    Mailbox,
    /// All addresses of one domain.
    Domain,
    /// The mails of a day, to any domain.
    Day,
    /// The SMS of one country.
    Country,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Drain,
    Burn,
    HoldTwo,
    Junk,
    LastToken,
    Resend,
    Aliases,
    JustBefore,
    JustAfter,
    Decoy,
    Midnight,
    Lengthen,
    Neighbour,
    OnePrefix,
    Mixed,
    Spellings,
    Domain,
    Day,
    OneRange,
    Ranges,
}

/// An attack.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    pub name: &'static str,
    pub kind: Kind,
    pub target: Target,
    /// When it begins, in seconds after midnight.
    pub start: u64,
}

const fn attack(name: &'static str, kind: Kind, target: Target) -> Attack {
    Attack { name, kind, target, start: 12 * HOUR }
}

pub const ATTACKS: [Attack; 20] = [
    attack("drain the bucket", Kind::Drain, Target::Address),
    attack("burn attempts", Kind::Burn, Target::Address),
    attack("hold two live codes", Kind::HoldTwo, Target::Address),
    attack("junk answers", Kind::Junk, Target::Address),
    attack("keep the last token spent", Kind::LastToken, Target::Address),
    attack("resend", Kind::Resend, Target::Address),
    attack("aliases", Kind::Aliases, Target::Address),
    attack("ask just before the owner", Kind::JustBefore, Target::Address),
    attack("ask just after the owner", Kind::JustAfter, Target::Address),
    attack("a decoy in the mailbox", Kind::Decoy, Target::Address),
    // Half an hour before midnight, so that an hour sees both days, and one act comes at 23:58.
    Attack { start: DAY - HOUR / 2, ..attack("across midnight", Kind::Midnight, Target::Address) },
    attack("make codes long", Kind::Lengthen, Target::Address),
    attack("from the owner's network", Kind::Neighbour, Target::Address),
    attack("one IPv6 /48", Kind::OnePrefix, Target::Address),
    attack("all of these at random", Kind::Mixed, Target::Address),
    attack("spellings of one mailbox", Kind::Spellings, Target::Mailbox),
    attack("one domain", Kind::Domain, Target::Domain),
    attack("the day's mails", Kind::Day, Target::Day),
    attack("SMS to one range", Kind::OneRange, Target::Country),
    attack("SMS to a country", Kind::Ranges, Target::Country),
];

/// Those that act by themselves, for [`Kind::Mixed`].
const MIXED: [Kind; 9] = [
    Kind::Drain,
    Kind::Burn,
    Kind::HoldTwo,
    Kind::Junk,
    Kind::Resend,
    Kind::Aliases,
    Kind::JustAfter,
    Kind::Decoy,
    Kind::Lengthen,
];

/// Requests for a code that one network may make in ten minutes by default.
const PER_NETWORK: u64 = 25;
/// The longest time between two acts of an attack that is thinned out, in seconds.
const RAREST: f64 = 120.0;
/// The network of the owner and the attacker in [`Kind::Neighbour`].
pub const SHARED_NETWORK: &str = "198.51.100.7";

/// The strangers of one run.
pub struct Strangers {
    kind: Kind,
    to: String,
    networks: u64,
    /// Seconds between two acts.
    period: f64,
    next: f64,
    turn: u64,
    /// The challenges that networks have, newest last.
    held: Vec<(String, String)>,
}

impl Strangers {
    /// `most` is about the number of requests in the whole run.
    pub fn new(attack: Attack, to: &str, (networks, seconds, most): (u64, u64, u64)) -> Strangers {
        let kind = attack.kind;
        // As often as the limit of their networks allows, or more rarely to make `most` requests. A token comes back each 240
        // seconds, so they still leave the bucket empty.
        let fastest = 600.0 / (PER_NETWORK * networks) as f64;
        let thinned = (seconds as f64 * requests_of(kind) as f64 / most as f64).min(RAREST);
        let period = match kind {
            // The second in which a token comes back.
            Kind::LastToken => 240.0,
            // Two tokens, so that each code is one of digits.
            Kind::Lengthen => 480.0,
            Kind::Midnight => 240.0,
            Kind::HoldTwo => fastest.max(thinned).max(600.0 / networks as f64),
            Kind::Neighbour => fastest.max(thinned).max(60.0),
            _ => fastest.max(thinned),
        };
        let next = attack.start as f64;
        Strangers { kind, to: to.to_owned(), networks, period, next, turn: 0, held: Vec::new() }
    }

    /// When they act next, in seconds after midnight of the first day.
    pub fn next(&self) -> u64 {
        self.next as u64
    }

    fn network(&mut self) -> String {
        self.turn += 1;
        network(self.turn % self.networks)
    }

    /// Their next act.
    pub async fn act(&mut self, world: &mut World) {
        self.next += self.period;
        let kind = if self.kind == Kind::Mixed { MIXED[world.draw.below(MIXED.len())] } else { self.kind };
        self.act_as(kind, world).await;
    }

    async fn act_as(&mut self, kind: Kind, world: &mut World) {
        let to = self.to.clone();
        match kind {
            Kind::Drain | Kind::LastToken | Kind::Lengthen => self.ask(world).await,
            Kind::Burn => {
                self.ask(world).await;
                self.guess_newest(world).await;
            }
            Kind::HoldTwo => {
                let network = self.network();
                for _ in 0..2 {
                    self.ask_at(world, &network).await;
                }
            }
            Kind::Junk => {
                let network = self.network();
                if self.turn % 8 == 1 {
                    world.ask_by_alias(&network, &to).await;
                }
                let junk = "A".repeat(72);
                world.guess(&network, &to, Some(&junk)).await;
                world.guess(&network, &to, None).await;
                world.guess_by_alias(&network, &to).await;
            }
            Kind::Resend => {
                let network = self.network();
                let own = self.held.iter().rev().find(|(of, _)| *of == network).map(|(_, id)| id.clone());
                let id = world.ask_again(&network, &to, own.as_deref()).await;
                self.hold(&network, id);
            }
            Kind::Aliases => {
                let network = self.network();
                world.ask_by_alias(&network, &to).await;
                world.guess_by_alias(&network, &to).await;
            }
            Kind::JustBefore | Kind::Decoy | Kind::Mixed => {}
            Kind::JustAfter => self.ask(world).await,
            Kind::Midnight => {
                // Two minutes before midnight they begin all codes of digits that the bucket gives, and guess on the next day. Then
                // they begin another one whenever a token comes back, and never take the last one.
                let before_midnight = world.now % DAY >= DAY - 2 * MINUTE;
                let after_midnight = world.now % DAY < HOUR;
                while !before_midnight && !self.held.is_empty() {
                    self.guess_newest(world).await;
                    self.held.pop();
                }
                for _ in 0..if before_midnight { 4 } else { usize::from(after_midnight) } {
                    self.ask(world).await;
                }
            }
            Kind::Neighbour => {
                self.ask_at(world, SHARED_NETWORK).await;
                for _ in 0..5 {
                    world.guess(SHARED_NETWORK, &to, Some(&"A".repeat(72))).await;
                }
                self.guess_newest(world).await;
            }
            Kind::OnePrefix => {
                let line = world.draw.below(0x1_0000);
                self.ask_at(world, &format!("2001:db8:bad:{line:x}::1")).await;
            }
            Kind::Spellings => {
                let network = self.network();
                let spelling = match self.turn % 3 {
                    0 => format!("ada.lovelace+{}@gmail.com", self.turn),
                    1 => format!(
                        "{}lovelace@gmail.com",
                        ["a.da.", "ad.a.", "a.d.a.", "ada."][self.turn as usize / 3 % 4]
                    ),
                    _ => "ada.lovelace@googlemail.com".to_owned(),
                };
                world.ask(&network, &spelling).await;
            }
            Kind::Domain | Kind::Day => {
                let network = self.network();
                let domain =
                    if kind == Kind::Domain { "corp.example".to_owned() } else { format!("d{}.example", self.turn) };
                world.ask(&network, &format!("u{}@{domain}", self.turn)).await;
            }
            Kind::OneRange => {
                let network = self.network();
                world.ask(&network, &format!("+447400{:06}", self.turn)).await;
            }
            Kind::Ranges => {
                let network = self.network();
                world.ask(&network, &format!("+4474{:02}{:06}", self.turn % 40, self.turn)).await;
            }
        }
    }

    /// In the second before the owner asks. Strangers may know that moment.
    pub async fn before_owner(&mut self, world: &mut World) {
        let is_mixed = self.kind == Kind::Mixed && world.draw.below(2) == 0;
        if self.kind == Kind::JustBefore || is_mixed {
            for _ in 0..6 {
                self.ask(world).await;
            }
            self.guess_newest(world).await;
        }
        if self.kind == Kind::Decoy || is_mixed {
            // The third code of a network is long. The code of another network is the newest message then, and has digits.
            let first = self.network();
            for _ in 0..3 {
                self.ask_at(world, &first).await;
            }
            self.ask(world).await;
        }
    }

    /// In the second after the owner has asked, and before they answer.
    pub async fn after_owner(&mut self, world: &mut World) {
        if matches!(self.kind, Kind::JustBefore | Kind::JustAfter | Kind::Mixed) {
            for _ in 0..3 {
                self.ask(world).await;
                self.guess_newest(world).await;
            }
        }
    }

    async fn ask(&mut self, world: &mut World) {
        let network = self.network();
        self.ask_at(world, &network).await;
    }

    async fn ask_at(&mut self, world: &mut World, network: &str) {
        let id = world.ask(network, &self.to.clone()).await;
        self.hold(network, id);
    }

    fn hold(&mut self, network: &str, id: Option<String>) {
        self.held.extend(id.map(|id| (network.to_owned(), id)));
        if self.held.len() > 200 {
            self.held.drain(..100);
        }
    }

    /// Three guesses at the newest challenge.
    async fn guess_newest(&mut self, world: &mut World) {
        let Some((network, id)) = self.held.last().cloned() else { return };
        for _ in 0..3 {
            world.guess(&network, &self.to.clone(), Some(&id)).await;
        }
    }
}

/// The number of requests in one act.
fn requests_of(kind: Kind) -> u64 {
    match kind {
        Kind::HoldTwo | Kind::Aliases => 2,
        Kind::Junk => 3,
        Kind::Burn => 4,
        Kind::Neighbour => 9,
        Kind::Mixed => 3,
        _ => 1,
    }
}

/// The address of a hostile network.
fn network(number: u64) -> String {
    format!("203.0.113.{}", number + 1)
}
