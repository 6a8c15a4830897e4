//! Settings: an invalid environment stops a function at start, with one message that names every problem.

use std::collections::BTreeMap;

use local::Kind;
use local_aws::template::{Template, find_root};
use request_otp::RequestOtp;
use serde_json::json;
use shared::config;
use shared::runtime::{Function, Settings, settings};
use tests::Deployment;
use tests::client::REQUEST;
use verify_otp::VerifyOtp;

/// Together these functions read every setting.
const BINARIES: [&str; 2] = ["request-otp", "verify-otp"];

async fn environment() -> BTreeMap<String, String> {
    let auth = Deployment::start().await;
    ["RequestOtp", "VerifyOtp"].into_iter().flat_map(|function| auth.stack.environment(function)).collect()
}

/// The result for both functions.
fn read(environment: &BTreeMap<String, String>) -> Result<[String; 2], String> {
    let kinds = BINARIES.map(|binary| Kind::of_binary(binary).unwrap());
    let lookup = |name: &str| environment.get(name).cloned();
    config::read(lookup, |read| kinds.map(|kind| (kind.read)(read))).map_err(|problems| problems.to_string())
}

/// These settings beside the usual ones are read, or refused with `problem`, once.
#[track_caller]
fn assert_reads(usual: &BTreeMap<String, String>, settings: &[(&str, &str)], problem: Option<&str>) {
    let mut environment = usual.clone();
    environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    match (read(&environment), problem) {
        (Ok(_), None) => {}
        (Err(problems), Some(problem)) => assert_eq!(problems.matches(problem).count(), 1, "{problems}"),
        (read, _) => panic!("{settings:?}: {read:?}"),
    }
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
            ("JWT_ALGORITHM", "PS256"),
            ("JWT_ISSUER", "http://auth.example.com"),
            ("SENDER_EMAIL", "nobody"),
            ("ALLOWED_ORIGINS", "https://app.example.com/"),
            ("DOMAIN_NAME", "https://auth.example.com"),
            ("TOKEN_DELIVERY", "cookies"),
            ("TRUSTED_PROXIES", "10.0.0.0/33"),
            ("TRUSTED_HOPS", "6"),
            ("ORIGIN_SECRET_SHA256", "abc"),
            ("USER_ID_CLAIM", "iss"),
            ("PRODUCT_NAME", "a\r\nBcc: b@example.com"),
            ("REFRESH_ROTATION", "maybe"),
            ("SMS_COUNTRIES", "US,UK"),
            ("SMS_BREAKER_SHARE", "101"),
            ("SMS_SENDER_ID", "a name too long"),
            ("SMS_ORIGINATION_NUMBER", "Ada"),
            ("SMS_MAX_PRICE", "1e3"),
            ("SMS_ENTITY_ID", "Ada"),
            ("WEBOTP_HOST", "https://app.example.com"),
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
        "JWT_ALGORITHM: expected one of HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384, EdDSA",
        "JWT_ISSUER",
        "SENDER_EMAIL",
        "ALLOWED_ORIGINS",
        "DOMAIN_NAME",
        "TOKEN_DELIVERY: expected one of body, cookie, cookie_only",
        "TRUSTED_PROXIES",
        "TRUSTED_HOPS: expected a whole number from 0 to 5",
        "ORIGIN_SECRET_SHA256: expected the first 32 hexadecimal digits of one or two SHA-256 digests",
        "USER_ID_CLAIM",
        "PRODUCT_NAME",
        "REFRESH_ROTATION",
        "SMS_COUNTRIES",
        "SMS_BREAKER_SHARE",
        "SMS_SENDER_ID",
        "SMS_ORIGINATION_NUMBER",
        "SMS_MAX_PRICE",
        "SMS_ENTITY_ID: expected 1 to 30 digits",
        "SMS_ENTITY_ID and SMS_TEMPLATE_ID: SMS to India need both",
        "WEBOTP_HOST",
        "OTP_TABLE is not set",
        "AWS_REGION is not set",
    ] {
        assert!(problems.contains(name), "{name} is not in: {problems}");
    }
}

