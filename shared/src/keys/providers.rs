//! The secret `providers`: the keys of services outside AWS. Only the deployer writes it.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::config::{IS_ARN, Reader};

/// The keys of each service. A service that is off may be missing.
#[derive(Debug, Default, Deserialize)]
pub struct ProviderKeys {
    /// For SMS, calls and WhatsApp.
    pub twilio: Option<TwilioKeys>,
    /// For mail.
    pub sendgrid: Option<SendGridKeys>,
}

/// The keys of a Twilio account.
#[derive(Debug, Deserialize)]
pub struct TwilioKeys {
    /// The account's id.
    pub account: String,
    /// The token of calls to Twilio and of the signatures in its callbacks.
    pub auth_token: SecretString,
    /// The ids of the authentication templates for WhatsApp, by language.
    #[serde(default)]
    pub whatsapp_templates: BTreeMap<String, String>,
}

/// The keys of a SendGrid account.
#[derive(Debug, Deserialize)]
pub struct SendGridKeys {
    /// The key of calls to SendGrid.
    pub api_key: SecretString,
    /// The public key of the signatures in its events, as SendGrid shows it.
    pub webhook_key: Option<String>,
}

impl TwilioKeys {
    /// Whether Twilio has made this signature of the form at `url`: the names and values of the form's fields in their order, after the URL.
    /// The comparison takes the same time for each signature.
    pub fn have_signed(&self, (url, form): (&str, &[(String, String)]), signature: &str) -> bool {
        let mut fields: Vec<_> = form.iter().collect();
        fields.sort_unstable();
        fields.dedup();
        let fields: String = fields.into_iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.auth_token.expose_secret().as_bytes());
        let signature = BASE64.decode(signature.as_bytes());
        signature.is_ok_and(|tag| hmac::verify(&key, [url, fields.as_str()].concat().as_bytes(), &tag).is_ok())
    }
}

impl SendGridKeys {
    /// Whether SendGrid has made this signature of the body at the time `time`.
    pub fn have_signed(&self, (time, body): (&str, &[u8]), signature: &str) -> bool {
        let key = self.webhook_key.as_deref().map(|key| BASE64.decode(key.as_bytes()));
        let (Some(Ok(key)), Ok(signature)) = (key, BASE64.decode(signature.as_bytes())) else { return false };
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key);
        key.verify(&[time.as_bytes(), body].concat(), &signature).is_ok()
    }
}

impl ProviderKeys {
    /// Reads the ARN of the secret. A deployment without such services has none.
    pub fn read_secret(read: &mut Reader<'_>) -> Option<String> {
        read.optional("PROVIDERS_SECRET_ARN", IS_ARN)
    }

    /// The next step of an operator if keys are missing in the secret at `arn`.
    pub fn remedy(arn: &str) -> String {
        format!(
            "Put them there with: aws secretsmanager put-secret-value --secret-id {arn} --secret-string \
             file://providers.json (docs/providers.md)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S241: the vectors in the tests of Twilio's library for Python, twilio-python.
    #[test]
    fn published_signatures_of_twilio_are_right() {
        const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let form = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let is_signed = |url: &str, form: &[(String, String)], token: &str, signature: &str| {
            let (account, whatsapp_templates) = (String::new(), BTreeMap::new());
            TwilioKeys { account, auth_token: token.into(), whatsapp_templates }.have_signed((url, form), signature)
        };
        let call = form(&[
            ("CallSid", "CA1234567890ABCDE"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
            ("Caller", "+14158675309"),
        ]);
        let right = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        assert!(is_signed(URL, &call, "12345", right));
        assert!(!is_signed("https://mycompany.com/myapp.php?foo=1&bar=3", &call, "12345", right));
        assert!(!is_signed(URL, &call[1..], "12345", right) && !is_signed(URL, &call, "12346", right));

        let repeated = form(&[("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234")]);
        assert!(is_signed(URL, &repeated, "12345", "IK+Dwps556ElfBT0I3Rgjkr1wJU="));
        for wrong in ["", "IK+Dwps556ElfBT0I3Rgjkr1wJU", "IK+Dwps556ElfBT0I3Rgjkr1wJ==", "é"] {
            assert!(!is_signed(URL, &repeated, "12345", wrong), "{wrong}");
        }
    }

    /// S242: the vector in the tests of SendGrid's library for Python, sendgrid-python.
    #[test]
    fn a_published_signature_of_sendgrid_is_right() {
        const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
        const OTHER_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo7aNDthvj+y7GjUuFDb/R1NGe1OPzpA==";
        const SIGNATURE: &str =
            "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=";
        const OTHER: &str =
            "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH3j/0=";
        const TIME: &str = "1600112502";
        const BODY: &str = "[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":\"Bounced Address\",\
            \"sg_event_id\":\"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA\",\
            \"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0\",\
            \"smtp-id\":\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\",\"timestamp\":1600112492}]\r\n";
        let is_signed = |time: &str, body: &str, key: &str, signature: &str| {
            let keys = SendGridKeys { api_key: "".into(), webhook_key: Some(key.to_owned()) };
            keys.have_signed((time, body.as_bytes()), signature)
        };
        assert!(is_signed(TIME, BODY, KEY, SIGNATURE));
        for (time, body, key, signature) in [
            ("1600112503", BODY, KEY, SIGNATURE),
            (TIME, BODY.trim_end(), KEY, SIGNATURE),
            (TIME, BODY, OTHER_KEY, SIGNATURE),
            (TIME, BODY, "", SIGNATURE),
            (TIME, BODY, KEY, OTHER),
            (TIME, BODY, KEY, ""),
            (TIME, BODY, KEY, "é"),
        ] {
            assert!(!is_signed(time, body, key, signature), "{time} {key} {signature}");
        }
    }
}
