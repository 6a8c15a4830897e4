//! The calls of a deployer: about the AWS account, for `tests/smoke`, and the reads of a report. Functions lack the permission for
//! the former.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::lock::locked;
use crate::ses::Ses;
use crate::wire::{Call, Refusal, Service};

/// The access key id of the deployer. It may make only the calls of this module.
pub const DEPLOYER: &str = "Deployer";

/// The limits of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whether SES sends only to verified addresses.
    pub is_mail_sandboxed: bool,
    /// Whether SNS sends only to verified phone numbers.
    pub is_sms_sandboxed: bool,
    /// The monthly limit for SMS in US dollars.
    pub sms_limit: u32,
}

/// An account outside both sandboxes.
impl Default for Account {
    fn default() -> Account {
        Account { is_mail_sandboxed: false, is_sms_sandboxed: false, sms_limit: 100 }
    }
}

/// Whether a call reads tables.
pub(super) fn reads(call: &Call) -> bool {
    call.service == Service::DynamoDb && call.operation == "BatchGetItem"
}

/// Answers a call of the deployer about the account.
pub(super) fn answer(call: &Call, account: &Mutex<Account>, ses: &Ses) -> Result<Value, Refusal> {
    let account = *locked(account);
    match (call.service, call.operation.as_str()) {
        (Service::Ses, "GetAccount") => Ok(json!({
            "ProductionAccessEnabled": !account.is_mail_sandboxed,
            "SendingEnabled": true,
            "EnforcementStatus": "HEALTHY",
            "SendQuota": { "Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0 },
        })),
        (Service::Ses, "GetEmailIdentity") => identity(call, ses),
        (Service::Sns, "GetSMSSandboxAccountStatus") => Ok(json!({ "IsInSandbox": account.is_sms_sandboxed })),
        (Service::Sns, "GetSMSAttributes") => {
            Ok(json!({ "attributes": { "MonthlySpendLimit": account.sms_limit.to_string() } }))
        }
        _ => Err(call.denied(&call.action(), "*", false)),
    }
}

fn identity(call: &Call, ses: &Ses) -> Result<Value, Refusal> {
    let name = call.text("EmailIdentity").unwrap_or_default();
    if !ses.has_identity(name) {
        let message = format!("Email identity {name} does not exist.");
        return Err(Refusal::new(http::StatusCode::NOT_FOUND, "NotFoundException", &message));
    }
    Ok(json!({ "VerifiedForSendingStatus": true,
        "DkimAttributes": { "SigningEnabled": true, "Status": "SUCCESS" } }))
}
