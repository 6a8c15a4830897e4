//! The end of a deployment: searches for leaks and for calls that violate AWS's own API model.

use std::collections::BTreeMap;

use local::Stack;
use local_aws::Services;
use serde_json::{Value, json};

use super::Witness;
use crate::deployment::FAILED_RECORDS;

/// The settings that name the keyrings.
const SECRETS: [&str; 5] =
    ["INDEX_SECRET_ARN", "CODES_SECRET_ARN", "REFRESH_SECRET_ARN", "SIGNING_SECRET_ARN", "VAULT_SECRET_ARN"];

/// Runs the checks when it is dropped.
pub(crate) struct AtTheEnd {
    witness: Witness,
    services: Services,
    otp_table: String,
    user_table: String,
    /// Missing in templates of tests.
    record_table: Option<String>,
    secrets: Vec<String>,
}

impl AtTheEnd {
    pub(crate) fn of(stack: &Stack, witness: &Witness) -> AtTheEnd {
        let environment: BTreeMap<String, String> = stack.environment("VerifyOtp").into_iter().collect();
        let record: BTreeMap<String, String> = stack.environment("Record").into_iter().collect();
        // It has all of them.
        let keys: BTreeMap<String, String> = stack.environment("RotateKeys").into_iter().collect();
        AtTheEnd {
            witness: witness.clone(),
            services: stack.services().clone(),
            otp_table: environment["OTP_TABLE"].clone(),
            user_table: environment["USER_TABLE"].clone(),
            record_table: record.get("RECORD_TABLE").cloned(),
            secrets: SECRETS.iter().filter_map(|name| keys.get(*name).cloned()).collect(),
        }
    }

    /// Learns the keyrings in their current state.
    pub(crate) fn learn_keys(&self) {
        self.secrets.iter().filter_map(|arn| self.services.secret(arn)).for_each(|text| self.witness.keyring(&text));
    }

    fn look(&self) -> Vec<String> {
        self.learn_keys();
        self.scan(&self.otp_table, |item| self.witness.table(item));
        if let Some(table) = &self.record_table {
            self.scan(table, |item| self.witness.stored("RecordTable", item));
        }
        let is_of_factors = |item: &Value| item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("F#"));
        self.scan(&self.user_table, |item| {
            if is_of_factors(item) {
                self.witness.stored("a user's second factors", item);
            }
        });
        let failed = self.services.messages(FAILED_RECORDS);
        failed.iter().for_each(|message| self.witness.stored("the queue of failed records", &json!(message)));
        self.witness.leaks()
    }

    fn scan(&self, table: &str, keep: impl Fn(&Value)) {
        let mut scan = json!({ "TableName": table });
        loop {
            let page = self.services.dynamodb("Scan", scan.clone()).unwrap();
            page["Items"].as_array().unwrap().iter().for_each(&keep);
            match page.get("LastEvaluatedKey") {
                Some(key) => scan["ExclusiveStartKey"] = key.clone(),
                None => return,
            }
        }
    }
}

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        // A failed test has its own message already.
        if !std::thread::panicking() {
            let leaks = self.look();
            assert!(leaks.is_empty(), "{} leaks, such as: {}", leaks.len(), leaks[0]);
            let violations = self.services.violations().take();
            assert!(violations.is_empty(), "{} violations, such as: {}", violations.len(), violations[0]);
        }
    }
}
