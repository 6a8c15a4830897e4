//! Checks a second factor: counts six digits, compares, and uses the factor up together with the sign-in or step-up that waits.

use crate::factors::{Finding, NewDevice, Pending, ProvenFactor, SubmittedFactor, TrustToken, Waiting};
use crate::keys::VaultKeys;
use crate::observe::report::{self, About, Step};
use crate::people::User;
use crate::store::Users;
use crate::words::{Error, Result, Tenant, Timestamp};

/// Checks the second factors of one tenant's users.
pub struct FactorCheck<'a> {
    /// The users.
    pub users: Users<'a>,
    /// Their tenant.
    pub tenant: &'a Tenant,
    /// The keys of their secrets.
    pub vault: &'a VaultKeys,
    /// The current time.
    pub now: Timestamp,
}

/// A factor that is proven and used up.
#[derive(Debug)]
pub struct Checked {
    /// The witness.
    pub factor: ProvenFactor,
    /// Its user, as read beside the check.
    pub user: User,
    /// How many backup codes the user has left, if this was one.
    pub backup_codes_left: Option<usize>,
}

impl FactorCheck<'_> {
    /// Checks the factor. `shown` is the client's token of a trusted device, and `trust` a device that the user wants to trust from now on.
    ///
    /// # Errors
    /// [`Error::InvalidOtp`] for a factor that is wrong, used or late, for a pending that was taken, and after a change of the user's
    /// factors or a sign-out everywhere, all alike (S99); [`Error::TooManyAttempts`] while six digits have to wait (S91);
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn check(
        &self,
        pending: Pending,
        submitted: &SubmittedFactor,
        shown: Option<&TrustToken>,
        trust: Option<&NewDevice>,
    ) -> Result<Checked> {
        report::about(About::User(&pending.user));
        let (finding, user) = tokio::join!(self.find(&pending, submitted, shown), self.users.user(&pending.user));
        let user = user?.filter(|user| user.epoch == pending.epoch);
        let (finding, user) = match (finding?, user) {
            (Some(finding), Some(user)) => (finding, user),
            (None, _) | (_, None) => {
                report::note(Step::Compared { right: false });
                return Err(Error::InvalidOtp);
            }
        };
        let left = finding.set.backup_codes_left().saturating_sub(1);
        let used = self.users.use_up_factor(&finding, pending, trust, self.now).await;
        report::note(Step::Compared { right: used.is_ok() });
        let factor = used?;
        let backup_codes_left = matches!(submitted, SubmittedFactor::BackupCode(_)).then_some(left);
        Ok(Checked { factor, user, backup_codes_left })
    }

    async fn find(
        &self,
        pending: &Pending,
        submitted: &SubmittedFactor,
        shown: Option<&TrustToken>,
    ) -> Result<Option<Finding>> {
        let is_enrolment = matches!(pending.waiting, Waiting::Enrolment(_));
        let is_enrolled = matches!(pending.waiting, Waiting::Enrolled(_));
        let of = (self.tenant, pending);
        match submitted {
            // A sign-in that has to enrol takes no factor, and one that has just enrolled needs no other.
            _ if is_enrolment || is_enrolled != matches!(submitted, SubmittedFactor::Enrolled) => Ok(None),
            SubmittedFactor::Totp(code) => {
                let device = shown.map(TrustToken::id);
                let attempt = self.users.count_factor_attempt(pending, device.as_deref(), self.now).await?;
                attempt.find(code, self.vault, of, self.now)
            }
            SubmittedFactor::BackupCode(code) => {
                let set = self.users.factors(&pending.user).await?;
                Ok(Finding::of_backup_code(set, code, self.vault, of, self.now))
            }
            SubmittedFactor::Enrolled => {
                let set = self.users.factors(&pending.user).await?;
                Ok(Finding::of_enrolment(set, pending))
            }
        }
    }
}
