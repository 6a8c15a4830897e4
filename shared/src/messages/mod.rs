//! Delivers codes by mail, SMS, calls and WhatsApp, and notices by mail. Every code needs a permit of [`Gate`](crate::admission::Gate), and every
//! notice one of [`NoticeGate`](crate::admission::NoticeGate).

mod alphabet;
mod code_message;
mod email;
mod eum;
mod life;
mod mailer;
mod message;
mod notice;
mod notifier;
mod outcome;
mod phone_channels;
mod providers;
mod script;
mod sender;
mod sendgrid;
mod ses;
mod sms;
mod sms_settings;
mod sns;
mod text;
mod twilio;
mod voice;
mod webhook;

pub use self::alphabet::{Encoding, LONGEST_HOST, LONGEST_PRODUCT, SmsLength};
pub use self::code_message::CodeMessage;
pub use self::email::{MailProvider, MailSettings, Tags};
use self::mailer::Mailer;
pub use self::message::Message;
pub use self::notice::Notice;
pub use self::notifier::Notifier;
pub use self::outcome::Sent;
pub use self::phone_channels::{OtherChannels, PhoneChannels, VoiceProvider, VoiceSettings};
pub use self::providers::{ProviderSettings, Providers};
use self::script::Script;
pub use self::sender::Sender;
use self::sms::Texter;
pub use self::sms_settings::{SmsProvider, SmsSettings};
pub use self::text::{Text, is_gsm7};
use self::voice::Caller;
pub use self::webhook::{TWILIO_WEBHOOK, twilio_webhook};
