//! Second factors: authenticator apps, backup codes and trusted devices, and sign-ins that wait for one. These are pure rules,
//! enforced by `store` in the conditions of its writes.

mod attempt;
mod backup_code;
mod factor_set;
mod pending;
mod policy;
mod totp;
mod trusted_device;

pub(crate) use self::attempt::Used;
pub use self::attempt::{FactorAttempt, Finding, Method, ProvenFactor, SubmittedFactor};
pub use self::backup_code::{BACKUP_CODES, BackupCode, BackupCodes};
pub use self::factor_set::{App, ENROLMENT_LIFE, Enrolment, FactorSet, LONGEST_NAME, MOST_APPS, SealedSecret};
pub(crate) use self::factor_set::{DEVICE_FAILURES, FREE_FAILURES};
pub use self::pending::{Entrance, PENDING_LIFE, Pending, PendingSeal, Waiting};
pub(crate) use self::policy::Need;
pub use self::policy::{SecondFactorMode, SecondFactorPolicy};
pub use self::totp::{TotpCode, TotpSecret, otpauth_uri};
pub use self::trusted_device::{MOST_DEVICES, NewDevice, TrustToken, TrustedDevice};
