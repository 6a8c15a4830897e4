//! The smoke command, against sound and faulty deployments.

use std::time::Duration;

use local::Options;
use local_aws::{Account, DEPLOYER};
use serde_json::{Value, json};
use tests::Deployment;
use tests::smoke::{Finding, Look, Verdict, look};

const ORIGIN: &str = "http://localhost:3000";

/// Checks a deployment with the credentials of a deployer.
async fn looked(auth: &Deployment, change: impl Fn(&mut Look)) -> Vec<Finding> {
    looked_with(auth, None, change).await
}

/// The same, with a stand-in for the services missing from `local`.
async fn looked_with(auth: &Deployment, account: Option<&Standin>, change: impl Fn(&mut Look)) -> Vec<Finding> {
    let addresses = auth.stack.addresses();
    let mut wanted = Look {
        url: format!("http://{}", addresses.api.unwrap()),
        origins: vec![ORIGIN.to_owned()],
        issuer: None,
        test_address: None,
        deliver_to: None,
        deliver_within: 120,
        stack: None,
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
        _ => account.filter(|_| name.starts_with("AWS_ENDPOINT_URL_")).map(|account| account.url.clone()),
    })
    .await
}

/// The warnings and failures, by name.
fn amiss(findings: &[Finding]) -> Vec<(&'static str, Verdict)> {
    let amiss = findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Doubtful | Verdict::Bad));
    amiss.map(|finding| (finding.name, finding.verdict)).collect()
}

