//! Tests of rings over time: which key signs, which keys verify, and until when.

use super::*;

const START: u64 = 1_767_225_600;
const HOUR: u64 = 3_600;
const ES256: SigningAlgorithm = SigningAlgorithm::ES256;
const EDDSA: SigningAlgorithm = SigningAlgorithm::EdDSA;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(START + seconds)
}

fn maker(algorithm: SigningAlgorithm, seconds: u64) -> Maker {
    let rules = KeyRules {
        algorithm,
        rsa_bits: RsaBits::Rsa2048,
        token: Duration::from_secs(900),
        session: Duration::from_secs(90 * 24 * HOUR),
    };
    Maker { rules, entropy: Entropy, now: at(seconds) }
}

fn signs(keys: &SigningKeys, algorithm: SigningAlgorithm, seconds: u64) -> String {
    keys.signing.active_for(algorithm, at(seconds)).unwrap().id.clone()
}

/// At every moment of `span`, the active key's signatures can be verified until they expire, with the ring of that
/// later moment.
fn serves_without_a_gap(keys: &SigningKeys, algorithm: SigningAlgorithm, span: std::ops::Range<u64>) {
    for second in span.step_by(60) {
        let id = signs(keys, algorithm, second);
        assert!(keys.signing.find(&id, at(second + 899)).is_some(), "what {id} signs at {second} is refused too soon");
    }
}

#[test]
fn the_first_keys_are_used_at_once() {
    fn is_whole_at_once<K: Rotates>() {
        let first = K::first(&maker(ES256, 0)).unwrap();
        first.prove(at(0)).unwrap();
        assert!(first.with_missing_keys(&maker(ES256, 0)).unwrap().is_none());
    }
    is_whole_at_once::<CodeKeys>();
    is_whole_at_once::<RefreshKeys>();
    is_whole_at_once::<SigningKeys>();
    is_whole_at_once::<VaultKeys>();
}

#[test]
fn a_rotated_keyring_serves_without_a_gap() {
    let first = SigningKeys::first(&maker(ES256, 0)).unwrap();
    let rotated = first.rotated(&maker(ES256, 60)).unwrap();
    let old = signs(&first, ES256, 0);
    assert_eq!(signs(&rotated, ES256, 60 + 3 * HOUR - 1), old);
    assert_ne!(signs(&rotated, ES256, 60 + 3 * HOUR), old);
    serves_without_a_gap(&rotated, ES256, 60..8 * HOUR);
    assert!(rotated.signing.find(&old, at(60 + 3 * HOUR + 900)).is_none());

    let again = rotated.rotated(&maker(ES256, 24 * HOUR)).unwrap();
    assert_eq!(again.signing.all().len(), 2, "retired keys are gone");
    assert_eq!(again.root.public().unwrap(), first.root.public().unwrap(), "the root key stays");
}

#[test]
fn a_refresh_key_stays_for_its_longest_session() {
    let first = RefreshKeys::first(&maker(ES256, 0)).unwrap();
    let rotated = first.rotated(&maker(ES256, 60)).unwrap();
    let refresh = |seconds: u64| rotated.refresh.active(at(seconds)).unwrap().id.clone();
    assert_eq!(refresh(60 + 899), first.refresh.all()[0].id);
    assert_ne!(refresh(60 + 900), first.refresh.all()[0].id);
    assert_eq!(rotated.refresh.all()[0].retired_at, Some(START + 60 + 900 + 90 * 24 * HOUR));
    assert_eq!(rotated.rotated(&maker(ES256, 24 * HOUR)).unwrap().refresh.all().len(), 3);
}

/// A secret of an authenticator app is decrypted years later, with the key that encrypted it.
#[test]
fn the_vault_keeps_every_key() {
    let mut keys = VaultKeys::first(&maker(ES256, 0)).unwrap();
    let first = keys.vault.all()[0].id.clone();
    for quarter in 1..20 {
        keys = keys.rotated(&maker(ES256, quarter * 90 * 24 * HOUR)).unwrap();
    }
    assert_eq!(keys.vault.all().len(), 20);
    let last = 19 * 90 * 24 * HOUR;
    assert!(keys.vault.all().iter().all(|key| keys.vault.find(&key.id, at(last + 3_650 * 24 * HOUR)).is_some()));
    assert_eq!(keys.vault.active(at(last + 899)).unwrap().id, keys.vault.all()[18].id);
    assert_eq!(keys.vault.active(at(last + 900)).unwrap().id, keys.vault.all()[19].id);
    let rest = keys.without(&first, &maker(ES256, last)).unwrap().unwrap();
    assert!(!rest.holds(&first) && rest.vault.all().len() == 19);
}

/// The epoch survives every later change of the keyring, and never goes back.
#[test]
fn a_restore_is_remembered() {
    let restored = RefreshKeys::first(&maker(ES256, 0)).unwrap().after_restore(at(60));
    let id = restored.refresh.all()[0].id.clone();
    let rotated = restored.rotated(&maker(ES256, 120)).unwrap();
    for keys in [restored.without(&id, &maker(ES256, 120)).unwrap().unwrap(), restored.after_restore(at(0)), rotated] {
        assert!(keys.precedes_restore(at(59)) && !keys.precedes_restore(at(60)));
    }
}

