//! Delivers codes by mail and SMS. Every message needs a permit of [`Gate`](crate::admission::Gate).

mod email;
mod life;
mod message;
mod outcome;
mod sender;
mod sms;
mod sms_size;
mod text;

pub use self::email::MailSettings;
use self::email::Mailer;
pub use self::message::Message;
pub use self::outcome::Sent;
pub use self::sender::Sender;
pub use self::sms::SmsSettings;
use self::sms::Texter;
pub use self::sms_size::{LONGEST_HOST, LONGEST_PRODUCT, is_gsm7};
pub use self::text::Text;
