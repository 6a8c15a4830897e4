//! The targets.

mod browser;
mod deployment;
mod door;
mod jwt;
mod keyring;
mod messages;
mod refresh;
mod requests;
mod typed;

use crate::Target;

/// All of them.
pub static TARGETS: &[Target] = &[
    door::EVENT,
    door::FIELDS,
    requests::BODY,
    requests::PATH,
    requests::JSON,
    typed::EMAIL,
    typed::PHONE,
    typed::CODE,
    typed::SOURCE_URL,
    refresh::REFRESH,
    refresh::DEVICE,
    jwt::JWT,
    jwt::CLAIMS,
    keyring::JWKS,
    keyring::KEYRING,
    browser::COOKIES,
    browser::ORIGIN,
    browser::PROXIES,
    deployment::SETTINGS,
    messages::TEMPLATE,
];
