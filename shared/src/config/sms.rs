//! The settings of messages, and of SMS above all.

use std::collections::BTreeSet;

use super::reader::{Check, Reader};
use crate::codes::{Breaker, SmsPolicy};
use crate::http::is_host_name;
use crate::messages::{LONGEST_HOST, LONGEST_PRODUCT, SmsSettings, is_gsm7};
use crate::words::Country;

const IS_PRODUCT_NAME: Check = (
    |text| text.chars().count() <= LONGEST_PRODUCT && !text.chars().any(char::is_control),
    "at most 40 characters on one line",
);
const IS_SMS_PRODUCT_NAME: Check = (
    |text| text.chars().count() <= LONGEST_PRODUCT && is_gsm7(text),
    "at most 40 characters, all of them in the basic GSM 7-bit alphabet, because SMS_COUNTRIES turns SMS on",
);
/// As SNS has it.
const IS_SENDER_ID: Check = (
    |text| {
        (1..=11).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && text.bytes().any(|byte| byte.is_ascii_alphabetic())
    },
    "1 to 11 letters and digits, with a letter among them",
);
const IS_NUMBER: Check = (
    |text| {
        let digits = text.strip_prefix('+').unwrap_or(text);
        (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    },
    "a phone number or short code",
);
const IS_PRICE: Check = (
    |text| {
        text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && text.parse::<f64>().is_ok_and(|price| price > 0.0)
    },
    "a price in US dollars, such as 0.10",
);
const IS_HOST: Check = (
    |text| text.len() <= LONGEST_HOST && is_host_name(text),
    "a host name in lower case of at most 47 characters, such as app.example.com",
);

impl Reader<'_> {
    pub(super) fn product(&mut self) -> String {
        let sends_sms = self.get("SMS_COUNTRIES").is_some();
        self.text("PRODUCT_NAME", Some("Latchkey"), if sends_sms { IS_SMS_PRODUCT_NAME } else { IS_PRODUCT_NAME })
    }

    /// What only matters with SMS on is a mistake with SMS off: somebody expects it to work.
    pub(super) fn sms(&mut self) -> SmsSettings {
        const NEED_COUNTRIES: [&str; 4] = ["SMS_SENDER_ID", "SMS_ORIGINATION_NUMBER", "SMS_MAX_PRICE", "WEBOTP_HOST"];
        for name in NEED_COUNTRIES {
            if self.get("SMS_COUNTRIES").is_none() && self.get(name).is_some() {
                self.problems.push(format!("{name}: SMS_COUNTRIES is empty, which turns SMS off: name the countries"));
            }
        }
        SmsSettings {
            sender_id: self.optional("SMS_SENDER_ID", IS_SENDER_ID),
            origination_number: self.optional("SMS_ORIGINATION_NUMBER", IS_NUMBER),
            max_price: self.optional("SMS_MAX_PRICE", IS_PRICE),
            webotp_host: self.optional("WEBOTP_HOST", IS_HOST),
        }
    }

    pub(super) fn sms_policy(&mut self) -> SmsPolicy {
        SmsPolicy {
            countries: self.countries("SMS_COUNTRIES"),
            expiry: self.seconds("OTP_SMS_EXPIRY_SECONDS", 300, 60..=600),
            daily: self.count("SMS_DAILY_BUDGET", 200, 0..=1_000_000),
            daily_per_country: self.count("SMS_DAILY_BUDGET_PER_COUNTRY", 100, 0..=1_000_000),
            daily_per_network: self.count("SMS_PER_IP_DAY", 10, 0..=1_000_000),
            breaker: Breaker {
                sends: self.count("SMS_BREAKER_SENDS", 20, 1..=1_000_000),
                range_sends: self.count("SMS_BREAKER_RANGE_SENDS", 5, 1..=1_000_000),
                share: self.count("SMS_BREAKER_SHARE", 10, 0..=100),
                pause: self.seconds("SMS_BREAKER_SECONDS", 7_200, 60..=86_400),
            },
        }
    }

    fn countries(&mut self, name: &str) -> BTreeSet<Country> {
        let list = self.get(name).unwrap_or_default();
        let codes = list.split(',').map(str::trim).filter(|code| !code.is_empty());
        let countries: Result<BTreeSet<Country>, _> = codes.map(str::parse).collect();
        countries.unwrap_or_else(|_| {
            self.problem(name, "ISO 3166 codes of countries with phone numbers, such as US,GB, separated by commas");
            BTreeSet::new()
        })
    }
}
