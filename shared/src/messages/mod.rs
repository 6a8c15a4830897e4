//! Delivers codes by mail, SMS, calls and WhatsApp, and notices by mail. Every code needs a permit of [`Gate`](crate::admission::Gate), and every
//! notice one of [`NoticeGate`](crate::admission::NoticeGate).

mod alphabet;
mod email;
mod eum;
mod life;
mod message;
mod notice;
mod notifier;
mod outcome;
mod phone_channels;
mod script;
mod sender;
mod sms;
mod sms_settings;
mod sns;
mod text;
mod voice;

pub use self::alphabet::{Encoding, LONGEST_HOST, LONGEST_PRODUCT, SmsLength};
use self::email::Mailer;
pub use self::email::{MailSettings, Tags};
pub use self::message::Message;
pub use self::notice::Notice;
pub use self::notifier::Notifier;
pub use self::outcome::Sent;
pub use self::phone_channels::{OtherChannels, PhoneChannels, VoiceProvider, VoiceSettings};
use self::script::Script;
pub use self::sender::{CodeMessage, Sender};
use self::sms::Texter;
pub use self::sms_settings::{SmsProvider, SmsSettings};
pub use self::text::{Text, is_gsm7};
use self::voice::Caller;
