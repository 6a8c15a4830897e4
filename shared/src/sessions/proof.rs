//! Proofs: the reason for opening a session.

use crate::codes::{SignInCode, StepUpCode};
use crate::factors::ProvenFactor;
use crate::words::{Channel, Level};

/// A proof of the user's identity. Each variant holds a witness that only the checking module can create.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// A correct code from a message to the identifier, asked for to sign in.
    Code(&'a SignInCode),
    /// The same, asked for to step up. It opens no session.
    StepUpCode(&'a StepUpCode),
    /// A second factor after such a code, or in a session that such a code has opened.
    Factor(&'a ProvenFactor),
}

impl Proof<'_> {
    /// The authentication methods for `amr`, with names from RFC 8176.
    pub fn methods(&self) -> Vec<String> {
        let methods: &[&str] = match self {
            Proof::Code(_) | Proof::StepUpCode(_) => &["otp"],
            Proof::Factor(_) => &["otp", "mfa"],
        };
        methods.iter().map(|&method| method.to_owned()).collect()
    }

    /// The level that it reaches alone.
    pub fn level(&self) -> Level {
        Level::of(&self.methods())
    }

    /// The way of the sign-in, for counts and events. More exact than `amr`, which knows no channels.
    pub fn way(&self) -> &'static str {
        let channel = match self {
            Proof::Code(code) => Some(code.proven().to().channel()),
            Proof::StepUpCode(_) => None,
            Proof::Factor(factor) => factor.pending().entrance().map(|entrance| entrance.channel),
        };
        match channel {
            Some(Channel::Email) => "otp_email",
            Some(Channel::Sms) => "otp_sms",
            Some(Channel::Voice) => "otp_voice",
            Some(Channel::Whatsapp) => "otp_whatsapp",
            // A step-up opens no session.
            None => "",
        }
    }
}
