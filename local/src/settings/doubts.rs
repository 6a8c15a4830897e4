//! Settings that are allowed and seldom meant. What is never right is refused by its reader and not listed here.

use std::time::Duration;

use super::All;

/// When to doubt, and what to say, beginning with the setting.
type Doubt = (fn(&All) -> bool, &'static str);

/// A person who signs out thinks that it is over; for longer than this it should not be wrong.
const LONG_ACCESS: Duration = Duration::from_secs(3_600);

/// What is doubtful about `all`.
pub(super) fn of(all: &All) -> impl Iterator<Item = &'static str> {
    DOUBTS.iter().filter(|(is_doubtful, _)| is_doubtful(all)).map(|(_, words)| *words)
}

pub(super) const DOUBTS: &[Doubt] = &[
    (
        |all| all.verify.tokens.access.lifetime > LONG_ACCESS,
        "JWT_ACCESS_SECONDS: an access token of more than 60 minutes works on after logout; refresh instead",
    ),
    (
        |all| all.verify.tokens.access.leeway > Duration::ZERO && is_production(all),
        "JWT_LEEWAY_SECONDS: in production a leeway only makes tokens live longer; mend the clocks",
    ),
    (
        |all| all.verify.tokens.access.algorithm.name().starts_with("HS"),
        "JWT_ALGORITHM: backends can't check tokens without the secret, and whoever has it can sign them too",
    ),
    (
        |all| {
            all.verify.tokens.issuer.as_ref().is_some_and(|issuer| issuer.starts_with("http://")) && is_production(all)
        },
        "JWT_ISSUER: an http issuer is this machine's; backends of a deployment cannot fetch its keys",
    ),
    (
        |all| !all.verify.session.rotation,
        "REFRESH_ROTATION: without rotation nobody notices a stolen refresh token, which works as long as its session",
    ),
    (
        |all| all.verify.session.rotation && all.verify.session.grace.is_zero(),
        "REFRESH_GRACE_SECONDS: without grace a lost answer or a second tab ends the session",
    ),
    (
        |all| all.verify.session.idle > all.verify.session.absolute,
        "REFRESH_IDLE_DAYS: more than REFRESH_ABSOLUTE_DAYS, which ends every session before",
    ),
    (
        |all| !all.verify.binding_required,
        "OTP_BINDING: while it is optional, strangers can use up the tries of answers without challenge_id; \
         require it once every frontend sends it",
    ),
    (
        |all| all.common.proxies.networks().any(|network| network.prefix_len() == 0),
        "TRUSTED_PROXIES: everybody is trusted, so everybody may claim any address and no limit of a network holds",
    ),
    (
        leaves_frontends_out,
        "ALLOWED_ORIGINS: an origin is not https under the registrable domain of DOMAIN_NAME, so its pages get no cookies",
    ),
    (
        |all| sends_sms(all) && all.request.sms.max_price.is_none(),
        "SMS_MAX_PRICE: SMS is on, and one message may cost anything",
    ),
    (
        |all| sends_sms(all) && all.request.sms.webotp_host.is_none(),
        "WEBOTP_HOST: SMS is on, and no browser binds its codes to your frontend or fills them in",
    ),
    (
        |all| sends_sms(all) && all.request.challenge.sms.breaker.share == 0,
        "SMS_BREAKER_SHARE: the breaker is off, so only budgets bound what pumping costs",
    ),
    (|all| sends_sms(all) && sms_in_a_day(all) == 0, "SMS_COUNTRIES: SMS is on, and a budget of 0 lets none through"),
    (
        |all| sends_sms(all) && all.request.challenge.sms.daily_per_country > all.request.challenge.sms.daily,
        "SMS_DAILY_BUDGET_PER_COUNTRY: more than SMS_DAILY_BUDGET, so one country can use up the day of all",
    ),
    (
        |all| is_example(&all.request.mail.sender) && all.common.metrics.stage != "development",
        "SENDER_EMAIL: nobody can verify an address of example.com; give the profile a SenderEmail of yours",
    ),
    (|all| has_endpoint(all) && is_production(all), "AWS_ENDPOINT_URL: production talks to another place than AWS"),
    (
        |all| all.common.aws.attempt_timeout > all.common.aws.operation_timeout,
        "AWS_ATTEMPT_TIMEOUT_MS: more than AWS_OPERATION_TIMEOUT_MS, so no call is ever tried again",
    ),
];

/// None of them where no frontend has cookies: that is a deployment's choice.
fn leaves_frontends_out(all: &All) -> bool {
    all.request.frontends.domain.is_some() && all.request.frontends.without_cookies().next().is_some()
}

fn is_production(all: &All) -> bool {
    all.common.metrics.stage == "production"
}

fn sends_sms(all: &All) -> bool {
    !all.request.challenge.sms.countries.is_empty()
}

fn sms_in_a_day(all: &All) -> u32 {
    let sms = &all.request.challenge.sms;
    sms.daily.min(sms.daily_per_country).min(sms.daily_per_network)
}

/// RFC 2606: reserved for examples.
fn is_example(address: &str) -> bool {
    address.ends_with("@example.com")
}

fn has_endpoint(all: &All) -> bool {
    let endpoints = &all.common.aws.endpoints;
    [&endpoints.dynamodb, &endpoints.secrets, &endpoints.ses, &endpoints.sns].into_iter().any(Option::is_some)
}
