//! The targets.

mod bodies;
mod browser;
mod deployment;
mod door;
mod events;
mod jwt;
mod keyring;
mod messages;
mod refresh;
mod requests;
mod stack;
mod typed;

pub(crate) use self::keyring::now;
use crate::Target;

/// All targets.
pub static TARGETS: &[Target] = &[
    door::EVENT,
    door::FIELDS,
    bodies::REQUEST,
    bodies::VERIFY,
    bodies::REFRESH,
    bodies::LOGOUT,
    bodies::SESSION,
    bodies::ALIAS,
    events::MAIL,
    events::TEXT,
    requests::PATH,
    requests::JSON,
    typed::EMAIL,
    typed::PHONE,
    typed::CODE,
    typed::SOURCE_URL,
    refresh::REFRESH,
    refresh::DEVICE,
    refresh::DISAVOWAL,
    jwt::JWT,
    jwt::CLAIMS,
    keyring::JWKS,
    keyring::KEYRING,
    browser::COOKIES,
    browser::ORIGIN,
    browser::PROXIES,
    deployment::SETTINGS,
    stack::TEMPLATE,
    stack::SAMCONFIG,
    messages::MESSAGE,
];
