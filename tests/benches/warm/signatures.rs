//! What one signature costs, with each algorithm, as the functions make it.

use std::time::Duration;

use shared::access::{Issuing, Subject};
use shared::entropy::Entropy;
use shared::ids::{Tenant, UserId, random_id};
use shared::session::{Opening, Session};
use shared::signer::Signer;
use tests::Deployment;
use tokio::runtime::Runtime;

use crate::timing::{micros, timed};

/// Prints them; gives that of the default algorithm, RS256.
pub fn print(elsewhere: &Runtime) -> Duration {
    println!("| algorithm | the key read | a token signed | p90 |");
    println!("| --- | ---: | ---: | ---: |");
    let mut default = None;
    for algorithm in ["RS256", "ES256", "HS256"] {
        let auth = elsewhere.block_on(Deployment::with(&[("JWT_ALGORITHM", algorithm)]));
        let (keys, config, now) = (auth.token_keys(), crate::config(&auth, "VerifyOtp"), auth.stack.clock().now());
        let opening = Opening { policy: &config.session, key_id: "key", method: "otp" };
        let session = Session::open(UserId::draw(&Entropy, now).unwrap(), opening, &Entropy, now).unwrap();
        let (tenant, jti) = (Tenant::default(), random_id(&Entropy).unwrap());
        let context = Issuing { issuer: "https://auth.example.com", tenant: &tenant, jti: &jti };

        let read = || Signer::new(keys.signing.active(now).unwrap(), config.access.algorithm).unwrap();
        let signer = read();
        let token = timed(|| signer.sign(&Subject::of(&session), context, &config.access, now).unwrap());
        println!("| {algorithm} | {} | {} | {} |", micros(timed(read).median), micros(token.median), micros(token.p90));
        default.get_or_insert(token.median);
    }
    println!();
    default.unwrap()
}
