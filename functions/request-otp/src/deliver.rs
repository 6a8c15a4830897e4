//! Step 3: the send, inline and for everybody alike, so that its time says nothing (V09).

use shared::codes::Quota;
use shared::http::TokenDelivery;
use shared::messages::{Channel, Message, Sent, Text};
use shared::observe::report::{self, Step};
use shared::words::{Error, Identifier, Phone, Result};

use crate::RequestOtp;
use crate::begin::{Asking, Begun};

impl RequestOtp {
    /// Sends the draft's code. A send that was surely refused is taken back, and may be repeated at once.
    pub(crate) async fn deliver(&self, asking: Asking<'_>, begun: &Begun) -> Result<()> {
        let Asking { identifier, key, life, .. } = asking;
        let code = begun.draft.code(begun.strength);
        let sent = match identifier {
            Identifier::Email(email) => self.mailer.send(email, Message::with_code(&self.product, code, life)?).await?,
            Identifier::Phone(phone) => self.text(phone, asking, begun).await?,
        };
        self.note(identifier, &sent);
        let Sent::Refused(reason) = sent else { return Ok(()) };
        tracing::warn!(reason, identifier = key, "the code was not sent");
        let is_free = self.table.withdraw(&begun.draft, begun.strength, key).await?;
        let is_told = asking.delivery == TokenDelivery::Body;
        let challenge = is_told.then(|| begun.draft.id.reveal().to_owned());
        let retry_after = (!is_free).then_some(self.policy.resend_after);
        Err(match identifier {
            Identifier::Email(_) => Error::EmailSendFailed { challenge, retry_after },
            Identifier::Phone(_) => Error::SmsSendFailed { challenge, retry_after },
        })
    }

    fn note(&self, identifier: &Identifier, sent: &Sent) {
        let country = match identifier {
            Identifier::Email(_) => None,
            Identifier::Phone(phone) => phone.plan().country.map(|country| country.code().into()),
        };
        let refused = match sent {
            Sent::Accepted => None,
            Sent::Refused(reason) => Some(reason.clone()),
        };
        report::note(Step::Delivery { channel: Channel::of(identifier).name().into(), country, refused });
    }

    /// Takes an SMS out of the day's budget, for good, and sends it.
    async fn text(&self, phone: &Phone, asking: Asking<'_>, begun: &Begun) -> Result<Sent> {
        let (sms, now) = (&self.policy.sms, asking.now);
        let target = sms.target(phone)?;
        let quota = match begun.day {
            Quota::Left => self.table.take_message(&target, sms, now).await?,
            closed => closed,
        };
        if let Err(refusal) = quota.or_refuse(now, |retry_after| Error::RateLimited { retry_after }) {
            // Somebody was quicker since step 1: what was begun may be sent as soon as there is room again.
            self.table.withdraw(&begun.draft, begun.strength, asking.key).await?;
            return Err(refusal);
        }
        let text =
            Text::with_code(&self.product, begun.draft.code(begun.strength), asking.life, self.texter.webotp_host());
        let sent = self.texter.send(phone, text).await?;
        if let Sent::Refused(_) = sent {
            self.table.forgive_message(&target, sms, now).await?;
        }
        Ok(sent)
    }
}
