//! Admission: a proof is used up and opens a session, for the user that its identifier has or will have.

use crate::admission::gate::Gate;
use crate::codes::{ProvenCode, SmsPolicy};
use crate::observe::report::{self, Step};
use crate::people::User;
use crate::sessions::{Opening, Proof, Session};
use crate::store::{NewUser, OtpTable, Owner, SignUp, Users};
use crate::words::{Entropy, Error, Result, Timestamp, UserId, random_id};

/// The door that somebody comes to: what admission takes from the deployment.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    /// The users of the request's tenant.
    pub users: Users<'a>,
    /// Where codes are used up.
    pub challenges: &'a OtpTable,
    /// What a used code pays to.
    pub sms: &'a SmsPolicy,
    /// Whether an identifier without a user gets one.
    pub sign_up_open: bool,
}

/// What somebody brings beside the proof.
pub struct Arrival<'a> {
    /// Whose the proved identifier is.
    pub owner: Owner,
    /// How the session is opened.
    pub opening: Opening<'a>,
    /// Where the person came from, in the client's words.
    pub source_url: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
}

/// Whoever has signed in.
pub struct Admitted {
    /// The user.
    pub user: User,
    /// The session that was opened.
    pub session: Session,
    /// Whether the user was made for it.
    pub is_new: bool,
}

/// Uses the proof up and opens a session under the session limit.
///
/// # Errors
/// [`Error::InvalidOtp`] where somebody used the proof first; [`Error::Forbidden`] where a new user would be needed and
/// sign-up is closed; [`Error::Unavailable`] when a table is unreachable.
pub async fn admit(proof: &Proof, door: Door<'_>, arrival: Arrival<'_>) -> Result<Admitted> {
    let Proof::Code(code) = proof;
    let Arrival { owner, opening, source_url, now } = arrival;
    let gate = Gate::new(door.challenges, door.sms, code.to(), now)?;
    let entry = Entry { proof, code, door, gate, opening, now };
    let admitted = match owner.of(code.identifier())? {
        Some(owner) => entry.sign_in(owner).await?,
        None if door.sign_up_open => entry.sign_up(source_url).await?,
        None => return Err(entry.turn_away().await?),
    };
    report::note(Step::Used { channel: code.to().channel(), sign_up: admitted.is_new });
    Ok(admitted)
}

struct Entry<'a> {
    proof: &'a Proof,
    code: &'a ProvenCode,
    door: Door<'a>,
    gate: Gate<'a>,
    opening: Opening<'a>,
    now: Timestamp,
}

impl Entry<'_> {
    async fn sign_in(&self, owner: UserId) -> Result<Admitted> {
        let Door { users, challenges, .. } = self.door;
        let (is_first, user) = tokio::try_join!(challenges.use_up(self.code, self.now), users.user(&owner))?;
        if !is_first {
            return Err(Error::InvalidOtp);
        }
        let mut user = user.ok_or_else(|| Error::internal("an identifier names a user that is not there"))?;
        let session = self.open(owner)?;
        let (written, entered, ()) = tokio::join!(
            users.put_session(&session),
            users.enter_session(&user, &session.id, self.opening.policy.per_user, self.now),
            self.gate.pay(),
        );
        written.and(entered)?;
        user.last_login = Some(self.now);
        Ok(Admitted { user, session, is_new: false })
    }

    async fn sign_up(&self, source_url: Option<&str>) -> Result<Admitted> {
        let session = self.open(UserId::draw(&Entropy, self.now)?)?;
        let identifier = self.code.to().identifier();
        let user = User::sign_up(session.user.clone(), &identifier, &session.id, self.now);
        let request_token = random_id(&Entropy)?;
        let new = NewUser { code: self.code, user, source_url, request_token: &request_token };
        match self.door.users.sign_up(self.door.challenges, new, &session, self.now).await? {
            SignUp::Done(user) => {
                self.gate.pay().await;
                Ok(Admitted { user, session, is_new: true })
            }
            SignUp::Taken(owner) => self.sign_in(owner).await,
            SignUp::UsedUp => Err(Error::InvalidOtp),
        }
    }

    /// A right code is used up also where it opens nothing.
    async fn turn_away(&self) -> Result<Error> {
        if self.door.challenges.use_up(self.code, self.now).await? {
            self.gate.pay().await;
        }
        Ok(Error::Forbidden("Sign-up is closed. Only existing users can sign in."))
    }

    fn open(&self, user: UserId) -> Result<Session> {
        Session::open(self.proof, user, self.opening, &Entropy, self.now)
    }
}
