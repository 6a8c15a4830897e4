//! Finds the orders: all of them, or a random sample.
//!
//! Two calls commute if they touch different items or only read. Orders that differ only in commuting calls are equivalent. The
//! search is depth-first over "which call is next" and restarts from the beginning for each order. It uses source sets and sleep
//! sets (Abdulla, Aronis, Jonsson, Sagonas: Optimal Dynamic Partial Order Reduction, 2014). After each order it looks for races:
//! two calls to the same item whose order could be reversed. It then goes back to reverse them. A choice already explored at some
//! place sleeps there until a dependent call has happened. This skips only equivalent orders.

use std::collections::BTreeSet;

use local_aws::gate::Release;

use super::draw::Draw;
use super::play::play;
use super::steering::Director;
use super::step::{Step, Waiting};
use super::{Played, Scenario, Weakness, World};

/// The result of a search.
#[derive(Debug, Default)]
pub struct Search {
    /// The different orders, each in its normal form.
    pub orders: BTreeSet<String>,
    /// How often the scene was run, including runs that stopped early as equivalent.
    pub runs: usize,
    /// The first order that breaks an invariant.
    pub broken: Option<Played>,
    /// How often the weakness changed a call.
    pub weakened: usize,
}

/// The most actors of any scenario.
const MOST_ACTORS: usize = 3;

/// Runs every order until an invariant breaks.
pub async fn explore(scenario: &Scenario, weakness: Option<&Weakness>) -> Search {
    let world = World::start(scenario.settings, MOST_ACTORS).await;
    let mut tree = Tree { weakness: weakness.copied(), ..Tree::default() };
    let mut search = Search::default();
    loop {
        search.runs += 1;
        if let Some(played) = play(&world, scenario, &mut tree).await {
            assert!(search.take(played), "an order was found twice");
        }
        if search.broken.is_some() || !tree.turns() {
            return Search { weakened: tree.weakened, ..search };
        }
    }
}

/// Runs random orders until `wanted` different ones were seen, or `runs` are used up.
pub async fn sample(scenario: &Scenario, wanted: usize, runs: usize, seed: u64) -> Search {
    let world = World::start(scenario.settings, MOST_ACTORS).await;
    let (mut drawn, mut search) = (Drawn(Draw::of(seed)), Search::default());
    while search.broken.is_none() && search.orders.len() < wanted && search.runs < runs {
        search.runs += 1;
        search.take(play(&world, scenario, &mut drawn).await.expect("a random order never stops early"));
    }
    search
}

impl Search {
    /// Counts an order. Returns true if it is new.
    fn take(&mut self, played: Played) -> bool {
        let is_new = self.orders.insert(normal_form(&played.steps));
        if !played.broken.is_empty() {
            self.broken = Some(played);
        }
        is_new
    }
}

/// The path of the search to its current place.
#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
    /// The calls of this order so far.
    steps: Vec<Waiting>,
    weakness: Option<Weakness>,
    weakened: usize,
}

type Id = (usize, usize);

struct Node {
    /// The waiting calls at this place: each one's id and label.
    waiting: Vec<(Id, String)>,
    chosen: Id,
    /// Choices to explore at this place.
    wanted: BTreeSet<Id>,
    tried: BTreeSet<Id>,
    asleep: BTreeSet<Id>,
}

impl Director for Tree {
    fn choose(&mut self, waiting: &[Waiting]) -> Option<usize> {
        let known: Vec<_> = waiting.iter().map(|waiting| (waiting.id(), waiting.label())).collect();
        let depth = self.steps.len();
        if depth == self.nodes.len() {
            let asleep = self.asleep_among(waiting);
            let chosen = known.iter().map(|(id, _)| *id).find(|id| !asleep.contains(id))?;
            let (waiting, wanted) = (known.clone(), [chosen].into());
            self.nodes.push(Node { waiting, chosen, wanted, tried: BTreeSet::new(), asleep });
        }
        let node = &self.nodes[depth];
        assert_eq!(node.waiting, known, "repeating an order gave different calls");
        let at = waiting.iter().position(|waiting| waiting.id() == node.chosen)?;
        self.steps.push(waiting[at].clone());
        Some(at)
    }

    fn release(&mut self, chosen: &Waiting) -> Release {
        let Some(weakness) = self.weakness else { return Release::Answered };
        let (release, times) = weakness.taken_from(&chosen.held);
        self.weakened += times;
        release
    }
}

