//! Secrets issued to clients and returned by them: refresh tokens, device cookies and tokens of notices.

use shared::codes::{DEVICE_LIFE, device_token, is_known_device};
use shared::sessions::{Audience, Disavowal, Grant, RefreshToken, Seed};
use shared::words::{Identifier, Index, MacKey, Tenant, Timestamp};

use crate::{Target, Word};

#[rustfmt::skip] // Words side by side.
pub(super) const REFRESH: Target = Target {
    name: "refresh-token", asks_functions: false,
    run: refresh,
    seeds: || vec![genuine(1).into_bytes(), genuine(u32::MAX).into_bytes(), b"v1.k.u.s.1.a.b".to_vec()],
    dictionary: &[
        ".", "v1", "v2", "v1.", "r1", "0", "01", "+1", "-1", "4294967295", "4294967296", "A", "AA", "==", "-", "_",
    ],
    reaches: &["genuine", "read", "refused"],
};

const KEY: [u8; 32] = [1; 32];
const SEED: Seed = Seed([2; 16]);

fn genuine(generation: u32) -> String {
    let grant = Grant {
        key_id: "r1".to_owned(),
        user: "019b76da-a800-7000-8000-000000000000".parse().unwrap(),
        session: "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap(),
        generation,
    };
    let audience = Audience { tenant: &Tenant::default(), client: "latchkey" };
    RefreshToken::issue(grant, &MacKey::new(KEY), &SEED, audience).reveal()
}

/// A token that parses has only this spelling, and only issued tokens are accepted (S33).
fn refresh(input: &[u8]) -> Word {
    let text = String::from_utf8_lossy(input);
    let Ok(token) = text.parse::<RefreshToken>() else {
        return "refused";
    };
    assert_eq!(token.reveal(), text);
    let key = MacKey::new(KEY);
    let audience = Audience { tenant: &Tenant::default(), client: "latchkey" };
    let Some(grant) = token.authenticate(&key, audience) else {
        return "read";
    };
    let ours = genuine(grant.generation);
    assert!(["1", "4294967295"].contains(&grant.generation.to_string().as_str()), "an unknown generation");
    assert_eq!(token.belongs_to(&key, &SEED, audience), ours == text, "{text}");
    "genuine"
}

#[rustfmt::skip] // Words side by side.
pub(super) const DISAVOWAL: Target = Target {
    name: "disavowal", asks_functions: false,
    run: disavowal,
    seeds: || vec![b"AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA".to_vec(), b"a.b".to_vec()],
    dictionary: &[".", "A", "AA", "=", "-", "_", "<", "%2e"],
    reaches: &["read", "refused"],
};

/// A token that parses has only this spelling, so a page may contain it.
fn disavowal(input: &[u8]) -> Word {
    let text = String::from_utf8_lossy(input);
    let Ok(token) = text.parse::<Disavowal>() else { return "refused" };
    assert_eq!(token.reveal(), text);
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)), "{text}");
    "read"
}

#[rustfmt::skip] // Words side by side.
pub(super) const DEVICE: Target = Target {
    name: "device-cookie", asks_functions: false,
    run: device,
    seeds: || vec![genuine_cookie().into_bytes(), b"v1.1767225600.AAAA".to_vec()],
    dictionary: &["v1.", ".", "0", "+", "1798761600", "18446744073709551615", "A", "="],
    reaches: &["ours", "nobody's"],
};

fn genuine_cookie() -> String {
    device_token(&ada(), &Index::new(MacKey::new(KEY), &Tenant::default()), 0, Timestamp::from_unix(1_767_225_600))
}

fn ada() -> Identifier {
    "ada@example.com".parse().unwrap()
}

fn device(input: &[u8]) -> Word {
    let (text, tenant) = (String::from_utf8_lossy(input), Tenant::default());
    let index = Index::new(MacKey::new(KEY), &tenant);
    let now = Timestamp::from_unix(1_767_225_600);
    if !is_known_device(&text, &ada(), &index, 0, now) {
        return "nobody's";
    }
    // A number has several spellings, but the MAC has one.
    let (genuine, is_same) = (genuine_cookie(), |cookie: &str| cookie.rsplit('.').next().map(str::to_owned));
    assert_eq!(is_same(&text), is_same(&genuine), "{text}");
    assert!(!is_known_device(&text, &"bob@example.com".parse().unwrap(), &index, 0, now));
    assert!(!is_known_device(&text, &ada(), &index, 0, now.after(DEVICE_LIFE)), "it has no end");
    "ours"
}
