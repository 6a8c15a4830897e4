//! Delivers codes by mail and SMS, and notices by mail. Every code needs a permit of [`Gate`](crate::admission::Gate), and every
//! notice one of [`NoticeGate`](crate::admission::NoticeGate).

mod email;
mod message;
mod notice;
mod notice_words;
mod notifier;
mod outcome;
mod sender;
mod sms;
mod text;

pub use self::email::MailSettings;
use self::email::Mailer;
pub use self::message::Message;
pub use self::notice::Notice;
pub use self::notice_words::{PAGE, PageWords};
pub use self::notifier::Notifier;
pub use self::outcome::Sent;
pub use self::sender::Sender;
pub use self::sms::SmsSettings;
use self::sms::Texter;
pub use self::text::{LONGEST_HOST, LONGEST_PRODUCT, Text, is_gsm7};
