//! What one signature costs, with each algorithm, as the functions make and check it.

use std::net::Ipv4Addr;
use std::time::Duration;

use shared::access::{Issuing, Subject};
use shared::algorithm::SigningAlgorithm;
use shared::check::CheckingKeys;
use shared::device::Device;
use shared::entropy::Entropy;
use shared::ids::{Tenant, UserId, random_id};
use shared::limit::Network;
use shared::session::{Opening, Session};
use shared::signer::Signer;
use tests::Deployment;
use tokio::runtime::Runtime;

use crate::timing::{micros, timed};

const ISSUER: &str = "https://auth.example.com";

/// Prints them; gives that of the default algorithm, RS256.
pub fn print(elsewhere: &Runtime) -> Duration {
    println!("| algorithm | the key read | a token signed | p90 | checked | p90 |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let mut default = Duration::ZERO;
    for algorithm in SigningAlgorithm::ALL {
        let name = algorithm.name();
        let auth = elsewhere.block_on(Deployment::with(&[("JWT_ALGORITHM", name)]));
        let (keys, config, now) = (auth.token_keys().signing, auth.config(), auth.stack.clock().now());
        let device = &Device::of(None, Network::of(Ipv4Addr::LOCALHOST.into()));
        let opening = Opening { policy: &config.session, key_id: "key", method: "otp", device };
        let session = Session::open(UserId::draw(&Entropy, now).unwrap(), opening, &Entropy, now).unwrap();
        let (tenant, jti) = (Tenant::default(), random_id(&Entropy).unwrap());
        let (policy, context) = (&config.access, Issuing { issuer: ISSUER, tenant: &tenant, jti: &jti });

        let read = || Signer::new(keys.active_for(algorithm, now).unwrap()).unwrap();
        let (signer, checking) = (read(), CheckingKeys::of(&keys, now).unwrap());
        let sign = || signer.sign(&Subject::of(&session), context, policy, now).unwrap();
        let (token, read, signed) = (sign(), timed(read), timed(sign));
        let checked = timed(|| checking.check(&token, ISSUER, policy, now).unwrap());
        println!(
            "| {name} | {} | {} | {} | {} | {} |",
            micros(read.median),
            micros(signed.median),
            micros(signed.p90),
            micros(checked.median),
            micros(checked.p90)
        );
        if algorithm == SigningAlgorithm::RS256 {
            default = signed.median;
        }
    }
    println!();
    default
}