/// Uses the system's clock, as the smoke command does.
async fn deployed(settings: &[(&str, &str)]) -> Deployment {
    Deployment::listening(settings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correct_deployment_passes_every_check() {
    let auth = deployed(&[]).await;
    let findings = looked(&auth, |_| ()).await;
    assert_eq!(amiss(&findings), [], "{findings:#?}");
    assert!(findings.len() >= 20, "{}", findings.len());
    assert!(auth.stack.inbox().messages(None).is_empty(), "a code was requested");
    let findings = looked(&auth, |look| look.test_address = Some("ada@example.com".to_owned())).await;
    assert_eq!(amiss(&findings), []);
    assert_eq!(auth.messages_to("ada@example.com"), 1);
    // Without a stand-in for these services, the checks of the account say why they are missing.
    let skipped = findings.iter().filter(|finding| finding.verdict == Verdict::Skipped);
    let skipped: Vec<_> = skipped.map(|finding| finding.name).collect();
    assert_eq!(skipped, ["executions", "stack"]);
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
        let fix = &findings.iter().find(|finding| finding.name == name).unwrap().fix;
        assert!(fix.len() > 20, "{name}: {fix}");
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

/// The command follows a message to its end, and says what to do next. Without news it gives up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_followed_until_it_arrives_or_fails() {
    let settings = [&crate::sms::EUM[..], &[("JWT_ALGORITHM", "ES256")]].concat();
    let env = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (api, deliver_every) = (Some(([127, 0, 0, 1], 0).into()), Some(Duration::from_millis(20)));
    let auth = Deployment::run(Options { api, env, deliver_every, ..Options::default() }).await.unwrap();
    let follow = async |to: &str, within| {
        let findings = looked(&auth, |look| {
            (look.deliver_to, look.deliver_within) = (Some(to.to_owned()), within);
            look.no_account = true;
        });
        let findings = findings.await.into_iter().filter(|finding| finding.name == "delivery");
        let last = findings.map(|found| (found.verdict, found.seen, found.fix)).next_back();
        let (verdict, seen, fix) = last.expect("no state was found");
        assert_eq!(fix.is_empty(), verdict == Verdict::Good, "{seen}: {fix}");
        (verdict, seen.split(" after ").next().unwrap_or_default().to_owned(), fix)
    };
    for (to, verdict, seen, fix) in [
        ("ada@example.com", Verdict::Good, "delivered", ""),
        ("+447400123456", Verdict::Good, "delivered", ""),
        ("bounce@simulator.amazonses.com", Verdict::Bad, "failed", "SPF"),
        ("+14254147167", Verdict::Bad, "failed", "text_carrier_blocked"),
        ("+33755512501", Verdict::Bad, "the code was not sent: 403 forbidden", "SmsCountries"),
        ("ada", Verdict::Bad, "the code was not sent: 400 invalid_email", "+447400123456"),
    ] {
        let found = follow(to, 60).await;
        assert_eq!((found.0, found.1.as_str()), (verdict, seen), "{to}");
        assert!(found.2.contains(fix), "{to}: {}", found.2);
    }
    // SNS tells nothing.
    let silent = deployed(&[]).await;
    let findings = looked(&silent, |look| {
        (look.deliver_to, look.deliver_within) = (Some("+447400123456".to_owned()), 0);
        look.no_account = true;
    });
    let findings = findings.await;
    let found = findings.iter().filter(|finding| finding.name == "delivery");
    let found: Vec<_> = found.map(|found| (found.verdict, found.seen.as_str())).collect();
    assert_eq!(found, [(Verdict::Good, "sent after 0 s, by sms"), (Verdict::Doubtful, "no news after 0 s")]);
}

/// A deployer has only read access.
#[tokio::test]
async fn a_deployer_has_only_read_access() {
    let auth = Deployment::start().await;
    for call in [
        tests::Call::item("GetItem", "UserTable", "JWKS"),
        tests::Call::secret("SigningSecret"),
        tests::Call::mail("no-reply@example.com"),
        tests::Call::dynamodb("Scan", "OtpTable", json!({})),
    ] {
        assert!(!auth.may(DEPLOYER, call).await);
    }
}

/// The member of an answer of [`Standin`] that holds its status, if it is not 200.
const STATUS: &str = "STATUS";

/// Services missing from `local`, with the answers of a sound account, except for one change.
struct Standin {
    url: String,
}

impl Standin {
    async fn start(change: impl Fn(&str, &mut Value) + Send + Sync + 'static) -> Standin {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let change = std::sync::Arc::new(change);
        let answer = move |request: axum::extract::Request| {
            let change = change.clone();
            async move {
                let (head, body) = request.into_parts();
                let authorization = head.headers["authorization"].to_str().unwrap().to_owned();
                assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=Deployer/"), "{authorization}");
                let target = head.headers.get("x-amz-target").map(|target| target.to_str().unwrap().to_owned());
                let body = axum::body::to_bytes(body, 65_536).await.unwrap();
                let action = || form_urlencoded::parse(&body).find(|(name, _)| name == "Action");
                let asked = target.or_else(|| action().map(|(_, action)| action.into_owned()));
                let asked = asked.unwrap_or_else(|| head.uri.to_string());
                let mut body = sound(&asked);
                change(&asked, &mut body);
                let status = body.get(STATUS).and_then(Value::as_u64).unwrap_or(200);
                let status = axum::http::StatusCode::from_u16(u16::try_from(status).unwrap()).unwrap();
                (status, body.as_str().map_or_else(|| body.to_string(), str::to_owned))
            }
        };
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
        Standin { url }
    }
}

/// The services' own forms of answers.
fn sound(asked: &str) -> Value {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let member = |name: &str, kind: &str, id: &str| {
        format!(
            "<member><LogicalResourceId>{name}</LogicalResourceId><PhysicalResourceId>{id}</PhysicalResourceId>\
             <ResourceType>{kind}</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
        )
    };
    let route =
        |path: &str| (format!("POST {path}"), json!({ "throttlingRateLimit": 20.0, "throttlingBurstLimit": 40 }));
    let routes: serde_json::Map<_, _> = ["a", "b", "c", "d", "e", "f", "g", "h"].map(route).into_iter().collect();
    match asked {
        "/2016-08-19/account-settings" => json!({ "AccountLimit": { "UnreservedConcurrentExecutions": 1000 } }),
        "/v2/email/configuration-sets/set" => json!({ "SuppressionOptions": { "SuppressedReasons": [] } }),
        "/v2/apis/api/stages/%24default" => json!({ "routeSettings": routes }),
        "secretsmanager.DescribeSecret" => {
            json!({ "RotationEnabled": true, "CreatedDate": now - 86_400, "NextRotationDate": now + 86_400 })
        }
        "Logs_20140328.FilterLogEvents" => {
            json!({ "events": [{ "message": r#"{"level":"INFO","duration_us":123456}"# }] })
        }
        "DescribeStacks" => Value::String(
            [
                ("Stage", "production"),
                ("Metrics", "on"),
                ("Rollout", "canary"),
                ("AlarmTopicArn", "arn:aws:sns:us-east-1:000000000000:alarms"),
                ("ProtectTables", "on"),
            ]
            .map(|(name, value)| format!("<member>{}{value}</ParameterValue></member>", parameter(name)))
            .concat(),
        ),
        "ListStackResources" => Value::String(
            [
                member("ConfigurationSet", "AWS::SES::ConfigurationSet", "set"),
                member("HttpApi", "AWS::ApiGatewayV2::Api", "api"),
                member(
                    "JwksAliaslive",
                    "AWS::Lambda::Alias",
                    "arn:aws:lambda:us-east-1:000000000000:function:jwks:live",
                ),
                member("RecordMapping", "AWS::Lambda::EventSourceMapping", "uuid-of-record"),
                member("EraseMapping", "AWS::Lambda::EventSourceMapping", "uuid-of-erase"),
                member("TokensRotation", "AWS::SecretsManager::RotationSchedule", "arn:tokens"),
                member("JwksLog", "AWS::Logs::LogGroup", "jwks-log"),
            ]
            .concat(),
        ),
        configuration if configuration.starts_with("/2015-03-31/functions/jwks/configuration") => {
            json!({ "CodeSha256": "x", "Environment": { "Variables": { "STAGE": "production" } } })
        }
        mapping if mapping.starts_with("/2015-03-31/event-source-mappings/uuid-of-") => {
            json!({ "State": "Enabled", "LastProcessingResult": "No records processed" })
        }
        other => panic!("the smoke command asked for {other}"),
    }
}

/// A parameter of the stack, up to its value.
fn parameter(name: &str) -> String {
    format!("<ParameterKey>{name}</ParameterKey><ParameterValue>")
}

/// Changes the value of a parameter.
fn set(stack: &mut Value, name: &str, value: &str) {
    let text = stack.as_str().unwrap();
    let (before, after) = text.split_once(&parameter(name)).unwrap();
    let (_, after) = after.split_once('<').unwrap();
    *stack = json!(format!("{before}{}{value}<{after}", parameter(name)));
}

fn in_the_stack(look: &mut Look) {
    look.stack = Some("latchkey-production".to_owned());
    look.test_address = Some("ada@example.com".to_owned());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correct_stack_passes_every_check() {
    let auth = deployed(&[]).await;
    let account = Standin::start(|_, _| ()).await;
    let findings = looked_with(&auth, Some(&account), in_the_stack).await;
    assert_eq!(amiss(&findings), [], "{findings:#?}");
    let names: Vec<_> =
        findings.iter().filter(|finding| finding.verdict == Verdict::Good).map(|one| one.name).collect();
    for name in [
        "executions",
        "stack",
        "suppression",
        "route limits",
        "live versions",
        "stream readers",
        "key age",
        "logs",
        "parameters",
        "100 at once",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_production_stack_needs_alarms_and_a_canary() {
    let auth = deployed(&[]).await;
    let account = Standin::start(|asked, body| {
        if asked == "DescribeStacks" {
            set(body, "Stage", "testing");
            set(body, "Metrics", "off");
        }
    });
    let account = account.await;
    let in_the_stack = |look: &mut Look| look.stack = Some("latchkey-testing".to_owned());
    assert_eq!(amiss(&looked_with(&auth, Some(&account), in_the_stack).await), []);
}

/// The answer to one question, changed.
type Change = (&'static str, fn(&mut Value));

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_problem_of_a_stack_is_reported_with_its_fix() {
    use Verdict::{Bad, Doubtful};
    let auth = deployed(&[("OTP_FAILURES_PER_IP", "1000")]).await;
    let changes: [(Change, &str, Verdict); 18] = [
        (
            ("account-settings", |body| body["AccountLimit"]["UnreservedConcurrentExecutions"] = json!(10)),
            "executions",
            Bad,
        ),
        (
            ("ListStackResources", |body| {
                *body = json!(body.as_str().unwrap().replacen("CREATE_COMP", "CREATE_FAIL", 1));
            }),
            "stack",
            Bad,
        ),
        (("DescribeStacks", |body| set(body, "Metrics", "off")), "parameters", Doubtful),
        (("DescribeStacks", |body| set(body, "Rollout", "at-once")), "parameters", Doubtful),
        (("DescribeStacks", |body| set(body, "AlarmTopicArn", "")), "parameters", Doubtful),
        (("DescribeStacks", |body| set(body, "ProtectTables", "off")), "parameters", Doubtful),
        (("sets/set", |body| body["SuppressionOptions"]["SuppressedReasons"] = json!(["BOUNCE"])), "suppression", Bad),
        (("sets/set", |body| *body = json!({})), "suppression", Doubtful),
        (("%24default", |body| *body = json!({ "routeSettings": {} })), "route limits", Bad),
        (("Qualifier=live", |body| body["CodeSha256"] = json!("y")), "live versions", Bad),
        (("Qualifier=live", |body| body["Environment"] = json!({})), "live versions", Bad),
        (("uuid-of-erase", |body| body["State"] = json!("Disabled")), "stream readers", Bad),
        (
            ("uuid-of-record", |body| body["LastProcessingResult"] = json!("PROBLEM: Function call failed")),
            "stream readers",
            Bad,
        ),
        // After a restore, copies of the mappings read the new table.
        (("uuid-of-record", |body| *body = json!({ STATUS: 404, "Type": "User" })), "stream readers", Doubtful),
        (("uuid-of-record", |body| *body = json!({ STATUS: 403, "Type": "User" })), "stream readers", Bad),
        (("DescribeSecret", |body| body["RotationEnabled"] = json!(false)), "key age", Bad),
        (("DescribeSecret", |body| body["NextRotationDate"] = json!(1_700_000_000)), "key age", Bad),
        (("FilterLogEvents", |body| body["events"][0]["message"] = json!("the code 123456")), "logs", Bad),
    ];
    for (at, ((question, change), name, verdict)) in changes.into_iter().enumerate() {
        let account = Standin::start(move |asked, body| {
            if asked.ends_with(question) {
                change(body);
            }
        });
        let account = account.await;
        let in_the_stack = |look: &mut Look| {
            in_the_stack(look);
            look.test_address = Some(format!("ada{at}@example.com"));
        };
        let findings = looked_with(&auth, Some(&account), in_the_stack).await;
        assert_eq!(amiss(&findings), [(name, verdict)]);
        let fix = &findings.iter().find(|finding| finding.name == name).unwrap().fix;
        assert!(fix.len() > 20, "{name}: {fix}");
    }
}
