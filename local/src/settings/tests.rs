//! Every setting has words, and every warning has a cause.

use std::collections::BTreeSet;

use shared::codes::GONE;

use super::*;
use crate::functions::Kind;

fn settings(profile: &str, env: &[(&str, &str)]) -> Result<Settings, Failure> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::read(&Options { profile: profile.to_owned(), env, ..Options::default() })
}

fn doubts(profile: &str, env: &[(&str, &str)]) -> Vec<&'static str> {
    doubts::of(&settings(profile, env).unwrap().all).collect()
}

fn asked_for() -> BTreeSet<String> {
    let template = Template::read(&template::find_root().unwrap(), "default").unwrap();
    let kinds = template.functions.values().map(|function| Kind::of_binary(&function.binary).unwrap());
    // Functions look for the settings of earlier versions only to refuse them.
    kinds.flat_map(|kind| kind.variables()).filter(|name| !GONE.contains(&name.as_str())).collect()
}

#[test]
fn every_setting_has_words() {
    let lines = words::GROUPS.iter().flat_map(|group| group.lines);
    let told: BTreeSet<_> = lines.flat_map(|(names, _)| names.iter().map(|name| (*name).to_owned())).collect();
    assert_eq!(told, asked_for());
}

/// Values for one setting or another.
const TEXTS: [&str; 15] = [
    "other",
    "GB",
    "1.5",
    "GB=0.5",
    "pool-2",
    "12345",
    "sms,voice",
    "+12065550101",
    "arn:other",
    "arn:aws:sns:us-east-1:000000000000:other",
    "/other",
    "other@example.org",
    "10.0.0.0/8",
    DIGEST,
    "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA",
];

const DIGEST: &str = "a948904f2f0f479b8f8197694b30184b";

/// Settings without which a changed `name` would be refused.
fn companions(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "TRUSTED_PROXIES" => &[("TRUSTED_HOPS", "1"), ("ORIGIN_SECRET_SHA256", DIGEST)],
        "TRUSTED_HOPS" | "ORIGIN_SECRET_SHA256" => &[("TRUSTED_HOPS", "1"), ("TRUSTED_PROXIES", "192.0.2.0/24")],
        "SMS_POOL" | "SMS_CONFIGURATION_SET" => &EUM,
        "SMS_CHANNELS" | "VOICE_NUMBER" => &CALLS,
        "WHATSAPP_NUMBER" => &WHATSAPP,
        "SMS_PRICES" => &[("SMS_DAILY_BUDGET_USD", "5")],
        _ => &[],
    }
}

const EUM: [(&str, &str); 3] = [("SMS_PROVIDER", "eum"), ("SMS_POOL", "pool-1"), ("SMS_CONFIGURATION_SET", "codes")];

const CALLS: [(&str, &str); 5] = [EUM[0], EUM[1], EUM[2], ("VOICE_PROVIDER", "eum"), ("VOICE_NUMBER", "+12065550100")];

/// The template sets it with such a provider.
const KEYS: (&str, &str) = ("PROVIDERS_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:000000000000:secret:keys");

const WHATSAPP: [(&str, &str); 6] =
    [EUM[0], EUM[1], EUM[2], KEYS, ("WHATSAPP_PROVIDER", "twilio"), ("WHATSAPP_NUMBER", "+12065550100")];

/// Settings that are valid only together.
const TOGETHER: [&[&str]; 1] = [&["SMS_ENTITY_ID", "SMS_TEMPLATE_ID"]];

/// The usual settings with a different value for `name`: the first valid value that changes the settings.
fn changed(name: &str, usual: &Settings) -> Settings {
    let problem = settings("default", &[(name, &"\u{1}".repeat(300))]).err().map(|failure| failure.to_string());
    let expected = problem.as_deref().and_then(|problem| problem.split(&format!("{name}: expected ")).nth(1));
    let expected = expected.unwrap_or_default().split("; ").next().unwrap_or_default();
    let range = expected.strip_prefix("a whole number from ").and_then(|range| range.split_once(" to "));
    let range = range.map(|(least, most)| vec![least, most]).unwrap_or_default();
    let choices = expected.strip_prefix("one of ").map(|choices| choices.split(", ").collect()).unwrap_or_default();
    let values = [range, choices, TEXTS.to_vec(), vec!["https://other.example.org"]].concat();
    let alone = [name];
    let names = TOGETHER.iter().find(|names| names.contains(&name)).map_or(&alone[..], |names| *names);
    let with = |value| [companions(name).to_vec(), names.iter().map(|name| (*name, value)).collect()].concat();
    let mut changed = values.into_iter().filter_map(|value| settings("default", &with(value)).ok());
    let other = changed.find(|changed| format!("{:?}", changed.all) != format!("{:?}", usual.all));
    other.unwrap_or_else(|| panic!("no other {name}"))
}

