//! The texts of all messages and errors, in all languages. The build makes them of `messages/*.toml` and checks them;
//! `docs/messages.md` says how to change one.

mod filled;
mod generated;
mod language;

pub use self::generated::{
    Language, answers, confirm, contact_changed, disavow, errors, factor_added, factor_removed, leaving, life, mail,
    new_sign_in, notice, sms, suspended, voice, welcome,
};
