//! Checks whether the account may send email and SMS to everyone, and the spending limit.

use std::time::Duration;

use aws_sdk_sesv2::error::ProvideErrorMetadata;
use shared::aws::{Aws, Credentials, Endpoints, Retries, Settings};
use shared::words::Clock;

use super::{Finding, Look};

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn look(look: &Look, credentials: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let given = |name: &str| credentials(name).unwrap_or_default();
    let (id, secret) = (given("AWS_ACCESS_KEY_ID"), given("AWS_SECRET_ACCESS_KEY"));
    let endpoint = credentials("AWS_ENDPOINT_URL");
    let settings = Settings {
        region: look.region.clone(),
        credentials: Credentials::new(id, secret, credentials("AWS_SESSION_TOKEN"), None, "environment"),
        endpoints: Endpoints {
            dynamodb: None,
            events: None,
            secrets: None,
            ses: endpoint.clone(),
            sms_voice: None,
            sns: endpoint,
            sqs: None,
        },
        attempt_timeout: PATIENCE,
        operation_timeout: PATIENCE,
        ca_bundle: credentials("AWS_CA_BUNDLE"),
        carrier: None,
    };
    let aws = match Aws::new(&settings, &Clock::system()) {
        Ok(aws) => aws,
        Err(error) => {
            let seen = error.cause().unwrap_or_else(|| error.to_string());
            return vec![Finding::bad(
                "credentials",
                seen,
                "set AWS_CA_BUNDLE to a file of PEM certificates, or unset it",
            )];
        }
    };
    let mut findings = mail(look, &aws).await;
    if look.sms {
        findings.extend(sms(look, &aws).await);
    }
    findings
}

/// A failed call to AWS, with the permission it needs.
fn unanswered(name: &'static str, code: Option<&str>, action: &str) -> Finding {
    let fix = format!("the credentials need the permission {action} in the region of --region");
    Finding::bad(name, format!("AWS answered {}", code.unwrap_or("with an unknown error")), fix)
}

async fn mail(look: &Look, aws: &Aws) -> Vec<Finding> {
    let client = aws_sdk_sesv2::Client::new(&aws.client(|endpoints| &endpoints.ses, Retries::Sdk));
    let mut findings = Vec::new();
    match client.get_account().send().await {
        Err(error) => findings.push(unanswered("SES", error.code(), "ses:GetAccount")),
        Ok(account) => {
            let quota = account.send_quota().map_or(0.0, |quota| quota.max24_hour_send());
            let ask = format!(
                "aws sesv2 put-account-details --region {} --production-access-enabled --mail-type TRANSACTIONAL \
                 --website-url https://… --use-case-description '…'",
                look.region
            );
            let sandbox = "in the sandbox: only verified addresses get email";
            let words = if account.production_access_enabled() { "out of the sandbox" } else { sandbox };
            findings.push(Finding::if_so("SES sandbox", account.production_access_enabled(), words, ask));
            let is_on = account.sending_enabled();
            let fix = "see the reputation page in the SES console for the reason of the pause";
            findings.push(Finding::if_so("SES sending", is_on, format!("{quota} emails per day"), fix));
        }
    }
    match &look.sender {
        None => findings.push(Finding::doubtful(
            "sender",
            "no --sender, so no sender was checked",
            "pass SenderEmail as --sender",
        )),
        Some(sender) => findings.extend(identity(look, &client, sender).await),
    }
    findings
}

async fn identity(look: &Look, client: &aws_sdk_sesv2::Client, sender: &str) -> Vec<Finding> {
    let create = format!(
        "aws sesv2 create-email-identity --region {} --email-identity {sender}; then open the link in AWS's email",
        look.region
    );
    let domain = sender.split_once('@').map_or(sender, |(_, domain)| domain);
    let mut known = client.get_email_identity().email_identity(sender).send().await;
    if known.as_ref().is_err_and(|error| error.code() == Some("NotFoundException")) {
        known = client.get_email_identity().email_identity(domain).send().await;
    }
    let identity = match known {
        Err(error) if error.code() == Some("NotFoundException") => {
            let seen = format!("SES knows neither {sender} nor {domain}");
            return vec![Finding::bad("sender", seen, create)];
        }
        Err(error) => return vec![unanswered("sender", error.code(), "ses:GetEmailIdentity")],
        Ok(identity) => identity,
    };
    let is_verified = identity.verified_for_sending_status();
    let words = if is_verified { "verified" } else { "not verified yet: its owner must open the link in AWS's email" };
    let signed = identity.dkim_attributes().is_some_and(|dkim| dkim.signing_enabled());
    let dkim = match signed {
        true => Finding::good("DKIM", "email is signed"),
        false => Finding::doubtful(
            "DKIM",
            "email is not signed, so providers may treat it as spam",
            "verify the sender's domain",
        ),
    };
    vec![Finding::if_so("sender", is_verified, words, create), dkim]
}

async fn sms(look: &Look, aws: &Aws) -> Vec<Finding> {
    let client = aws_sdk_sns::Client::new(&aws.client(|endpoints| &endpoints.sns, Retries::Sdk));
    let mut findings = Vec::new();
    match client.get_sms_sandbox_account_status().send().await {
        Err(error) => findings.push(unanswered("SMS sandbox", error.code(), "sns:GetSMSSandboxAccountStatus")),
        Ok(status) => {
            let words = if status.is_in_sandbox() {
                "in the sandbox: at most ten verified numbers get SMS"
            } else {
                "out of the sandbox"
            };
            let fix = "AWS End User Messaging SMS in the console: Request production access";
            findings.push(Finding::if_so("SMS sandbox", !status.is_in_sandbox(), words, fix));
        }
    }
    match client.get_sms_attributes().attributes("MonthlySpendLimit").send().await {
        Err(error) => findings.push(unanswered("SMS limit", error.code(), "sns:GetSMSAttributes")),
        Ok(attributes) => {
            let limit = attributes.attributes().and_then(|all| all.get("MonthlySpendLimit")).cloned();
            let limit = limit.unwrap_or_else(|| "1".to_owned());
            let fix = format!(
                "raise the quota (Service Quotas, AWS End User Messaging SMS), then run aws pinpoint-sms-voice-v2 \
                 set-text-message-spend-limit-override --region {} --monthly-limit …",
                look.region
            );
            let words = format!("{limit} US dollars per month");
            findings.push(match limit.parse::<f64>() {
                Ok(limit) if limit > 1.0 => Finding::good("SMS limit", words),
                _ => Finding::doubtful("SMS limit", words, fix),
            });
        }
    }
    findings
}
