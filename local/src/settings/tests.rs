//! No setting without its words, and no doubt without its reason.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::*;

fn settings(profile: &str, env: &[(&str, &str)]) -> Result<Settings, Failure> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::read(&Options { profile: profile.to_owned(), env, ..Options::default() })
}

fn doubts(profile: &str, env: &[(&str, &str)]) -> Vec<&'static str> {
    doubts::of(&settings(profile, env).unwrap().config).collect()
}

fn asked_for() -> BTreeSet<String> {
    let names = RefCell::new(BTreeSet::new());
    let _ = Config::read(|name| {
        names.borrow_mut().insert(name.to_owned());
        None
    });
    names.into_inner()
}

#[test]
fn every_setting_has_words() {
    let lines = words::GROUPS.iter().flat_map(|group| group.lines);
    let told: BTreeSet<_> = lines.flat_map(|(names, _)| names.iter().map(|name| (*name).to_owned())).collect();
    assert_eq!(told, asked_for());
}

/// Another value than the default profile's of each setting, but of the identity.
const OTHERS: &[(&str, &str)] = &[
    ("STAGE", "testing"),
    ("METRICS", "off"),
    ("SENDER_EMAIL", "ada@example.org"),
    ("SES_CONFIGURATION_SET", "other"),
    ("PRODUCT_NAME", "Ada"),
    ("ALLOWED_ORIGINS", "http://localhost:5173"),
    ("DOMAIN_NAME", "auth.example.com"),
    ("TOKEN_DELIVERY", "cookie"),
    ("TRUSTED_PROXIES", "10.0.0.0/8"),
    ("OTP_LENGTH", "8"),
    ("OTP_EMAIL_EXPIRY_SECONDS", "120"),
    ("OTP_SMS_EXPIRY_SECONDS", "120"),
    ("OTP_MAX_ATTEMPTS", "1"),
    ("OTP_RESEND_SECONDS", "61"),
    ("OTP_REQUESTS_PER_HOUR", "1"),
    ("OTP_REQUESTS_PER_HOUR_PER_IP", "77"),
    ("OTP_REQUESTS_PER_IP", "77"),
    ("OTP_FAILURES_PER_IP", "77"),
    ("OTP_BINDING", "required"),
    ("SIGN_UP", "closed"),
    ("ALIASES", "off"),
    ("SMS_COUNTRIES", ""),
    ("SMS_DAILY_BUDGET", "77"),
    ("SMS_DAILY_BUDGET_PER_COUNTRY", "77"),
    ("SMS_PER_IP_DAY", "77"),
    ("SMS_BREAKER_SENDS", "77"),
    ("SMS_BREAKER_RANGE_SENDS", "77"),
    ("SMS_BREAKER_SHARE", "0"),
    ("SMS_BREAKER_SECONDS", "77"),
    ("SMS_SENDER_ID", "Ada"),
    ("SMS_ORIGINATION_NUMBER", "12345"),
    ("SMS_MAX_PRICE", "0.10"),
    ("WEBOTP_HOST", "app.example.com"),
    ("JWT_ALGORITHM", "ES256"),
    ("JWT_ISSUER", "https://auth.example.com"),
    ("JWT_AUDIENCE", "ada"),
    ("JWT_ACCESS_SECONDS", "600"),
    ("JWT_LEEWAY_SECONDS", "5"),
    ("USER_ID_CLAIM", "uid"),
    ("TOKEN_TYPE_CLAIM", "kind"),
    ("JTI_CLAIM", "token_id"),
    ("REFRESH_IDLE_DAYS", "3"),
    ("REFRESH_ABSOLUTE_DAYS", "77"),
    ("REFRESH_ROTATION", "off"),
    ("REFRESH_GRACE_SECONDS", "0"),
    ("SESSIONS_PER_USER", "1"),
    ("AWS_ATTEMPT_TIMEOUT_MS", "777"),
    ("AWS_OPERATION_TIMEOUT_MS", "7777"),
    ("AWS_CA_BUNDLE", "/other"),
    ("OTP_TABLE", "other"),
    ("USER_TABLE", "other"),
    ("CODES_SECRET_ARN", "arn:other"),
    ("TOKENS_SECRET_ARN", "arn:other"),
    ("AWS_REGION", "other"),
    ("AWS_ENDPOINT_URL", "http://other"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "http://other"),
    ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://other"),
    ("AWS_ENDPOINT_URL_SESV2", "http://other"),
    ("AWS_ENDPOINT_URL_SNS", "http://other"),
];

#[test]
fn every_setting_changes_its_words() {
    let usual = settings("default", &[]).unwrap().config;
    for (name, value) in OTHERS {
        let changed = settings("default", &[(name, value)]).unwrap().config;
        let lines: Vec<_> = words::GROUPS.iter().flat_map(|group| group.lines).collect();
        for (names, words) in lines {
            let is_about = names.contains(name);
            assert_eq!(words(&usual) != words(&changed), is_about, "{name}: {}", words(&changed));
        }
    }
    let others = OTHERS.iter().map(|(name, _)| *name).chain(IDENTITY).map(str::to_owned);
    assert_eq!(others.collect::<BTreeSet<_>>(), asked_for(), "a setting has no other value here");
}

