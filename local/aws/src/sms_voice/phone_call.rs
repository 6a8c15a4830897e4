//! A call that speaks a text in SSML, of which only pauses are used.

use serde_json::Value;
use shared::words::is_e164;

use super::reasoned;
use crate::wire::{Call, Refusal, Service};

/// A call as its recipient gets it, and what its caller asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneCall {
    /// The service that called.
    pub service: Service,
    /// The number in E.164 form.
    pub to: String,
    /// The number on the phone's screen.
    pub from: String,
    /// Its words, in SSML.
    pub ssml: String,
    /// The speaker, by the service's name.
    pub speaker: String,
    /// The maximum price of a minute in US dollars, if one is set.
    pub max_price: Option<String>,
    /// For how many seconds the call may be made, if there is a limit.
    pub life: Option<u64>,
}

const PAUSE: &str = "<break time=\"";

impl PhoneCall {
    /// The words, with ` … ` for each pause.
    pub fn spoken(&self) -> String {
        spoken(&self.ssml).unwrap_or_default()
    }
}

/// `None` for a document with anything else than words and pauses.
fn spoken(ssml: &str) -> Option<String> {
    let mut rest = ssml.strip_prefix("<speak>")?.strip_suffix("</speak>")?;
    let mut spoken = String::new();
    while let Some((words, after)) = rest.split_once(PAUSE) {
        let (time, after) = after.split_once("\"/>")?;
        let number = time.strip_suffix("ms").or_else(|| time.strip_suffix('s'))?;
        number.parse::<u32>().ok()?;
        spoken.push_str(&words_of(words)?);
        spoken.push_str(" … ");
        rest = after;
    }
    spoken.push_str(&words_of(rest)?);
    Some(spoken.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn words_of(text: &str) -> Option<String> {
    if text.contains(['<', '>']) {
        return None;
    }
    Some(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

pub(super) fn read(call: &Call) -> Result<PhoneCall, Refusal> {
    let invalid = |message: &str| reasoned(Refusal::bad("ValidationException", message), "INVALID_PARAMETER");
    let text = |member: &str| call.text(member).unwrap_or_default();
    if !is_e164(text("DestinationPhoneNumber")) {
        return Err(invalid("DestinationPhoneNumber is not in E.164 form"));
    }
    if text("MessageBodyTextType") != "SSML" || spoken(text("MessageBody")).is_none_or(|words| words.is_empty()) {
        return Err(invalid("MessageBody is no SSML of words and pauses"));
    }
    Ok(PhoneCall {
        service: Service::SmsVoice,
        to: text("DestinationPhoneNumber").to_owned(),
        from: text("OriginationIdentity").to_owned(),
        ssml: text("MessageBody").to_owned(),
        speaker: text("VoiceId").to_owned(),
        max_price: call.text("MaxPricePerMinute").map(str::to_owned),
        life: call.body.get("TimeToLive").and_then(Value::as_u64),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_call_is_words_and_pauses() {
        let spoken = |ssml: &str| super::spoken(ssml);
        let said = "<speak><break time=\"1s\"/>A &amp; B: <break time=\"600ms\"/>1<break time=\"600ms\"/>2.</speak>";
        assert_eq!(spoken(said).as_deref(), Some("… A & B: … 1 … 2."));
        for wrong in ["", "1", "<speak>1", "<speak><b>1</b></speak>", "<speak>1<break time=\"1m\"/></speak>"] {
            assert_eq!(spoken(wrong), None, "{wrong}");
        }
    }
}
