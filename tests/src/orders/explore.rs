//! Finding the orders: all of them, or a share of them that is drawn.
//!
//! Two calls that touch different items, or only read, may change places without any difference: orders that differ by
//! nothing else are one. The search is depth-first over "which call is next", from the start each time, with source sets
//! and sleep sets (Abdulla, Aronis, Jonsson, Sagonas: Optimal Dynamic Partial Order Reduction, 2014). After each order it
//! looks for races, two calls that touch the same item and might have come the other way round, and goes back to turn them
//! round; what was tried in some place sleeps there until a call that it depends on has come. That leaves out repetitions
//! and nothing else.

use std::collections::BTreeSet;

use local_aws::gate::Release;

use super::draw::Draw;
use super::play::play;
use super::steering::Director;
use super::step::{Step, Waiting};
use super::{Played, Scenario, Weakness, World};

/// What a search found.
#[derive(Debug, Default)]
pub struct Search {
    /// Orders that make a difference, each as a text of its own.
    pub orders: BTreeSet<String>,
    /// How often the scene was carried out, repetitions that were broken off among them.
    pub runs: usize,
    /// The first order in which something does not hold.
    pub broken: Option<Played>,
    /// How often a weakness was met.
    pub weakened: usize,
}

/// No scenario has more.
const MOST_ACTORS: usize = 3;

/// Every order, until one breaks something.
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

/// Orders that are drawn, until `wanted` different ones were seen, or so many `runs` are over.
pub async fn sample(scenario: &Scenario, wanted: usize, runs: usize, seed: u64) -> Search {
    let world = World::start(scenario.settings, MOST_ACTORS).await;
    let (mut drawn, mut search) = (Drawn(Draw::of(seed)), Search::default());
    while search.broken.is_none() && search.orders.len() < wanted && search.runs < runs {
        search.runs += 1;
        search.take(play(&world, scenario, &mut drawn).await.expect("an order that is drawn is whole"));
    }
    search
}

impl Search {
    /// Counts an order; says whether it is a new one.
    fn take(&mut self, played: Played) -> bool {
        let is_new = self.orders.insert(normal_form(&played.steps));
        if !played.broken.is_empty() {
            self.broken = Some(played);
        }
        is_new
    }
}

/// The search's way down to where it is.
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
    /// What waits here: each call's id, and what it does.
    waiting: Vec<(Id, String)>,
    chosen: Id,
    /// What is to be chosen here some time.
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
        assert_eq!(node.waiting, known, "the same order was not the same twice");
        let at = waiting.iter().position(|waiting| waiting.id() == node.chosen)?;
        self.steps.push(waiting[at].clone());
        Some(at)
    }

    fn fate(&mut self, chosen: &Waiting) -> Release {
        let Some(weakness) = self.weakness else { return Release::Answered };
        let (release, times) = weakness.taken_from(&chosen.held);
        self.weakened += times;
        release
    }
}

impl Tree {
    /// What was tried before, or slept, and does not care that the last call came first.
    fn asleep_among(&self, waiting: &[Waiting]) -> BTreeSet<Id> {
        let (Some(before), Some(last)) = (self.nodes.last(), self.steps.last()) else { return BTreeSet::new() };
        let was_there =
            |waiting: &&Waiting| before.tried.contains(&waiting.id()) || before.asleep.contains(&waiting.id());
        waiting.iter().filter(was_there).filter(|waiting| waiting.commutes_with(last)).map(Waiting::id).collect()
    }

    /// Goes back to the last place where there is another way that makes a difference. Says whether there is one.
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

/// What had to come before what in one order: its happens-before relation.
struct History {
    /// Of each step the one after which its call arrived.
    causes: Vec<Option<usize>>,
    /// Of each step its cause, and those that it does not commute with.
    direct: Vec<BTreeSet<usize>>,
    /// Of each step all that must have come before it.
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

    /// Earlier steps that `late` might have come before: in conflict with it, and with nothing between them.
    fn races_with(&self, late: usize) -> impl Iterator<Item = usize> {
        let direct = &self.direct[late];
        let is_race = move |early: &usize| {
            Some(*early) != self.causes[late] && !direct.iter().any(|other| self.before[*other].contains(early))
        };
        direct.iter().copied().filter(is_race)
    }

    /// What could come instead of `early`, on the way to `late`: the paper's initials.
    fn instead_of(&self, early: usize, late: usize) -> impl Iterator<Item = usize> {
        let rest = (early + 1..late).filter(|at| !self.before[*at].contains(&early)).chain([late]);
        let rest: Vec<usize> = rest.collect();
        let is_first = |at: &usize| rest.iter().all(|other| other >= at || !self.before[*at].contains(other));
        let first: Vec<usize> = rest.iter().copied().filter(is_first).collect();
        first.into_iter()
    }
}

/// Draws which call is next.
struct Drawn(Draw);

impl Director for Drawn {
    fn choose(&mut self, waiting: &[Waiting]) -> Option<usize> {
        Some(self.0.below(waiting.len()))
    }
}

/// The same text for orders that make no difference: of the calls that may be next the first by name, again and again.
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