#[tokio::test]
async fn an_empty_environment_lists_every_required_variable() {
    let problems = read(&BTreeMap::new()).unwrap_err();
    for name in [
        "ALLOWED_ORIGINS",
        "SENDER_EMAIL",
        "OTP_TABLE",
        "USER_TABLE",
        "CODES_SECRET_ARN",
        "INDEX_SECRET_ARN",
        "REFRESH_SECRET_ARN",
        "SIGNING_SECRET_ARN",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
    ] {
        assert!(problems.contains(&format!("{name} is not set")), "{name} is not in: {problems}");
    }
}

#[tokio::test]
async fn custom_claim_names_must_be_unused() {
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

/// Otherwise browsers would omit the cookies, and every sign-in would fail without an error.
#[tokio::test]
async fn cookie_delivery_needs_origins_whose_browsers_send_cookies() {
    for (origins, domain, problem) in [
        ("http://localhost:3000,http://127.0.0.1:8080", "", None),
        ("https://app.example.com, http://localhost:3000", "auth.example.com", None),
        ("https://app.example.com", "", Some("cookies from https://app.example.com. ")),
        (
            "https://app.example.com,https://app.example.org",
            "auth.example.com",
            Some("cookies from https://app.example.org. "),
        ),
        ("https://shop.co.uk", "auth.co.uk", Some("cookies from https://shop.co.uk. ")),
        ("http://app.example.com", "auth.example.com", Some("cookies from http://app.example.com. ")),
    ] {
        for delivery in ["cookie", "body"] {
            let mut environment = environment().await;
            environment.extend(
                [("ALLOWED_ORIGINS", origins), ("DOMAIN_NAME", domain), ("TOKEN_DELIVERY", delivery)]
                    .map(|(name, value)| (name.to_owned(), value.to_owned())),
            );
            let expected = problem.filter(|_| delivery == "cookie");
            match (read(&environment), expected) {
                (Ok(_), None) => {}
                (Err(problems), Some(expected)) => {
                    assert!(problems.contains("TOKEN_DELIVERY: ") && problems.contains(expected), "{problems}");
                }
                (read, _) => panic!("{origins} {domain} {delivery}: {:?}", read.err()),
            }
        }
    }
}

/// S17: with characters outside the GSM alphabet an SMS would need two parts and cost double. Emails are free of this limit.
#[tokio::test]
async fn sms_needs_a_product_name_in_the_gsm_alphabet() {
    for (product, countries, fits) in
        [("Schlüssel & Co", "GB", true), ("Ключ", "GB", false), ("Ключ", "", true), ("[Key]", "GB", false)]
    {
        let mut environment = environment().await;
        environment.extend(
            [("PRODUCT_NAME", product), ("SMS_COUNTRIES", countries)]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        assert_eq!(read(&environment).is_ok(), fits, "{product} {countries}");
    }
}

/// The algorithm is a standard, so the error lists the supported ones.
#[tokio::test]
async fn es512_is_refused_by_name() {
    let mut environment = environment().await;
    for (algorithm, problem) in [
        ("ES512", "JWT_ALGORITHM: ES512 is not supported by the jsonwebtoken crate. Use ES384"),
        ("es512", "JWT_ALGORITHM: expected one of HS256, "),
        ("none", "JWT_ALGORITHM: expected one of HS256, "),
        ("rs256", "JWT_ALGORITHM: expected one of HS256, "),
    ] {
        environment.insert("JWT_ALGORITHM".to_owned(), algorithm.to_owned());
        let problems = read(&environment).unwrap_err();
        assert!(problems.contains(problem), "{problems}");
    }
}

/// Existing configurations use these names. The template decides if both names of a setting are set.
#[tokio::test]
async fn settings_accept_the_names_of_replaced_systems() {
    let auth = Deployment::with(&[("OTP_CODE_LENGTH", "8"), ("OTP_EXPIRY_MINUTES", "2")]).await;
    for identifier in ["ada@example.com", "+447400123456"] {
        let asked = auth.client().post(REQUEST, json!({ "identifier": identifier })).await.ok();
        assert_eq!(asked["expires_in"], 120, "{identifier}");
        assert_eq!(auth.newest_code(identifier).len(), 8, "{identifier}");
    }
}

#[tokio::test]
async fn settings_that_need_another_name_it() {
    let environment = environment().await;
    let domain = ("DOMAIN_NAME", "auth.example.com");
    for (settings, problem) in [
        (vec![domain, ("TOKEN_DELIVERY", "cookie_only"), ("ALIASES", "off")], None),
        (vec![domain, ("TOKEN_DELIVERY", "cookie_only")], Some("TOKEN_DELIVERY: the paths of replaced systems")),
        (vec![("TRUSTED_PROXIES", "192.0.2.0/24"), ("TRUSTED_HOPS", "1")], None),
        (vec![("TRUSTED_PROXIES", "192.0.2.0/24")], Some("TRUSTED_HOPS: expected the number of proxies")),
        (vec![("TRUSTED_HOPS", "1")], Some("TRUSTED_HOPS: without ORIGIN_SECRET_SHA256 or")),
        (
            vec![("STAGE", "production"), ("ALLOWED_ORIGINS", "http://app.example.com")],
            Some("ALLOWED_ORIGINS: without TLS"),
        ),
        (vec![("SMS_PRICES", "GB=0.04")], Some("SMS_PRICES: prices have no effect without SMS_DAILY_BUDGET_USD")),
    ] {
        assert_reads(&environment, &settings, problem);
    }
}

/// A provider without what it needs, or with what only the other one has, keeps the function from starting.
#[tokio::test]
async fn each_sms_provider_has_its_settings() {
    let environment = environment().await;
    let [eum, set] = [("SMS_PROVIDER", "eum"), ("SMS_CONFIGURATION_SET", "codes")];
    let [pool, number, name] =
        [("SMS_POOL", "pool-0123"), ("SMS_ORIGINATION_NUMBER", "+12065550100"), ("SMS_SENDER_ID", "Latchkey")];
    for (settings, problem) in [
        (vec![number, name], None),
        (vec![eum, set, pool], None),
        (vec![eum, set, number, ("SMS_MAX_PRICE", "1")], None),
        (vec![eum, set, name], None),
        (vec![eum, set], Some("SMS_SENDER_ID: SMS_PROVIDER=eum needs a sender")),
        (vec![eum, set, number, name], Some("SMS_SENDER_ID: SMS_PROVIDER=eum sends from one of them")),
        (vec![eum, pool], Some("SMS_CONFIGURATION_SET: SMS_PROVIDER=eum needs it")),
        (vec![eum, set, pool, ("SMS_MAX_PRICE", "100")], Some("SMS_MAX_PRICE: SMS_PROVIDER=eum takes a price below")),
        (vec![eum, set, pool, ("SMS_MAX_PRICE", "0.000001")], Some("SMS_MAX_PRICE: SMS_PROVIDER=eum takes a price")),
        (vec![pool], Some("SMS_POOL: only SMS_PROVIDER=eum and SMS_PROVIDER=twilio use it")),
        (vec![set], Some("SMS_CONFIGURATION_SET: only SMS_PROVIDER=eum uses it")),
        (vec![("SMS_PROVIDER", "smtp")], Some("SMS_PROVIDER: expected one of sns, eum")),
        (vec![eum, set, ("SMS_POOL", "codes")], Some("SMS_POOL: expected the id of a pool")),
        (vec![eum, set, pool, ("SMS_COUNTRIES", "")], Some("SMS_PROVIDER: SMS is off")),
    ] {
        assert_reads(&environment, &settings, problem);
    }
}

#[tokio::test]
async fn two_names_of_one_setting_must_agree() {
    let environment = environment().await;
    for (settings, problem) in [
        (vec![("OTP_CODE_LENGTH", "8"), ("OTP_LENGTH", "8")], None),
        (vec![("OTP_CODE_LENGTH", "8"), ("OTP_LENGTH", "6")], Some("OTP_CODE_LENGTH: OTP_LENGTH is the same setting")),
        (vec![("OTP_EXPIRY_MINUTES", "5"), ("OTP_SMS_EXPIRY_SECONDS", "300")], None),
        (
            vec![("OTP_EXPIRY_MINUTES", "5"), ("OTP_EMAIL_EXPIRY_SECONDS", "600")],
            Some("OTP_EXPIRY_MINUTES: OTP_EMAIL_EXPIRY_SECONDS is the same setting"),
        ),
        (vec![("OTP_EXPIRY_MINUTES", "11")], Some("OTP_EXPIRY_MINUTES: expected a whole number from 1 to 10")),
    ] {
        assert_reads(&environment, &settings, problem);
    }
}

/// Longer lists would exceed the size of a function's environment.
#[tokio::test]
async fn lists_have_at_most_600_bytes() {
    let environment = environment().await;
    for (name, item) in
        [("ALLOWED_ORIGINS", "https://a.example"), ("TRUSTED_PROXIES", "192.0.2.100/32"), ("SMS_COUNTRIES", "US")]
    {
        // The last item fills the rest.
        let fitting = |bytes: usize| {
            let items = vec![item; bytes / (item.len() + 1) - 1].join(",") + ",";
            format!("{items}{}{item}", " ".repeat(bytes - items.len() - item.len()))
        };
        for (bytes, fits) in [(600, true), (601, false)] {
            let mut environment = environment.clone();
            environment.insert(name.to_owned(), fitting(bytes));
            environment.insert("ORIGIN_SECRET_SHA256".to_owned(), "0".repeat(32));
            environment.insert("TRUSTED_HOPS".to_owned(), "1".to_owned());
            let problem = read(&environment).err();
            let expected = format!("{name}: expected at most 600 bytes");
            assert_eq!(problem.is_none(), fits, "{problem:?}");
            assert!(fits || problem.is_some_and(|problem| problem.contains(&expected)), "{name}");
        }
    }
}

/// The settings of a function deployed with a profile of `samconfig.toml`, reading only these variables.
fn profile<F: Function>(name: &str, is_set: impl Fn(&str) -> bool) -> Settings<F::Settings> {
    let template = Template::read(&find_root().unwrap(), name).unwrap();
    let function = template.functions.values().find(|function| function.binary == F::NAME).unwrap();
    let lookup = |name: &str| match name {
        "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
        // An answer of the first-keys resource.
        "ROOT_KEY" => Some("A".repeat(43)),
        _ => function.environment.get(name).filter(|_| is_set(name)).cloned(),
    };
    config::read(lookup, settings::<F>).unwrap()
}

/// Only the profiles differ between stages.
#[test]
fn each_stage_has_its_profile() {
    const DAY: u64 = 86_400;
    for (name, stage, access, session, leeway, rotation) in [
        ("default", "development", 3_600, 7 * DAY, 30, true),
        ("testing", "testing", 3_600, DAY, 0, false),
        ("production", "production", 900, 30 * DAY, 0, true),
    ] {
        let Settings { common, own: verify_otp::Settings { session: policy, tokens, .. } } =
            profile::<VerifyOtp>(name, |_| true);
        assert_eq!((common.metrics.stage.as_str(), tokens.access.lifetime.as_secs()), (stage, access));
        assert_eq!(policy.idle.as_secs(), session, "{name}");
        assert_eq!((tokens.access.leeway.as_secs(), policy.rotation), (leeway, rotation), "{name}");
        let is_longer = name != "production" && policy.absolute != policy.idle;
        assert!(!is_longer, "{name}: a session lives longer than its profile says");
    }
    fn has_defaults<F: Function>() -> bool {
        let required = |name: &str| {
            name == "STAGE"
                || name == "SES_CONFIGURATION_SET"
                || name == "SENDER_EMAIL"
                || name == "ALLOWED_ORIGINS"
                || name.ends_with("_TABLE")
                || name.ends_with("_SECRET_ARN")
        };
        format!("{:?}", profile::<F>("production", |_| true)) == format!("{:?}", profile::<F>("production", required))
    }
    let is_default = has_defaults::<RequestOtp>() && has_defaults::<VerifyOtp>();
    assert!(is_default, "production must not change settings");
}
