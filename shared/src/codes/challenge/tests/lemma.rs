//! The lemma: with no token left by mail, there is a long code to share. Strangers and an owner ask and answer for a day each,
//! second by second, against the decision alone. `tests/orders` shows the same for the writes under races.

use std::collections::BTreeMap;

use super::*;

/// Requests of one network in ten minutes.
const PER_NETWORK: u32 = 25;

/// A small generator, so that a failure can be repeated.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// One identifier, and what went to its mailbox.
#[derive(Default)]
struct Mailbox {
    state: IdentifierState,
    number: u64,
    /// When the unanswered mails were sent, by the names of their codes.
    unanswered: BTreeMap<String, u64>,
    /// Comparisons with the usual digits, by day.
    compared: BTreeMap<u64, u32>,
    most_codes: usize,
}

impl Mailbox {
    /// The name of the own code that a request got; `None` if a long code answers it.
    fn request(&mut self, network: &str, second: u64) -> Option<String> {
        let (policy, now) = (policy(), at(second));
        let asked = Asked { network, now, ..asked(&policy) };
        let tokens = self.state.tokens(Lane::Open, Channel::Email, now);
        let plan = match self.state.decide(asked) {
            Decision::Send(plan) => plan,
            Decision::Share => return None,
            Decision::Wait(_)
            | Decision::NoneToSpare
            | Decision::TooSoon(_)
            | Decision::MailboxFull
            | Decision::Held => {
                panic!("a mail is refused for its identifier's sake")
            }
        };
        assert!(tokens >= 1, "no token is left, and no long code to share");
        self.number += 1;
        let key = self.number.to_string();
        self.take(&plan, &key, network, second);
        self.unanswered.insert(key.clone(), second);
        (plan.strength != Strength::Long).then_some(key)
    }

    fn take(&mut self, plan: &Plan, key: &str, network: &str, second: u64) {
        let state = &mut self.state;
        state.open.full_at = bucket(Lane::Open, Channel::Email).taken(state.open.full_at, at(second));
        for (kept, key) in &plan.expired {
            match kept {
                Kept::Own(_) => drop(state.open.codes.remove(key)),
                Kept::Long => drop(state.long.remove(key)),
            }
        }
        if plan.strength == Strength::Long {
            state.long.insert(key.to_owned(), long(second + 600, network));
        } else {
            let charged = state.charged(Lane::Open, at(second));
            state.day = second / 86_400;
            let is_eight = plan.strength == Strength::Eight;
            state.open.charged = charged;
            state.open.charged[usize::from(is_eight)] += 3;
            let code = OwnCode { network: network.to_owned(), day: state.day, is_eight, ..own(second + 600) };
            state.open.codes.insert(key.to_owned(), code);
        }
        self.most_codes = self.most_codes.max(state.open.codes.len() + state.long.len());
    }

    fn guess(&mut self, key: &str, second: u64) {
        let Some(code) = self.state.open.codes.get_mut(key) else { return };
        if code.attempts_left > 0 && !code.expires.has_passed(at(second)) {
            code.attempts_left -= 1;
            *self.compared.entry(second / 86_400).or_default() += u32::from(!code.is_eight);
        }
    }

    /// Whether the first code that the owner asked for signs in.
    fn answer(&mut self, own: Option<&String>, second: u64) -> bool {
        let now = at(second);
        let used = match own {
            Some(key) => {
                let Some(code) = self.state.open.codes.remove(key) else { return false };
                if code.expires.has_passed(now) || code.attempts_left == 0 {
                    return false;
                }
                if code.day == self.state.day {
                    self.state.open.charged[usize::from(code.is_eight)] -= code.attempts_left;
                }
                key.clone()
            }
            // Any long code in the mailbox.
            None => {
                let live = self.state.long.iter().filter(|(_, code)| !code.expires.has_passed(now));
                let Some(key) = live.map(|(key, _)| key.clone()).next_back() else { return false };
                self.state.long.remove(&key);
                key
            }
        };
        self.unanswered.remove(&used);
        self.state.open.full_at = at(self.state.open.full_at.unix() - 240);
        true
    }

    fn most_in_an_hour(&self) -> usize {
        let mut sent: Vec<u64> = self.unanswered.values().copied().collect();
        sent.sort_unstable();
        let within = |first: &u64| sent.iter().filter(|other| (*first..first + 3_600).contains(*other)).count();
        sent.iter().map(within).max().unwrap_or(0)
    }
}

/// The number of strangers' requests in each second, given the draw.
type Strategy = (&'static str, fn(u64, &mut Draw) -> u64);

const STRATEGIES: [Strategy; 5] = [
    ("flood", |_, _| 2),
    ("slow", |second, _| u64::from(second % 240 == 0)),
    ("burst", |second, draw| if second % 600 == draw.below(600) { 60 } else { 0 }),
    ("at midnight", |second, _| u64::from(second % 86_400 < 700 || second % 86_400 > 85_700)),
    ("now and then", |_, draw| u64::from(draw.below(20) == 0)),
];

/// S140, S141, V50: the owner's first code signs in whenever they ask, the mailbox gets at most 20 unanswered mails in any hour,
/// and at most 12 comparisons with six digits are made a day.
#[test]
fn strangers_keep_no_owner_out_and_flood_no_mailbox() {
    for networks in [2, 50] {
        for (name, strategy) in STRATEGIES {
            let mut draw = Draw(networks * 7 + name.len() as u64);
            let mut mailbox = Mailbox::default();
            let mut asked_by = BTreeMap::<(u64, u64), u32>::new();
            let (mut owner_at, mut pending, mut served) = (NOW + draw.below(7_200), None, 0);
            for second in NOW..NOW + 86_400 {
                for _ in 0..strategy(second, &mut draw) {
                    let network = draw.below(networks);
                    let count = asked_by.entry((network, second / 600)).or_default();
                    *count += 1;
                    if *count <= PER_NETWORK
                        && let Some(key) = mailbox.request(&format!("net{network:05}"), second)
                    {
                        (0..3).for_each(|_| mailbox.guess(&key, second));
                    }
                }
                match &pending {
                    None if second >= owner_at => {
                        let own = mailbox.request(&format!("own{second:010}"), second);
                        pending = Some((own, second + 5 + draw.below(350)));
                    }
                    Some((own, then)) if second >= *then => {
                        assert!(mailbox.answer(own.as_ref(), second), "{networks} {name}: the owner is kept out");
                        (pending, served) = (None, served + 1);
                        owner_at = second + [1, 30, 600, 7_200][draw.below(4) as usize];
                    }
                    _ => {}
                }
            }
            assert!(served > 20, "{networks} {name}: {served}");
            assert!(mailbox.most_in_an_hour() <= 20, "{networks} {name}: {}", mailbox.most_in_an_hour());
            assert!(mailbox.compared.values().all(|compared| *compared <= 12), "{networks} {name}");
            assert!(mailbox.most_codes <= 9, "{networks} {name}: {}", mailbox.most_codes);
        }
    }
}
