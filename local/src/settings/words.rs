//! The description of each setting in words. Add a line here for a new setting; a test finds missing ones.

use shared::codes::Domains;
use shared::factors::SecondFactorMode;
use shared::history::Events;
use shared::http::TokenDelivery;
use shared::messages::{MailProvider, SmsProvider, VoiceProvider};

use super::All;
use super::phrases::{counted, duration, given, listed, on_or_off};

/// The settings of a line, and the function for its words.
pub(super) type Line = (&'static [&'static str], fn(&All) -> String);

/// Settings on one topic.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) lines: &'static [Line],
}

/// All lines, in the order of a sign-in.
pub(super) const GROUPS: &[Group] = &[
    Group { title: "Codes", lines: CODES },
    Group { title: "Limits", lines: LIMITS },
    Group { title: "SMS", lines: SMS },
    Group { title: "Frontends", lines: FRONTENDS },
    Group { title: "Tokens", lines: TOKENS },
    Group { title: "Sessions", lines: SESSIONS },
    Group { title: "Second factors", lines: SECOND_FACTORS },
    Group { title: "Mail", lines: MAIL },
    Group { title: "Events and activity", lines: EVENTS },
    Group { title: "AWS (a deployment has its own names, region and endpoints)", lines: AWS },
];

const CODES: &[Line] = &[
    (&["OTP_LENGTH", "OTP_CODE_LENGTH"], |all| {
        format!("length: {}", counted(all.request.challenge.length as u64, "digit"))
    }),
    (&["OTP_EMAIL_EXPIRY_SECONDS", "OTP_EXPIRY_MINUTES"], |all| {
        format!("by email: {}", duration(all.request.challenge.email_expiry))
    }),
    (&["OTP_SMS_EXPIRY_SECONDS", "OTP_EXPIRY_MINUTES"], |all| {
        format!("by SMS: {}", duration(all.request.challenge.sms.expiry))
    }),
    (&["OTP_MAX_ATTEMPTS"], |all| format!("attempts: {} at a code with digits", all.request.challenge.attempts)),
    (&["OTP_RESEND_SECONDS"], |all| format!("resend: after {}", duration(all.request.challenge.resend_after))),
    (&["OTP_BINDING", "ALIASES"], |all| {
        let word = if all.verify.binding_required { "must" } else { "may" };
        format!("binding: an answer {word} name its challenge")
    }),
    (&["SIGN_UP"], |all| {
        let words =
            if all.verify.sign_up_open { "open, an unknown identifier becomes a user" } else { "closed, users only" };
        format!("sign-up: {words}")
    }),
    (&["ALIASES"], |all| format!("paths of replaced systems: {}", on_or_off(all.common.aliases))),
];

const LIMITS: &[Line] = &[
    (&["OTP_REQUESTS_PER_IP"], |all| {
        format!("one network: {} for a code in 10 minutes", counted(all.request.requests.count, "request"))
    }),
    (&["OTP_FAILURES_PER_IP"], |all| {
        format!("one network: {} in 10 minutes", counted(all.verify.failures.count, "wrong answer without a challenge"))
    }),
    (&["TRUSTED_PROXIES"], |all| {
        let proxies = listed(all.common.proxies.networks());
        format!("networks of proxies: {}", if proxies.is_empty() { "not checked" } else { &proxies })
    }),
    (&["TRUSTED_HOPS"], |all| match all.common.proxies.hops {
        0 => "X-Forwarded-For: off".to_owned(),
        hops => format!("X-Forwarded-For: read behind {}", counted(hops as u64, "proxy").replace("proxys", "proxies")),
    }),
    (&["ORIGIN_SECRET_SHA256"], |all| {
        format!("secret of proxies: {}", if all.common.proxies.has_secret() { "required" } else { "none" })
    }),
];

