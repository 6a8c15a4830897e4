//! Scenarios of parallel actions, and their building blocks.

pub mod codes;
pub mod factors;
pub mod rotations;
pub mod sessions;

use tests::deployment::wrong;
use tests::orders::{Action, World};
use tests::{Asked, Enrolled, Tokens};

pub const ADA: &str = "ada@example.com";
pub const PHONE: &str = "+447400123456";

/// An answer with this code, bound or unbound.
pub fn answering(asked: &Asked, right: bool, bound: bool) -> Action {
    let code = if right { asked.code.clone() } else { wrong(&asked.code) };
    Action::Answer { who: ADA.to_owned(), asked: Asked { code, ..asked.clone() }, right, bound }
}

pub fn answer(asked: &Asked) -> Action {
    answering(asked, true, true)
}

pub fn unbound(asked: &Asked) -> Action {
    answering(asked, true, false)
}

pub fn guess(asked: &Asked) -> Action {
    answering(asked, false, true)
}

pub fn unbound_guess(asked: &Asked) -> Action {
    answering(asked, false, false)
}

/// Sends wrong answers from `network`, one after the other.
pub async fn guesses(world: &World, network: u8, asked: &Asked, bound: bool, times: usize) {
    for _ in 0..times {
        answering(asked, false, bound).perform(world, world.client(network)).await.refused(400, "invalid_otp");
    }
}

/// Asks so many times from networks of their own, each time after `seconds`.
pub async fn strangers(world: &World, times: u8, seconds: u64) {
    for number in 0..times {
        world.client(200 + number).ask(ADA).await;
        world.auth.wait(seconds);
    }
}

pub fn ask(who: &str) -> Action {
    Action::Ask { who: who.to_owned(), again: None }
}

/// Resends one of Ada's challenges.
pub fn again(asked: &Asked) -> Action {
    Action::Ask { who: ADA.to_owned(), again: Some(asked.challenge.clone()) }
}

/// Adds an authenticator app for Ada. Her next code is half a minute away.
pub async fn enrolled(world: &World) -> Enrolled {
    world.client(100).enrol(ADA).await
}

/// Signs in Ada, an existing user.
pub async fn known(world: &World) -> Tokens {
    world.client(100).sign_in(ADA).await
}