impl Tree {
    /// Earlier choices and sleeping calls stay asleep if they commute with the last call.
    fn asleep_among(&self, waiting: &[Waiting]) -> BTreeSet<Id> {
        let (Some(before), Some(last)) = (self.nodes.last(), self.steps.last()) else { return BTreeSet::new() };
        let was_there =
            |waiting: &&Waiting| before.tried.contains(&waiting.id()) || before.asleep.contains(&waiting.id());
        waiting.iter().filter(was_there).filter(|waiting| waiting.commutes_with(last)).map(Waiting::id).collect()
    }

    /// Goes back to the last place with an unexplored choice. Returns false when the search is complete.
    fn turns(&mut self) -> bool {
        self.want_races_turned_round();
        self.steps.clear();
        while let Some(node) = self.nodes.last_mut() {
            node.tried.insert(node.chosen);
            let is_left = |id: &&Id| !node.tried.contains(id) && !node.asleep.contains(id);
            if let Some(next) = node.wanted.iter().find(is_left).copied() {
                node.chosen = next;
                return true;
            }
            self.nodes.pop();
        }
        false
    }

    fn want_races_turned_round(&mut self) {
        let history = History::of(&self.steps, &self.nodes);
        for late in 0..self.steps.len() {
            for early in history.races_with(late) {
                let first: Vec<Id> = history.instead_of(early, late).map(|at| self.steps[at].id()).collect();
                let wanted = &mut self.nodes[early].wanted;
                if !first.iter().any(|id| wanted.contains(id)) {
                    wanted.extend(first.first());
                }
            }
        }
    }
}

/// The happens-before relation of one order.
struct History {
    /// For each step, the step after which its call arrived.
    causes: Vec<Option<usize>>,
    /// For each step, its cause and the earlier conflicting steps.
    direct: Vec<BTreeSet<usize>>,
    /// For each step, all steps that must precede it.
    before: Vec<BTreeSet<usize>>,
}

impl History {
    fn of(steps: &[Waiting], nodes: &[Node]) -> History {
        let mut history = History { causes: Vec::new(), direct: Vec::new(), before: Vec::new() };
        for (at, step) in steps.iter().enumerate() {
            let is_there = |depth: &usize| nodes[*depth].waiting.iter().any(|(waiting, _)| *waiting == step.id());
            let cause = (0..=at).find(is_there).and_then(|first| first.checked_sub(1));
            let conflicts = (0..at).filter(|one| !steps[*one].commutes_with(step));
            let direct: BTreeSet<usize> = conflicts.chain(cause).collect();
            let before = direct.iter().flat_map(|one| history.before[*one].iter().copied().chain([*one])).collect();
            history.causes.push(cause);
            history.direct.push(direct);
            history.before.push(before);
        }
        history
    }

    /// Earlier steps in a race with `late`: they conflict with it, and nothing between them forces their order.
    fn races_with(&self, late: usize) -> impl Iterator<Item = usize> {
        let direct = &self.direct[late];
        let is_race = move |early: &usize| {
            Some(*early) != self.causes[late] && !direct.iter().any(|other| self.before[*other].contains(early))
        };
        direct.iter().copied().filter(is_race)
    }

    /// The calls that could replace `early` on the way to `late`. The paper calls them initials.
    fn instead_of(&self, early: usize, late: usize) -> impl Iterator<Item = usize> {
        let rest = (early + 1..late).filter(|at| !self.before[*at].contains(&early)).chain([late]);
        let rest: Vec<usize> = rest.collect();
        let is_first = |at: &usize| rest.iter().all(|other| other >= at || !self.before[*at].contains(other));
        let first: Vec<usize> = rest.iter().copied().filter(is_first).collect();
        first.into_iter()
    }
}

/// Chooses the next call at random.
struct Drawn(Draw);

impl Director for Drawn {
    fn choose(&mut self, waiting: &[Waiting]) -> Option<usize> {
        Some(self.0.below(waiting.len()))
    }
}

/// Gives equivalent orders the same text: it repeatedly takes the first by name of the calls that may be next.
fn normal_form(steps: &[Step]) -> String {
    let mut left: Vec<&Step> = steps.iter().collect();
    let mut form = String::new();
    while !left.is_empty() {
        let may_be_next =
            |at: &usize| left[..*at].iter().all(|before| before.waiting.commutes_with(&left[*at].waiting));
        let named = |at: usize| (left[at].waiting.actor, left[at].waiting.label(), at);
        let next = (0..left.len()).filter(may_be_next).map(named).min().expect("the first may always be next");
        form.push_str(&format!("{} {};", next.0, next.1));
        left.remove(next.2);
    }
    form
}