const SMS: &[Line] = &[
    (&["SMS_COUNTRIES"], |all| {
        let countries = listed(all.request.challenge.sms.countries.iter().map(|country| country.code()));
        if countries.is_empty() { "SMS: off".to_owned() } else { format!("SMS: on, to {countries}") }
    }),
    (&["SMS_DAILY_BUDGET"], |all| format!("budget: {} a day", all.request.challenge.sms.daily)),
    (&["SMS_DAILY_BUDGET_PER_COUNTRY"], |all| {
        format!("budget of one country: {} a day", all.request.challenge.sms.daily_per_country)
    }),
    (&["SMS_DAILY_BUDGET_USD"], |all| {
        let daily = all.request.challenge.sms.money.as_ref().map(|money| format!("${} a day", money.daily));
        format!("budget in money: {}", given(&daily, "none"))
    }),
    (&["SMS_PRICES"], |all| {
        let prices = all.request.challenge.sms.money.iter().flat_map(|money| &money.prices);
        let prices = listed(prices.map(|(country, price)| format!("{} ${price}", country.code())));
        format!("prices of your own: {}", if prices.is_empty() { "none" } else { &prices })
    }),
    (&["SMS_PER_IP_DAY"], |all| {
        format!("one network: {} a day", counted(all.request.challenge.sms.daily_per_network, "request"))
    }),
    (&["SMS_RESERVED_SHARE"], |all| {
        format!("reserve for known devices: {}% of budgets and breaker", all.request.challenge.sms.reserved)
    }),
    (&["SMS_BREAKER_SHARE"], |all| match all.request.challenge.sms.breaker.share {
        0 => "breaker: off".to_owned(),
        share => format!("breaker: on, a country continues if {share}% of its codes are used"),
    }),
    (&["SMS_BREAKER_SENDS"], |all| {
        format!("breaker: may stop a country after {} unanswered messages", all.request.challenge.sms.breaker.sends)
    }),
    (&["SMS_BREAKER_RANGE_SENDS"], |all| {
        format!(
            "breaker: may stop a range of numbers after {} unanswered",
            all.request.challenge.sms.breaker.range_sends
        )
    }),
    (&["SMS_BREAKER_SECONDS"], |all| {
        format!("breaker: allows one more message after {}", duration(all.request.challenge.sms.breaker.pause))
    }),
    (&["SMS_SENDER_ID"], |all| format!("sender shown: {}", given(&all.request.sms.sender_id, "the carrier's choice"))),
    (&["SMS_ORIGINATION_NUMBER"], |all| {
        format!("sent from: {}", given(&all.request.sms.origination_number, "a number that AWS picks"))
    }),
    (&["SMS_PROVIDER"], |all| match all.request.sms.provider {
        SmsProvider::Sns => "sent by: SNS".to_owned(),
        SmsProvider::Eum => "sent by: AWS End User Messaging".to_owned(),
        SmsProvider::Twilio => "sent by: Twilio".to_owned(),
    }),
    (&["SMS_POOL"], |all| format!("pool of senders: {}", given(&all.request.sms.pool, "none"))),
    (&["SMS_CONFIGURATION_SET"], |all| {
        format!("configuration set of SMS: {}", given(&all.request.sms.configuration_set, "none"))
    }),
    (&["SMS_CHANNELS"], |all| {
        let following = all.request.others.following.iter().map(|channel| channel.name()).collect::<Vec<_>>();
        let following = (!following.is_empty()).then(|| following.join(", then "));
        format!("after a refused text: {}", given(&following, "nothing"))
    }),
    (&["VOICE_PROVIDER"], |all| match all.request.others.voice.as_ref().map(|voice| voice.provider) {
        None => "calls: off".to_owned(),
        Some(VoiceProvider::Eum) => "calls: by AWS End User Messaging".to_owned(),
        Some(VoiceProvider::Twilio) => "calls: by Twilio".to_owned(),
    }),
    (&["VOICE_NUMBER"], |all| {
        let number = all.request.others.voice.as_ref().map(|voice| voice.number.clone());
        format!("calls come from: {}", given(&number, "no number"))
    }),
    (&["WHATSAPP_PROVIDER", "WHATSAPP_NUMBER"], |all| {
        let number = all.request.others.whatsapp.as_ref().map(|number| format!("by Twilio, from {number}"));
        format!("WhatsApp: {}", given(&number, "off"))
    }),
    (&["TWILIO_ENDPOINT_URL"], |all| format!("Twilio: {}", all.request.providers.twilio)),
    (&["SENDGRID_ENDPOINT_URL"], |all| format!("SendGrid: {}", all.request.providers.sendgrid)),
    (&["VOICE_UNITS"], |all| format!("a call counts as: {} texts", all.request.challenge.sms.call_units)),
    (&["SMS_MAX_PRICE"], |all| {
        let price = all.request.sms.max_price.as_ref().map(|price| format!("at most {price} US dollars"));
        format!("price of one: {}", given(&price, "any"))
    }),
    (&["SMS_ENTITY_ID", "SMS_TEMPLATE_ID"], |all| {
        let ids = all.request.sms.india.as_ref().map(|ids| format!("entity {}, template {}", ids.entity, ids.template));
        format!("register of India: {}", given(&ids, "no ids"))
    }),
    (&["WEBOTP_HOST", "ALLOWED_ORIGINS"], |all| {
        let host = all.request.sms.webotp_host.as_ref().map(|host| format!("on, for {host}"));
        format!("browsers fill the code in: {}", given(&host, "off"))
    }),
];

