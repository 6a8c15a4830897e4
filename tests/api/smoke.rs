//! The smoke command, against sound and faulty deployments.

use local_aws::{Account, DEPLOYER};
use serde_json::json;
use tests::Deployment;
use tests::smoke::{Finding, Look, Verdict, look};

const ORIGIN: &str = "http://localhost:3000";

/// Checks a deployment with the credentials of a deployer.
async fn looked(auth: &Deployment, change: impl Fn(&mut Look)) -> Vec<Finding> {
    let addresses = auth.stack.addresses();
    let mut wanted = Look {
        url: format!("http://{}", addresses.api.unwrap()),
        origins: vec![ORIGIN.to_owned()],
        issuer: None,
        test_address: None,
        no_account: false,
        region: "us-east-1".to_owned(),
        sender: Some("no-reply@example.com".to_owned()),
        sms: true,
    };
    change(&mut wanted);
    let aws = format!("http://{}", addresses.aws);
    look(&wanted, |name| match name {
        "AWS_ACCESS_KEY_ID" => Some(DEPLOYER.to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some("local".to_owned()),
        "AWS_ENDPOINT_URL" => Some(aws.clone()),
        _ => None,
    })
    .await
}

/// The warnings and failures, by name.
fn amiss(findings: &[Finding]) -> Vec<(&'static str, Verdict)> {
    let amiss = findings.iter().filter(|finding| finding.verdict != Verdict::Good);
    amiss.map(|finding| (finding.name, finding.verdict)).collect()
}

/// Uses the system's clock, as the smoke command does.
async fn deployed(settings: &[(&str, &str)]) -> Deployment {
    Deployment::listening(settings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_deployment_is_found_sound() {
    let auth = deployed(&[]).await;
    let findings = looked(&auth, |_| ()).await;
    assert_eq!(amiss(&findings), [], "{findings:#?}");
    assert!(findings.len() >= 20, "{}", findings.len());
    assert!(auth.stack.inbox().messages(None).is_empty(), "a code was requested");
    let findings = looked(&auth, |look| look.test_address = Some("ada@example.com".to_owned())).await;
    assert_eq!(amiss(&findings), []);
    assert_eq!(auth.messages_to("ada@example.com"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_problem_is_reported_with_its_fix() {
    use Verdict::{Bad, Doubtful};
    let auth = deployed(&[]).await;
    type Change = fn(&mut Look);
    let looks: [(Change, &str, Verdict); 6] = [
        (|look| look.origins = vec!["https://other.example".to_owned()], "origin", Bad),
        (|look| look.origins.clear(), "origins", Doubtful),
        (|look| look.issuer = Some("https://auth.example.com".to_owned()), "issuer", Bad),
        (|look| look.sender = Some("nobody@example.org".to_owned()), "sender", Bad),
        (|look| look.sender = None, "sender", Doubtful),
        (|look| look.test_address = Some("nobody".to_owned()), "a code", Bad),
    ];
    for (change, name, verdict) in looks {
        let findings = looked(&auth, change).await;
        assert_eq!(amiss(&findings), [(name, verdict)]);
        let mend = &findings.iter().find(|finding| finding.name == name).unwrap().mend;
        assert!(mend.len() > 20, "{name}: {mend}");
    }
    auth.stack.services().allow_sender("example.org");
    assert_eq!(amiss(&looked(&auth, |look| look.sender = Some("nobody@example.org".to_owned())).await), []);
    for (account, name, verdict) in [
        (Account { is_mail_sandboxed: true, ..Account::default() }, "SES sandbox", Bad),
        (Account { is_sms_sandboxed: true, ..Account::default() }, "SMS sandbox", Bad),
        (Account { sms_limit: 1, ..Account::default() }, "SMS limit", Doubtful),
    ] {
        auth.stack.services().set_account(account);
        assert_eq!(amiss(&looked(&auth, |_| ()).await), [(name, verdict)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_unsuitable_for_an_authorizer_are_reported() {
    let auth = deployed(&[("JWT_ALGORITHM", "HS256")]).await;
    assert_eq!(amiss(&looked(&auth, |_| ()).await), [("authorizer", Verdict::Doubtful)]);
    let auth = deployed(&[("JWT_ISSUER", "https://auth.example.com")]).await;
    let names: Vec<_> = amiss(&looked(&auth, |_| ()).await).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["issuer", "issuer's address"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_clock_is_reported() {
    let auth = deployed(&[]).await;
    auth.wait(30);
    // The gateway uses the stack's clock.
    let verdict = amiss(&looked(&auth, |_| ()).await);
    assert!(verdict.is_empty() || verdict == [("clock", Verdict::Doubtful)], "{verdict:?}");
}

/// A deployer has only read access.
#[tokio::test]
async fn a_deployer_has_only_read_access() {
    let auth = Deployment::start().await;
    for call in [
        tests::Call::item("GetItem", "UserTable", "JWKS"),
        tests::Call::secret("TokensSecret"),
        tests::Call::mail("no-reply@example.com"),
        tests::Call::dynamodb("Scan", "OtpTable", json!({})),
    ] {
        assert!(!auth.may(DEPLOYER, call).await);
    }
}