#[test]
fn settings_are_said_as_a_person_says_them() {
    let words = settings("production", &[]).unwrap().words();
    for line in [
        "Settings of the profile `production`",
        "access token: 15 minutes, rotation on ",
        "length: 6 digits ",
        "by email: 10 minutes ",
        "SMS: off ",
        "breaker: on, a country goes on if 10% of its codes are used ",
        "unused: ends after 30 days ",
        "leeway for clocks: none ",
    ] {
        assert!(words.contains(line), "{line} is not in:\n{words}");
    }
}

#[test]
fn an_identity_is_never_printed() {
    let secret = settings("default", &IDENTITY.map(|name| (name, "hush"))).unwrap();
    assert!(!secret.words().contains("hush") && !secret.json().contains("hush"));
}

#[test]
fn the_raw_variables_are_what_functions_find() {
    let variables = settings("testing", &[("OTP_LENGTH", "8")]).unwrap().json();
    let variables: Variables = serde_json::from_str(&variables).unwrap();
    assert_eq!(variables["OTP_LENGTH"], "8");
    assert_eq!(variables["REFRESH_ROTATION"], "off");
    assert!(!variables.contains_key("AWS_ENDPOINT_URL"), "{variables:?}");
}

#[test]
fn wrong_settings_are_refused_as_a_stack_refuses_them() {
    let problem = settings("default", &[("OTP_LENGTH", "5"), ("JWT_ALGORITHM", "none")]).err().unwrap().to_string();
    assert!(problem.contains("the environment is not usable: OTP_LENGTH: expected"), "{problem}");
    assert!(problem.contains("; JWT_ALGORITHM: expected one of"), "{problem}");
    let problem = settings("default", &[("OTP_LENGHT", "8")]).err().unwrap().to_string();
    assert_eq!(problem, "--env OTP_LENGHT: no function reads a variable of this name");
}

/// Production as an operator should have it.
const SOUND: &[(&str, &str)] = &[("SENDER_EMAIL", "ada@example.org"), ("OTP_BINDING", "required")];

#[test]
fn each_doubt_has_its_setting_and_goes_with_it() {
    assert_eq!(doubts("production", SOUND), Vec::<&str>::new());
    let sms = ("SMS_COUNTRIES", "US");
    let causes: &[(&str, &[(&str, &str)])] = &[
        ("JWT_ACCESS_SECONDS", &[("JWT_ACCESS_SECONDS", "3601")]),
        ("JWT_LEEWAY_SECONDS", &[("JWT_LEEWAY_SECONDS", "1")]),
        ("JWT_ALGORITHM", &[("JWT_ALGORITHM", "HS256")]),
        ("JWT_ISSUER", &[("JWT_ISSUER", "http://127.0.0.1:3000")]),
        ("REFRESH_ROTATION", &[("REFRESH_ROTATION", "off")]),
        ("REFRESH_GRACE_SECONDS", &[("REFRESH_GRACE_SECONDS", "0")]),
        ("REFRESH_IDLE_DAYS", &[("REFRESH_IDLE_DAYS", "91")]),
        ("OTP_BINDING", &[("OTP_BINDING", "optional")]),
        ("TRUSTED_PROXIES", &[("TRUSTED_PROXIES", "10.0.0.0/8,::/0")]),
        ("ALLOWED_ORIGINS", &[("DOMAIN_NAME", "auth.example.org"), ("ALLOWED_ORIGINS", "https://app.example.com")]),
        ("SMS_MAX_PRICE", &[sms]),
        ("WEBOTP_HOST", &[sms]),
        ("SMS_BREAKER_SHARE", &[sms, ("SMS_BREAKER_SHARE", "0")]),
        ("SMS_COUNTRIES", &[sms, ("SMS_PER_IP_DAY", "0")]),
        ("SMS_DAILY_BUDGET_PER_COUNTRY", &[sms, ("SMS_DAILY_BUDGET_PER_COUNTRY", "201")]),
        ("SENDER_EMAIL", &[("SENDER_EMAIL", "ada@example.com")]),
        ("AWS_ENDPOINT_URL", &[("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")]),
        ("AWS_ATTEMPT_TIMEOUT_MS", &[("AWS_ATTEMPT_TIMEOUT_MS", "3001")]),
    ];
    for (about, cause) in causes {
        let found = doubts("production", &[SOUND, cause].concat());
        assert!(found.iter().any(|doubt| doubt.starts_with(&format!("{about}: "))), "{about}: {found:?}");
        assert!(found.len() == 1 || cause.contains(&sms), "{about}: {found:?}");
    }
    assert_eq!(causes.len(), doubts::DOUBTS.len(), "a doubt has no cause here");
}

#[test]
fn limits_of_a_doubt_are_still_fine() {
    assert!(doubts("production", &[SOUND, &[("JWT_ACCESS_SECONDS", "3600")]].concat()).is_empty());
    assert!(!doubts("default", &[]).iter().any(|doubt| doubt.starts_with("JWT_LEEWAY_SECONDS")));
}
