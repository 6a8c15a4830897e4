//! The list of all functions, as types. `local` starts all of them, and `rotate-keys` checks the settings of all of them.
//!
//! `rotate-keys` itself is absent, because it depends on this list.

use shared::runtime::Function;

/// Does the same with each function.
pub trait Visitor {
    /// Visits the function `F`.
    fn visit<F: Function>(&mut self);
}

/// Passes every function to `visitor`.
pub fn visit_all(visitor: &mut impl Visitor) {
    visitor.visit::<request_otp::RequestOtp>();
    visitor.visit::<verify_otp::VerifyOtp>();
    visitor.visit::<refresh::Refresh>();
    visitor.visit::<logout::Logout>();
    visitor.visit::<sessions::Sessions>();
    visitor.visit::<profile::Profile>();
    visitor.visit::<account::Account>();
    visitor.visit::<second_factor::SecondFactor>();
    visitor.visit::<factors::Factors>();
    visitor.visit::<status::Status>();
    visitor.visit::<callbacks::Callbacks>();
    visitor.visit::<delivery::Delivery>();
    visitor.visit::<jwks::Jwks>();
    visitor.visit::<fallback::Fallback>();
    visitor.visit::<record::Record>();
    visitor.visit::<erase::Erase>();
    visitor.visit::<notify::Notify>();
    visitor.visit::<disavow::Disavow>();
}
