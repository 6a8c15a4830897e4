//! Every algorithm: its tokens are good to code that is not ours, and no algorithm stands in for another.

use std::path::PathBuf;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use local::Options;
use local_aws::StackClock;
use ring::hmac;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use serde_json::{Value, json};
use shared::keys::{Dated, KeyKind, Ring, SigningAlgorithm, SigningKey, public_keys};
use shared::sessions::{AccessPolicy, CheckingKeys, Issuing, Signer, Subject};
use shared::words::{Entropy, SessionId, Tenant, Timestamp, UserId};
use tests::Deployment;
use tests::deployment::{RSA_KEYS, START, unverified};

const ADA: &str = "ada@example.com";
const ISSUER: &str = "https://auth.example.com";
/// How long a signing key is published before it signs.
const PUBLISHED_BEFORE: u64 = 10_800;

/// Keys as OpenSSL makes them, which secure nothing.
pub const P256: &str = include_str!("../keys/p256.pem");
pub const P384: &str = include_str!("../keys/p384.pem");
pub const ED25519: &str = include_str!("../keys/ed25519.pem");

pub fn now() -> Timestamp {
    Timestamp::from_unix(START)
}

fn base64url(text: &Value) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_str().unwrap().as_bytes()).unwrap()
}

/// Whether `ring` accepts a token: other code than aws-lc and the JWT crate, told the algorithm by this test, with the key
/// `jwk` as it is published.
fn ring_accepts(algorithm: SigningAlgorithm, jwk: &Value, token: &str) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (message, signature) = (message.as_bytes(), base64url(&json!(signature)));
    let shared = |algorithm| hmac::verify(&hmac::Key::new(algorithm, &base64url(&jwk["k"])), message, &signature);
    let rsa = |algorithm| {
        RsaPublicKeyComponents { n: base64url(&jwk["n"]), e: base64url(&jwk["e"]) }
            .verify(algorithm, message, &signature)
    };
    let raw = |algorithm: &'static dyn VerificationAlgorithm, key: &[&[u8]]| {
        UnparsedPublicKey::new(algorithm, key.concat()).verify(message, &signature)
    };
    // An uncompressed point (SEC 1 §2.3.3).
    let point = |algorithm| raw(algorithm, &[&[4], &base64url(&jwk["x"]), &base64url(&jwk["y"])]);
    let verified = match algorithm {
        SigningAlgorithm::HS256 => shared(hmac::HMAC_SHA256),
        SigningAlgorithm::HS384 => shared(hmac::HMAC_SHA384),
        SigningAlgorithm::HS512 => shared(hmac::HMAC_SHA512),
        SigningAlgorithm::RS256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        SigningAlgorithm::RS384 => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        SigningAlgorithm::RS512 => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        SigningAlgorithm::ES256 => point(&signature::ECDSA_P256_SHA256_FIXED),
        SigningAlgorithm::ES384 => point(&signature::ECDSA_P384_SHA384_FIXED),
        SigningAlgorithm::EdDSA => raw(&signature::ED25519, &[&base64url(&jwk["x"])]),
    };
    verified.is_ok()
}

/// The key that a token names, as it is published; where nothing is, the keyring's secret.
async fn key_of(auth: &Deployment, token: &str) -> Value {
    let kid = &unverified(token).0["kid"];
    let set = auth.client().get("/.well-known/jwks.json").await.ok();
    let published = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == *kid).cloned();
    published.unwrap_or_else(|| {
        let keys = auth.token_keys().signing;
        let secret = keys.all().iter().find(|key| *kid == key.id).unwrap().key.reveal();
        json!({ "k": BASE64URL_NOPAD.encode(&BASE64.decode(secret.as_bytes()).unwrap()) })
    })
}

/// The same token with another algorithm in its header, and its old signature.
fn relabelled(token: &str, algorithm: &str) -> String {
    let (mut header, _) = unverified(token);
    header["alg"] = json!(algorithm);
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", BASE64URL_NOPAD.encode(header.to_string().as_bytes()))
}

/// What our own code accepts, with the keys that a function would have: the published ones, or for HMAC the ring.
async fn ours_accepts(auth: &Deployment, algorithm: SigningAlgorithm, token: &str) -> bool {
    let now = auth.stack.clock().now();
    let keys = if algorithm.is_symmetric() {
        CheckingKeys::of(&auth.token_keys().signing, now)
    } else {
        let set = auth.client().get("/.well-known/jwks.json").await.ok();
        CheckingKeys::published(&serde_json::from_value(set).unwrap())
    };
    keys.unwrap().check(token, ISSUER, &auth.read(AccessPolicy::read), now).is_ok()
}

