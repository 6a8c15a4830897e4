//! The settings of a deployer.

use std::collections::BTreeMap;

use local::Kind;
use shared::config;

use crate::{Target, Word, texts};

/// Settings that every deployment has.
const REQUIRED: [(&str, &str); 12] = [
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "someone"),
    ("AWS_SECRET_ACCESS_KEY", "never-to-be-told"),
    ("ALLOWED_ORIGINS", "https://app.example.com,http://localhost:3000"),
    ("SENDER_EMAIL", "no-reply@example.com"),
    ("OTP_TABLE", "otp"),
    ("USER_TABLE", "users"),
    ("CODES_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:0:secret:codes"),
    ("INDEX_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:0:secret:index"),
    ("REFRESH_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:0:secret:refresh"),
    ("SIGNING_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:0:secret:signing"),
    ("ROOT_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
];

/// The settings of the two functions that together read all of them, with `others` added to the required ones.
fn read(others: &BTreeMap<&str, &str>) -> Result<[String; 2], String> {
    let required: BTreeMap<&str, &str> = REQUIRED.into_iter().collect();
    let lookup = |name: &str| others.get(name).or(required.get(name)).map(|value| (*value).to_owned());
    let kinds = ["request-otp", "verify-otp"].map(|binary| Kind::of_binary(binary).unwrap());
    config::read(lookup, |read| kinds.map(|kind| (kind.read)(read))).map_err(|problems| problems.to_string())
}

#[rustfmt::skip] // Words side by side.
pub(super) const SETTINGS: Target = Target {
    name: "settings", asks_functions: false,
    run: settings,
    seeds: || {
        texts([
            "OTP_LENGTH=8\nOTP_MAX_ATTEMPTS=5\nPRODUCT_NAME=Clé",
            "JWT_ALGORITHM=EdDSA\nJWT_ISSUER=https://auth.example.com/x\nUSER_ID_CLAIM=sub\nJTI_CLAIM=id",
            "SMS_COUNTRIES=US,GB\nSMS_SENDER_ID=Latchkey\nSMS_MAX_PRICE=0.10\nWEBOTP_HOST=app.example.com\nSMS_ORIGINATION_NUMBER=+12065550100",
            "TOKEN_DELIVERY=cookie\nDOMAIN_NAME=auth.example.com\nALLOWED_ORIGINS=https://app.example.com",
            "TRUSTED_PROXIES=10.0.0.0/8, 2001:db8::/32\nTRUSTED_HOPS=1\nAWS_ENDPOINT_URL=http://127.0.0.1:4566\nAWS_CA_BUNDLE=/opt/roots.pem",
        ])
    },
    dictionary: &[
        "=", "\n", ",", "OTP_LENGTH", "JWT_ALGORITHM", "ES512", "HS256", "JWT_ISSUER", "SMS_COUNTRIES",
        "SMS_MAX_PRICE", "WEBOTP_HOST", "ALLOWED_ORIGINS", "DOMAIN_NAME", "TRUSTED_PROXIES", "TRUSTED_HOPS", "ORIGIN_SECRET_SHA256", "SENDER_EMAIL",
        "OTP_TABLE", "https://", "http://localhost", "*", "on", "off", "0", "-1", "1000001", "999999999999999999999",
        "US", "GB", "ZZ", "inf", "NaN", ".", "\u{e9}", "\u{1f511}", "iss",
    ],
    reaches: &["settings", "problems"],
};

/// Returns settings or a message for each problem, the same each time and always without a credential.
fn settings(input: &[u8]) -> Word {
    let text = String::from_utf8_lossy(input);
    let others: BTreeMap<&str, &str> = text.split('\n').filter_map(|line| line.split_once('=')).collect();
    match read(&others) {
        Ok(settings) => {
            assert!(read(&others).is_ok_and(|again| again == settings));
            let secret = others.get("AWS_SECRET_ACCESS_KEY").unwrap_or(&"never-to-be-told").trim();
            assert!(secret.len() < 8 || !settings.concat().contains(secret), "{settings:?}");
            "settings"
        }
        Err(problems) => {
            assert!(problems.starts_with("invalid settings: ") && !problems.contains("never-to-be-told"));
            "problems"
        }
    }
}
