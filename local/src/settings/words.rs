//! The table from settings to words. A new setting is a line here, and a test holds that none is missing.

use shared::config::Config;
use shared::http::TokenDelivery;

use super::phrases::{counted, duration, given, listed, on_or_off};

/// The settings that a line is about, and what they come to.
pub(super) type Line = (&'static [&'static str], fn(&Config) -> String);

/// What a person asks about together.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) lines: &'static [Line],
}

/// All lines, in the order in which somebody who signs in meets them.
pub(super) const GROUPS: &[Group] = &[
    Group { title: "Codes", lines: CODES },
    Group { title: "Limits", lines: LIMITS },
    Group { title: "SMS", lines: SMS },
    Group { title: "Frontends", lines: FRONTENDS },
    Group { title: "Tokens", lines: TOKENS },
    Group { title: "Sessions", lines: SESSIONS },
    Group { title: "Mail", lines: MAIL },
    Group { title: "AWS (names, region and endpoints are a deployment's own there)", lines: AWS },
];

const CODES: &[Line] = &[
    (&["OTP_LENGTH"], |config| format!("length: {}", counted(config.challenge.length as u64, "digit"))),
    (&["OTP_EMAIL_EXPIRY_SECONDS"], |config| format!("by email: {}", duration(config.challenge.email_expiry))),
    (&["OTP_SMS_EXPIRY_SECONDS"], |config| format!("by SMS: {}", duration(config.challenge.sms.expiry))),
    (&["OTP_MAX_ATTEMPTS"], |config| {
        let attempts = config.challenge.attempts;
        format!("tries: {attempts} with the challenge's id, {attempts} without")
    }),
    (&["OTP_RESEND_SECONDS"], |config| format!("sent again: after {}", duration(config.challenge.resend_after))),
    (&["OTP_BINDING"], |config| {
        let word = if config.binding_required { "must" } else { "may" };
        format!("binding: an answer {word} name its challenge")
    }),
    (&["SIGN_UP"], |config| {
        let words = if config.sign_up_open { "open, whoever is unknown becomes a user" } else { "closed, users only" };
        format!("sign-up: {words}")
    }),
    (&["ALIASES"], |config| format!("paths of replaced systems: {}", on_or_off(config.aliases))),
];

const LIMITS: &[Line] = &[
    (&["OTP_REQUESTS_PER_HOUR"], |config| {
        format!("one identifier: {} an hour", counted(config.challenge.per_hour, "new challenge"))
    }),
    (&["OTP_REQUESTS_PER_HOUR_PER_IP"], |config| {
        format!("of these from one network: {}", config.challenge.per_hour_per_network)
    }),
    (&["OTP_REQUESTS_PER_IP"], |config| {
        format!("one network: {} for a code in 10 minutes", counted(config.requests_per_network, "request"))
    }),
    (&["OTP_FAILURES_PER_IP"], |config| {
        format!("one network: {} in 10 minutes", counted(config.failures_per_network, "wrong answer"))
    }),
    (&["TRUSTED_PROXIES"], |config| {
        let proxies = listed(config.proxies.networks());
        let words = if proxies.is_empty() { "off".to_owned() } else { format!("believed of {proxies}") };
        format!("X-Forwarded-For: {words}")
    }),
];

const SMS: &[Line] = &[
    (&["SMS_COUNTRIES"], |config| {
        let countries = listed(config.challenge.sms.countries.iter().map(|country| country.code()));
        if countries.is_empty() { "SMS: off".to_owned() } else { format!("SMS: on, to {countries}") }
    }),
    (&["SMS_DAILY_BUDGET"], |config| format!("budget: {} a day", config.challenge.sms.daily)),
    (&["SMS_DAILY_BUDGET_PER_COUNTRY"], |config| {
        format!("budget of one country: {} a day", config.challenge.sms.daily_per_country)
    }),
    (&["SMS_PER_IP_DAY"], |config| {
        format!("one network: {} a day", counted(config.challenge.sms.daily_per_network, "request"))
    }),
    (&["SMS_BREAKER_SHARE"], |config| match config.challenge.sms.breaker.share {
        0 => "breaker: off".to_owned(),
        share => format!("breaker: on, a country goes on if {share}% of its codes are used"),
    }),
    (&["SMS_BREAKER_SENDS"], |config| {
        format!("breaker: may stop a country after {} unanswered", config.challenge.sms.breaker.sends)
    }),
    (&["SMS_BREAKER_RANGE_SENDS"], |config| {
        format!("breaker: may stop a range of numbers after {} unanswered", config.challenge.sms.breaker.range_sends)
    }),
    (&["SMS_BREAKER_SECONDS"], |config| {
        format!("breaker: what is stopped gets one more after {}", duration(config.challenge.sms.breaker.pause))
    }),
    (&["SMS_SENDER_ID"], |config| format!("sender shown: {}", given(&config.sms.sender_id, "the carrier's choice"))),
    (&["SMS_ORIGINATION_NUMBER"], |config| {
        format!("sent from: {}", given(&config.sms.origination_number, "a number that SNS picks"))
    }),
    (&["SMS_MAX_PRICE"], |config| {
        let price = config.sms.max_price.as_ref().map(|price| format!("at most {price} US dollars"));
        format!("price of one: {}", given(&price, "any"))
    }),
    (&["WEBOTP_HOST"], |config| {
        let host = config.sms.webotp_host.as_ref().map(|host| format!("on, for {host}"));
        format!("browsers fill the code in: {}", given(&host, "off"))
    }),
];

