//! The requests that the inbox accepts.

use local_aws::faults::FaultSettings;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// `GET /api/messages?to=ADDRESS`.
#[derive(Deserialize)]
pub(super) struct Wanted {
    to: Option<String>,
}

impl Wanted {
    /// The address. Addresses have no spaces, so a space is a `+` that the caller did not encode, as in a phone number.
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

/// The body of `POST /api/faults`, and the answer of `GET`.
#[derive(Serialize, Deserialize)]
pub(super) struct FaultsOf {
    /// If set, the gateway answers every request with this status instead of calling a function.
    pub(super) gateway_status: Option<u16>,
    #[serde(flatten)]
    pub(super) services: FaultSettings,
}

/// Parses a body as `T`, or returns the problem in words.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
