//! The time for one signature with each algorithm, made and verified as in the functions.

use std::time::Duration;

use shared::keys::SigningAlgorithm;
use shared::sessions::{AccessPolicy, CheckingKeys, Issuing, Signer, Subject};
use shared::words::{Entropy, Level, SessionId, Tenant, UserId, random_id};
use tests::Deployment;
use tokio::runtime::Runtime;

use crate::timing::{Times, micros, timed};
use tests::costs::Table;

const ISSUER: &str = "https://auth.example.com";

/// Times by algorithm: reading the key, signing a token, verifying a token.
pub struct Signatures(Vec<(&'static str, [Times; 3])>);

impl Signatures {
    pub fn measure(elsewhere: &Runtime) -> Signatures {
        Signatures(SigningAlgorithm::ALL.map(|algorithm| (algorithm.name(), measure(elsewhere, algorithm))).into())
    }

    /// The time to sign one token.
    pub fn one(&self, algorithm: &str) -> Duration {
        self.0.iter().find(|(name, _)| *name == algorithm).unwrap().1[1].median()
    }

    pub fn table(&self) -> String {
        let mut table = Table::new(&["algorithm", "read a key", "sign a token", "p99", "verify it", "p99"]);
        for (name, [read, signed, checked]) in &self.0 {
            let [worst_signed, worst_checked] = [signed, checked].map(|times| micros(times.percentile(99)));
            let [read, signed, checked] = [read, signed, checked].map(|times| micros(times.median()));
            table.row(&[(*name).to_owned(), read, signed, worst_signed, checked, worst_checked]);
        }
        table.text()
    }
}

fn measure(elsewhere: &Runtime, algorithm: SigningAlgorithm) -> [Times; 3] {
    let auth = elsewhere.block_on(Deployment::measured(&[("JWT_ALGORITHM", algorithm.name())]));
    let (keys, now) = (auth.signing_keys().signing, auth.stack.clock().now());
    let policy = &auth.read(AccessPolicy::read);
    let subject = Subject {
        user: UserId::draw(&Entropy, now).unwrap(),
        session: SessionId::draw(&Entropy).unwrap(),
        authenticated: now,
        level: Level::Code,
        methods: vec!["otp".to_owned()],
    };
    let (tenant, jti) = (Tenant::default(), random_id(&Entropy).unwrap());
    let context = Issuing { issuer: ISSUER, tenant: &tenant, jti: &jti, lifetime: policy.lifetime, transaction: None };

    let read = || Signer::new(keys.active_for(algorithm, now).unwrap()).unwrap();
    let (signer, checking) = (read(), CheckingKeys::of(&keys, now).unwrap());
    let sign = || signer.sign(&subject, context, policy, now).unwrap();
    let token = sign();
    [timed(read), timed(sign), timed(|| checking.check(&token, ISSUER, policy, now).unwrap())]
}
