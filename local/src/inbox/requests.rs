//! What the inbox may be asked.

use local_aws::faults::FaultSettings;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// `GET /api/messages?to=ADDRESS`.
#[derive(Deserialize)]
pub(super) struct Wanted {
    to: Option<String>,
}

impl Wanted {
    /// The address. None has a space: what arrives as one was a plus that the caller did not encode, as in a number.
    pub(super) fn address(self) -> Option<String> {
        self.to.map(|to| to.replace(' ', "+"))
    }
}

/// `POST /api/clock`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    pub(super) advance_seconds: u64,
}

/// `POST /api/faults`, and what `GET` shows.
#[derive(Serialize, Deserialize)]
pub(super) struct FaultsOf {
    /// What the gateway answers everything with, instead of asking a function.
    pub(super) gateway_status: Option<u16>,
    #[serde(flatten)]
    pub(super) services: FaultSettings,
}

/// A body as `T`, or what is wrong with it.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
