//! Authenticator apps: a new secret, its confirmation, and the end of an app, also by the paths of a replaced system.

use shared::factors::{
    ENROLMENT_LIFE, Enrolment, LONGEST_NAME, MOST_APPS, PENDING_LIFE, Pending, PendingSeal, SealedSecret,
    SecondFactorMode, TotpCode, TotpSecret, Waiting, otpauth_uri,
};
use shared::http::{Cookie, Reply, Request, TokenDelivery};
use shared::messages::Notice;
use shared::people::User;
use shared::store::{Changed, FactorChange};
use shared::texts::answers;
use shared::words::{Entropy, Error, ExpiresAt, Forbidden, Result, Tenant, Timestamp, is_random_id, random_id};

use crate::actor::Actor;
use crate::wire::{self, Added, Begun, Confirmation};
use crate::{Factors, MOST_ROUNDS, Owner, qr};

const TOO_MANY: Error =
    Error::Forbidden(Forbidden::Request("At most two authenticator apps are possible. Remove one first."));
const LAST: Error = Error::Forbidden(Forbidden::Request(
    "This is your last second factor, and one is required. Add another one first.",
));

impl Factors {
    pub(crate) async fn begin(&self, request: &Request, now: Timestamp) -> Result<Reply> {
        let body: wire::TotpBody = request.json()?;
        let name = name(body.name)?;
        let actor = self.actor(request, body.challenge_id, body.token_delivery, now).await?;
        let Begun { id, secret, uri, end } = self.begin_for(&actor, name, request.tenant(), true, now).await?;
        Reply::ok(wire::Secret {
            success: true,
            factor_id: &id,
            secret: secret.base32(),
            qr_svg: qr::svg(&uri)?,
            otpauth_uri: uri,
            expires_in: now.until(end.moment()).as_secs(),
        })
    }

    async fn begin_for(
        &self,
        actor: &Actor,
        name: String,
        tenant: &Tenant,
        is_change: bool,
        now: Timestamp,
    ) -> Result<Begun> {
        let (vault, owner) = tokio::try_join!(self.vault(now), self.owner(actor, tenant, is_change, now))?;
        let Owner { user, factors } = owner;
        if factors.apps.len() >= MOST_APPS {
            return Err(TOO_MANY);
        }
        let (id, secret) = (random_id(&Entropy)?, TotpSecret::draw(&Entropy)?);
        let sealed = SealedSecret::seal(&secret, &vault, (tenant, &user.id, &id), now)?;
        let end = ExpiresAt::after(now, ENROLMENT_LIFE);
        // An enrolment at sign-in ends with its sign-in.
        let end = if let Actor::Enrolling(pending, _) = actor { end.min(pending.end) } else { end };
        let enrolment = Enrolment { id: id.clone(), name, secret: sealed, end };
        self.users.of(tenant).begin_enrolment(&user.id, &enrolment).await?;
        let account = user.email.or(user.phone).unwrap_or_else(|| user.id.to_string());
        let uri = otpauth_uri(&secret, &self.issuer, &account);
        Ok(Begun { id, secret, uri, end })
    }

    pub(crate) async fn confirm(&self, request: &Request, now: Timestamp) -> Result<Reply> {
        let Confirmation { factor_id, code, challenge_id, token_delivery } = request.json()?;
        let code = TotpCode::read(&code).ok_or(Error::InvalidOtp)?;
        let actor = self.actor(request, challenge_id, token_delivery, now).await?;
        let Confirmed { user, proven, codes } =
            self.confirm_for(&actor, Some(&factor_id), &code, request.tenant(), now).await?;
        let message = answers::app_added(request.language);
        let mut added = Added { success: true, message, backup_codes: codes, challenge_id: None, expires_in: None };
        let Actor::Enrolling(pending, delivery) = actor else { return Reply::ok(added) };
        let entrance = pending.entrance().ok_or(Error::InvalidOtp)?;
        let keys = self.refresh.keys(now).await?;
        // The change began a new epoch.
        let enrolled = Pending::new(&user.id, user.epoch + 1, proven, Waiting::Enrolled(entrance), now);
        let id = PendingSeal::new(&keys, request.tenant()).seal(&enrolled, now)?;
        added.expires_in = Some(PENDING_LIFE.as_secs());
        match delivery {
            TokenDelivery::Body => {
                added.challenge_id = Some(id.reveal());
                Reply::ok(added)
            }
            TokenDelivery::Cookie => Reply::ok(added)?.with_cookie(&Cookie::Challenge.keep(id.reveal(), PENDING_LIFE)),
        }
    }

