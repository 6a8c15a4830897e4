//! Signing keys that are too weak, or of the wrong kind for their algorithm, are refused by every reader.

use data_encoding::BASE64;
use local::Options;
use shared::keys::{Dated, Ring, SigningAlgorithm, public_keys};
use shared::sessions::{CheckingKeys, Signer};
use shared::words::Error;
use tests::Deployment;
use tests::deployment::{RSA_KEYS, START};

use crate::algorithms::{ED25519, Folder, P256, P384, dated, now};

const ADA: &str = "ada@example.com";
/// How long a function uses a cached keyring while Secrets Manager works, in seconds.
const FRESH: u64 = 300;

const RSA_1024: &str = include_str!("../keys/rsa1024.pem");
const RSA_8208: &str = include_str!("../keys/rsa8208.pem");
const P521: &str = include_str!("../keys/p521.pem");

/// S46, RFC 7518 §3.2: the error names a key that is too small or of the wrong kind.
#[test]
fn a_key_that_does_not_fit_its_algorithm_is_refused() {
    let bytes = |count: usize| BASE64.encode(&vec![7; count]);
    for (name, secret, needs) in [
        ("HS256", bytes(31).as_str(), "32 bytes or more in base64 (TooSmall)"),
        ("HS384", &bytes(47), "48 bytes or more in base64 (TooSmall)"),
        ("HS512", &bytes(63), "64 bytes or more in base64 (TooSmall)"),
        ("HS256", "", "32 bytes or more in base64 (TooSmall)"),
        ("HS256", P256, "32 bytes or more in base64 (InvalidEncoding)"),
        ("RS256", RSA_1024, "an RSA key of 2048 to 8192 bits, PKCS#8 in PEM (TooSmall)"),
        ("RS384", RSA_8208, "an RSA key of 2048 to 8192 bits, PKCS#8 in PEM (TooLarge)"),
        ("RS512", P256, "an RSA key of 2048 to 8192 bits"),
        ("ES256", P384, "a key on P256"),
        ("ES256", P521, "a key on P256"),
        ("ES256", ED25519, "a key on P256"),
        ("ES384", P256, "a key on P384"),
        ("ES384", RSA_KEYS[0], "a key on P384"),
        ("EdDSA", P256, "an Ed25519 key"),
        ("EdDSA", &bytes(32), "an Ed25519 key"),
    ] {
        let algorithm = SigningAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name).unwrap();
        let key = dated(algorithm, secret);
        let ring = Ring::new(vec![key.clone()]);
        let refusals = [Signer::new(&key).err(), public_keys(&ring, now()).err(), CheckingKeys::of(&ring, now()).err()];
        for refusal in refusals {
            let reason = refusal.as_ref().and_then(Error::cause).unwrap_or_else(|| panic!("{name} takes {secret}"));
            assert!(
                reason.starts_with(&format!("the signing key k1 cannot be used: {name} needs {needs}")),
                "{reason}"
            );
            let mut lines = secret.lines().filter(|line| line.len() > 8);
            assert!(!lines.any(|line| reason.contains(line)), "{reason}");
        }
    }
}

/// A key added by an operator. Before it is active, it is ignored. When it is active, sign-ins fail without using up a code.
#[tokio::test]
async fn a_weak_key_is_named_in_the_log_and_spends_no_code() {
    let auth = Deployment::start().await;
    let keys = auth.signing_keys();
    let mut with_weak = keys.clone();
    let weak = Dated { active_from: START + 2 * FRESH, ..dated(SigningAlgorithm::RS256, RSA_1024) };
    with_weak.signing = Ring::new([keys.signing.all(), &[weak]].concat());
    auth.put_signing_keys(&with_weak);
    auth.wait(FRESH);
    auth.client().sign_in("grace@example.com").await;
    auth.wait(FRESH);
    let asked = auth.client().ask(ADA).await;
    auth.client().answer(ADA, &asked).await.refused(500, "internal_error");
    let logs = auth.stack.logs().join("\n");
    assert!(logs.contains("the signing key k1 cannot be used: RS256 needs an RSA key"), "{logs}");
    assert!(RSA_1024.lines().all(|line| !logs.contains(line)), "{logs}");

    auth.put_signing_keys(&keys);
    auth.wait(FRESH);
    auth.client().answer(ADA, &asked).await.ok();
}

#[tokio::test]
async fn a_stack_refuses_a_weak_key() {
    let folder = Folder::new("weak");
    let start = |key: &str| {
        let data = Some(folder.0.clone());
        Deployment::run(Options { data, signing_keys: vec![key.to_owned()], ..Options::default() })
    };
    let failure = start(RSA_1024).await.err().unwrap().to_string();
    assert!(failure.contains("RS256 needs an RSA key of 2048 to 8192 bits"), "{failure}");
    start(RSA_KEYS[0]).await.unwrap().stack.stop().await;
}
