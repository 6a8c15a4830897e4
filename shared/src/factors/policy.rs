//! The policy of second factors: for whom one is due, how long people may wait, and how long a trusted device skips it.

use std::time::Duration;

use crate::config::Reader;

/// When a sign-in needs a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactorMode {
    /// Never. Nobody can add one.
    Off,
    /// If the user has one.
    Optional,
    /// Always. A user without one adds one, at the latest after the grace period.
    Required,
    /// If the user has one, and the sign-in is unusual.
    Risk,
}

/// The settings of second factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactorPolicy {
    /// When a sign-in needs a second factor.
    pub mode: SecondFactorMode,
    /// How long a user without a second factor may sign in where it is required.
    pub grace: Duration,
    /// How long a trusted device skips the second factor. With zero, nobody may trust a device.
    pub trust: Duration,
}

impl SecondFactorMode {
    /// Reads the mode only.
    pub fn read(read: &mut Reader<'_>) -> SecondFactorMode {
        match read.choice("SECOND_FACTOR", "off", &["off", "optional", "required", "risk"]).as_str() {
            "optional" => SecondFactorMode::Optional,
            "required" => SecondFactorMode::Required,
            "risk" => SecondFactorMode::Risk,
            _ => SecondFactorMode::Off,
        }
    }
}

impl SecondFactorPolicy {
    /// Reads the settings from their variables.
    pub fn read(read: &mut Reader<'_>) -> SecondFactorPolicy {
        SecondFactorPolicy {
            mode: SecondFactorMode::read(read),
            grace: read.days("SECOND_FACTOR_GRACE_DAYS", 14, 0..=90),
            trust: read.days("TRUSTED_DEVICE_DAYS", 30, 0..=90),
        }
    }
}
