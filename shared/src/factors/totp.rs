//! Codes of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and steps of 30 seconds. Most apps ignore other parameters.

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use data_encoding::BASE32_NOPAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::zeroize::Zeroizing;
use subtle::ConstantTimeEq;

use crate::words::{Entropy, Result, Timestamp, joined, masked, plain_digit};

/// The length of a secret in bytes: 160 bits, as long as SHA-1's digest (RFC 4226 §4).
const SECRET_LENGTH: usize = 20;
/// The length of a step, in seconds.
const STEP: u64 = 30;
/// The number of digits.
const DIGITS: usize = 6;
/// Codes have this many values.
const VALUES: u32 = 1_000_000;

/// The secret that an app shares with Latchkey.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; SECRET_LENGTH]>);

masked!(TotpSecret);

/// Six digits that a user typed.
#[derive(Clone)]
pub struct TotpCode(Zeroizing<String>);

masked!(TotpCode);

impl TotpCode {
    /// Reads typed text. Spaces, dashes and invisible marks are ignored, and decimal digits of any script are accepted.
    pub fn read(typed: &str) -> Option<TotpCode> {
        let digits = joined(typed).map(|char| plain_digit(char).unwrap_or(char));
        let text: String = digits.take(DIGITS + 1).collect();
        let is_code = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        is_code.then(|| TotpCode(text.into()))
    }
}

impl TotpSecret {
    /// A new random secret (S90).
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn draw(entropy: &Entropy) -> Result<TotpSecret> {
        entropy.bytes().map(|bytes| TotpSecret(bytes.into()))
    }

    /// The secret with these bytes. `None` if they have another length.
    pub(crate) fn of(bytes: &[u8]) -> Option<TotpSecret> {
        <[u8; SECRET_LENGTH]>::try_from(bytes).ok().map(|bytes| TotpSecret(bytes.into()))
    }

    /// The bytes, to seal them.
    pub(crate) fn reveal(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The secret as apps take it, 32 characters.
    pub fn base32(&self) -> String {
        BASE32_NOPAD.encode(self.reveal())
    }

    /// The step of `code`: the current one, or the one before or after it, because clocks differ (S93). Only steps after `last` count,
    /// so no code works twice (S92).
    pub(crate) fn step_of(&self, code: &TotpCode, last: u64, now: Timestamp) -> Option<u64> {
        let step = now.unix() / STEP;
        // All three are compared, so that the time does not tell which one matched.
        let matching = [step.saturating_sub(1), step, step.saturating_add(1)]
            .map(|step| bool::from(self.digits(step).as_bytes().ct_eq(code.0.as_bytes())).then_some(step));
        matching.into_iter().flatten().filter(|step| *step > last).max()
    }

    fn digits(&self, step: u64) -> Zeroizing<String> {
        let mac = sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.reveal()), &step.to_be_bytes());
        // RFC 4226 §5.3: four bytes from a place that the last byte names.
        let mac = mac.as_ref();
        let place = usize::from(mac.last().copied().unwrap_or_default() & 0x0f);
        let four = mac.get(place..place + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        let number = u32::from_be_bytes(four) & 0x7fff_ffff;
        Zeroizing::new(format!("{:0DIGITS$}", number % VALUES))
    }
}

/// The characters that a label and a parameter may have as they are (RFC 3986 §2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address that a QR code contains, for `account` at `issuer`.
pub fn otpauth_uri(secret: &TotpSecret, issuer: &str, account: &str) -> String {
    let escaped = |text| utf8_percent_encode(text, ESCAPED);
    format!(
        "otpauth://totp/{}:{}?secret={}&issuer={}&algorithm=SHA1&digits={DIGITS}&period={STEP}",
        escaped(issuer),
        escaped(account),
        secret.base32(),
        escaped(issuer),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use percent_encoding::percent_decode_str;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    fn code(text: &str) -> TotpCode {
        TotpCode::read(text).unwrap()
    }

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = TotpSecret::of(b"12345678901234567890").unwrap();
        for (time, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.step_of(&code(expected), 0, at(time)), Some(time / STEP), "{time}");
        }
        assert_eq!(secret.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    /// S93: one step on either side. S92: only steps after the last one.
    #[test]
    fn one_step_on_either_side_is_accepted_and_none_twice() {
        let secret = TotpSecret::of(b"12345678901234567890").unwrap();
        // The code of step 37,037,036, from 1,111,111,080 to 1,111,111,109.
        let code = code("081804");
        let is_right = |last, now| secret.step_of(&code, last, at(now)).is_some();
        for (now, expected) in [
            (1_111_111_049, false),
            (1_111_111_050, true),
            (1_111_111_109, true),
            (1_111_111_139, true),
            (1_111_111_140, false),
        ] {
            assert_eq!(is_right(0, now), expected, "{now}");
        }
        assert!(is_right(37_037_035, 1_111_111_109) && !is_right(37_037_036, 1_111_111_109));
        assert!(!is_right(37_037_037, 1_111_111_109));
    }

    #[test]
    fn typed_text_is_read_leniently() {
        for text in ["081804", " 081 804 ", "081-804", "٠٨١٨٠٤", "081\u{200b}804"] {
            assert_eq!(*code(text).0, "081804", "{text}");
        }
        for text in ["", "08180", "0818045", "08180a", "081804081804"] {
            assert!(TotpCode::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_address_escapes_its_parts() {
        let secret = TotpSecret::of(b"12345678901234567890").unwrap();
        assert_eq!(
            otpauth_uri(&secret, "Example & Co: x", "ada+1@example.com"),
            "otpauth://totp/Example%20%26%20Co%3A%20x:ada%2B1%40example.com\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example%20%26%20Co%3A%20x&algorithm=SHA1&digits=6&period=30"
        );
    }

    /// V79: an issuer and an account stay in their own parts, whatever they are called.
    #[test]
    fn a_label_adds_no_parameter() {
        let secret = TotpSecret::of(b"12345678901234567890").unwrap();
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        for name in [
            "x&secret=AAAA",
            "x?secret=AAAA&digits=8",
            "&issuer=Bank",
            "x#y",
            "x%26period=1",
            "../x:y/z",
            "a=b;c+d",
            "é \u{202e}\"<>\r\n",
        ] {
            let address = otpauth_uri(&secret, name, name);
            let (label, query) = address.strip_prefix("otpauth://totp/").unwrap().split_once('?').unwrap();
            assert_eq!(label.split(':').map(decoded).collect::<Vec<_>>(), [name, name], "{address}");
            assert!(!address.contains('#') && !label.contains(['/', '&', '=', '+']), "{address}");
            let parameters = query.split('&').map(|parameter| parameter.split_once('=').unwrap());
            let parameters: Vec<_> = parameters.map(|(key, value)| (key, decoded(value))).collect();
            let expected = [
                ("secret", secret.base32()),
                ("issuer", name.to_owned()),
                ("algorithm", "SHA1".to_owned()),
                ("digits", "6".to_owned()),
                ("period", "30".to_owned()),
            ];
            assert_eq!(parameters, expected, "{address}");
        }
    }

    #[test]
    fn debug_never_prints_a_secret() {
        let secret = TotpSecret::of(b"12345678901234567890").unwrap();
        assert_eq!(format!("{secret:?} {:?}", code("081804")), "TotpSecret(…) TotpCode(…)");
    }
}
