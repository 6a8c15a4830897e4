//! Step-up: a user proves again, within a session, that it is them.

use shared::admission::{CodeCheck, FactorCheck, Payment, TypedCode, confirm};
use shared::codes::Purpose;
use shared::factors::{Method, PENDING_LIFE, Pending, Waiting};
use shared::http::{Reply, Request, RequestKeys};
use shared::sessions::{Proof, Session, Subject, Transaction};
use shared::store::{Raise, Users};
use shared::texts::answers;
use shared::words::{Error, Index, Result, Timestamp};

use crate::SecondFactor;
use crate::wire::{Options, OptionsBody, SteppedUp, SubmittedProof, SubmittedStepUp};

/// How often a session is read again because a refresh was first.
const MOST_ROUNDS: usize = 16;

impl SecondFactor {
    /// A user steps up with what a sign-in would ask for now. Trusted devices do not count (S96).
    pub(crate) async fn options(&self, request: &Request, now: Timestamp) -> Result<Reply> {
        let subject = self.checker.subject(request, now).await?;
        let OptionsBody { transaction } = request.json()?;
        let transaction = transaction.as_deref().map(str::parse::<Transaction>).transpose()?;
        let users = self.users.of(request.tenant());
        let (user, keys) = tokio::try_join!(users.living(&subject), self.issuer.keys(request, now))?;
        let needs_factor = self.policy.mode.asks(&user);
        let methods = Method::of_step_up(needs_factor);
        if !needs_factor {
            return Reply::ok(Options { success: true, methods, challenge_id: None, expires_in: None });
        }
        let factors = users.factors(&user.id).await?;
        let transaction = transaction.map(|transaction| transaction.digest().to_owned());
        let waiting = Waiting::StepUp { session: subject.session, transaction };
        let id = keys.pendings().seal(&Pending::new(&user.id, user.epoch, factors.proven, waiting, now), now)?;
        Reply::ok(Options {
            success: true,
            methods,
            challenge_id: Some(id.reveal()),
            expires_in: Some(PENDING_LIFE.as_secs()),
        })
    }

    pub(crate) async fn step_up(&self, request: &Request, now: Timestamp) -> Result<Reply> {
        let subject = self.checker.subject(request, now).await?;
        let SubmittedStepUp { challenge, proof, retry, delivery } = SubmittedStepUp::read(request, &self.frontends)?;
        let keys = self.issuer.keys(request, now).await?;
        let access_key = keys.access_key()?;
        let users = self.users.of(request.tenant());
        let raising = Raising { users, keys: &keys, subject: &subject, retry: retry.as_ref(), request, now };

        let (session, transaction, backup_codes_left) = match proof {
            SubmittedProof::Factor { factor, trusted } => {
                let vault = self.vault(now).await?;
                let pending = keys.pendings().open(&challenge, now).ok_or(Error::InvalidOtp)?;
                let Waiting::StepUp { session, transaction } = &pending.waiting else { return Err(Error::InvalidOtp) };
                // A pending steps up only the session that asked for it (S130).
                if *session != subject.session || pending.user != subject.user {
                    return Err(Error::InvalidOtp);
                }
                let transaction = transaction.clone().map(Transaction::of_digest);
                // The session comes first, so that an ended one counts no attempt.
                let (_, session) = tokio::try_join!(users.living(&subject), users.session(&subject.session))?;
                let check = FactorCheck { users, tenant: request.tenant(), vault: &vault, now };
                let checked = check.check(pending, &factor, trusted.as_ref(), None).await?;
                if !checked.user.has(&subject.session) {
                    return Err(Error::InvalidToken);
                }
                let session = self.raise(raising, session, Proof::Factor(&checked.factor)).await?;
                (session, transaction, checked.backup_codes_left)
            }
            SubmittedProof::Code { to, code, transaction } => {
                let (index, codes) = tokio::try_join!(self.index.keys(now), self.codes.keys(now))?;
                let index = &Index::new(index.index.mac(), request.tenant());
                let (network, purpose) = (request.network, Purpose::StepUp);
                let typed = TypedCode { code: &code, challenge: Some(&challenge), to: &to, network, purpose };
                let opened = typed.open(index, now);
                let check =
                    CodeCheck { challenges: &self.challenges, users, codes: &codes, failures: self.failures, now };
                let (user, session) = tokio::try_join!(users.living(&subject), users.session(&subject.session))?;
                let (code, owner) = check.prove(&opened).await?;
                // A code alone is not enough where a sign-in would ask for more, and it must be the user's own (S271).
                let is_own = owner.of(code.identifier())?.as_ref() == Some(&user.id);
                if self.policy.mode.asks(&user) || !is_own {
                    return Err(Error::InvalidOtp);
                }
                let network = opened.network().clone();
                let payment = Payment::new(&self.challenges, &self.sms, code.to(), index, network, now)?;
                let payment = payment.with_feedback(&self.feedback, code.message());
                let code = code.for_step_up()?;
                confirm(&code, &self.challenges, &payment, now).await?;
                (self.raise(raising, session, Proof::StepUpCode(&code)).await?, transaction, None)
            }
        };
        let mut tokens = keys.issue_for(&session, &access_key, transaction.as_ref())?;
        let cookie = tokens.into_cookie(delivery);
        let (message, expires_in) = (answers::confirmed(request.language), tokens.expires_in);
        Reply::ok(SteppedUp { success: true, message, expires_in, tokens, backup_codes_left })?.with_cookies(cookie)
    }

    /// Moves the session, as just read, to its next generation, with the proof. If a refresh is first, the session is read again, because the factor is
    /// used up already.
    async fn raise(&self, raising: Raising<'_>, mut read: Option<Session>, proof: Proof<'_>) -> Result<Session> {
        let Raising { users, keys, subject, retry, request, now } = raising;
        for _ in 0..MOST_ROUNDS {
            let session = read.filter(|session| *session.user() == subject.user && !session.is_over(now));
            let session = session.filter(|session| keys.admit(session)).ok_or(Error::InvalidToken)?;
            let by = &keys.moved_by(&session, retry)?;
            let next =
                Raise { next_key: keys.refresh_key_id()?, by, device: &request.device(), policy: &self.sessions };
            if let Some(raised) = users.raise(&session, proof, next, now).await? {
                return Ok(raised);
            }
            read = users.session(&subject.session).await?;
        }
        Err(Error::unavailable("too many parallel requests change the session's item"))
    }
}

/// A session that is stepped up.
#[derive(Clone, Copy)]
struct Raising<'a> {
    users: Users<'a>,
    keys: &'a RequestKeys<'a>,
    subject: &'a Subject,
    retry: Option<&'a shared::words::RetryKey>,
    request: &'a Request,
    now: Timestamp,
}
