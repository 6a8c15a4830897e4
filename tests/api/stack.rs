//! The first hour of a deployer: what CloudFormation says about each mistake, through the protocol of custom resources.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::put;
use local_aws::template::Template;
use serde_json::{Value, json};
use tests::Deployment;

use crate::rotate_keys::{deployment, state};
use crate::workspace::read;

type Answers = Arc<Mutex<Vec<(Value, HeaderMap)>>>;

/// CloudFormation, waiting for answers about a deployment's resource.
struct CloudFormation {
    auth: Deployment,
    url: String,
    answers: Answers,
}

impl CloudFormation {
    async fn of(auth: Deployment) -> CloudFormation {
        let answers = Answers::default();
        let answer = async |State(answers): State<Answers>, headers: HeaderMap, body: String| {
            assert!(body.len() <= 4096, "CloudFormation refuses longer answers");
            answers.lock().unwrap().push((serde_json::from_str(&body).unwrap(), headers));
        };
        let router = Router::new().route("/answer", put(answer)).with_state(answers.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/answer?Signature=x%2By", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        CloudFormation { auth, url, answers }
    }

    /// Sends a request for FirstKeys with these properties, and returns the answer.
    async fn ask(&self, kind: &str, properties: &Value) -> Value {
        let event = json!({ "RequestType": kind, "ResponseURL": self.url, "StackId": "arn:stack", "RequestId": "r-1",
            "LogicalResourceId": "FirstKeys", "ResourceProperties": properties });
        self.auth.stack.ask_for_keys(&event).await.unwrap();
        let (answer, headers) = self.answers.lock().unwrap().pop().expect("CloudFormation waits for an answer");
        assert_eq!(headers["content-type"], "");
        let ids = (&answer["StackId"], &answer["RequestId"], &answer["LogicalResourceId"]);
        assert_eq!(ids, (&json!("arn:stack"), &json!("r-1"), &json!("FirstKeys")));
        assert_eq!(answer["PhysicalResourceId"], "latchkey-keyrings");
        answer
    }

    /// Why a deployment with these parameters fails: the template's own rules first, then the reason in the stack's event.
    async fn refuses(&self, parameters: &[&str]) -> String {
        match properties(parameters) {
            Err(problem) => problem,
            Ok(properties) => {
                let answer = self.ask("Update", &properties).await;
                assert_eq!(answer["Status"], "FAILED", "{parameters:?} are accepted");
                answer["Reason"].as_str().unwrap().to_owned()
            }
        }
    }
}

/// The properties of FirstKeys in a deployment with these parameters, or what CloudFormation refuses before it starts.
fn properties(parameters: &[&str]) -> Result<Value, String> {
    let required = ["Stage=production", "SenderEmail=no-reply@example.com", "AllowedOrigins=https://app.example.com"];
    let is_given = |name: &str| parameters.iter().any(|given| given.split('=').next() == name.split('=').next());
    let all: Vec<_> = required.into_iter().filter(|name| !is_given(name)).chain(parameters.iter().copied()).collect();
    let profile = format!("[default.deploy.parameters]\nparameter_overrides = {}\n", json!(all));
    let template =
        Template::parse(&read("template.yaml"), &profile, "default").map_err(|problem| problem.to_string())?;
    Ok(template.custom["FirstKeys"].properties.clone())
}

#[tokio::test]
async fn each_mistake_of_a_deployers_first_hour_is_named_in_a_sentence() {
    let stack = CloudFormation::of(deployment().await).await;
    for (parameters, reason) in [
        (vec!["SenderEmail=no-reply"], "SenderEmail: `no-reply` does not fit; expected an email address, such as"),
        (vec!["SenderEmail=<no-reply@example.com>"], "SENDER_EMAIL: expected an email address in ASCII without a name"),
        (
            vec!["AllowedOrigins=https://app.example.com/"],
            "AllowedOrigins: `https://app.example.com/` does not fit; expected",
        ),
        (
            vec!["SmsCountries=UK"],
            "SMS_COUNTRIES: `UK` is not an ISO 3166 country code with phone numbers. Did you mean `GB`?",
        ),
        (vec!["SmsCountries=US,el"], "`EL` is not an ISO 3166 country code with phone numbers. Did you mean `GR`?"),
        (
            vec!["SmsCountries=US,XX"],
            "`XX` is not an ISO 3166 country code with phone numbers. Use codes such as US,GB",
        ),
        (
            vec!["TokenDelivery=cookie"],
            "TOKEN_DELIVERY: browsers would not send cookies from https://app.example.com. Use https origins under the \
             same registrable domain as DOMAIN_NAME, or set TOKEN_DELIVERY to body",
        ),
        (
            vec!["TrustedProxies=10.0.0.0/99", "TrustedHops=1"],
            "TRUSTED_PROXIES: expected networks such as 192.0.2.0/24, separated by",
        ),
        (vec!["SmsMaxPrice=0.10"], "SmsMaxPrice has no effect while SmsCountries is empty. Set SmsCountries to"),
        (vec!["SmsProvider=eum"], "SmsProvider has no effect while SmsCountries is empty. Set SmsCountries to"),
        (vec!["SmsCountries=US", "SmsProvider=eum", "SmsPool=pool-1"], "SmsProvider=eum needs SmsConfigurationSet"),
        (
            vec!["SmsCountries=US", "SmsProvider=eum", "SmsConfigurationSet=codes"],
            "SmsProvider=eum needs a sender. Set",
        ),
        (
            vec!["SmsCountries=US", "SmsProvider=eum", "SmsConfigurationSet=codes", "SmsPool=pool-1", "SmsSenderId=A"],
            "SmsProvider=eum takes one sender. Set only one of SmsPool, SmsOriginationNumber and SmsSenderId.",
        ),
        (
            vec!["SmsCountries=US", "SmsPool=pool-1"],
            "SmsPool has no effect with SmsProvider=sns. Set SmsProvider to eum",
        ),
        (
            vec!["SmsDailyBudgetUsd=5"],
            "SmsDailyBudgetUsd has no effect while SmsCountries is empty. Set SmsCountries to",
        ),
        (vec!["SmsCountries=US", "SmsPrices=GB=1"], "SmsPrices has no effect while SmsDailyBudgetUsd is empty. Set"),
        (vec!["SmsCountries=US", "SmsDailyBudgetUsd=0"], "SMS_DAILY_BUDGET_USD: expected US dollars, such as 25 or"),
        (vec!["SmsCountries=US", "SmsMaxPrice=0"], "SMS_MAX_PRICE: expected a price in US dollars, such as 0.10"),
        (
            vec!["SmsCountries=US", "SmsSenderId=12345"],
            "SMS_SENDER_ID: expected 1 to 11 letters and digits, at least one of them a letter. A number belongs in",
        ),
        (
            vec!["SmsCountries=US", "ProductName=Ключ"],
            "PRODUCT_NAME: expected at most 40 characters, all of them in the basic GSM 7-bit alphabet, because \
             SMS_COUNTRIES turns SMS on. Choose another name",
        ),
        (vec!["SmsCountries=US", "WebotpHost=-a"], "WEBOTP_HOST: expected a host name in lower case"),
        (
            vec!["UserIdClaim=id", "JtiClaim=id"],
            "USER_ID_CLAIM, TOKEN_TYPE_CLAIM and JTI_CLAIM: expected three different",
        ),
        (vec!["JtiClaim=exp"], "JTI_CLAIM: exp is already the name of another claim. Choose a different name"),
        (
            vec!["JwtIssuer=http://auth.example.com"],
            "JwtIssuer: `http://auth.example.com` does not fit; expected an https",
        ),
        (vec!["JwtIssuer=http://localhost/"], "JWT_ISSUER: expected an https URL such as https://auth.example.com"),
        (vec!["AwsCaBundle=roots.pem"], "AWS_CA_BUNDLE: expected the absolute path of a file"),
        (
            vec!["OtpLength=8", "OtpCodeLength=6"],
            "OTP_CODE_LENGTH: OTP_LENGTH is the same setting with another value. Remove",
        ),
        (vec!["TotpIssuer=a:b"], "TotpIssuer: `a:b` does not fit; expected 1 to 64 characters on one line, without a"),
        (vec!["ExecuteApi=off"], "ExecuteApi=off needs DomainName. Otherwise the API has no address."),
    ] {
        let told = stack.refuses(&parameters).await;
        assert!(told.contains(reason), "{parameters:?}: {told}");
    }
}

#[tokio::test]
async fn all_mistakes_are_reported_at_once() {
    let stack = CloudFormation::of(deployment().await).await;
    let told = stack
        .refuses(&["SmsCountries=UK", "TrustedProxies=10.0.0.0/99", "TrustedHops=1", "TokenDelivery=cookie"])
        .await;
    let begins = "Functions cannot start with these settings. Correct the parameters (OtpLength for OTP_LENGTH) and deploy \
                  again. ";
    assert!(told.starts_with(begins), "{told}");
    for name in ["SMS_COUNTRIES: ", "TRUSTED_PROXIES: ", "TOKEN_DELIVERY: "] {
        assert_eq!(told.matches(name).count(), 1, "{told}");
    }
    assert!(told.len() < 1_000, "{told}");
}

/// The digest changes with every value, and the free parameter changes nothing else.
#[tokio::test]
async fn each_change_of_a_value_changes_the_digest() {
    let stack = CloudFormation::of(deployment().await).await;
    let digest = async |parameters: &[&str]| {
        let answer = stack.ask("Update", &properties(parameters).unwrap()).await;
        assert_eq!(answer["Status"], "SUCCESS", "{answer}");
        answer["Data"]["Settings"].as_str().unwrap().to_owned()
    };
    let first = digest(&[]).await;
    assert_eq!((first.len(), digest(&[]).await), (32, first.clone()));
    for change in [
        "OtpLength=8",
        "MemorySize=256",
        "TimeoutSeconds=20",
        "SignUp=closed",
        "Again=1",
        "SmsCountries=US",
        "SecondFactor=optional",
    ] {
        assert_ne!(digest(&[change]).await, first, "{change}");
    }
    // Functions ignore this parameter, so they stay as they are.
    assert_eq!(digest(&["AlarmSendsPerFiveMinutes=500"]).await, first);
}

#[tokio::test]
async fn a_running_function_carries_the_digest() {
    let auth = deployment().await;
    let settings = |function: &str| {
        let environment = auth.stack.environment(function);
        environment.into_iter().find(|(name, _)| name == "SETTINGS").map(|(_, value)| value)
    };
    let digest = settings("RequestOtp").unwrap();
    assert!(digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
    assert_eq!((settings("Fallback"), settings("RotateKeys")), (Some(digest), None));
}

#[tokio::test]
async fn cloudformation_is_told_about_success_and_failure() {
    let stack = CloudFormation::of(deployment().await).await;
    let valid = properties(&["JwtAlgorithm=ES256"]).unwrap();
    let before = state(&stack.auth);
    for kind in ["Create", "Update", "Delete"] {
        let answer = stack.ask(kind, &valid).await;
        assert_eq!((&answer["Status"], &answer["Reason"]), (&json!("SUCCESS"), &json!("")), "{kind}");
        assert_eq!(state(&stack.auth), before, "existing keys stay");
    }
    // A deletion always succeeds. A rollback could not end otherwise.
    let answer = stack.ask("Delete", &json!({})).await;
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    for (kind, properties, reason) in [
        ("Adopt", &valid, "RequestType: expected Create, Update or Delete"),
        ("Create", &json!({}), "Settings: expected the environment variables of all functions, as strings"),
        (
            "Create",
            &json!({ "Settings": { "STAGE": [] } }),
            "Settings: expected the environment variables of all functions",
        ),
    ] {
        let answer = stack.ask(kind, properties).await;
        assert_eq!(answer["Status"], "FAILED", "{answer}");
        assert!(answer["Reason"].as_str().unwrap().starts_with(reason), "{answer}");
    }
    stack.auth.stack.services().put_secret(&stack.auth.setting("SIGNING_SECRET_ARN"), "{}".to_owned()).unwrap();
    let answer = stack.ask("Update", &valid).await;
    assert_eq!(answer["Status"], "FAILED", "{answer}");
    assert!(answer["Reason"].as_str().unwrap().contains("is not a keyring"), "{answer}");
}

/// In a stack that is seconds old, a role may still be denied and a service may throttle.
#[tokio::test]
async fn a_fault_that_passes_fails_no_deployment() {
    let stack = CloudFormation::of(deployment().await).await;
    let valid = properties(&["JwtAlgorithm=ES256"]).unwrap();
    for (service, error, times) in [
        ("secretsmanager", "AccessDeniedException", 2),
        // The SDK itself makes three attempts.
        ("secretsmanager", "ThrottlingException", 3),
        ("dynamodb", "AccessDeniedException", 1),
    ] {
        stack.auth.faults(json!({ "aws": [{ "service": service, "error": error, "times": times }] }));
        let answer = stack.ask("Create", &valid).await;
        assert_eq!(answer["Status"], "SUCCESS", "{error}: {answer}");
    }
}

/// CloudFormation shows parameters, properties and answers in its events and in the console.
#[tokio::test]
async fn no_secret_is_a_parameter_a_property_or_an_answer() {
    let template = read("template.yaml");
    assert!(!template.contains("NoEcho") && !template.contains("{{resolve:"));
    let stack = CloudFormation::of(deployment().await).await;
    let properties = properties(&["JwtAlgorithm=ES256"]).unwrap();
    // The digest of a random secret reveals nothing.
    let is_digest = |name: &str| name.ends_with("_SHA256");
    let is_secret = |name: &str| {
        !is_digest(name)
            && ["SECRET", "PASSWORD", "PRIVATE", "CREDENTIAL", "API_KEY"].iter().any(|word| name.contains(word))
    };
    for (name, value) in properties["Settings"].as_object().unwrap().iter().filter(|(name, _)| is_secret(name)) {
        // A secret that the deployment does not need has no ARN.
        let value = value.as_str().unwrap();
        assert!(value.is_empty() || value.starts_with("arn:aws:secretsmanager:"), "{name} holds a secret");
    }
    let answer = stack.ask("Create", &properties).await.to_string();
    let vault = stack.auth.setting("VAULT_SECRET_ARN");
    let keys =
        stack.auth.secrets().into_iter().chain([vault]).map(|arn| stack.auth.stack.services().secret(&arn).unwrap());
    let keys: Vec<Value> = keys.map(|keys| serde_json::from_str(&keys).unwrap()).collect();
    for key in keys.iter().flat_map(texts).filter(|text| text.len() >= 32) {
        assert!(!answer.contains(key) && !properties.to_string().contains(key), "a key is in the event or the answer");
    }
}

/// Every string in a document.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => vec![],
    }
}
