//! The actions of a sequence. Numbers select among the current items.

use proptest::prelude::*;

use super::model::Typed;
use super::session::End;

/// The largest error of a machine's clock, in seconds.
pub const SKEW: i64 = 5;

/// An action of a user, of a stranger with the user's data, or of the environment.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Ask,
    Resend {
        challenge: usize,
        after: u64,
        answers_old: bool,
    },
    Answer {
        challenge: usize,
        typed: Typed,
        is_bound: bool,
    },
    /// Several wrong answers, then the right one.
    Guess {
        challenge: usize,
        is_bound: bool,
        times: u32,
    },
    Refresh {
        session: usize,
        age: usize,
    },
    Logout {
        session: usize,
        everywhere: bool,
    },
    Profile {
        session: usize,
    },
    List {
        session: usize,
    },
    /// Ends one session, perhaps another user's.
    End {
        by: usize,
        which: usize,
        is_own: bool,
    },
    EndOthers {
        by: usize,
    },
    Wait(u64),
    /// Uses the session a few seconds before or after one of its ends. If possible, refreshes keep it active until then.
    AtEnd {
        session: usize,
        end: End,
        off: i64,
    },
    /// The same with a code.
    AtCodesEnd {
        challenge: usize,
        off: i64,
    },
    /// TTL deletes expired items, by a clock that may be fast, now or hours later.
    Sweep,
    /// Deletes unneeded items: ended sessions, and counts of networks.
    Forget,
}

/// The acting user.
pub type Person = usize;

pub fn act() -> impl Strategy<Value = (Person, Act)> {
    let number = any::<usize>;
    // Within the grace period, around a code's expiry, or shortly before an idle end.
    let wait = prop_oneof![4 => 0..=15_u64, 1 => 590..=610_u64, 1 => Just(80_000_u64)];
    let typed = prop_oneof![3 => Just(Typed::Right), 1 => Just(Typed::Wrong), 1 => Just(Typed::Old)];
    let end =
        prop_oneof![2 => Just(End::Grace), 1 => Just(End::Access), 1 => Just(End::Idle), 1 => Just(End::Absolute)];
    let after = prop_oneof![1 => Just(0), 3 => 25..=35_u64];
    let off = -8..=8_i64;
    let act = prop_oneof![
        4 => Just(Act::Ask),
        3 => (number(), after, any::<bool>()).prop_map(|(challenge, after, answers_old)| Act::Resend { challenge, after, answers_old }),
        2 => (number(), any::<bool>(), 2..=4_u32).prop_map(|(challenge, is_bound, times)| Act::Guess { challenge, is_bound, times }),
        6 => (number(), typed, prop::bool::weighted(0.7)).prop_map(|(challenge, typed, is_bound)| Act::Answer { challenge, typed, is_bound }),
        7 => (number(), 0..4_usize).prop_map(|(session, age)| Act::Refresh { session, age: age.saturating_sub(1) }),
        1 => (number(), any::<bool>()).prop_map(|(session, everywhere)| Act::Logout { session, everywhere }),
        1 => number().prop_map(|session| Act::Profile { session }),
        1 => number().prop_map(|session| Act::List { session }),
        1 => (number(), number(), any::<bool>()).prop_map(|(by, which, is_own)| Act::End { by, which, is_own }),
        2 => number().prop_map(|by| Act::EndOthers { by }),
        4 => wait.prop_map(Act::Wait),
        3 => (number(), end, off.clone()).prop_map(|(session, end, off)| Act::AtEnd { session, end, off }),
        1 => (number(), off).prop_map(|(challenge, off)| Act::AtCodesEnd { challenge, off }),
        1 => Just(Act::Sweep),
        1 => Just(Act::Forget),
    ];
    (0..PEOPLE.len(), act)
}

/// The users' addresses.
pub const PEOPLE: [&str; 2] = ["ada@example.com", "bob@example.com"];
