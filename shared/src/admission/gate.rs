//! The checks before a message is sent. Messages cost money and reputation, and an attacker can request them (V40, V66).
//!
//! 1. [`Rules::reach`] and [`Gate::know`] run first. They cost no call.
//! 2. [`Gate::look`] counts the request, so that a request over a limit changes nothing else.
//! 3. [`Gate::allow`] decides, once the client's lane is known.
//! 4. [`Gate::reserve`] runs in parallel with the write that begins the challenge.
//! 5. [`Gate::take`] counts the message for good and returns a [`Permit`]. Nothing is sent without one (S160).
//! 6. [`Gate::give_back`] runs after a send that was certainly rejected, and [`Payment::pay`] after the code was used.
//!
//! A mail that was counted but is not sent comes back when its count is dropped, whatever stopped it.

use std::time::Duration;

use crate::aws::Feedback;
use crate::codes::{Action, Allowance, MailFacts, MailPolicy, Quota, SmsPolicy, Target, Waiting, blurred, day_end};
use crate::observe::report::{self, Step};
use crate::store::{CountedMail, OtpTable, Requests, SmsCounts};
use crate::words::{Destination, DomainDigest, Error, Index, Lane, NetworkDigest, Result, Timestamp};

/// The rules about messages.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The requests for codes of one network.
    pub requests: Allowance,
    /// The rules for mail.
    pub mail: &'a MailPolicy,
    /// The rules for SMS.
    pub sms: &'a SmsPolicy,
}

impl Rules<'_> {
    /// Checks whether messages may go to `to` at all, before anything is counted.
    ///
    /// # Errors
    /// As [`MailPolicy::reaches`] and [`SmsPolicy::target`].
    pub fn reach(&self, to: &Destination) -> Result<()> {
        match to {
            Destination::Email(email) => self.mail.reaches(email),
            Destination::Sms(phone) | Destination::Voice(phone) | Destination::Whatsapp(phone) => {
                self.sms.target(phone).map(drop)
            }
        }
    }
}

/// What a message is counted by.
enum Way {
    /// The recipient's domain.
    Mail(DomainDigest),
    /// The country and range of a number.
    Sms(Target),
}

impl Way {
    fn of(to: &Destination, sms: &SmsPolicy, index: &Index<'_>) -> Result<Way> {
        Ok(match to {
            Destination::Email(email) => Way::Mail(index.domain(email)),
            Destination::Sms(phone) | Destination::Voice(phone) | Destination::Whatsapp(phone) => {
                Way::Sms(sms.target(phone)?)
            }
        })
    }
}

/// The checks of one message.
pub struct Gate<'a> {
    table: &'a OtpTable,
    rules: Rules<'a>,
    to: &'a Destination,
    network: &'a NetworkDigest,
    way: Way,
    now: Timestamp,
}

/// The counts that [`Gate::look`] found.
pub struct Looked<'a> {
    requests: Requests,
    counts: Counts<'a>,
}

enum Counts<'a> {
    Mail { number: u32, is_domain_full: bool, mail: CountedMail<'a> },
    Sms { target: &'a Target, day: Quota, counts: SmsCounts },
}

/// A message that no limit has refused so far.
pub struct Allowed<'a>(Passed<'a>);

enum Passed<'a> {
    Mail(CountedMail<'a>),
    Sms(&'a Target, Waiting),
}

/// The same, with the network's daily quota when the challenge began.
pub struct Reserved<'a> {
    allowed: Allowed<'a>,
    day: Quota,
}

/// The permission to send one message to one destination. Only [`Gate::take`] makes it.
pub struct Permit<'a> {
    to: &'a Destination,
    mail: Option<CountedMail<'a>>,
}

impl Looked<'_> {
    /// Counts of the network that have no more use, if they are many.
    pub fn old_counts(&mut self) -> Vec<String> {
        std::mem::take(&mut self.requests.past)
    }
}

