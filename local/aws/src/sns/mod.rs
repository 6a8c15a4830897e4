//! SNS: text messages to phone numbers.

mod attributes;
mod sms;

pub use self::attributes::SmsType;
pub use self::sms::Sms;
pub(crate) use self::sms::Sns;