async fn is_good(auth: &Deployment, algorithm: SigningAlgorithm, token: &str) {
    let (header, _) = unverified(token);
    assert_eq!((&header["alg"], &header["typ"]), (&json!(algorithm.name()), &json!("at+jwt")));
    let key = key_of(auth, token).await;
    assert!(algorithm.is_symmetric() || (&key["alg"], &key["use"]) == (&header["alg"], &json!("sig")), "{key}");
    assert!(ring_accepts(algorithm, &key, token), "{algorithm:?}");
    assert!(!ring_accepts(algorithm, &key, &relabelled(token, "none")), "{algorithm:?}: it accepts whatever it sees");
    assert!(ours_accepts(auth, algorithm, token).await, "{algorithm:?}");
    for other in SigningAlgorithm::ALL.map(SigningAlgorithm::name).into_iter().chain(["none", "PS256", "ES512"]) {
        let is_its_own = other == algorithm.name();
        assert_eq!(ours_accepts(auth, algorithm, &relabelled(token, other)).await, is_its_own, "{algorithm:?} {other}");
    }
}

/// Before and after a rotation, from the front door to whoever checks our tokens.
#[tokio::test]
async fn every_algorithm_signs_what_another_implementation_accepts() {
    for algorithm in SigningAlgorithm::ALL {
        let auth = Deployment::with(&[("JWT_ALGORITHM", algorithm.name()), ("JWT_ISSUER", ISSUER)]).await;
        let document = auth.client().get("/.well-known/openid-configuration").await.ok();
        assert_eq!(document["id_token_signing_alg_values_supported"], json!([algorithm.name()]));
        let first = auth.client().sign_in(ADA).await;
        is_good(&auth, algorithm, &first.access).await;

        auth.stack.rotate_keys().await.unwrap();
        auth.wait(PUBLISHED_BEFORE - 1);
        let second = auth.client().refresh(&first.refresh).await.tokens();
        assert_eq!(unverified(&second.access).0["kid"], unverified(&first.access).0["kid"]);
        auth.wait(1);
        let third = auth.client().refresh(&second.refresh).await.tokens();
        assert_ne!(unverified(&third.access).0["kid"], unverified(&first.access).0["kid"]);
        is_good(&auth, algorithm, &second.access).await;
        is_good(&auth, algorithm, &third.access).await;
    }
}

/// A signing key `k1` with this secret.
pub fn dated(algorithm: SigningAlgorithm, secret: &str) -> Dated<SigningKey> {
    let key = SigningKey::new(algorithm, secret.to_owned());
    Dated { id: "k1".to_owned(), active_from: 0, retired_at: None, key }
}

/// A key for an algorithm. All that can share one do, and all have one name.
fn key_for(algorithm: SigningAlgorithm) -> Dated<SigningKey> {
    match algorithm.kind() {
        KeyKind::Hmac(_) => dated(algorithm, &BASE64.encode(&[7; 64])),
        KeyKind::Rsa(_) => dated(algorithm, RSA_KEYS[0]),
        KeyKind::Ecdsa(..) => dated(algorithm, if algorithm == SigningAlgorithm::ES256 { P256 } else { P384 }),
        KeyKind::Ed25519 => dated(algorithm, ED25519),
    }
}

fn signed(key: &Dated<SigningKey>, policy: &AccessPolicy) -> String {
    let subject = Subject {
        user: UserId::draw(&Entropy, now()).unwrap(),
        session: SessionId::draw(&Entropy).unwrap(),
        authenticated: now(),
        methods: vec!["otp".to_owned()],
    };
    let context = Issuing { issuer: ISSUER, tenant: &Tenant::default(), jti: "j" };
    Signer::new(key).unwrap().sign(&subject, context, policy, now()).unwrap()
}

/// S40: `kid` chooses the key, and the key the algorithm: no other one, though the same key could have signed with it.
#[tokio::test]
async fn a_key_serves_one_algorithm_and_no_other() {
    let policy = Deployment::start().await.read(AccessPolicy::read);
    for algorithm in SigningAlgorithm::ALL {
        let ring = Ring::new(vec![key_for(algorithm)]);
        let published = CheckingKeys::published(&public_keys(&ring, now()).unwrap()).unwrap();
        let held = CheckingKeys::of(&ring, now()).unwrap();
        for other in SigningAlgorithm::ALL {
            let token = signed(&key_for(other), &policy);
            let [published, held] = [&published, &held].map(|keys| keys.check(&token, ISSUER, &policy, now()).is_ok());
            assert_eq!(held, other == algorithm, "{algorithm:?} {other:?}");
            assert_eq!(published, other == algorithm && !algorithm.is_symmetric(), "{algorithm:?} {other:?}");
        }
    }
}

