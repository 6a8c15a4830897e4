//! Holds: an address that refused a mail for good gets none for a while. Never longer than a day, because a mailbox may be repaired.

use std::time::Duration;

use crate::words::Timestamp;

/// How long an address is held after its first, second and each later refusal in a row.
const LENGTHS: [Duration; 3] = [Duration::from_secs(900), Duration::from_secs(7_200), Duration::from_secs(86_400)];

/// Clients of a held address are told to wait so long, whenever the hold ends.
pub const HOLD_WAIT: Duration = Duration::from_secs(900);

/// For so long after a complaint, an address gets few mails.
pub(super) const COMPLAINT: Duration = Duration::from_secs(86_400);
/// The time between two of these mails.
pub(super) const AFTER_COMPLAINT: Duration = Duration::from_secs(600);

/// The receipts of the newest send say this about its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The address refused the mail for good.
    Bounced,
    /// It took the mail.
    Delivered,
}

/// A hold, also after its end: the next one is longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The send that caused it.
    pub by: String,
    /// When that mail was refused.
    pub from: Timestamp,
    /// Refusals in a row, at most three.
    pub level: u32,
}

impl Hold {
    /// When it ends.
    pub fn ends(&self) -> Timestamp {
        let level = usize::try_from(self.level).unwrap_or(usize::MAX).clamp(1, LENGTHS.len());
        self.from.after(LENGTHS.get(level.saturating_sub(1)).copied().unwrap_or_default())
    }

    /// Whether it holds its address.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.ends()
    }

    /// The hold after a receipt of the send `by`, or `None` if this receipt changes nothing. The receipts of one send lead to the same
    /// hold in any order and number: a refusal counts once, and a delivery of the same send takes back only what was before it.
    pub fn next(old: Option<&Hold>, reach: Reach, by: &str, at: Timestamp) -> Option<Option<Hold>> {
        let same = old.filter(|hold| hold.by == by);
        let new = match (reach, same, old) {
            (Reach::Bounced, Some(same), _) => Some(Hold { from: same.from.min(at), ..same.clone() }),
            (Reach::Bounced, None, _) => {
                let before = old.map_or(0, |hold| hold.level);
                let most = u32::try_from(LENGTHS.len()).unwrap_or(u32::MAX);
                Some(Hold { by: by.to_owned(), from: at, level: before.saturating_add(1).min(most) })
            }
            (Reach::Delivered, Some(same), _) => Some(Hold { level: 1, ..same.clone() }),
            (Reach::Delivered, None, _) => None,
        };
        (new.as_ref() != old).then_some(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(1_000_000 + seconds)
    }

    fn after(old: Option<Hold>, receipts: &[(Reach, &str, u64)]) -> Option<Hold> {
        let next = |old: Option<Hold>, (reach, by, second): &(Reach, &str, u64)| {
            Hold::next(old.as_ref(), *reach, by, at(*second)).unwrap_or(old)
        };
        receipts.iter().fold(old, next)
    }

    #[test]
    fn a_hold_grows_with_each_refused_send_to_a_day() {
        let mut hold = None;
        for (by, length) in [("a", 900), ("b", 7_200), ("c", 86_400), ("d", 86_400)] {
            hold = after(hold, &[(Reach::Bounced, by, 10)]);
            assert_eq!(hold.as_ref().unwrap().ends(), at(10 + length));
            assert_eq!(Hold::next(hold.as_ref(), Reach::Bounced, by, at(20)), None, "a repetition counts once");
        }
        assert_eq!(after(hold, &[(Reach::Delivered, "e", 11)]), None);
    }

    #[test]
    fn the_receipts_of_a_send_lead_to_one_hold_in_any_order() {
        let older = Hold { by: "a".to_owned(), from: at(0), level: 2 };
        let (bounced, again, delivered) =
            ((Reach::Bounced, "b", 5), (Reach::Bounced, "b", 7), (Reach::Delivered, "b", 3));
        for old in [None, Some(older)] {
            let expected = Some(Hold { by: "b".to_owned(), from: at(5), level: 1 });
            for order in [
                [bounced, again, delivered],
                [bounced, delivered, again],
                [again, bounced, delivered],
                [again, delivered, bounced],
                [delivered, bounced, again],
                [delivered, again, bounced],
            ] {
                assert_eq!(after(old.clone(), &order), expected, "{order:?}");
            }
        }
    }
}