impl<'a> Gate<'a> {
    /// The checks for a message to `to`, asked for by `network`.
    ///
    /// # Errors
    /// As [`SmsPolicy::target`], if SMS to this number are not allowed.
    pub fn new(
        table: &'a OtpTable,
        rules: Rules<'a>,
        to: &'a Destination,
        index: &Index<'_>,
        network: &'a NetworkDigest,
        now: Timestamp,
    ) -> Result<Gate<'a>> {
        Ok(Gate { table, rules, to, network, way: Way::of(to, rules.sms, index)?, now })
    }

    /// Refuses a network whose limit this instance has seen reached. This costs no call. `may_be_known` is whether the client has
    /// shown a device token.
    ///
    /// # Errors
    /// [`Error::RateLimited`] over a limit.
    pub fn know(&self, may_be_known: bool) -> Result<()> {
        let Gate { table, rules, network, now, .. } = *self;
        let lifts = may_be_known || matches!(self.way, Way::Sms(_));
        self.refuse(table.known_requests(network, rules.requests, lifts, now))?;
        match self.way {
            Way::Mail(_) => Ok(()),
            Way::Sms(_) => self.refuse(table.known_quota(Action::Sms, network, rules.sms.of_network(), now)),
        }
    }

    /// Counts the request on its network, and reads the other counts or takes a lease in parallel. `may_be_known` is whether the
    /// client has shown a device token.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn look(&'a self, may_be_known: bool) -> Result<Looked<'a>> {
        let Gate { table, rules, network, now, .. } = *self;
        let requests = table.count_request(network, rules.requests, matches!(self.way, Way::Mail(_)), now);
        match &self.way {
            Way::Mail(domain) => {
                let (requests, number, is_domain_full) =
                    tokio::join!(requests, table.mail_number(now), table.is_domain_full(domain, now));
                let is_charged = requests.as_ref().is_ok_and(|requests| requests.quota == Quota::Left);
                let mail = CountedMail::new(table, network, domain, now);
                let mail = mail.numbered(number.as_ref().ok().copied()).charged(is_charged);
                Ok(Looked { requests: requests?, counts: Counts::Mail { number: number?, is_domain_full, mail } })
            }
            Way::Sms(target) => {
                let lane = if may_be_known { Lane::Known } else { Lane::Open };
                let (requests, (day, counts)) =
                    tokio::try_join!(requests, table.sms_counts(target, rules.sms, lane, network, now))?;
                Ok(Looked { requests, counts: Counts::Sms { target, day, counts } })
            }
        }
    }

    /// Decides about a message for a client on `lane`. A refused request uses neither a daily quota, nor a budget, nor a message of
    /// the identifier.
    ///
    /// # Errors
    /// [`Error::RateLimited`] over a limit. No limit depends on what the identifier's owner did.
    pub fn allow(&self, looked: Looked<'a>, lane: Lane) -> Result<Allowed<'a>> {
        let Looked { requests, counts } = looked;
        self.refuse(requests.quota)?;
        match counts {
            Counts::Mail { number, is_domain_full, mail } => {
                if lane == Lane::Open {
                    self.refuse(requests.slowed)?;
                }
                let facts = MailFacts { number, is_domain_full, is_owing: requests.is_owing };
                let open = self.rules.mail.may_send(facts, lane);
                report::note(Step::MailBudget { number, daily: self.rules.mail.daily, is_domain_full, open });
                if !open {
                    self.refuse(Quota::SpentUntil(day_end(self.now)))?;
                }
                Ok(Allowed(Passed::Mail(mail)))
            }
            Counts::Sms { target, day, counts } => {
                self.refuse(day)?;
                let waiting = Waiting::draw(lane)?;
                let charge = self.rules.sms.charge(self.to.channel(), target.country, 1);
                let quota = self.table.message_quota(counts, target, self.rules.sms, charge, waiting, self.now);
                self.refuse(quota)?;
                Ok(Allowed(Passed::Sms(target, waiting)))
            }
        }
    }

    /// Removes old counts of the network, in parallel with the answer.
    pub async fn remove_counts(&self, old: Vec<String>) {
        self.table.remove_requests(self.network, &old, self.now).await;
    }

    /// Counts an SMS against its network's daily quota.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn reserve(&self, allowed: Allowed<'a>) -> Result<Reserved<'a>> {
        let day = match &allowed.0 {
            Passed::Mail(_) => Quota::Left,
            Passed::Sms(..) => {
                self.table.count(Action::Sms, self.network, self.rules.sms.of_network(), self.now).await?
            }
        };
        Ok(Reserved { allowed, day })
    }

    /// Counts a text of so many `parts`, or a call, against the daily budgets of messages and of money. Refuses it if other requests have used up a
    /// budget since [`Gate::look`].
    ///
    /// # Errors
    /// [`Error::RateLimited`] over a limit; [`Error::Unavailable`] when the table is unreachable. An SMS is sent only after it has
    /// been counted (S88).
    pub async fn take(&self, reserved: Reserved<'a>, parts: u32) -> Result<Permit<'a>> {
        let Reserved { allowed: Allowed(passed), day } = reserved;
        self.refuse(day)?;
        let mail = match passed {
            Passed::Mail(mail) => Some(mail),
            Passed::Sms(target, waiting) => {
                self.refuse(self.count_to(self.to, target, parts, waiting).await?)?;
                None
            }
        };
        Ok(Permit { to: self.to, mail })
    }

    /// Counts the message that follows a refused text to the same number: `to` by a channel that costs one part. `None` if a limit
    /// refuses it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn follow<'to>(&self, to: &'to Destination, lane: Lane) -> Result<Option<Permit<'to>>> {
        let Way::Sms(target) = &self.way else { return Ok(None) };
        if self.to.identifier() != to.identifier() {
            return Err(Error::internal("a message follows another one to another number"));
        }
        let quota = self.count_to(to, target, 1, Waiting::draw(lane)?).await?;
        Ok((quota == Quota::Left).then_some(Permit { to, mail: None }))
    }

    async fn count_to(&self, to: &Destination, target: &Target, parts: u32, waiting: Waiting) -> Result<Quota> {
        let charge = self.rules.sms.charge(to.channel(), target.country, parts);
        self.table.take_message(target, self.rules.sms, charge, waiting, self.now).await
    }

    /// Returns the breaker debt of a message that was certainly rejected, because its code is useless. The budget stays used.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn give_back(&self) -> Result<()> {
        match &self.way {
            Way::Mail(_) => Ok(()),
            Way::Sms(target) => self.table.forgive_message(target, self.rules.sms, self.now).await,
        }
    }

    /// The error of a used-up limit. The time to wait for an SMS is blurred.
    fn refuse(&self, quota: Quota) -> Result<()> {
        quota.or_refuse(self.now, |wait| Error::RateLimited { retry_after: self.told(wait) })
    }

    fn told(&self, wait: Duration) -> Duration {
        match self.way {
            Way::Mail(_) => wait,
            Way::Sms(_) => blurred(wait, self.network),
        }
    }
}

