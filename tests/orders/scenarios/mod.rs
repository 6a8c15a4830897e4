//! What happens at once, and what it is made of.

pub mod codes;
pub mod rotations;
pub mod sessions;

use tests::deployment::wrong;
use tests::orders::{Deed, World};
use tests::{Asked, Tokens};

pub const ADA: &str = "ada@example.com";
pub const PHONE: &str = "+447400123456";

/// Answers with the code, and names its challenge or not.
pub fn answering(asked: &Asked, right: bool, bound: bool) -> Deed {
    let code = if right { asked.code.clone() } else { wrong(&asked.code) };
    Deed::Answer { who: ADA.to_owned(), asked: Asked { code, ..asked.clone() }, right, bound }
}

pub fn answer(asked: &Asked) -> Deed {
    answering(asked, true, true)
}

pub fn unbound(asked: &Asked) -> Deed {
    answering(asked, true, false)
}

pub fn guess(asked: &Asked) -> Deed {
    answering(asked, false, true)
}

pub fn unbound_guess(asked: &Asked) -> Deed {
    answering(asked, false, false)
}

/// Wrong answers, one after the other, from somewhere else.
pub async fn guesses(world: &World, asked: &Asked, bound: bool, times: usize) {
    for _ in 0..times {
        answering(asked, false, bound).perform(world, world.client(103)).await.refused(400, "invalid_otp");
    }
}

pub fn ask(who: &str) -> Deed {
    Deed::Ask { who: who.to_owned(), again: None }
}

/// Asks for one more code of a challenge of Ada's.
pub fn again(asked: &Asked) -> Deed {
    Deed::Ask { who: ADA.to_owned(), again: Some(asked.challenge.clone()) }
}

/// Ada, who has been here before, with a session.
pub async fn known(world: &World) -> Tokens {
    world.client(100).sign_in(ADA).await
}
