//! A call as the inbox shows it, besides its words.

use local_aws::{PhoneCall, Service};
use serde::Serialize;

/// Details of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallFacts {
    /// The number on the phone's screen.
    pub from: String,
    /// The service that called.
    pub service: Service,
    /// The speaker, by the service's name.
    pub speaker: String,
    /// The maximum price of a minute in US dollars, if one is set.
    pub max_price: Option<String>,
    /// For how many seconds the call may be made, if there is a limit.
    pub life: Option<u64>,
}

impl CallFacts {
    pub(super) fn of(call: &PhoneCall) -> CallFacts {
        let PhoneCall { service, from, speaker, max_price, life, .. } = call.clone();
        CallFacts { from, service, speaker, max_price, life }
    }
}
