//! The accounts of a deployment with these services, and the signatures of their webhooks.

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use http::Request;
use http::header::CONTENT_TYPE;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use shared::words::Timestamp;

/// The bytes before the point in a public key of the curve P-256 (RFC 5480).
const PUBLIC_KEY: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Accounts with random keys.
pub struct Accounts {
    pub(super) account: String,
    pub(super) auth_token: String,
    pub(super) api_key: String,
    signing: EcdsaKeyPair,
    random: SystemRandom,
}

impl Accounts {
    /// Opens new accounts.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn open() -> Result<Accounts, String> {
        let random = SystemRandom::new();
        let hex = || {
            let mut bytes = [0; 16];
            random.fill(&mut bytes).map_err(|error| error.to_string()).map(|()| HEXLOWER.encode(&bytes))
        };
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|error| error.to_string())?;
        let signing = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random);
        Ok(Accounts {
            account: format!("AC{}", hex()?),
            auth_token: hex()?,
            api_key: format!("SG.{}.{}", hex()?, hex()?),
            signing: signing.map_err(|error| error.to_string())?,
            random,
        })
    }

    /// The text of the providers' secret. Only two languages have a template for WhatsApp.
    pub fn secret(&self) -> String {
        let key = [&PUBLIC_KEY, self.signing.public_key().as_ref()].concat();
        let template = |digit: &str| format!("HX{}", digit.repeat(32));
        json!({
            "twilio": { "account": self.account, "auth_token": self.auth_token,
                "whatsapp_templates": { "en": template("0"), "de": template("1") } },
            "sendgrid": { "api_key": self.api_key, "webhook_key": BASE64.encode(&key) },
        })
        .to_string()
    }

    /// Twilio's call of the webhook `url` with these fields.
    pub fn twilio_webhook(&self, url: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
        let mut sorted = fields.to_vec();
        sorted.sort_unstable();
        let signed: String = sorted.iter().flat_map(|(name, value)| [*name, *value]).collect();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.auth_token.as_bytes());
        let signature = hmac::sign(&key, [url, signed.as_str()].concat().as_bytes());
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        posted(
            url,
            "application/x-www-form-urlencoded",
            &[("x-twilio-signature", &BASE64.encode(signature.as_ref()))],
            body,
        )
    }

    /// SendGrid's call of the webhook `url` with these events, at this time.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn sendgrid_webhook(&self, url: &str, events: &Value, at: Timestamp) -> Result<Request<Bytes>, String> {
        // SendGrid ends the body so.
        let (time, body) = (at.unix().to_string(), format!("{events}\r\n"));
        let signature = self.signing.sign(&self.random, [time.as_bytes(), body.as_bytes()].concat().as_slice());
        let signature = BASE64.encode(signature.map_err(|error| error.to_string())?.as_ref());
        let headers = [
            ("x-twilio-email-event-webhook-signature", signature.as_str()),
            ("x-twilio-email-event-webhook-timestamp", time.as_str()),
        ];
        Ok(posted(url, "application/json", &headers, body))
    }
}

fn posted(url: &str, kind: &str, headers: &[(&str, &str)], body: String) -> Request<Bytes> {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    let request = Request::post(path).header(CONTENT_TYPE, kind);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    // A path without a valid form is refused like one without a route.
    request.body(Bytes::from(body)).unwrap_or_else(|_| Request::new(Bytes::new()))
}
