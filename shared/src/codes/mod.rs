//! One-time codes: how they are drawn, kept, limited and compared. Pure rules; `store` enforces them in the conditions of its
//! writes.

pub mod attempt;
pub mod challenge;
pub mod code;
pub mod draft;
pub mod known_device;
pub mod limits;
pub mod sms_policy;
