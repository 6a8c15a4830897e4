//! Admission: uses up a proof and opens a session for the user of its identifier, or asks for a second factor. Creates the user if
//! needed.

use crate::admission::gate::Payment;
use crate::codes::{ProvenCode, SignInCode, StepUpCode};
use crate::factors::{Entrance, Need, Pending, ProvenFactor, SecondFactorPolicy, TrustToken, Waiting};
use crate::observe::report::{self, Step};
use crate::people::{Familiarity, User};
use crate::sessions::{Opening, Proof, Session};
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
    /// The policy of second factors.
    pub second_factor: &'a SecondFactorPolicy,
}

/// The parts of the request besides the proof, for admission.
pub struct Arrival<'a> {
    /// The user of the proven identifier, if there is one.
    pub owner: Owner,
    /// The details of the new session.
    pub opening: Opening<'a>,
    /// When the client's device token was issued, if it is one of the identifier's.
    pub known_since: Option<Timestamp>,
    /// Its client's token of a trusted device.
    pub trusted: Option<&'a TrustToken>,
    /// The page the user came from, as the client reported it.
    pub source_url: Option<&'a str>,
    /// The current time.
    pub now: Timestamp,
}

/// The outcome of a right code.
#[derive(Debug)]
pub enum Admission {
    /// The user is signed in.
    In(Box<Admitted>),
    /// The sign-in waits for a second factor.
    Due(Box<Pending>),
}

/// A user who has signed in.
#[derive(Debug)]
pub struct Admitted {
    /// The user.
    pub user: User,
    /// The new session.
    pub session: Session,
    /// Whether this request created the user.
    pub is_new: bool,
}

/// Uses up a code. Opens a session, unless the user needs a second factor first (S94). If the user has too many sessions, the oldest
/// ones end.
///
/// # Errors
/// [`Error::InvalidOtp`] if another request used the proof first, if the user signed out everywhere in the meantime, or no longer
/// has the identifier; [`Error::Forbidden`] if sign-up is closed and the identifier
/// has no user; [`Error::Unavailable`] when a table is unreachable.
pub async fn admit(proof: &SignInCode, door: Door<'_>, arrival: Arrival<'_>) -> Result<Admission> {
    let Arrival { owner, opening, known_since, trusted, source_url, now } = arrival;
    let code = proof.proven();
    let entry = Entry { proof, code, door, opening, known_since, trusted, source_url, now };
    let admission = match owner.of(code.identifier())? {
        Some(owner) => entry.sign_in(owner).await?,
        None if door.sign_up_open => entry.sign_up().await?,
        None => {
            // A correct code is used up even if sign-up is closed.
            let is_first = door.challenges.use_up(code, now).await?;
            return Err(if is_first { entry.turn_away().await } else { SIGN_UP_CLOSED });
        }
    };
    let sign_up = match &admission {
        Admission::In(admitted) => admitted.is_new,
        Admission::Due(pending) => pending.entrance().is_some_and(|it| it.familiarity == Familiarity::SignUp),
    };
    report::note(Step::Used { channel: code.to().channel(), sign_up });
    Ok(admission)
}

/// Opens the session of a sign-in whose second factor is proven (S94).
///
/// # Errors
/// [`Error::InvalidOtp`] if the factor is of a step-up or of another user, or if a new epoch has begun; [`Error::Unavailable`] when the
/// table is unreachable.
pub async fn complete(
    factor: &ProvenFactor,
    users: Users<'_>,
    mut user: User,
    opening: Opening<'_>,
    now: Timestamp,
) -> Result<Admitted> {
    let pending = factor.pending();
    let entrance = pending.entrance().filter(|_| user.id == pending.user && user.epoch == pending.epoch);
    let Entrance { familiarity, remember: is_remembered, .. } = entrance.ok_or(Error::InvalidOtp)?;
    let opening = Opening { familiarity, is_remembered, ..opening };
    let session = Session::open(Proof::Factor(factor), user.id.clone(), opening, &Entropy, now)?;
    let (written, entered) = tokio::join!(
        users.put_session(&session),
        users.enter_session(&user, &session.id, opening.policy.per_user, false, now),
    );
    written?;
    if !entered? {
        return Err(Error::InvalidOtp);
    }
    user.last_login = Some(now);
    let is_new = familiarity == Familiarity::SignUp;
    Ok(Admitted { user, session, is_new })
}

/// Uses up the code of a step-up.
///
/// # Errors
/// [`Error::InvalidOtp`] if another request used it first; [`Error::Unavailable`] when a table is unreachable.
pub async fn confirm(code: &StepUpCode, challenges: &OtpTable, payment: &Payment<'_>, now: Timestamp) -> Result<()> {
    let code = code.proven();
    if !challenges.use_up(code, now).await? {
        return Err(Error::InvalidOtp);
    }
    settle(code, challenges, payment).await;
    report::note(Step::Used { channel: code.to().channel(), sign_up: false });
    Ok(())
}

/// After a code was used: pays off debt, and gives back the token of a tagged address's mailbox.
async fn settle(code: &ProvenCode, challenges: &OtpTable, payment: &Payment<'_>) {
    tokio::join!(payment.pay(), challenges.return_tagged(code.identifier()));
}

const SIGN_UP_CLOSED: Error = Error::Forbidden(Forbidden::SignUpClosed);

