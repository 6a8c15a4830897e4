//! Settings of the gateway that tests change while it runs.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use http::StatusCode;

/// The settings. By default the gateway does what AWS is expected to do.
#[derive(Debug, Default)]
pub struct GatewaySettings {
    always_base64: AtomicBool,
    ignores_empty_rest: AtomicBool,
    passes_preflights: AtomicBool,
    /// 0 without a refusal.
    refusal: AtomicU16,
}

impl GatewaySettings {
    /// Passes all bodies to functions in base64, even text.
    pub fn set_always_base64(&self, is_on: bool) {
        self.always_base64.store(is_on, Ordering::SeqCst);
    }

    /// With `true`, `/x/` does not match `/x/{proxy+}`, and the `$default` route gets the request.
    pub fn set_ignores_empty_rest(&self, is_on: bool) {
        self.ignores_empty_rest.store(is_on, Ordering::SeqCst);
    }

    /// With `true`, the `$default` route gets preflights, and the gateway only adds the CORS headers. AWS's pages can be read both
    /// ways.
    pub fn set_passes_preflights(&self, is_on: bool) {
        self.passes_preflights.store(is_on, Ordering::SeqCst);
    }

    /// Answers every request with `status` without calling a function, like a gateway that throttles (429) or cannot run a
    /// function (503). `None` stops this.
    pub fn set_refusal(&self, status: Option<StatusCode>) {
        self.refusal.store(status.map_or(0, |status| status.as_u16()), Ordering::SeqCst);
    }

    pub(super) fn always_base64(&self) -> bool {
        self.always_base64.load(Ordering::SeqCst)
    }

    pub(super) fn matches_empty_rest(&self) -> bool {
        !self.ignores_empty_rest.load(Ordering::SeqCst)
    }

    pub(super) fn passes_preflights(&self) -> bool {
        self.passes_preflights.load(Ordering::SeqCst)
    }

    /// The status from [`GatewaySettings::set_refusal`].
    pub fn refusal(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.refusal.load(Ordering::SeqCst)).ok()
    }
}
