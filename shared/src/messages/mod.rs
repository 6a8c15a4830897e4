//! Delivers codes by mail and SMS. Every message needs a permit of [`Gate`](crate::admission::Gate).

mod email;
mod message;
mod outcome;
mod sender;
mod sms;
mod text;

use self::email::Mailer;
pub use self::email::{MailSettings, Tags};
pub use self::message::Message;
pub use self::outcome::Sent;
pub use self::sender::Sender;
pub use self::sms::SmsSettings;
use self::sms::Texter;
pub use self::text::{LONGEST_HOST, LONGEST_PRODUCT, Text, is_gsm7};
