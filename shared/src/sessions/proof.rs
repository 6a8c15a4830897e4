//! Proofs: what a session is opened for.

use crate::codes::ProvenCode;

/// What somebody has shown. Each variant holds a witness that only the module that checked it can make.
#[derive(Debug)]
pub enum Proof {
    /// A code that was sent to an identifier.
    Code(ProvenCode),
}

impl Proof {
    /// The factors that were used (`amr`, in RFC 8176's words).
    pub fn methods(&self) -> Vec<String> {
        let methods: &[&str] = match self {
            Proof::Code(_) => &["otp"],
        };
        methods.iter().map(|&method| method.to_owned()).collect()
    }
}
