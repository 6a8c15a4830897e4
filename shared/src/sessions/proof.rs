//! Proofs: the reason for opening a session.

use crate::codes::ProvenCode;

/// A proof of the user's identity. Each variant holds a witness that only the checking module can create.
#[derive(Debug)]
pub enum Proof {
    /// A correct code from a message to the identifier.
    Code(ProvenCode),
}

impl Proof {
    /// The authentication methods for `amr`, with names from RFC 8176.
    pub fn methods(&self) -> Vec<String> {
        let methods: &[&str] = match self {
            Proof::Code(_) => &["otp"],
        };
        methods.iter().map(|&method| method.to_owned()).collect()
    }
}
