//! The channels to phone numbers besides texts, and the order in which they follow a text that its provider refuses at once.

use super::providers::ProviderSettings;
use super::sms_settings::SmsProvider;
use crate::codes::read_call_units;
use crate::config::{Check, IS_NAME, Reader};
use crate::words::{Channel, Money};

/// The service that calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoiceProvider {
    /// AWS End User Messaging.
    Eum,
    /// Twilio.
    Twilio,
}

/// The settings of calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceSettings {
    /// The service that calls.
    pub provider: VoiceProvider,
    /// The number that calls.
    pub number: String,
    /// The configuration set of AWS End User Messaging.
    pub configuration_set: Option<String>,
    /// The maximum price of a minute, in US dollars, for AWS End User Messaging: as many texts as a call counts as.
    pub max_price: Option<Money>,
    /// The table in which receipts belong. Calls carry its name.
    pub receipts_in: String,
}

/// The settings of all these channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneChannels {
    /// Calls, if they are on.
    pub voice: Option<VoiceSettings>,
    /// The number that sends by WhatsApp, if that is on. Twilio sends.
    pub whatsapp: Option<String>,
    /// The channels that follow a refused text at once, in this order.
    pub following: Vec<Channel>,
}

/// The channels that are on, for a function that sends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherChannels {
    voice: bool,
    whatsapp: bool,
}

/// The highest price that AWS End User Messaging takes.
const HIGHEST_PRICE: Money = Money::micros(99_990_000);

const IS_NUMBER: Check = (
    |text| {
        text.strip_prefix('+')
            .is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
    },
    "a phone number in international form, such as +12065550100",
);

impl OtherChannels {
    /// Reads which channels are on.
    pub fn read(read: &mut Reader<'_>) -> OtherChannels {
        OtherChannels { voice: voice_provider(read).is_some(), whatsapp: has_whatsapp(read) }
    }

    /// Whether messages may go by `channel`.
    pub fn is_on(self, channel: Channel) -> bool {
        match channel {
            Channel::Email | Channel::Sms => true,
            Channel::Voice => self.voice,
            Channel::Whatsapp => self.whatsapp,
        }
    }

    /// All of them that are on.
    pub fn all(self) -> impl Iterator<Item = Channel> {
        Channel::ALL.into_iter().filter(move |channel| channel.follows_text() && self.is_on(*channel))
    }
}

fn voice_provider(read: &mut Reader<'_>) -> Option<VoiceProvider> {
    match read.choice("VOICE_PROVIDER", "none", &["none", "eum", "twilio"]).as_str() {
        "eum" => Some(VoiceProvider::Eum),
        "twilio" => Some(VoiceProvider::Twilio),
        _ => None,
    }
}

fn has_whatsapp(read: &mut Reader<'_>) -> bool {
    read.choice("WHATSAPP_PROVIDER", "none", &["none", "twilio"]) == "twilio"
}

/// The number that sends by WhatsApp.
fn whatsapp_number(read: &mut Reader<'_>) -> Option<String> {
    let (is_on, number) = (has_whatsapp(read), read.optional("WHATSAPP_NUMBER", IS_NUMBER));
    if !is_on {
        if number.is_some() {
            read.report(
                "WHATSAPP_NUMBER: WhatsApp is off. Set WHATSAPP_PROVIDER, or remove WHATSAPP_NUMBER".to_owned(),
            );
        }
        return None;
    }
    check_texts(read, "WHATSAPP_PROVIDER");
    ProviderSettings::demand(read, "WHATSAPP_PROVIDER=twilio");
    if number.is_none() {
        read.report("WHATSAPP_NUMBER: WHATSAPP_PROVIDER needs it. Set the number that sends".to_owned());
    }
    Some(number.unwrap_or_default())
}

impl PhoneChannels {
    /// Reads the settings from their variables.
    pub fn read(read: &mut Reader<'_>) -> PhoneChannels {
        let channels =
            PhoneChannels { voice: VoiceSettings::read(read), whatsapp: whatsapp_number(read), following: Vec::new() };
        let following = channels.read_following(read);
        PhoneChannels { following, ..channels }
    }

