//! What Latchkey's functions share, in reading order. Each layer may use those above it.
//!
//! - Words, without I/O, AWS or HTTP: [`error`], [`clock`], [`entropy`], [`mac`], [`lane`], [`ids`], [`numbering`],
//!   [`identifier`], [`code`], [`token`], [`origin`], [`site`], [`cookie`].
//! - Rules, pure functions over words: [`limit`], [`sms`], [`device`], [`index`], [`device_cookie`], [`frontends`],
//!   [`algorithm`], [`keyring`], [`challenge`], [`draft`], [`attempt`], [`session`], [`account`], [`access`], [`key_pair`],
//!   [`signer`], [`public_keys`], [`check`], [`make`], [`rotation`].
//! - Adapters, the outside world with one AWS client a file: [`report`], [`calls`], [`trust`], [`connect`], [`aws`], [`cache`],
//!   [`secrets`], [`vault`], [`store`], [`delivery`], [`callback`].
//! - The edge: [`json`], [`metrics`], [`config`], [`log`], [`http`], [`wire`], [`issue`], [`bearer`], [`task`], [`lambda`].
//!
//! A test holds this order.

pub mod access;
pub mod account;
pub mod algorithm;
pub mod attempt;
pub mod challenge;
pub mod check;
pub mod clock;
pub mod code;
pub mod cookie;
pub mod device;
pub mod device_cookie;
pub mod draft;
pub mod entropy;
pub mod error;
pub mod frontends;
pub mod identifier;
pub mod ids;
pub mod index;
pub mod key_pair;
pub mod keyring;
pub mod lane;
pub mod limit;
pub mod mac;
pub mod make;
pub mod numbering;
pub mod origin;
pub mod public_keys;
pub mod rotation;
pub mod session;
pub mod signer;
pub mod site;
pub mod sms;
pub mod token;

pub mod aws;
pub mod cache;
pub mod callback;
pub mod calls;
pub mod connect;
pub mod delivery;
pub mod report;
pub mod secrets;
pub mod store;
pub mod trust;
pub mod vault;

pub mod bearer;
pub mod config;
pub mod http;
pub mod issue;
pub mod json;
pub mod lambda;
pub mod log;
pub mod metrics;
pub mod task;
pub mod wire;