const FRONTENDS: &[Line] = &[
    (&["ALLOWED_ORIGINS"], |all| format!("allowed origins: {}", listed(all.request.frontends.origins()))),
    (&["TOKEN_DELIVERY"], |all| {
        let words = match all.request.frontends.usual {
            TokenDelivery::Body => "in the body, in cookies on request",
            TokenDelivery::Cookie if all.request.frontends.is_cookie_only => "in cookies only",
            TokenDelivery::Cookie => "in cookies, in the body on request",
        };
        format!("refresh tokens: {words}")
    }),
    (&["DOMAIN_NAME"], |all| format!("the API's own domain: {}", given(&all.request.frontends.domain, "none"))),
];

const TOKENS: &[Line] = &[
    (&["JWT_ACCESS_SECONDS", "REFRESH_ROTATION"], |all| {
        let (lifetime, rotation) =
            (duration(all.verify.tokens.access.lifetime), on_or_off(all.verify.session.rotation));
        format!("access token: {lifetime}, rotation {rotation}")
    }),
    (&["JWT_ACCESS_JITTER"], |all| format!("an access token is shorter by: up to {}%", all.verify.tokens.jitter)),
    (&["JWT_ALGORITHM"], |all| format!("signed with: {}", all.verify.tokens.access.algorithm.name())),
    (&["JWT_RSA_BITS"], |all| format!("a new RSA key: {} bits", all.keys.rules.rsa_bits.number())),
    (&["JWT_ISSUER"], |all| format!("issuer: {}", given(&all.verify.tokens.issuer, "the API's own https URL"))),
    (&["JWT_AUDIENCE"], |all| format!("audience: {}", all.verify.tokens.access.audience)),
    (&["JWT_LEEWAY_SECONDS"], |all| format!("leeway for clocks: {}", duration(all.verify.tokens.access.leeway))),
    (&["USER_ID_CLAIM"], |all| {
        format!("claim of the user id, beside `sub`: {}", all.verify.tokens.access.names.user_id)
    }),
    (&["TOKEN_TYPE_CLAIM"], |all| format!("claim of the token's type: {}", all.verify.tokens.access.names.token_type)),
    (&["JTI_CLAIM"], |all| format!("claim of the token's own id: {}", all.verify.tokens.access.names.jti)),
];