#[test]
fn codes_keep_their_pepper() {
    let first = CodeKeys::first(&maker(ES256, 0)).unwrap();
    let rotated = first.rotated(&maker(ES256, 0)).unwrap();
    assert_eq!(rotated.peppers.all()[0].retired_at, Some(START + 900 + 600));
    assert_eq!(rotated.peppers.active(at(899)).unwrap().id, first.peppers.all()[0].id);
}

#[test]
fn two_rotations_in_a_row_leave_a_signer_at_every_moment() {
    let mut keys = SigningKeys::first(&maker(ES256, 0)).unwrap();
    for minute in 1..6 {
        keys = keys.rotated(&maker(ES256, minute * 1_800)).unwrap();
        serves_without_a_gap(&keys, ES256, minute * 1_800..8 * HOUR);
    }
}

/// The new algorithm waits until verifiers have had time to fetch its key. Changing back at once must not sign beyond
/// the old key's end date.
#[test]
fn an_algorithm_changes_and_goes_back_without_a_gap() {
    let first = SigningKeys::first(&maker(ES256, 0)).unwrap();
    let changed = first.with_missing_keys(&maker(EDDSA, 60)).unwrap().unwrap();
    assert_eq!(signs(&changed, EDDSA, 60 + 3 * HOUR - 1), signs(&first, ES256, 0));
    assert_ne!(signs(&changed, EDDSA, 60 + 3 * HOUR), signs(&first, ES256, 0));
    for algorithm in [ES256, EDDSA] {
        serves_without_a_gap(&changed, algorithm, 60..3 * HOUR);
    }
    let rotated = changed.rotated(&maker(EDDSA, 120)).unwrap();
    let back = rotated.with_missing_keys(&maker(ES256, 240)).unwrap().unwrap();
    serves_without_a_gap(&back, ES256, 240..12 * HOUR);
    serves_without_a_gap(&back, EDDSA, 240..3 * HOUR);
    assert!(back.with_missing_keys(&maker(ES256, 300)).unwrap().is_none());
}

#[test]
fn a_signing_key_that_is_taken_out_has_a_successor_at_once() {
    let first = SigningKeys::first(&maker(ES256, 0)).unwrap();
    let rotated = first.rotated(&maker(ES256, 60)).unwrap();
    for id in rotated.signing.all().iter().map(|key| key.id.clone()) {
        let rest = rotated.without(&id, &maker(ES256, 120)).unwrap().unwrap();
        assert!(!rest.holds(&id) && !rotated.holds(&signs(&rest, ES256, 120)));
        serves_without_a_gap(&rest, ES256, 120..8 * HOUR);
    }
    assert!(rotated.without("unknown", &maker(ES256, 120)).unwrap().is_none());
}

#[test]
fn a_root_key_that_is_taken_out_is_replaced() {
    let first = SigningKeys::first(&maker(ES256, 0)).unwrap();
    let id = first.root.id().unwrap();
    let rest = first.without(&id, &maker(ES256, 120)).unwrap().unwrap();
    assert!(rest.without(&id, &maker(ES256, 120)).unwrap().is_none(), "a repeated request replaces the new key");
    assert_ne!(rest.root.public().unwrap(), first.root.public().unwrap());
    assert_eq!(signs(&rest, ES256, 120), signs(&first, ES256, 120));
}

/// This includes removing the waiting successor: its predecessor already has an end date, so the ring needs another key.
#[test]
fn another_key_that_is_taken_out_leaves_a_ring_that_lasts() {
    let rotated = RefreshKeys::first(&maker(ES256, 0)).unwrap().rotated(&maker(ES256, 0)).unwrap();
    let codes = CodeKeys::first(&maker(ES256, 0)).unwrap().rotated(&maker(ES256, 0)).unwrap();
    let vault = VaultKeys::first(&maker(ES256, 0)).unwrap().rotated(&maker(ES256, 0)).unwrap();
    for place in [0, 1] {
        let (refresh, pepper) = (&rotated.refresh.all()[place].id, &codes.peppers.all()[place].id);
        let kept = &vault.vault.all()[place].id;
        let vault = vault.without(kept, &maker(ES256, 60)).unwrap().unwrap();
        let tokens = rotated.without(refresh, &maker(ES256, 60)).unwrap().unwrap();
        let codes = codes.without(pepper, &maker(ES256, 60)).unwrap().unwrap();
        for seconds in [60, 899, 900, 960, 2 * HOUR, 400 * 24 * HOUR] {
            assert!(tokens.refresh.active(at(seconds)).is_ok(), "{place} {seconds}");
            assert!(codes.peppers.active(at(seconds)).is_ok(), "{place} {seconds}");
            assert!(vault.vault.active(at(seconds)).is_ok(), "{place} {seconds}");
        }
        assert!(!tokens.holds(refresh) && !codes.holds(pepper) && !vault.holds(kept));
    }
}