/// S40, V11: everybody has the public key, so it must not do as the secret of an HMAC.
#[tokio::test]
async fn a_public_key_is_no_secret() {
    let policy = Deployment::start().await.read(AccessPolicy::read);
    for algorithm in SigningAlgorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()) {
        let ring = Ring::new(vec![key_for(algorithm)]);
        let set = public_keys(&ring, now()).unwrap();
        let jwk = json!(set.keys[0]);
        let mut secrets = vec![jwk.to_string().into_bytes()];
        secrets.extend(["n", "x"].iter().filter(|name| jwk[**name].is_string()).map(|name| base64url(&jwk[*name])));
        for (name, hmac) in [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)] {
            for secret in &secrets {
                let token = relabelled(&signed(&key_for(algorithm), &policy), name);
                let (message, _) = token.rsplit_once('.').unwrap();
                let mac = hmac::sign(&hmac::Key::new(hmac, secret), message.as_bytes());
                let token = format!("{message}.{}", BASE64URL_NOPAD.encode(mac.as_ref()));
                for keys in [CheckingKeys::published(&set).unwrap(), CheckingKeys::of(&ring, now()).unwrap()] {
                    assert!(keys.check(&token, ISSUER, &policy, now()).is_err(), "{algorithm:?} {name}");
                }
            }
        }
    }
}

/// S40: whoever could put a secret among the public keys could sign with it.
#[tokio::test]
async fn a_published_secret_checks_nothing() {
    let policy = Deployment::start().await.read(AccessPolicy::read);
    let token = signed(&key_for(SigningAlgorithm::HS256), &policy);
    let secret =
        json!({ "kty": "oct", "k": BASE64URL_NOPAD.encode(&[7; 64]), "alg": "HS256", "use": "sig", "kid": "k1" });
    assert!(ring_accepts(SigningAlgorithm::HS256, &secret, &token));
    let set = serde_json::from_value(json!({ "keys": [secret] })).unwrap();
    assert!(CheckingKeys::published(&set).unwrap().check(&token, ISSUER, &policy, now()).is_err());
}

/// A folder of a test's own, gone with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        Folder(std::env::temp_dir().join(format!("latchkey-{name}-{}", std::process::id())))
    }

    /// The deployment whose data lie in it, `seconds` after it first started.
    async fn deployment(&self, algorithm: &str, seconds: u64) -> Deployment {
        let settings = [("JWT_ALGORITHM", algorithm), ("JWT_ISSUER", ISSUER)];
        let options = Options {
            data: Some(self.0.clone()),
            env: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            clock: StackClock::frozen_at(Timestamp::from_unix(START + seconds)),
            signing_keys: if algorithm.starts_with("RS") { vec![RSA_KEYS[0].to_owned()] } else { Vec::new() },
            ..Options::default()
        };
        Deployment::run(options).await.unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// S47: a deployment that goes over to another algorithm, and back, signs nobody out, ends no token before its time, and
/// signs with no key that those who check tokens cannot have.
#[tokio::test]
async fn an_algorithm_changes_and_its_tokens_stay_good_to_their_end() {
    let folder = Folder::new("change");
    let rs256 = folder.deployment("RS256", 0).await;
    let first = rs256.client().sign_in(ADA).await;
    rs256.stack.stop().await;

    let eddsa = folder.deployment("EdDSA", 60).await;
    assert_eq!(eddsa.published().len(), 2);
    eddsa.wait(PUBLISHED_BEFORE - 1);
    let second = eddsa.client().refresh(&first.refresh).await.tokens();
    eddsa.wait(1);
    let third = eddsa.client().refresh(&second.refresh).await.tokens();
    is_good(&eddsa, SigningAlgorithm::RS256, &second.access).await;
    is_good(&eddsa, SigningAlgorithm::EdDSA, &third.access).await;
    eddsa.stack.stop().await;

    let hs512 = folder.deployment("HS512", 120 + PUBLISHED_BEFORE).await;
    hs512.wait(PUBLISHED_BEFORE - 1);
    let fourth = hs512.client().refresh(&third.refresh).await.tokens();
    hs512.wait(1);
    let fifth = hs512.client().refresh(&fourth.refresh).await.tokens();
    is_good(&hs512, SigningAlgorithm::EdDSA, &fourth.access).await;
    is_good(&hs512, SigningAlgorithm::HS512, &fifth.access).await;
    hs512.stack.rotate_keys().await.unwrap();
    hs512.stack.stop().await;

    // The RSA key has retired meanwhile: going back to it needs another.
    let back = folder.deployment("RS256", 180 + 2 * PUBLISHED_BEFORE).await;
    back.wait(PUBLISHED_BEFORE - 1);
    let sixth = back.client().refresh(&fifth.refresh).await.tokens();
    back.wait(1);
    let seventh = back.client().refresh(&sixth.refresh).await.tokens();
    is_good(&back, SigningAlgorithm::HS512, &sixth.access).await;
    is_good(&back, SigningAlgorithm::RS256, &seventh.access).await;
    let set = back.client().get("/.well-known/jwks.json").await.ok();
    let kids: Vec<_> = set["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_eq!(kids, [&unverified(&seventh.access).0["kid"]], "a key without tokens is still published");
}
