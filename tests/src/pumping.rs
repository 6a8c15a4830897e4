//! A simulated attack: somebody asks for texts to numbers of one prefix, from many addresses, and answers none (V40).

use serde_json::json;

use crate::Deployment;
use crate::client::REQUEST;

/// How the attack is made.
#[derive(Clone, Copy)]
pub struct Attack {
    /// Requests for a text, each to a number of its own.
    pub requests: usize,
    /// Addresses that they come from, one after the other.
    pub addresses: usize,
    /// Seconds that it lasts.
    pub seconds: u64,
    /// People who sign in meanwhile, evenly: in another country, and in the one under attack, with numbers of other ranges.
    pub elsewhere: usize,
    pub there: usize,
}

/// What it led to.
#[derive(Debug, Default)]
pub struct Damage {
    /// Texts that the attack was sent.
    pub sent: usize,
    /// People elsewhere who were signed in.
    pub elsewhere: usize,
    /// People in the country under attack who were signed in at their first try.
    pub there: usize,
}

impl Attack {
    /// Attacks a deployment with phones in Great Britain, while people there and in the United States sign in.
    pub async fn on(self, auth: &Deployment) -> Damage {
        let mut damage = Damage::default();
        let mut elapsed = 0;
        for number in 0..self.requests {
            let due = self.seconds * number as u64 / self.requests as u64;
            auth.wait(due - elapsed);
            elapsed = due;
            let address = address(10, number % self.addresses);
            let body = json!({ "identifier": format!("+447400{number:06}") });
            let answer = auth.client_at(&address).post(REQUEST, body).await;
            damage.sent += usize::from(answer.code() == "ok");

            if let Some(person) = self.turn(self.elsewhere, number) {
                damage.elsewhere += signs_in(auth, 172, person, format!("+1201555{person:04}")).await;
            }
            if let Some(person) = self.turn(self.there, number) {
                damage.there += signs_in(auth, 11, person, format!("+447500{person:06}")).await;
            }
        }
        damage
    }

    /// Which of so many people comes after this request, if one does.
    fn turn(self, people: usize, number: usize) -> Option<usize> {
        let before = people * number / self.requests;
        (people * (number + 1) / self.requests > before).then_some(before)
    }
}

fn address(net: usize, number: usize) -> String {
    format!("{net}.{}.{}.1", number / 256, number % 256)
}

/// 1 for somebody who asks, reads and answers; 0 for one who is told to wait.
async fn signs_in(auth: &Deployment, net: usize, person: usize, phone: String) -> usize {
    let client = auth.client_at(&address(net, person));
    let answer = client.post(REQUEST, json!({ "identifier": phone })).await;
    if answer.code() != "ok" {
        return 0;
    }
    let body = json!({ "identifier": phone, "otp_code": auth.newest_code(&phone), "challenge_id": answer.body["challenge_id"] });
    usize::from(client.post(crate::client::VERIFY, body).await.code() == "ok")
}