const FRONTENDS: &[Line] = &[
    (&["ALLOWED_ORIGINS"], |config| format!("may call: pages of {}", listed(config.frontends.origins()))),
    (&["TOKEN_DELIVERY"], |config| {
        let words = match config.frontends.usual {
            TokenDelivery::Body => "in the body, in cookies where a request asks for it",
            TokenDelivery::Cookie => "in cookies, in the body where a request asks for it",
        };
        format!("refresh tokens: {words}")
    }),
    (&["DOMAIN_NAME"], |config| format!("the API's own domain: {}", given(&config.domain, "none"))),
];

const TOKENS: &[Line] = &[
    (&["JWT_ACCESS_SECONDS", "REFRESH_ROTATION"], |config| {
        let (lifetime, rotation) = (duration(config.access.lifetime), on_or_off(config.session.rotation));
        format!("access token: {lifetime}, rotation {rotation}")
    }),
    (&["JWT_ALGORITHM"], |config| format!("signed with: {}", config.access.algorithm.name())),
    (&["JWT_ISSUER"], |config| format!("issuer: {}", given(&config.issuer, "the API's own https URL"))),
    (&["JWT_AUDIENCE"], |config| format!("audience: {}", config.access.audience)),
    (&["JWT_LEEWAY_SECONDS"], |config| format!("leeway for clocks: {}", duration(config.access.leeway))),
    (&["USER_ID_CLAIM"], |config| format!("claim of the user id, beside `sub`: {}", config.access.names.user_id)),
    (&["TOKEN_TYPE_CLAIM"], |config| format!("claim of the token's type: {}", config.access.names.token_type)),
    (&["JTI_CLAIM"], |config| format!("claim of the token's own id: {}", config.access.names.jti)),
];

const SESSIONS: &[Line] = &[
    (&["REFRESH_IDLE_DAYS"], |config| format!("unused: ends after {}", duration(config.session.idle))),
    (&["REFRESH_ABSOLUTE_DAYS"], |config| format!("used: ends after {}", duration(config.session.absolute))),
    (&["REFRESH_GRACE_SECONDS"], |config| format!("grace for a lost answer: {}", duration(config.session.grace))),
    (&["SESSIONS_PER_USER"], |config| {
        format!("one user: {}, then the one opened first ends", counted(config.session.per_user as u64, "session"))
    }),
];

const MAIL: &[Line] = &[
    (&["SENDER_EMAIL"], |config| format!("from: {}", config.mail.sender)),
    (&["SES_CONFIGURATION_SET"], |config| {
        format!("configuration set: {}", given(&config.mail.configuration_set, "none"))
    }),
    (&["PRODUCT_NAME"], |config| format!("the product's name, in mail and SMS: {}", config.mail.product)),
];

const AWS: &[Line] = &[
    (&["STAGE"], |config| format!("stage: {}, a name for logs", config.metrics.stage)),
    (&["METRICS"], |config| format!("metrics: {}", on_or_off(config.metrics.is_on))),
    (&["OTP_TABLE"], |config| format!("challenges and counters: {}", config.otp_table)),
    (&["USER_TABLE"], |config| format!("users and sessions: {}", config.user_table)),
    (&["CODES_SECRET_ARN"], |config| format!("keys of codes: {}", resource(&config.codes_secret))),
    (&["TOKENS_SECRET_ARN"], |config| format!("keys of tokens: {}", resource(&config.tokens_secret))),
    (&["AWS_REGION"], |config| format!("region: {}", config.aws.region)),
    (&["AWS_LAMBDA_FUNCTION_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"], |_| {
        "identity: the function's own, never shown".to_owned()
    }),
    (&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"], |config| {
        format!("DynamoDB: {}", given(&config.aws.endpoints.dynamodb, "at AWS"))
    }),
    (&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER"], |config| {
        format!("Secrets Manager: {}", given(&config.aws.endpoints.secrets, "at AWS"))
    }),
    (&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SESV2"], |config| {
        format!("SES: {}", given(&config.aws.endpoints.ses, "at AWS"))
    }),
    (&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SNS"], |config| {
        format!("SNS: {}", given(&config.aws.endpoints.sns, "at AWS"))
    }),
    (&["AWS_ATTEMPT_TIMEOUT_MS"], |config| format!("one attempt: at most {}", duration(config.aws.attempt_timeout))),
    (&["AWS_OPERATION_TIMEOUT_MS"], |config| {
        format!("a call with all attempts: at most {}", duration(config.aws.operation_timeout))
    }),
    (&["AWS_CA_BUNDLE"], |config| format!("roots of AWS's endpoints: {}", given(&config.aws.ca_bundle, "AWS's own"))),
];

/// The last part of an ARN, which is the one that tells.
fn resource(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}