struct Entry<'a> {
    proof: &'a SignInCode,
    code: &'a ProvenCode,
    door: Door<'a>,
    opening: Opening<'a>,
    known_since: Option<Timestamp>,
    trusted: Option<&'a TrustToken>,
    source_url: Option<&'a str>,
    now: Timestamp,
}

impl Entry<'_> {
    async fn sign_in(&self, owner: UserId) -> Result<Admission> {
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

    /// Opens a session of the user, or asks for a second factor. The code is already used up.
    async fn enter(&self, user: User) -> Result<Admission> {
        // The ID# item was read before the user, and may have changed since.
        let proven = self.code.to().identifier();
        if !user.identifiers().any(|own| own.kind() == proven.kind() && own.key() == proven.key()) {
            return Err(Error::InvalidOtp);
        }
        match self.door.second_factor.need(&user, self.known_since, self.code.is_long(), self.now) {
            Need::Nothing => self.open(user, false).await,
            Need::Grace => self.open(user, true).await,
            Need::Factor => {
                let factors = self.door.users.factors(&user.id);
                let Some(token) = self.trusted else {
                    let (factors, ()) = tokio::join!(factors, self.settle());
                    return Ok(self.due(&user, factors?.proven, Waiting::SignIn));
                };
                let factors = factors.await?;
                if factors.trusted_by(token, user.epoch, self.now).is_some() {
                    return self.open(user, false).await;
                }
                self.settle().await;
                Ok(self.due(&user, factors.proven, Waiting::SignIn))
            }
            Need::Enrolment => {
                let (factors, ()) = tokio::join!(self.door.users.factors(&user.id), self.settle());
                Ok(self.due(&user, factors?.proven, Waiting::Enrolment))
            }
        }
    }

    async fn open(&self, mut user: User, is_grace: bool) -> Result<Admission> {
        let users = self.door.users;
        let session = Session::open(Proof::Code(self.proof), user.id.clone(), self.opening, &Entropy, self.now)?;
        let (written, entered, ()) = tokio::join!(
            users.put_session(&session),
            users.enter_session(&user, &session.id, self.opening.policy.per_user, is_grace, self.now),
            self.settle(),
        );
        written?;
        if !entered? {
            return Err(Error::InvalidOtp);
        }
        user.last_login = Some(self.now);
        Ok(Admission::In(Box::new(Admitted { user, session, is_new: false })))
    }

    fn due(&self, user: &User, proven: u32, waiting: fn(Entrance) -> Waiting) -> Admission {
        let Opening { familiarity, is_remembered: remember, .. } = self.opening;
        let entrance = Entrance { channel: self.code.to().channel(), familiarity, remember };
        Admission::Due(Box::new(Pending::new(&user.id, user.epoch, proven, waiting(entrance), self.now)))
    }

    /// Signs up anew, because `deleted` was deleted by hand and its `ID#` item was left. The code is already used up.
    async fn replace(&self, deleted: &UserId) -> Result<Admission> {
        if !self.door.sign_up_open {
            return Err(self.turn_away().await);
        }
        let (session, user) = self.new_user()?;
        let (users, identifier) = (self.door.users, self.code.identifier());
        match users.replace(deleted, identifier, user, &session, self.now).await? {
            SignUp::Done(user) => Ok(self.signed_up(user, session).await),
            SignUp::Taken(owner) => self.enter(users.user(&owner).await?.ok_or(Error::InvalidOtp)?).await,
            SignUp::UsedUp => Err(Error::InvalidOtp),
        }
    }

    async fn sign_up(&self) -> Result<Admission> {
        let (session, user) = self.new_user()?;
        let Door { users, challenges, .. } = self.door;
        match users.sign_up(challenges, self.code, user, &session, self.now).await? {
            SignUp::Done(user) => Ok(self.signed_up(user, session).await),
            SignUp::Taken(owner) => self.sign_in(owner).await,
            SignUp::UsedUp => Err(Error::InvalidOtp),
        }
    }

    async fn signed_up(&self, user: User, session: Session) -> Admission {
        self.settle().await;
        match user.has(&session.id) {
            true => Admission::In(Box::new(Admitted { user, session, is_new: true })),
            false => {
                let entrance = Entry { opening: Opening { familiarity: Familiarity::SignUp, ..self.opening }, ..*self };
                entrance.due(&user, 0, Waiting::Enrolment)
            }
        }
    }

    fn new_user(&self) -> Result<(Session, NewUser<'_>)> {
        let user = UserId::draw(&Entropy, self.now)?;
        let opening = Opening { familiarity: Familiarity::SignUp, ..self.opening };
        let session = Session::open(Proof::Code(self.proof), user, opening, &Entropy, self.now)?;
        let identifier = self.code.to().identifier();
        let mut user = User::sign_up(session.user.clone(), &identifier, &session.id, self.now);
        let need = self.door.second_factor.need_at_sign_up(self.now);
        let opens = need != Need::Enrolment;
        if !opens {
            user.sessions.clear();
        }
        user.grace_began = (need == Need::Grace).then_some(self.now);
        Ok((session, NewUser { user, source_url: self.source_url, opens, request_token: random_id(&Entropy)? }))
    }

    async fn turn_away(&self) -> Error {
        self.settle().await;
        SIGN_UP_CLOSED
    }

    async fn settle(&self) {
        settle(self.code, self.door.challenges, self.door.payment).await;
    }
}