impl Permit<'_> {
    /// The only destination that the message may go to.
    pub fn to(&self) -> &Destination {
        self.to
    }

    /// The message was sent, or may have been. A permit that is dropped returns a mail to its counts instead.
    pub fn spend(self) {
        if let Some(mail) = self.mail {
            mail.spend();
        }
    }
}

/// What a used code pays off.
pub struct Payment<'a> {
    table: &'a OtpTable,
    sms: &'a SmsPolicy,
    network: NetworkDigest,
    way: Way,
    /// Who hears that the code was used, with the id of its message.
    feedback: Option<(&'a Feedback, String)>,
    now: Timestamp,
}

impl<'a> Payment<'a> {
    /// The payment for a code that was sent to `to` and answered from `network`.
    ///
    /// # Errors
    /// As [`SmsPolicy::target`], if SMS to this number are not allowed.
    pub fn new(
        table: &'a OtpTable,
        sms: &'a SmsPolicy,
        to: &Destination,
        index: &Index<'_>,
        network: NetworkDigest,
        now: Timestamp,
    ) -> Result<Payment<'a>> {
        Ok(Payment { table, sms, network, way: Way::of(to, sms, index)?, feedback: None, now })
    }

    /// Also tells the provider of the code's message, if its id is known.
    #[must_use]
    pub fn with_feedback(self, feedback: &'a Feedback, message: Option<&str>) -> Payment<'a> {
        Payment { feedback: message.map(|id| (feedback, id.to_owned())), ..self }
    }

    /// Pays off breaker debt of SMS, or one unanswered mail of the network, after a code was used. Beside it, tells the provider. A
    /// failure is only logged, because the user is signed in already.
    pub async fn pay(&self) {
        let tell = async {
            if let Some((feedback, message)) = &self.feedback {
                feedback.received(message).await;
            }
        };
        tokio::join!(self.settle(), tell);
    }

    async fn settle(&self) {
        let Payment { table, sms, network, now, .. } = self;
        let paid = match &self.way {
            Way::Sms(target) => table.count_used(target, sms, *now).await,
            Way::Mail(domain) => {
                tokio::try_join!(table.pay_request(network, *now), table.count_used_at(domain, *now)).map(drop)
            }
        };
        if let Err(error) = paid {
            tracing::warn!(cause = error.cause(), "could not count a used code");
        }
    }
}