const SESSIONS: &[Line] = &[
    (&["REFRESH_IDLE_DAYS"], |all| format!("unused: ends after {}", duration(all.verify.session.idle))),
    (&["REFRESH_ABSOLUTE_DAYS"], |all| format!("at the latest: ends after {}", duration(all.verify.session.absolute))),
    (&["REFRESH_GRACE_SECONDS"], |all| format!("grace for a lost answer: {}", duration(all.verify.session.grace))),
    (&["SESSIONS_PER_USER"], |all| {
        format!("one user: {}, then the oldest ends", counted(all.verify.session.per_user as u64, "session"))
    }),
];

const SECOND_FACTORS: &[Line] = &[
    (&["SECOND_FACTOR"], |all| {
        let words = match all.second.policy.mode {
            SecondFactorMode::Off => "off",
            SecondFactorMode::Optional => "optional, due if the user has one",
            SecondFactorMode::Required => "required, every user needs one",
            SecondFactorMode::Risk => "risk, due if the user has one and the sign-in is unusual",
        };
        format!("second factor: {words}")
    }),
    (&["SECOND_FACTOR_GRACE_DAYS"], |all| format!("grace where it is required: {}", duration(all.second.policy.grace))),
    (&["TRUSTED_DEVICE_DAYS"], |all| {
        let trust = all.second.policy.trust;
        if trust.is_zero() {
            "trusted devices: none".to_owned()
        } else {
            format!("a device is trusted for: {}", duration(trust))
        }
    }),
    (&["TOTP_ISSUER"], |all| {
        format!("name in authenticator apps: {}", given(&all.factors.totp_issuer, "the product's name"))
    }),
    (&["STEP_UP_SECONDS"], |all| format!("a proof is fresh for: {}", duration(all.factors.freshness.max_age))),
];

const MAIL: &[Line] = &[
    (&["SENDER_EMAIL"], |all| format!("from: {}", all.request.mail.sender)),
    (&["MAIL_PROVIDER"], |all| {
        let name = |provider: &MailProvider| match provider {
            MailProvider::Ses => "SES",
            MailProvider::SendGrid => "SendGrid",
        };
        let names: Vec<_> = all.request.mail.providers.iter().map(name).collect();
        format!("sent by: {}", names.join(", and if it refuses by "))
    }),
    (&["PROVIDERS_SECRET_ARN"], |all| {
        format!("keys of services outside AWS: {}", given(&all.request.providers.secret, "none"))
    }),
    (&["SES_CONFIGURATION_SET"], |all| {
        format!("configuration set: {}", given(&all.request.mail.configuration_set, "none"))
    }),
    (&["MAIL_DAILY_BUDGET"], |all| format!("budget: {} a day", all.request.mail_limits.daily)),
    (&["MAIL_ALLOW"], |all| match listed(all.request.mail_limits.allow.iter().map(Domains::to_string)) {
        all if all.is_empty() => "to all domains".to_owned(),
        domains => format!("only to {domains}"),
    }),
    (&["MAIL_DENY"], |all| match listed(all.request.mail_limits.deny.iter().map(Domains::to_string)) {
        none if none.is_empty() => "to no domain: none".to_owned(),
        domains => format!("never to {domains}"),
    }),
    (&["DEFAULT_LOCALE"], |all| format!("usual language of messages: {}", all.common.language.tag())),
    (&["OTP_IN_SUBJECT"], |all| {
        let shows = if all.request.in_subject { "has the code" } else { "does not have the code" };
        format!("the subject {shows}")
    }),
    (&["PRODUCT_NAME"], |all| format!("the product's name, in mail and SMS: {}", all.request.mail.product)),
];

const EVENTS: &[Line] = &[
    (&["EVENTS"], |all| {
        let words = match all.record.wanted.events {
            Events::Off => "none",
            Events::Security => "sign-ups and ended sessions",
            Events::All => "all, also each sign-in",
        };
        format!("events on the bus: {words}")
    }),
    (&["NOTICES"], |all| format!("mail about a sign-in with a new device: {}", on_or_off(all.record.wanted.notices))),
    (&["WELCOME"], |all| format!("mail to a new user: {}", on_or_off(all.record.wanted.welcome))),
    (&["OPERATORS_TOPIC_ARN"], |all| {
        format!("each sign-in on the operators' topic: {}", on_or_off(all.record.wanted.operators))
    }),
    (&["SOURCE_FROM_REFERER"], |all| {
        let words =
            if all.verify.source_from_referer { "`source_url`, else the page's address" } else { "`source_url`" };
        format!("source of a sign-up: {words}")
    }),
    (&["ACTIVITY_DAYS"], |all| format!("a user's activity: kept for {}", duration(all.record.keep))),
];

