//! Admission: uses up a proof and opens a session for the user of its identifier. Creates the user if needed.

use crate::admission::gate::Payment;
use crate::codes::ProvenCode;
use crate::observe::report::{self, Step};
use crate::people::User;
use crate::sessions::{Opening, Proof, Session};
use crate::store::{NewUser, OtpTable, Owner, SignUp, Users};
use crate::words::{Entropy, Error, Result, Timestamp, UserId, random_id};

/// The tables and rules of the deployment that admission uses.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    /// The users of the request's tenant.
    pub users: Users<'a>,
    /// The table that holds the challenge.
    pub challenges: &'a OtpTable,
    /// What a used code pays off.
    pub payment: &'a Payment<'a>,
    /// Whether an identifier without a user may sign up.
    pub sign_up_open: bool,
}

/// The parts of the request that admission uses besides the proof.
pub struct Arrival<'a> {
    /// The user of the proven identifier, if there is one.
    pub owner: Owner,
    /// The details of the new session.
    pub opening: Opening<'a>,
    /// The page the user came from, as the client reported it.
    pub source_url: Option<&'a str>,
    /// The current time.
    pub now: Timestamp,
}

/// A user who has signed in.
pub struct Admitted {
    /// The user.
    pub user: User,
    /// The new session.
    pub session: Session,
    /// Whether this request created the user.
    pub is_new: bool,
}

/// Uses up the proof and opens a session. If the user has too many sessions, the oldest ones end.
///
/// # Errors
/// [`Error::InvalidOtp`] if another request used the proof first; [`Error::Forbidden`] if sign-up is closed and the identifier
/// has no user; [`Error::Unavailable`] when a table is unreachable.
pub async fn admit(proof: &Proof, door: Door<'_>, arrival: Arrival<'_>) -> Result<Admitted> {
    let Proof::Code(code) = proof;
    let Arrival { owner, opening, source_url, now } = arrival;
    let entry = Entry { proof, code, door, opening, now };
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
        let mut user = user.ok_or_else(|| Error::internal("an ID# item names a missing U# item"))?;
        let session = self.open(owner)?;
        let (written, entered, ()) = tokio::join!(
            users.put_session(&session),
            users.enter_session(&user, &session.id, self.opening.policy.per_user, self.now),
            self.door.payment.pay(),
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
                self.door.payment.pay().await;
                Ok(Admitted { user, session, is_new: true })
            }
            SignUp::Taken(owner) => self.sign_in(owner).await,
            SignUp::UsedUp => Err(Error::InvalidOtp),
        }
    }

    /// A correct code is used up even if sign-up is closed.
    async fn turn_away(&self) -> Result<Error> {
        if self.door.challenges.use_up(self.code, self.now).await? {
            self.door.payment.pay().await;
        }
        Ok(Error::Forbidden("Sign-up is closed. Only existing users can sign in."))
    }

    fn open(&self, user: UserId) -> Result<Session> {
        Session::open(self.proof, user, self.opening, &Entropy, self.now)
    }
}
