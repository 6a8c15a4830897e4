//! Warnings about allowed but rarely intended settings. Wrong settings are rejected by their readers instead.

use std::time::Duration;

use super::All;

/// A condition, and its warning. The warning begins with the setting's name.
type Doubt = (fn(&All) -> bool, &'static str);

/// Access tokens keep working after logout until they expire. Longer than this is a surprise for users.
const LONG_ACCESS: Duration = Duration::from_secs(3_600);

/// The warnings for `all`.
pub(super) fn of(all: &All) -> impl Iterator<Item = &'static str> {
    DOUBTS.iter().filter(|(is_doubtful, _)| is_doubtful(all)).map(|(_, words)| *words)
}

pub(super) const DOUBTS: &[Doubt] = &[
    (
        |all| all.verify.tokens.access.lifetime > LONG_ACCESS,
        "JWT_ACCESS_SECONDS: access tokens keep working after logout; use at most 3600 and refresh more often",
    ),
    (
        |all| all.verify.tokens.access.leeway > Duration::ZERO && is_production(all),
        "JWT_LEEWAY_SECONDS: in production a leeway only extends the lifetime of tokens; set 0 and synchronize the clocks",
    ),
    (
        |all| all.verify.tokens.access.algorithm.name().starts_with("HS"),
        "JWT_ALGORITHM: every backend needs the secret to check tokens, and can then sign tokens too; use ES256 or RS256",
    ),
    (
        |all| {
            all.verify.tokens.issuer.as_ref().is_some_and(|issuer| issuer.starts_with("http://")) && is_production(all)
        },
        "JWT_ISSUER: an http issuer works on this machine only; backends of a deployment need https to fetch its keys",
    ),
    (
        |all| !all.verify.session.rotation,
        "REFRESH_ROTATION: without rotation a stolen refresh token goes undetected and works until its session ends",
    ),
    (
        |all| all.verify.session.rotation && all.verify.session.grace.is_zero(),
        "REFRESH_GRACE_SECONDS: without a grace period a lost answer or a second tab ends the session",
    ),
    (
        |all| all.verify.session.idle > all.verify.session.absolute,
        "REFRESH_IDLE_DAYS: more than REFRESH_ABSOLUTE_DAYS, so the idle limit has no effect",
    ),
    (
        |all| !all.verify.binding_required,
        "OTP_BINDING: while it is optional, an answer without challenge_id is compared with every code that its network asked for; \
         set `required` once every frontend sends challenge_id",
    ),
    (
        |all| all.common.proxies.networks().next().is_some() && !all.common.proxies.has_secret(),
        "TRUSTED_PROXIES: anybody in these networks, such as another customer of the same CDN, can claim any address and avoid all \
         limits per network; set ORIGIN_SECRET_SHA256, unless all proxies in them are yours",
    ),
    (
        leaves_frontends_out,
        "ALLOWED_ORIGINS: an origin is not https under the registrable domain of DOMAIN_NAME, so its pages get no cookies",
    ),
    (
        |all| sends_sms(all) && all.request.sms.max_price.is_none(),
        "SMS_MAX_PRICE: SMS is on without a limit on the price of a message",
    ),
    (
        |all| sends_sms(all) && all.request.sms.webotp_host.is_none(),
        "WEBOTP_HOST: SMS is on, but browsers cannot bind its codes to your frontend or fill them in",
    ),
    (
        |all| sends_sms(all) && all.request.challenge.sms.breaker.share == 0,
        "SMS_BREAKER_SHARE: the circuit breaker is off, so only budgets limit the cost of SMS pumping",
    ),
    (|all| sends_sms(all) && sms_in_a_day(all) == 0, "SMS_COUNTRIES: SMS is on, but a budget of 0 stops every message"),
    (
        |all| sends_sms(all) && all.request.challenge.sms.daily_per_country > all.request.challenge.sms.daily,
        "SMS_DAILY_BUDGET_PER_COUNTRY: more than SMS_DAILY_BUDGET, so one country can use up the budget of all",
    ),
    (
        |all| is_example(&all.request.mail.sender) && all.common.metrics.stage != "development",
        "SENDER_EMAIL: addresses at example.com cannot be verified; set SenderEmail to an address of yours",
    ),
    (
        |all| has_endpoint(all) && is_production(all),
        "AWS_ENDPOINT_URL: a production deployment calls an endpoint outside AWS",
    ),
    (
        |all| all.common.aws.attempt_timeout > all.common.aws.operation_timeout,
        "AWS_ATTEMPT_TIMEOUT_MS: more than AWS_OPERATION_TIMEOUT_MS, so calls are never retried",
    ),
];

/// A deployment without `DOMAIN_NAME` has no cookies on purpose, so it gets no warning.
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

/// RFC 2606 reserves this domain for examples.
fn is_example(address: &str) -> bool {
    address.ends_with("@example.com")
}

fn has_endpoint(all: &All) -> bool {
    let endpoints = &all.common.aws.endpoints;
    [&endpoints.dynamodb, &endpoints.secrets, &endpoints.ses, &endpoints.sms_voice, &endpoints.sns]
        .into_iter()
        .any(Option::is_some)
}