    /// Which channels are on.
    pub fn on(&self) -> OtherChannels {
        OtherChannels { voice: self.voice.is_some(), whatsapp: self.whatsapp.is_some() }
    }

    /// The channel that follows one whose provider refused a message at once.
    pub fn after(&self, channel: Channel) -> Option<Channel> {
        match channel {
            Channel::Sms => self.following.first().copied(),
            _ => {
                let at = self.following.iter().position(|following| *following == channel)?;
                self.following.get(at.checked_add(1)?).copied()
            }
        }
    }

    fn read_following(&self, read: &mut Reader<'_>) -> Vec<Channel> {
        let named = read.get("SMS_CHANNELS").unwrap_or_else(|| Channel::Sms.name().to_owned());
        let channel = |name: &str| Channel::ALL.into_iter().find(|channel| channel.name() == name.trim());
        let channels: Option<Vec<Channel>> = named.split(',').map(channel).collect();
        let expected = "sms, then voice or whatsapp or both, such as sms,voice";
        let Some([Channel::Sms, following @ ..]) = channels.as_deref() else {
            read.expect("SMS_CHANNELS", expected);
            return Vec::new();
        };
        let is_repeated = matches!(following, [one, other] if one == other) || following.len() > 2;
        if is_repeated || !following.iter().all(|channel| channel.follows_text()) {
            read.expect("SMS_CHANNELS", expected);
        }
        for channel in following.iter().filter(|channel| channel.follows_text() && !self.on().is_on(**channel)) {
            let (name, variable) = (channel.name(), format!("{}_PROVIDER", channel.name().to_uppercase()));
            read.report(format!("SMS_CHANNELS: {name} is off. Set {variable}, or remove {name}"));
        }
        following.to_vec()
    }
}

impl VoiceSettings {
    fn read(read: &mut Reader<'_>) -> Option<VoiceSettings> {
        let (provider, number) = (voice_provider(read), read.optional("VOICE_NUMBER", IS_NUMBER));
        let Some(provider) = provider else {
            if number.is_some() {
                read.report("VOICE_NUMBER: calls are off. Set VOICE_PROVIDER, or remove VOICE_NUMBER".to_owned());
            }
            return None;
        };
        check_texts(read, "VOICE_PROVIDER");
        let is_by = match provider {
            VoiceProvider::Eum => SmsProvider::Eum,
            VoiceProvider::Twilio => SmsProvider::Twilio,
        };
        let texts = SmsProvider::read(read);
        if texts != SmsProvider::Sns && texts != is_by {
            read.report(
                "VOICE_PROVIDER: another service than that of texts does not know who has opted out. Choose the same as \
                 SMS_PROVIDER"
                    .to_owned(),
            );
        }
        // The settings of texts demand the set and the secret of the same service.
        let configuration_set = read.get("SMS_CONFIGURATION_SET");
        if number.is_none() {
            read.report("VOICE_NUMBER: VOICE_PROVIDER needs it. Set the number that calls".to_owned());
        }
        let units = read_call_units(read);
        let max_price = read.get("SMS_MAX_PRICE").and_then(|price| Money::read(&price)).map(|price| price.times(units));
        // The service takes no higher one.
        let max_price = max_price.map(|price| price.min(HIGHEST_PRICE));
        let receipts_in = read.text("OTP_TABLE", None, IS_NAME);
        Some(VoiceSettings { provider, number: number.unwrap_or_default(), configuration_set, max_price, receipts_in })
    }
}

/// Other channels follow texts (S260). SNS takes texts for numbers that have opted out and tells nobody, so a call would reach people
/// who said STOP.
fn check_texts(read: &mut Reader<'_>, name: &str) {
    if read.get("SMS_COUNTRIES").is_none() {
        read.report(format!("{name}: SMS is off, because SMS_COUNTRIES is empty. Set SMS_COUNTRIES or remove {name}"));
    }
    if read.get("SMS_PROVIDER").is_none_or(|provider| provider == "sns") {
        read.report(format!(
            "{name}: SMS_PROVIDER=sns does not tell which numbers have opted out. Choose another SMS_PROVIDER, or remove {name}"
        ));
    }
}
