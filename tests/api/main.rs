//! Every function behind the gateway. Each test has its own deployment.

// A future with handlers, SDK and harness is a deeply nested type.
#![recursion_limit = "256"]

mod account;
mod algorithms;
mod aliases;
mod bearer;
mod brake;
mod budget;
mod connections;
mod cookies;
mod cors;
mod costs;
mod devices;
mod environment;
mod erase;
mod fallback;
mod forged;
mod ignored;
mod investigations;
mod journeys;
mod jwks;
mod limits;

mod logout;
mod mail;
mod mailboxes;
mod malformed;
mod metrics;
mod migration;
mod models;
mod openapi;
mod oracle;
mod pages;
mod permissions;
mod policies;
mod profile;
mod published;
mod reconcile;
mod record;
mod refresh;
mod request_otp;
mod restore;
mod retries;
mod revoke;
mod rotate_keys;
mod rotation;
mod secrets;
mod security;
mod sequences;
mod sessions;
mod settings;
mod signals;
mod signing_keys;
mod smoke;
mod sms;
mod stack;
mod start;
mod strangers;
mod structure;
mod texts;
mod trips;
mod verify_otp;
mod watch;
mod withdrawals;
mod workspace;