#[test]
fn every_setting_changes_its_words() {
    // Another provider needs other settings, so it has a test of its own.
    let others =
        ["ROOT_KEY", "SMS_PROVIDER", "VOICE_PROVIDER", "WHATSAPP_PROVIDER", "MAIL_PROVIDER", "PROVIDERS_SECRET_ARN"];
    let is_other = |name: &String| [&IDENTITY[..], &others].concat().contains(&name.as_str());
    for name in asked_for().into_iter().filter(|name| !is_other(name)) {
        let usual = settings("default", companions(&name)).unwrap();
        let changed = changed(&name, &usual).all;
        for (names, words) in words::GROUPS.iter().flat_map(|group| group.lines) {
            let is_about = names.contains(&name.as_str());
            assert_eq!(words(&usual.all) != words(&changed), is_about, "{name}: {}", words(&changed));
        }
    }
}

#[test]
fn providers_are_named() {
    for (env, words) in [
        (&[][..], "sent by: SNS"),
        (&EUM, "sent by: AWS End User Messaging"),
        (&[KEYS, ("SMS_PROVIDER", "twilio"), ("SMS_SENDER_ID", "Latchkey")], "sent by: Twilio"),
        (&CALLS, "calls: by AWS End User Messaging"),
        (&WHATSAPP, "WhatsApp: by Twilio, from +12065550100"),
    ] {
        assert!(settings("default", env).unwrap().words().contains(words));
    }
}

#[test]
fn settings_are_described_in_plain_words() {
    let words = settings("production", &[]).unwrap().words();
    for line in [
        "Settings of the profile `production`",
        "access token: 15 minutes, rotation on ",
        "length: 6 digits ",
        "by email: 10 minutes ",
        "SMS: off ",
        "breaker: on, a country continues if 10% of its codes are used ",
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
    for part in ["invalid settings: ", "OTP_LENGTH: expected", "; ", "JWT_ALGORITHM: expected one of"] {
        assert!(problem.contains(part), "{problem}");
    }
    let problem = settings("default", &[("OTP_LENGHT", "8")]).err().unwrap().to_string();
    assert_eq!(problem, "--env OTP_LENGHT: no function reads a variable with this name. Check the spelling.");
}

/// A production profile without warnings.
const SOUND: &[(&str, &str)] = &[("SENDER_EMAIL", "ada@example.org"), ("OTP_BINDING", "required")];

#[test]
fn each_warning_has_its_setting_and_disappears_with_it() {
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
        ("TRUSTED_PROXIES", &[("TRUSTED_PROXIES", "10.0.0.0/8"), ("TRUSTED_HOPS", "1")]),
        ("ALLOWED_ORIGINS", &[("DOMAIN_NAME", "auth.example.org"), ("ALLOWED_ORIGINS", "https://app.example.com")]),
        ("SMS_MAX_PRICE", &[sms]),
        ("WEBOTP_HOST", &[sms, ("ALLOWED_ORIGINS", "http://localhost:5173")]),
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
fn values_at_the_limit_get_no_warning() {
    for settings in [
        &[("JWT_ACCESS_SECONDS", "3600")],
        [companions("TRUSTED_PROXIES"), &[("TRUSTED_PROXIES", "10.0.0.0/8")]].concat().as_slice(),
    ] {
        assert!(doubts("production", &[SOUND, settings].concat()).is_empty());
    }
    assert!(!doubts("default", &[]).iter().any(|doubt| doubt.starts_with("JWT_LEEWAY_SECONDS")));
}