const AWS: &[Line] = &[
    (&["STAGE"], |all| format!("stage: {}, a name for logs", all.common.metrics.stage)),
    (&["METRICS"], |all| format!("metrics: {}", on_or_off(all.common.metrics.is_on))),
    (&["OTP_TABLE"], |all| format!("challenges and counters: {}", all.request.otp_table)),
    (&["USER_TABLE"], |all| format!("users and sessions: {}", all.verify.user_table)),
    (&["RECORD_TABLE"], |all| format!("activity and counts: {}", all.record.record_table)),
    (&["EVENT_BUS"], |all| format!("event bus: {}", all.record.bus)),
    (&["FAILED_RECORDS_URL"], |all| format!("queue of unreadable records: {}", all.record.failed)),
    (&["INDEX_SECRET_ARN"], |all| format!("the index key: {}", resource(&all.verify.index_secret))),
    (&["CODES_SECRET_ARN"], |all| format!("keys of codes: {}", resource(&all.verify.codes_secret))),
    (&["REFRESH_SECRET_ARN"], |all| format!("keys of refresh tokens: {}", resource(&all.verify.tokens.refresh_secret))),
    (&["SIGNING_SECRET_ARN"], |all| format!("keys of access tokens: {}", resource(&all.verify.tokens.signing_secret))),
    (&["VAULT_SECRET_ARN"], |all| {
        let arn = all.keys.vault_secret.as_ref().map(|arn| resource(arn).to_owned());
        format!("keys of authenticator apps: {}", given(&arn, "none"))
    }),
    (&["ROOT_KEY"], |_| "public keys are trusted if signed by: the root key of the stack".to_owned()),
    (&["AWS_REGION"], |all| format!("region: {}", all.common.aws.region)),
    (&["AWS_LAMBDA_FUNCTION_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"], |_| {
        "identity: the function's own, never shown".to_owned()
    }),
    (&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"], |all| {
        format!("DynamoDB: {}", given(&all.common.aws.endpoints.dynamodb, "at AWS"))
    }),
    (&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EVENTBRIDGE"], |all| {
        format!("EventBridge: {}", given(&all.common.aws.endpoints.events, "at AWS"))
    }),
    (&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER"], |all| {
        format!("Secrets Manager: {}", given(&all.common.aws.endpoints.secrets, "at AWS"))
    }),
    (&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SESV2"], |all| {
        format!("SES: {}", given(&all.common.aws.endpoints.ses, "at AWS"))
    }),
    (&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2"], |all| {
        format!("End User Messaging: {}", given(&all.common.aws.endpoints.sms_voice, "at AWS"))
    }),
    (&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SNS"], |all| {
        format!("SNS: {}", given(&all.common.aws.endpoints.sns, "at AWS"))
    }),
    (&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"], |all| {
        format!("SQS: {}", given(&all.common.aws.endpoints.sqs, "at AWS"))
    }),
    (&["AWS_ATTEMPT_TIMEOUT_MS"], |all| format!("one attempt: at most {}", duration(all.common.aws.attempt_timeout))),
    (&["AWS_OPERATION_TIMEOUT_MS"], |all| {
        format!("a call with all attempts: at most {}", duration(all.common.aws.operation_timeout))
    }),
    (&["AWS_CA_BUNDLE"], |all| {
        format!("certificate authorities of AWS's endpoints: {}", given(&all.common.aws.ca_bundle, "AWS's own"))
    }),
];

/// The resource's name, at the end of an ARN.
fn resource(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}
