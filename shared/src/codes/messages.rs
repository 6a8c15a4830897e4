//! The messages of an identifier, and the names by which their receipts find them.

use std::fmt;

use crate::codes::challenge::Kept;
use crate::codes::hold::Hold;
use crate::codes::purpose::Purpose;
use crate::codes::receipt::Receipts;
use crate::codes::resend::{Calls, Resends};
use crate::words::{IdentifierDigest, Lane, Timestamp};

/// The receipts of one code's newest message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// When the code expires.
    pub ends: Timestamp,
    /// Whether its challenge may get another code.
    pub resends: Resends,
    /// The code's purpose.
    pub purpose: Purpose,
    /// The receipts.
    pub receipts: Receipts,
}

/// The messages of an identifier and its hold.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    /// Each with its entry and the entry's name.
    all: Vec<(Kept, String, Message)>,
    /// The newest hold, also after its end.
    pub hold: Option<Hold>,
    /// The newest calls.
    pub calls: Calls,
}

impl Messages {
    /// Messages by their entries, the hold, and the newest calls.
    pub fn new(all: Vec<(Kept, String, Message)>, hold: Option<Hold>, calls: Calls) -> Messages {
        Messages { all, hold, calls }
    }

    /// The newest message of a code of its own. `None` after the code was used.
    pub fn own(&self, kept: Kept, key: &str) -> Option<Message> {
        self.all.iter().find(|(of, name, _)| *of == kept && name == key).map(|(_, _, message)| *message)
    }

    /// The newest message with a long code for `purpose`, used or not, whose code expires at the latest at `latest`.
    pub fn long(&self, purpose: Purpose, latest: Timestamp) -> Option<Message> {
        let is_it = |message: &Message| message.purpose == purpose && message.ends <= latest;
        let long = self.all.iter().filter(|(kept, _, message)| *kept == Kept::Long && is_it(message));
        long.map(|(_, _, message)| *message).max_by_key(|message| message.ends)
    }
}

/// Names a send: the entry of its code in the identifier's item, and the number of the send there. A message carries it, so that its
/// receipts find the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendName {
    /// The map of the entry.
    pub kept: Kept,
    /// The name of the entry.
    pub key: String,
    /// 1 for the first send of the entry.
    pub number: u32,
}

/// The tags of a message: the identifier's digest, the entry and the number.
const TAGS: [&str; 3] = ["i", "c", "n"];
/// The tag with the second of the send, for providers that do not return the time of a send.
pub const SENT_AT: &str = "t";
/// The lengths of an identifier's digest and of an entry's name, in base64url.
const DIGEST: usize = 43;
const NAME: usize = 8;

impl SendName {
    /// The names and values of the tags that a provider returns with each receipt. They have only characters that SES accepts.
    pub fn tags(&self, identifier: &IdentifierDigest) -> [(&'static str, String); 3] {
        let [digest, entry, number] = TAGS;
        [(digest, identifier.as_str().to_owned()), (entry, self.entry()), (number, self.number.to_string())]
    }

    /// Reads the tags. `None` if they are none of ours.
    pub fn of_tags<'a>(tag: impl Fn(&str) -> Option<&'a str>) -> Option<(IdentifierDigest, SendName)> {
        let [digest, entry, number] = TAGS.map(tag);
        let (digest, entry) = (digest.filter(|text| is_name(text, DIGEST))?, entry?);
        let (map, key) = entry.split_at_checked(1)?;
        let kept =
            [Kept::Own(Lane::Open), Kept::Own(Lane::Known), Kept::Long].into_iter().find(|kept| mark(*kept) == map)?;
        let key = Some(key).filter(|key| is_name(key, NAME))?.to_owned();
        Some((IdentifierDigest::of_message(digest), SendName { kept, key, number: number?.parse().ok()? }))
    }

    fn entry(&self) -> String {
        format!("{}{}", mark(self.kept), self.key)
    }
}

/// The name in one word, as the table stores it.
impl fmt::Display for SendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.entry(), self.number)
    }
}

fn mark(kept: Kept) -> &'static str {
    match kept {
        Kept::Own(Lane::Open) => "0",
        Kept::Own(Lane::Known) => "1",
        Kept::Long => "2",
    }
}

fn is_name(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Index, MacKey, Tenant};

    /// The message of a long code for another purpose is not the one that clients share.
    #[test]
    fn a_long_code_has_the_message_of_its_purpose() {
        let now = Timestamp::from_unix(1_767_268_800);
        let message = |seconds, purpose| {
            let (resends, receipts) = (Resends { attempts_left: 0, sends: 0, day: 0 }, Receipts::default());
            Message { ends: now.after(std::time::Duration::from_secs(seconds)), resends, purpose, receipts }
        };
        let (shared, confirming) = (message(1, Purpose::SignIn), message(2, Purpose::StepUp));
        let all = [("a", shared), ("b", confirming)].map(|(key, message)| (Kept::Long, key.to_owned(), message));
        let messages = Messages::new(all.into(), None, Calls::default());
        let latest = now.after(std::time::Duration::from_secs(9));
        assert_eq!(messages.long(Purpose::SignIn, latest), Some(shared));
        assert_eq!(messages.long(Purpose::StepUp, latest), Some(confirming));
        assert_eq!(messages.long(Purpose::StepUp, now), None);
    }

    #[test]
    fn only_our_own_tags_name_a_send() {
        let tenant = Tenant::default();
        let identifier = Index::new(MacKey::new([1; 32]), &tenant).identifier(&"ada@example.com".parse().unwrap());
        for kept in [Kept::Own(Lane::Open), Kept::Own(Lane::Known), Kept::Long] {
            let name = SendName { kept, key: "AAAA-_00".to_owned(), number: 3 };
            let tags = name.tags(&identifier);
            assert!(
                tags.iter().all(|(_, value)| value
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte)))
            );
            let read = |tags: &[(&str, String)]| {
                SendName::of_tags(|wanted| {
                    tags.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str())
                })
            };
            assert_eq!(read(&tags), Some((identifier.clone(), name)));
            for (at, wrong) in
                [(0, "A"), (0, ""), (1, ""), (1, "3AAAAAAAA"), (1, "0AAAAAAA#"), (1, "é"), (2, "-1"), (2, "")]
            {
                let mut tags = tags.clone();
                tags[at].1 = wrong.to_owned();
                assert_eq!(read(&tags), None, "{wrong}");
                assert_eq!(read(&tags[..2]), None);
            }
        }
    }
}
