//! Settings of the gateway that can change while it runs.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use http::StatusCode;

/// With all of them off, the gateway does what AWS is expected to do.
#[derive(Debug, Default)]
pub struct GatewaySettings {
    always_base64: AtomicBool,
    ignores_empty_rest: AtomicBool,
    /// No status is 0.
    refusal: AtomicU16,
}

impl GatewaySettings {
    /// Hands all bodies to functions in base64, texts included.
    pub fn set_always_base64(&self, is_on: bool) {
        self.always_base64.store(is_on, Ordering::SeqCst);
    }

    /// Whether `/x/` does not match `/x/{proxy+}`, so that the `$default` route takes it.
    pub fn set_ignores_empty_rest(&self, is_on: bool) {
        self.ignores_empty_rest.store(is_on, Ordering::SeqCst);
    }

    /// Answers every request with `status` without asking a function, as the gateway does when it throttles (429) or a
    /// function cannot run (503); `None` ends that.
    pub fn set_refusal(&self, status: Option<StatusCode>) {
        self.refusal.store(status.map_or(0, |status| status.as_u16()), Ordering::SeqCst);
    }

    pub(super) fn always_base64(&self) -> bool {
        self.always_base64.load(Ordering::SeqCst)
    }

    pub(super) fn matches_empty_rest(&self) -> bool {
        !self.ignores_empty_rest.load(Ordering::SeqCst)
    }

    /// What [`GatewaySettings::set_refusal`] has set.
    pub fn refusal(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.refusal.load(Ordering::SeqCst)).ok()
    }
}
