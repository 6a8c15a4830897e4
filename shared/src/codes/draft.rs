//! Drafts: codes about to be stored and sent.

use crate::codes::challenge::{OwnCode, Plan};
use crate::codes::code::{Binding, Code, CodeDigest, Strength};
use crate::codes::messages::SendName;
use crate::codes::purpose::Purpose;
use crate::words::{Destination, Entropy, MacKey, Result, Tenant};

/// The common part of all drafts of one request.
#[derive(Clone, Copy, Debug)]
pub struct Drafting<'a> {
    /// The tenant of the user.
    pub tenant: &'a Tenant,
    /// The only destination of the code.
    pub to: &'a Destination,
    /// The id of the pepper in the digest.
    pub pepper_id: &'a str,
    /// The pepper.
    pub pepper: &'a MacKey,
    /// Digits of a short code.
    pub length: usize,
}

/// A code that is about to be stored under a name.
#[derive(Debug)]
pub struct Draft {
    /// The name of its entry in the identifier's item.
    pub key: String,
    /// The id of the pepper in the digest.
    pub pepper_id: String,
    code: Code,
    digest: CodeDigest,
}

/// A stored code, ready to be sent.
#[derive(Debug)]
pub struct OutgoingCode {
    /// The code and its name.
    pub draft: Draft,
    /// The write that stored it.
    pub plan: Plan,
    /// The attempts charged for it. A code of its own that is sent again costs nothing more.
    pub charged: u32,
    /// The number of this send of its entry.
    pub number: u32,
    /// The code that it replaces in its entry. If it is not sent, the replaced one is right again.
    pub replaced: Option<Box<OwnCode>>,
}

impl OutgoingCode {
    /// The name of this send.
    pub fn name(&self) -> SendName {
        SendName { kept: self.plan.kept(), key: self.draft.key.clone(), number: self.number }
    }
}

impl Drafting<'_> {
    /// Draws a code for the entry `key` and a purpose.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn draw(self, key: String, purpose: Purpose, strength: Strength) -> Result<Draft> {
        let code = Code::draw(&Entropy, strength, self.length)?;
        let binding = Binding { tenant: self.tenant, to: self.to, purpose, challenge: &key };
        let digest = CodeDigest::of(&code, binding, self.pepper);
        Ok(Draft { key, pepper_id: self.pepper_id.to_owned(), code, digest })
    }
}

impl Draft {
    /// The code, for the message.
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// The digest, for the table.
    pub fn digest(&self) -> &CodeDigest {
        &self.digest
    }
}
