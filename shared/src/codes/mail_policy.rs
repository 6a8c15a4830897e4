//! The mail policy: the domains that may get mail, and how many mails a day. Strangers could otherwise spend the sender's reputation
//! (V66).

use std::fmt;

use crate::codes::limits::Allowance;
use crate::config::Reader;
use crate::words::{Email, Error, Forbidden, Lane, Result, is_host_label};

/// Where codes go by mail, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailPolicy {
    /// Mails in a UTC day, for the whole stack.
    pub daily: u32,
    /// The only domains that get mail. If empty, all do.
    pub allow: Vec<Domains>,
    /// Domains that get no mail.
    pub deny: Vec<Domains>,
}

/// A domain, or all domains below one (`*.example.com`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domains {
    name: String,
    is_below: bool,
}

/// The least number of mails in a day that a domain may get.
pub const LEAST_OF_DOMAIN: u32 = 1_000;
/// A domain may get so many mails in a day for each code that was used there in the last seven days.
const PER_USED_CODE: u32 = 10;
/// Requests in a window of a network with as many unanswered mails as it may make requests in a window.
pub const SLOWED: u32 = 2;

/// The facts about a mail, as far as the gate may use them. None depends on the identifier.
#[derive(Clone, Copy, Debug)]
pub struct MailFacts {
    /// Which mail of the day it is, from 1.
    pub number: u32,
    /// Whether its domain has got the day's mails.
    pub is_domain_full: bool,
    /// Whether a mail of the day to the client's network is unanswered.
    pub is_owing: bool,
}

impl MailPolicy {
    /// Reads the settings for the limits of mail.
    pub fn read(read: &mut Reader<'_>) -> MailPolicy {
        let expected = "domains such as example.com or *.example.com, in ASCII, separated by commas";
        MailPolicy {
            daily: read.count("MAIL_DAILY_BUDGET", 20_000, 0..=100_000_000),
            allow: read.list("MAIL_ALLOW", expected, Domains::read),
            deny: read.list("MAIL_DENY", expected, Domains::read),
        }
    }

    /// Checks whether codes may go to `email`.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if `MAIL_DENY` names its domain, or if `MAIL_ALLOW` names others only.
    pub fn reaches(&self, email: &Email) -> Result<()> {
        let named_in = |list: &[Domains]| list.iter().any(|domains| domains.contain(email.domain()));
        if named_in(&self.deny) || !(self.allow.is_empty() || named_in(&self.allow)) {
            return Err(Error::Forbidden(Forbidden::MailDomain));
        }
        Ok(())
    }

    /// Whether a mail may be sent until the day ends. Known devices always get theirs, and a network that answers its mails gets
    /// one until twice the day's total. So nobody can switch mail or a domain off for its people (S163).
    pub fn may_send(&self, facts: MailFacts, lane: Lane) -> bool {
        let MailFacts { number, is_domain_full, is_owing } = facts;
        match lane {
            Lane::Known => true,
            Lane::Open if number > self.daily.saturating_mul(2) => false,
            Lane::Open => !is_owing || !(is_domain_full || number > self.daily),
        }
    }

    /// The mails that a domain may get in a day, if so many codes were used there in the last seven days.
    pub fn of_domain(used_in_a_week: u32) -> u32 {
        used_in_a_week.saturating_mul(PER_USED_CODE).max(LEAST_OF_DOMAIN)
    }

    /// The unanswered mails in a day at which a network is slowed: as many as its requests in one window.
    pub fn most_unanswered(requests: Allowance) -> u32 {
        requests.count
    }
}

impl fmt::Display for Domains {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(text, "{}{}", if self.is_below { "*." } else { "" }, self.name)
    }
}

impl Domains {
    fn read(text: &str) -> Option<Domains> {
        let text = text.to_ascii_lowercase();
        let (name, is_below) = text.strip_prefix("*.").map_or((text.as_str(), false), |name| (name, true));
        let is_name = name.split('.').all(is_host_label) && (is_below || name.contains('.'));
        is_name.then(|| Domains { name: name.to_owned(), is_below })
    }

    fn contain(&self, domain: &str) -> bool {
        match self.is_below {
            false => domain == self.name,
            true => domain.strip_suffix(&self.name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &str, deny: &str) -> std::result::Result<MailPolicy, String> {
        let lookup = |name: &str| match name {
            "MAIL_ALLOW" => Some(allow.to_owned()),
            "MAIL_DENY" => Some(deny.to_owned()),
            _ => None,
        };
        crate::config::read(lookup, MailPolicy::read).map_err(|problems| problems.to_string())
    }

    #[test]
    fn a_domain_is_named_or_is_below_a_named_one() {
        let reaches = |allow, deny, address: &str| {
            let email = address.parse().unwrap();
            policy(allow, deny).unwrap().reaches(&email).is_ok()
        };
        for (allow, deny, address, is_reached) in [
            ("", "", "ada@example.com", true),
            ("example.com", "", "ada@example.com", true),
            ("Example.COM, example.org", "", "ada@example.org", true),
            ("example.com", "", "ada@mail.example.com", false),
            ("*.example.com", "", "ada@mail.example.com", true),
            ("*.example.com", "", "ada@a.b.example.com", true),
            ("*.example.com", "", "ada@example.com", false),
            ("*.example.com", "", "ada@notexample.com", false),
            ("*.test", "", "ada@example.test", true),
            ("", "example.com", "ada@example.com", false),
            ("", "example.com", "ada@example.org", true),
            ("*.example.com", "bad.example.com", "ada@bad.example.com", false),
        ] {
            assert_eq!(reaches(allow, deny, address), is_reached, "{allow}; {deny}; {address}");
        }
        for wrong in [
            "ada@example.com",
            "example",
            "*",
            "*.",
            "a..b",
            "*.*.com",
            ".example.com",
            "exa mple.com",
            "bücher.example",
        ] {
            assert!(policy(wrong, "").unwrap_err().contains("MAIL_ALLOW: expected domains such as"), "{wrong}");
        }
    }

    #[test]
    fn a_limit_stops_only_who_leaves_mails_unanswered() {
        let policy = MailPolicy { daily: 100, ..policy("", "").unwrap() };
        let may_send = |number, is_domain_full, is_owing| {
            let facts = MailFacts { number, is_domain_full, is_owing };
            [Lane::Open, Lane::Known].map(|lane| policy.may_send(facts, lane))
        };
        assert_eq!(may_send(100, false, true), [true, true]);
        assert_eq!(may_send(101, false, true), [false, true]);
        assert_eq!(may_send(1, true, true), [false, true]);
        assert_eq!(may_send(200, true, false), [true, true]);
        assert_eq!(may_send(201, false, false), [false, true]);
        assert_eq!([0, 100, 101, u32::MAX].map(MailPolicy::of_domain), [1_000, 1_000, 1_010, u32::MAX]);
    }
}
