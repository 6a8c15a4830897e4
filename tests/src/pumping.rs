//! A simulated SMS pumping attack: an attacker requests messages to numbers of one prefix from many addresses, and answers none
//! (V40).

use serde_json::json;

use crate::Deployment;
use crate::client::REQUEST;

/// The size of the attack.
#[derive(Clone, Copy)]
pub struct Attack {
    /// Requests for a message, each to a different number.
    pub requests: usize,
    /// The attacker's network addresses, used in turn.
    pub addresses: usize,
    /// The duration in seconds.
    pub seconds: u64,
    /// Users who sign in during the attack, evenly spread: in another country, and in the attacked country with numbers of other
    /// ranges.
    pub elsewhere: usize,
    pub there: usize,
}

/// The result of an attack.
#[derive(Debug, Default)]
pub struct Damage {
    /// Messages sent to the attacker.
    pub sent: usize,
    /// Users in the other country who signed in.
    pub elsewhere: usize,
    /// Users in the attacked country who signed in at their first attempt.
    pub there: usize,
}

impl Attack {
    /// Attacks with British numbers while users in Great Britain and the United States sign in.
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

    /// The number of the user whose turn is after this request, if any.
    fn turn(self, people: usize, number: usize) -> Option<usize> {
        let before = people * number / self.requests;
        (people * (number + 1) / self.requests > before).then_some(before)
    }
}

fn address(net: usize, number: usize) -> String {
    format!("{net}.{}.{}.1", number / 256, number % 256)
}

/// Returns 1 if the user signs in, and 0 if they must wait.
async fn signs_in(auth: &Deployment, net: usize, person: usize, phone: String) -> usize {
    let client = auth.client_at(&address(net, person));
    let answer = client.post(REQUEST, json!({ "identifier": phone })).await;
    if answer.code() != "ok" {
        return 0;
    }
    let body = json!({ "identifier": phone, "otp_code": auth.newest_code(&phone), "challenge_id": answer.body["challenge_id"] });
    usize::from(client.post(crate::client::VERIFY, body).await.code() == "ok")
}
