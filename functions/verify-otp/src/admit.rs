//! Steps 3 and 4: use the code up and open a session, for the user that the identifier has or will have.

use shared::codes::Proof;
use shared::messages::Channel;
use shared::observe::report::{self, Step};
use shared::people::User;
use shared::sessions::{Opening, Session};
use shared::store::{NewUser, SignUp};
use shared::words::{Entropy, Error, Identifier, Result, UserId, random_id};

use crate::VerifyOtp;
use crate::prove::Try;

/// Whoever has signed in.
pub(crate) struct Admitted {
    pub(crate) user: User,
    pub(crate) session: Session,
    pub(crate) is_new: bool,
}

impl VerifyOtp {
    /// Admits whoever gave the proof.
    pub(crate) async fn admit(
        &self,
        answered: &Try<'_>,
        proof: &Proof,
        owner: Option<UserId>,
        opening: Opening<'_>,
    ) -> Result<Admitted> {
        let admitted = match owner {
            Some(owner) => self.sign_in(answered, proof, owner, opening).await,
            None if self.sign_up_open => self.sign_up(answered, proof, opening).await,
            None => {
                if self.challenges.use_up(&answered.key, proof, answered.now).await? {
                    self.count_used(answered).await;
                }
                Err(Error::Forbidden("Sign-up is closed."))
            }
        }?;
        let channel = Channel::of(&answered.answer.identifier).name().into();
        report::note(Step::Used { channel, sign_up: admitted.is_new });
        Ok(admitted)
    }

    /// Tells the pumping breaker that a person answered. They are signed in already, whatever becomes of the count.
    async fn count_used(&self, answered: &Try<'_>) {
        let Identifier::Phone(phone) = &answered.answer.identifier else { return };
        let sms = &self.policy.sms;
        let Ok(target) = sms.target(phone) else { return };
        if let Err(error) = self.challenges.count_used(&target, sms, answered.now).await {
            tracing::warn!(cause = error.cause(), "a used code was not counted");
        }
    }

    async fn sign_up(&self, answered: &Try<'_>, proof: &Proof, opening: Opening<'_>) -> Result<Admitted> {
        let Try { answer, key, now, .. } = answered;
        let session = Session::open(UserId::draw(&Entropy, *now)?, opening, &Entropy, *now)?;
        let user = User::sign_up(session.user.clone(), &answer.identifier, &session.id, *now);
        let (source_url, request_token) = (answer.source_url.as_deref(), &random_id(&Entropy)?);
        let new_user = NewUser { identifier: key, proof, user, source_url, request_token };
        match self.users.sign_up(&self.challenges, new_user, &session, *now).await? {
            SignUp::Done(user) => {
                self.count_used(answered).await;
                Ok(Admitted { user, session, is_new: true })
            }
            SignUp::Taken(owner) => self.sign_in(answered, proof, owner, opening).await,
            SignUp::UsedUp => Err(Error::InvalidOtp),
        }
    }

    async fn sign_in(
        &self,
        answered: &Try<'_>,
        proof: &Proof,
        owner: UserId,
        opening: Opening<'_>,
    ) -> Result<Admitted> {
        let Try { key, now, .. } = answered;
        let (is_first, user) = tokio::try_join!(self.challenges.use_up(key, proof, *now), self.users.user(&owner))?;
        if !is_first {
            return Err(Error::InvalidOtp);
        }
        let mut user = user.ok_or_else(|| Error::internal("an identifier names a user that is not there"))?;
        let session = Session::open(owner, opening, &Entropy, *now)?;
        let (written, entered, ()) = tokio::join!(
            self.users.put_session(&session),
            self.users.enter_session(&user, &session.id, self.sessions.per_user, *now),
            self.count_used(answered),
        );
        written.and(entered)?;
        user.last_login = Some(*now);
        Ok(Admitted { user, session, is_new: false })
    }
}
