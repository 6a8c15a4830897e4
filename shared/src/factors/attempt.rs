//! Attempts at second factors: the table counts six digits before they are compared, and a right factor becomes a proof.

use crate::factors::backup_code::BackupCode;
use crate::factors::factor_set::{FactorSet, SealedSecret};
use crate::factors::pending::{Pending, Waiting};
use crate::factors::totp::TotpCode;
use crate::keys::VaultKeys;
use crate::words::{Error, Result, Tenant, Timestamp};

/// A way to prove a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A code of an authenticator app.
    Totp,
    /// A backup code.
    BackupCode,
    /// None: the user has just added a factor.
    Enrolled,
}

impl Method {
    /// The methods of users with a second factor, by name.
    pub const OF_USERS: [&'static str; 2] = [Method::Totp.name(), Method::BackupCode.name()];

    /// The methods of a step-up, for users who need their second factor for it and for all others.
    pub fn of_step_up(needs_factor: bool) -> &'static [&'static str] {
        if needs_factor { &Method::OF_USERS } else { &["otp"] }
    }

    /// Its name in requests and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Method::Totp => "totp",
            Method::BackupCode => "backup_code",
            Method::Enrolled => "enrolled",
        }
    }
}

/// A factor that a client submitted.
#[derive(Debug)]
pub enum SubmittedFactor {
    /// Six digits.
    Totp(TotpCode),
    /// A backup code.
    BackupCode(BackupCode),
    /// Nothing, after an enrolment.
    Enrolled,
}

impl SubmittedFactor {
    /// Reads the members `method` and `code` of a body.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for another method, or without a code; [`Error::InvalidOtp`] for text without the form of a code. It
    /// costs no attempt.
    pub fn read(method: &str, code: Option<&str>) -> Result<SubmittedFactor> {
        let code = || code.ok_or_else(|| Error::invalid("The field code is missing."));
        match method {
            "totp" => TotpCode::read(code()?).map(SubmittedFactor::Totp).ok_or(Error::InvalidOtp),
            "backup_code" => BackupCode::read(code()?).map(SubmittedFactor::BackupCode).ok_or(Error::InvalidOtp),
            "enrolled" => Ok(SubmittedFactor::Enrolled),
            _ => Err(Error::invalid("The field method must be totp, backup_code or enrolled.")),
        }
    }

    /// Its method.
    pub fn method(&self) -> Method {
        match self {
            SubmittedFactor::Totp(_) => Method::Totp,
            SubmittedFactor::BackupCode(_) => Method::BackupCode,
            SubmittedFactor::Enrolled => Method::Enrolled,
        }
    }
}

/// A counted attempt at a code of six digits, with the user's factors after the count.
///
/// Only `store` creates attempts, and only [`FactorAttempt::find`] compares such codes, so every comparison has been counted (S91).
#[derive(Debug)]
pub struct FactorAttempt {
    set: FactorSet,
    /// The trusted device that it was counted for.
    device: Option<String>,
}

/// A right factor that is still to be used up.
#[derive(Debug)]
pub struct Finding {
    pub(crate) set: FactorSet,
    pub(crate) used: Used,
    pub(crate) device: Option<String>,
}

/// What a write uses up.
#[derive(Clone, Debug)]
pub(crate) enum Used {
    /// A step of an app.
    Step {
        /// The id of the app.
        app: String,
        /// The step.
        step: u64,
        /// The app's secret under the vault's newest key, if it has an older one.
        resealed: Option<SealedSecret>,
    },
    /// A backup code, by its digest.
    BackupCode(String),
    /// Only the pending.
    Enrolment,
}

/// The witness of a second factor: one that `store` has used up, together with its pending.
#[derive(Debug)]
pub struct ProvenFactor {
    pending: Pending,
    method: Method,
}

impl FactorAttempt {
    /// An attempt, counted in `set`, or for one trusted device.
    pub(crate) fn counted(set: FactorSet, device: Option<String>) -> FactorAttempt {
        FactorAttempt { set, device }
    }

    /// Compares the code with all apps of the pending's user.
    pub fn find(
        self,
        code: &TotpCode,
        vault: &VaultKeys,
        (tenant, pending): (&Tenant, &Pending),
        now: Timestamp,
    ) -> Result<Option<Finding>> {
        let (mut used, active) = (None, &vault.vault.active(now)?.id);
        // Compare with every app, even after a match, so that the time does not tell which one matched.
        for app in &self.set.apps {
            let of = (tenant, &pending.user, app.id.as_str());
            let Some(secret) = app.secret.open(vault, of, now) else { continue };
            if let Some(step) = secret.step_of(code, app.last_step, now) {
                let is_old = app.secret.key_id != *active;
                let resealed = if is_old { Some(SealedSecret::seal(&secret, vault, of, now)?) } else { None };
                used = Some(Used::Step { app: app.id.clone(), step, resealed });
            }
        }
        Ok(used.map(|used| Finding { set: self.set, used, device: self.device }))
    }
}

impl Finding {
    /// The backup code in the user's factors. It has 120 bits, so it is not counted (S91).
    pub fn of_backup_code(
        set: FactorSet,
        code: &BackupCode,
        vault: &VaultKeys,
        (tenant, pending): (&Tenant, &Pending),
        now: Timestamp,
    ) -> Option<Finding> {
        let key = vault.vault.find(set.backup_key.as_deref()?, now)?;
        let digest = code.digest(&key.key.mac(), tenant, &pending.user);
        // A digest under a secret key tells nothing by the time of its search.
        if !set.backup_codes.contains(&digest) {
            return None;
        }
        Some(Finding { set, used: Used::BackupCode(digest), device: None })
    }

    /// The factor that the pending's user has just added.
    pub fn of_enrolment(set: FactorSet, pending: &Pending) -> Option<Finding> {
        let is_enrolled = matches!(pending.waiting, Waiting::Enrolled(_)) && !set.apps.is_empty();
        is_enrolled.then_some(Finding { set, used: Used::Enrolment, device: None })
    }

    /// The witness, after the write that used the factor up.
    pub(crate) fn proven(&self, pending: Pending) -> ProvenFactor {
        let method = match self.used {
            Used::Step { .. } => Method::Totp,
            Used::BackupCode(_) => Method::BackupCode,
            Used::Enrolment => Method::Enrolled,
        };
        ProvenFactor { pending, method }
    }
}

impl ProvenFactor {
    /// What waited for it.
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    /// How it was proven.
    pub fn method(&self) -> Method {
        self.method
    }
}
