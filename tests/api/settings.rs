//! Settings: a wrong environment stops a function at start, in one message with every name.

use std::collections::BTreeMap;

use shared::config::Config;
use tests::Deployment;

async fn environment() -> BTreeMap<String, String> {
    Deployment::start().await.stack.environment("VerifyOtp").into_iter().collect()
}

fn read(environment: &BTreeMap<String, String>) -> Result<Config, String> {
    Config::read(|name| environment.get(name).cloned()).map_err(|problems| problems.to_string())
}

#[tokio::test]
async fn every_wrong_setting_is_named_at_once() {
    let mut environment = environment().await;
    read(&environment).unwrap();
    environment.extend(
        [
            ("OTP_LENGTH", "5"),
            ("OTP_EMAIL_EXPIRY_SECONDS", "601"),
            ("OTP_MAX_ATTEMPTS", "three"),
            ("JWT_ALGORITHM", "ES512"),
            ("JWT_ISSUER", "http://auth.example.com"),
            ("SENDER_EMAIL", "nobody"),
            ("TRUSTED_PROXIES", "10.0.0.0/33"),
            ("USER_ID_CLAIM", "iss"),
            ("PRODUCT_NAME", "a\r\nBcc: b@example.com"),
            ("REFRESH_ROTATION", "maybe"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    environment.remove("OTP_TABLE");
    environment.remove("AWS_REGION");
    let problems = read(&environment).unwrap_err();
    for name in [
        "OTP_LENGTH: expected a whole number from 6 to 10",
        "OTP_EMAIL_EXPIRY_SECONDS",
        "OTP_MAX_ATTEMPTS",
        "JWT_ALGORITHM",
        "JWT_ISSUER",
        "SENDER_EMAIL",
        "TRUSTED_PROXIES",
        "USER_ID_CLAIM",
        "PRODUCT_NAME",
        "REFRESH_ROTATION",
        "OTP_TABLE is not set",
        "AWS_REGION is not set",
    ] {
        assert!(problems.contains(name), "{name} is not in: {problems}");
    }
}

#[tokio::test]
async fn an_empty_environment_is_told_what_it_needs() {
    let problems = read(&BTreeMap::new()).unwrap_err();
    for name in [
        "SENDER_EMAIL",
        "OTP_TABLE",
        "USER_TABLE",
        "CODES_SECRET_ARN",
        "TOKENS_SECRET_ARN",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
    ] {
        assert!(problems.contains(&format!("{name} is not set")), "{name} is not in: {problems}");
    }
}

#[tokio::test]
async fn a_claim_of_ones_own_takes_no_ones_elses_place() {
    for (settings, fits) in [
        (vec![("USER_ID_CLAIM", "sub")], true),
        (vec![("JTI_CLAIM", "sub")], false),
        (vec![("USER_ID_CLAIM", "id"), ("JTI_CLAIM", "id")], false),
        (vec![("TOKEN_TYPE_CLAIM", "exp")], false),
    ] {
        let mut environment = environment().await;
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        assert_eq!(read(&environment).is_ok(), fits, "{settings:?}");
    }
}
