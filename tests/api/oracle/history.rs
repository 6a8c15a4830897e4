//! What the owner of an identifier did, and other strangers. A stranger must not see it in their own answers.

use serde_json::json;
use tests::authenticator::{CONFIRM, TOTP};
use tests::client::VERIFY;
use tests::deployment::wrong;
use tests::{Asked, Authenticator, Deployment};

/// Earlier actions of the owner of an identifier, and of other strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    NeverAsked,
    AskedAMinuteAgo,
    /// Through an alias, and the code is still under way.
    AskedByAlias,
    /// And has an authenticator app since then.
    SignedInAnHourAgo,
    SignedInNow,
    UnderAttack,
    /// And the owner uses the code that the stranger's challenge shares, after each of the stranger's steps.
    UsesTheSharedCode,
    ChargedForTheDay,
    ManyWrongCodes,
    Deleted,
}

pub const HISTORIES: [History; 10] = [
    History::NeverAsked,
    History::AskedAMinuteAgo,
    History::AskedByAlias,
    History::SignedInAnHourAgo,
    History::SignedInNow,
    History::UnderAttack,
    History::UsesTheSharedCode,
    History::ChargedForTheDay,
    History::ManyWrongCodes,
    History::Deleted,
];

/// The owner's network.
const OWNER: &str = "198.51.100.1";
/// The messages that empty the bucket of an address. A number has one fewer.
const BURST: u8 = 5;

/// Lets all histories happen side by side, each to its own identifier. Takes an hour.
pub async fn happen(auth: &Deployment, to: &[(History, String)]) {
    let whose = |wanted: History| to.iter().find(|(history, _)| *history == wanted).unwrap().1.as_str();
    let owner = auth.client_at(OWNER);
    let tokens = owner.sign_in(whose(History::SignedInAnHourAgo)).await;
    let begun = owner.post_as(&tokens.access, TOTP, json!({})).await.ok();
    let code = Authenticator::of(begun["secret"].as_str().unwrap()).code(auth);
    let confirmation = json!({ "factor_id": begun["factor_id"], "code": code });
    owner.post_as(&tokens.access, CONFIRM, confirmation).await.ok();
    delete(auth, whose(History::Deleted)).await;
    for number in 0..BURST {
        // Four codes of three attempts are the day's twelve.
        attacker(auth, number).ask(whose(History::ChargedForTheDay)).await;
        auth.wait(600);
    }
    auth.wait(540);
    owner.ask(whose(History::AskedAMinuteAgo)).await;
    auth.wait(60);
    for history in [History::UnderAttack, History::UsesTheSharedCode] {
        for number in 0..BURST {
            attacker(auth, number).ask(whose(history)).await;
        }
    }
    let (path, field) = super::stranger::alias_request(whose(History::AskedByAlias));
    owner.post(path, json!({ field: whose(History::AskedByAlias) })).await.ok();
    for number in 0..2 {
        let wronged = whose(History::ManyWrongCodes);
        let asked = attacker(auth, number).ask(wronged).await;
        let guess = Asked { code: wrong(&asked.code), ..asked };
        for _ in 0..4 {
            attacker(auth, number).answer(wronged, &guess).await.refused(400, "invalid_otp");
        }
        attacker(auth, number).answer_unbound(wronged, &guess.code).await.refused(400, "invalid_otp");
    }
    owner.sign_in(whose(History::SignedInNow)).await;
}

/// Signs up, and then everything about the person is deleted from the tables by hand.
async fn delete(auth: &Deployment, to: &str) {
    let session = auth.client_at(OWNER).ask(to).await;
    let body = json!({ "identifier": to, "otp_code": session.code, "challenge_id": session.challenge });
    let user = auth.client_at(OWNER).post(VERIFY, body).await.ok();
    let user = user["user"]["id"].as_str().unwrap().to_owned();
    for item in ["ID#", "U#", "S#"].into_iter().flat_map(|prefix| auth.items(prefix)) {
        if item.to_string().contains(&user) {
            auth.delete_item(item["pk"]["S"].as_str().unwrap());
        }
    }
    let item = auth.identifier(to).unwrap();
    auth.delete_from("OTP_TABLE", item["pk"]["S"].as_str().unwrap());
}

fn attacker(auth: &Deployment, number: u8) -> tests::Client<'_> {
    auth.client_at(&format!("203.0.113.{number}"))
}

impl History {
    /// What the owner does after a step of the stranger. Networks of the owner are fresh, because a network has few codes under way.
    pub async fn meanwhile(self, auth: &Deployment, to: &str, step: usize) {
        if self == History::UsesTheSharedCode {
            let owner = auth.client_at(&format!("198.51.100.{}", step + 2));
            let asked = owner.ask(to).await;
            owner.answer(to, &asked).await.ok();
        }
    }
}
