//! The bodies of the requests and the answers.

use serde::{Deserialize, Serialize};
use shared::factors::{FactorSet, SecondFactorMode, TotpSecret};
use shared::http::TokenDelivery;
use shared::words::{ExpiresAt, Timestamp};

#[derive(Deserialize)]
pub(crate) struct Empty {}

#[derive(Deserialize)]
pub(crate) struct TotpBody {
    pub(crate) name: Option<String>,
    pub(crate) challenge_id: Option<String>,
    pub(crate) token_delivery: Option<TokenDelivery>,
}

#[derive(Deserialize)]
pub(crate) struct Confirmation {
    pub(crate) factor_id: String,
    pub(crate) code: String,
    pub(crate) challenge_id: Option<String>,
    pub(crate) token_delivery: Option<TokenDelivery>,
}

#[derive(Deserialize)]
pub(crate) struct EnableBody {
    pub(crate) token: String,
}

/// A secret that waits for its first code.
pub(crate) struct Begun {
    pub(crate) id: String,
    pub(crate) secret: TotpSecret,
    pub(crate) uri: String,
    /// Until when it can be confirmed.
    pub(crate) end: ExpiresAt,
}

#[derive(Serialize)]
pub(crate) struct Secret<'a> {
    pub(crate) success: bool,
    pub(crate) factor_id: &'a str,
    pub(crate) secret: String,
    pub(crate) otpauth_uri: String,
    pub(crate) qr_svg: String,
    pub(crate) expires_in: u64,
}

#[derive(Serialize)]
pub(crate) struct SetUp {
    pub(crate) qr_b64: String,
    pub(crate) secret: String,
}

#[derive(Serialize)]
pub(crate) struct Added<'a> {
    pub(crate) success: bool,
    pub(crate) message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backup_codes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) challenge_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_in: Option<u64>,
}

#[derive(Serialize)]
pub(crate) struct Enabled {
    pub(crate) detail: &'static str,
    pub(crate) backup_codes: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Codes {
    pub(crate) success: bool,
    pub(crate) message: &'static str,
    pub(crate) backup_codes: Vec<String>,
}

/// The user's factors.
#[derive(Serialize)]
pub(crate) struct Listed<'a> {
    success: bool,
    policy: &'static str,
    required: bool,
    totp: Vec<AppView<'a>>,
    backup_codes_left: usize,
    trusted_devices: Vec<DeviceView<'a>>,
}

#[derive(Serialize)]
struct AppView<'a> {
    id: &'a str,
    name: &'a str,
    created: String,
}

#[derive(Serialize)]
struct DeviceView<'a> {
    id: &'a str,
    device: &'a str,
    created: String,
    expires_at: String,
    current: bool,
}

impl Listed<'_> {
    /// `current` is the id of the browser's own trusted device.
    pub(crate) fn of<'a>(
        mode: SecondFactorMode,
        factors: &'a FactorSet,
        epoch: u32,
        current: Option<&str>,
        now: Timestamp,
    ) -> Listed<'a> {
        let mut apps: Vec<_> = factors.apps.iter().collect();
        apps.sort_by_key(|app| (app.created, &app.id));
        let app =
            |app: &'a shared::factors::App| AppView { id: &app.id, name: &app.name, created: app.created.to_string() };
        let device = |device: &'a shared::factors::TrustedDevice| DeviceView {
            id: &device.id,
            device: &device.words,
            created: device.created.to_string(),
            expires_at: device.end.moment().to_string(),
            current: current == Some(device.id.as_str()),
        };
        Listed {
            success: true,
            policy: mode.name(),
            required: mode == SecondFactorMode::Required,
            totp: apps.into_iter().map(app).collect(),
            backup_codes_left: factors.backup_codes_left(),
            trusted_devices: factors.trusted(epoch, now).into_iter().map(device).collect(),
        }
    }
}
