//! A transaction that a user confirms with a step-up, such as a payment.

use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::words::{Error, Result, masked};

/// The digest of the application's text about a transaction. The text itself may be personal, so nothing keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct Transaction(String);

masked!(Transaction);

/// The maximum length in characters.
const LONGEST: usize = 200;

impl Transaction {
    /// The transaction with this digest, from a pending step-up.
    pub fn of_digest(digest: String) -> Transaction {
        Transaction(digest)
    }

    /// The value of the claim `txn`: the text's SHA-256 in base64url. A backend compares it with the digest of what it executes.
    pub fn digest(&self) -> &str {
        &self.0
    }
}

impl FromStr for Transaction {
    type Err = Error;

    fn from_str(text: &str) -> Result<Transaction> {
        let is_short = (1..=LONGEST).contains(&text.chars().count());
        if is_short && !text.chars().any(char::is_control) {
            Ok(Transaction(BASE64URL_NOPAD.encode(&Sha256::digest(text.as_bytes()))))
        } else {
            Err(Error::invalid(format!(
                "`transaction` must have 1 to {LONGEST} characters, and no control characters."
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Backends compute the same digest with tools of their own.
    #[test]
    fn a_digest_never_changes() {
        let transaction: Transaction = "Pay €20 to Bob".parse().unwrap();
        assert_eq!(transaction.digest(), "Drtu2EhT2Pg2aiKgl_m32D7l1-jjruYwuUjeLe-MhQc");
        assert!(Transaction::of_digest(transaction.digest().to_owned()) == transaction);
        assert_eq!(format!("{transaction:?}"), "Transaction(…)");
    }

    #[test]
    fn a_transaction_is_one_short_line() {
        for text in ["x".to_owned(), "€".repeat(LONGEST)] {
            assert!(text.parse::<Transaction>().is_ok(), "{text}");
        }
        for text in [String::new(), "x".repeat(LONGEST + 1), "a\nb".to_owned(), "a\u{85}b".to_owned()] {
            assert!(text.parse::<Transaction>().is_err(), "{text:?}");
        }
    }
}
