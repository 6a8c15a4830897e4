//! Admission: uses up a proof and opens a session for the user of its identifier. Creates the user if needed.

use crate::admission::gate::Payment;
use crate::codes::ProvenCode;
use crate::observe::report::{self, Step};
use crate::people::User;
use crate::sessions::{Familiarity, Opening, Proof, Session};
use crate::store::{NewUser, OtpTable, Owner, SignUp, Users};
use crate::words::{Entropy, Error, Forbidden, Result, Timestamp, UserId, random_id};

/// The tables and rules of the deployment, for admission.
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

/// The parts of the request besides the proof, for admission.
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
/// [`Error::InvalidOtp`] if another request used the proof first, if the user signed out everywhere in the meantime, or no longer
/// has the identifier; [`Error::Forbidden`] if sign-up is closed and the identifier
/// has no user; [`Error::Unavailable`] when a table is unreachable.
pub async fn admit(proof: &Proof, door: Door<'_>, arrival: Arrival<'_>) -> Result<Admitted> {
    let Proof::Code(code) = proof;
    let code = code.proven();
    let Arrival { owner, opening, source_url, now } = arrival;
    let entry = Entry { proof, code, door, opening, source_url, now };
    let admitted = match owner.of(code.identifier())? {
        Some(owner) => entry.sign_in(owner).await?,
        None if door.sign_up_open => entry.sign_up().await?,
        None => {
            // A correct code is used up even if sign-up is closed.
            let is_first = door.challenges.use_up(code, now).await?;
            return Err(if is_first { entry.turn_away().await } else { SIGN_UP_CLOSED });
        }
    };
    report::note(Step::Used { channel: code.to().channel(), sign_up: admitted.is_new });
    Ok(admitted)
}

const SIGN_UP_CLOSED: Error = Error::Forbidden(Forbidden::SignUpClosed);

struct Entry<'a> {
    proof: &'a Proof,
    code: &'a ProvenCode,
    door: Door<'a>,
    opening: Opening<'a>,
    source_url: Option<&'a str>,
    now: Timestamp,
}

impl Entry<'_> {
    async fn sign_in(&self, owner: UserId) -> Result<Admitted> {
        let Door { users, challenges, .. } = self.door;
        let (is_first, user) = tokio::try_join!(challenges.use_up(self.code, self.now), users.user(&owner))?;
        if !is_first {
            return Err(Error::InvalidOtp);
        }
        match user {
            Some(user) => self.enter(user).await,
            None => self.replace(&owner).await,
        }
    }

    /// Opens a session of the user. The code is already used up.
    async fn enter(&self, mut user: User) -> Result<Admitted> {
        let users = self.door.users;
        // The ID# item was read before the user, and may have changed since.
        let proven = self.code.to().identifier();
        if !user.identifiers().any(|own| own.kind() == proven.kind() && own.key() == proven.key()) {
            return Err(Error::InvalidOtp);
        }
        let session = self.open(user.id.clone())?;
        let (written, entered, ()) = tokio::join!(
            users.put_session(&session),
            users.enter_session(&user, &session.id, self.opening.policy.per_user, self.now),
            self.settle(),
        );
        written?;
        if !entered? {
            return Err(Error::InvalidOtp);
        }
        user.last_login = Some(self.now);
        Ok(Admitted { user, session, is_new: false })
    }

    /// Signs up anew, because `deleted` was deleted by hand and its `ID#` item was left. The code is already used up.
    async fn replace(&self, deleted: &UserId) -> Result<Admitted> {
        if !self.door.sign_up_open {
            return Err(self.turn_away().await);
        }
        let (session, user) = self.new_user()?;
        let (users, identifier) = (self.door.users, self.code.identifier());
        match users.replace(deleted, identifier, user, &session, self.now).await? {
            SignUp::Done(user) => {
                self.settle().await;
                Ok(Admitted { user, session, is_new: true })
            }
            SignUp::Taken(owner) => self.enter(users.user(&owner).await?.ok_or(Error::InvalidOtp)?).await,
            SignUp::UsedUp => Err(Error::InvalidOtp),
        }
    }

    async fn sign_up(&self) -> Result<Admitted> {
        let (session, user) = self.new_user()?;
        let Door { users, challenges, .. } = self.door;
        match users.sign_up(challenges, self.code, user, &session, self.now).await? {
            SignUp::Done(user) => {
                self.settle().await;
                Ok(Admitted { user, session, is_new: true })
            }
            SignUp::Taken(owner) => self.sign_in(owner).await,
            SignUp::UsedUp => Err(Error::InvalidOtp),
        }
    }

    fn new_user(&self) -> Result<(Session, NewUser<'_>)> {
        let user = UserId::draw(&Entropy, self.now)?;
        let opening = Opening { familiarity: Familiarity::SignUp, ..self.opening };
        let session = Session::open(self.proof, user, opening, &Entropy, self.now)?;
        let identifier = self.code.to().identifier();
        let user = User::sign_up(session.user.clone(), &identifier, &session.id, self.now);
        Ok((session, NewUser { user, source_url: self.source_url, request_token: random_id(&Entropy)? }))
    }

    async fn turn_away(&self) -> Error {
        self.settle().await;
        SIGN_UP_CLOSED
    }

    /// After the code was used: pays off debt, and gives back the token of a tagged address's mailbox.
    async fn settle(&self) {
        tokio::join!(self.door.payment.pay(), self.door.challenges.return_tagged(self.code.identifier()));
    }

    fn open(&self, user: UserId) -> Result<Session> {
        Session::open(self.proof, user, self.opening, &Entropy, self.now)
    }
}
