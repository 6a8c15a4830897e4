//! Taking news of a message, in the same way from every provider.

use crate::codes::{News, Told};
use crate::observe::report::{self, About, Step};
use crate::store::table::OtpTable;
use crate::words::{Result, Timestamp};

impl OtpTable {
    /// Keeps the receipt, if it is about the newest message of its code and the first of its kind, and with it the message's id, if the
    /// provider wants to hear that the code was used. After a refused or delivered mail, begins
    /// or ends the hold of its address, if no newer mail was sent there. Remembers a complaint and an opt-out. The same news again changes nothing.
    ///
    /// # Errors
    /// As [`OtpTable::keep_receipt`], [`OtpTable::reach`] and [`OtpTable::note_complaint`].
    pub async fn take_news(&self, news: &News, now: Timestamp) -> Result<()> {
        let News { identifier, name, message, told, at, after, price, wants_feedback, is_opt_out } = news;
        report::about(About::Identifier(identifier));
        let (is_news, ends) = match told {
            Told::Receipt(receipt, reach) => {
                let id = wants_feedback.then_some(message.as_str());
                let (is_news, item) = self.keep_receipt(identifier, name, (*receipt, *after), id).await?;
                let ends = match reach {
                    Some(reach) => self.reach(identifier, name, (*reach, *at), item).await?,
                    None => None,
                };
                (is_news, ends)
            }
            Told::Complaint => (self.note_complaint(identifier, *at).await?, None),
        };
        if *is_opt_out {
            self.note_opt_out(identifier, *at).await?;
        }
        let held = ends.map(|ends| now.until(ends).as_secs());
        report::note(Step::Receipt {
            receipt: told.name().into(),
            message: message.clone(),
            price: *price,
            news: is_news,
            held,
        });
        Ok(())
    }
}