    /// Adds the app of the enrolment, if the code is right. `id` is the app's, if the client names one.
    async fn confirm_for(
        &self,
        actor: &Actor,
        id: Option<&str>,
        code: &TotpCode,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<Confirmed> {
        let vault = self.vault(now).await?;
        for _ in 0..MOST_ROUNDS {
            let Owner { user, factors } = self.owner(actor, tenant, true, now).await?;
            if factors.apps.len() >= MOST_APPS {
                return Err(TOO_MANY);
            }
            let enrolment = factors.enrolment.as_ref().filter(|enrolment| id.is_none_or(|id| enrolment.id == id));
            let app = enrolment.and_then(|enrolment| enrolment.confirm(code, &vault, (tenant, &user.id), now));
            let app = &app.ok_or(Error::InvalidOtp)?;
            let codes = match factors.apps.is_empty() {
                true => Some(self.new_codes(&vault, &user, tenant, now)?),
                false => None,
            };
            let change = FactorChange::Confirm { app, backup_codes: codes.as_ref() };
            if self.change(actor, &user, &change, tenant, now).await? == Changed::Done {
                self.tell(&user, &Notice::FactorAdded { at: now }, tenant, now).await;
                let codes = codes.map(|codes| codes.reveal());
                return Ok(Confirmed { user, proven: factors.proven, codes });
            }
        }
        Err(Error::unavailable("too many parallel requests change the user's factors"))
    }

    pub(crate) async fn remove(&self, request: &Request, id: &str, now: Timestamp) -> Result<Reply> {
        let (tenant, actor) = (request.tenant(), Actor::Session(self.checker.subject(request, now).await?));
        if !is_random_id(id) {
            return Err(Error::NotFound);
        }
        for _ in 0..MOST_ROUNDS {
            let Owner { user, factors } = self.owner(&actor, tenant, true, now).await?;
            // An app that is gone is what the client wanted.
            if factors.apps.iter().any(|app| app.id == id) {
                let is_last = factors.apps.len() == 1;
                if is_last && self.policy.mode == SecondFactorMode::Required {
                    return Err(LAST);
                }
                let change = FactorChange::Remove { app: id, is_last };
                if self.change(&actor, &user, &change, tenant, now).await? == Changed::Overtaken {
                    continue;
                }
                self.tell(&user, &Notice::FactorRemoved { at: now }, tenant, now).await;
            }
            return Reply::done(answers::app_removed(request.language));
        }
        Err(Error::unavailable("too many parallel requests change the user's factors"))
    }

    /// The replaced system shows the QR code before anybody proves anything again. Only `enable` changes something.
    pub(crate) async fn set_up(&self, request: &Request, now: Timestamp) -> Result<Reply> {
        let actor = Actor::Session(self.checker.subject(request, now).await?);
        let Begun { secret, uri, .. } = self.begin_for(&actor, name(None)?, request.tenant(), false, now).await?;
        Reply::ok(wire::SetUp { qr_b64: qr::png(&uri)?, secret: secret.base32() })
    }

    pub(crate) async fn enable(&self, request: &Request, now: Timestamp) -> Result<Reply> {
        let actor = Actor::Session(self.checker.subject(request, now).await?);
        let wire::EnableBody { token } = request.json()?;
        let code = TotpCode::read(&token).ok_or(Error::InvalidOtp)?;
        let Confirmed { codes, .. } = self.confirm_for(&actor, None, &code, request.tenant(), now).await?;
        Reply::ok(wire::Enabled { detail: "2FA enabled.", backup_codes: codes.unwrap_or_default() })
    }
}

/// An app that was added.
struct Confirmed {
    /// The user, as before the change.
    user: User,
    proven: u32,
    /// The backup codes of a first factor.
    codes: Option<Vec<String>>,
}

/// The user's name for an app.
fn name(asked: Option<String>) -> Result<String> {
    let name = asked.unwrap_or_else(|| "Authenticator".to_owned());
    let length = name.trim().chars().count();
    if (1..=LONGEST_NAME).contains(&length) && !name.chars().any(char::is_control) {
        Ok(name.trim().to_owned())
    } else {
        Err(Error::invalid(format!("`name` must have 1 to {LONGEST_NAME} characters, and no control characters.")))
    }
}
