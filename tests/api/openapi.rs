//! Checks that `openapi.yaml` is complete and correct.
//!
//! The harness checks the requests and answers of every test against it. This module checks the other direction: each documented
//! status and code of a route occurs, and matches its example.

mod answers;
mod factors;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};
use shared::http::{ALIASES, LONGEST_BODY, ROUTES, without_final_slash};
use shared::people::LONGEST_NAME;
use shared::words::Channel;
use tests::client::REQUEST;
use tests::contract::{CONTRACT, Operation, Response};
use tests::{Answer, Deployment};

use crate::workspace::read;

/// The operation that an alias stands for.
fn original(alias: &Operation) -> Option<&'static Operation> {
    let same = |operation: &Operation, path| without_final_slash(&operation.path) == path;
    let stands_for = ALIASES.iter().find(|known| same(alias, known.path))?.stands_for;
    CONTRACT.operations.iter().find(|operation| same(operation, stands_for) && operation.method == alias.method)
}

/// Whether an operation has our own format of errors. The paths of replaced systems have others.
fn has_own_errors(operation: &Operation) -> bool {
    original(operation).is_none() && !operation.path.starts_with("/api/auth/2fa/")
}

/// The names of a response's examples. A response without a body has one empty name, because it must occur too.
fn names(response: &'static Response) -> Vec<&'static str> {
    let names: Vec<_> = response.examples.keys().map(String::as_str).collect();
    if names.is_empty() { vec![""] } else { names }
}

/// Fields with random values. All other fields must equal the example.
const DRAWN: [&str; 18] = [
    "access",
    "backup_codes",
    "challenge_id",
    "device",
    "factor_id",
    "id",
    "kid",
    "otpauth_uri",
    "qr_b64",
    "qr_svg",
    "refresh",
    "secret",
    "session",
    "session_id",
    "trusted_device",
    "username",
    "x",
    "y",
];

/// A text, or a list of as many texts.
fn is_drawn_alike(example: &Value, real: &Value) -> bool {
    match (example, real) {
        (Value::Array(example), Value::Array(real)) => {
            example.len() == real.len() && example.iter().chain(real).all(Value::is_string)
        }
        (example, real) => example.is_string() && real.is_string(),
    }
}

fn is_alike(example: &Value, real: &Value) -> bool {
    match (example, real) {
        (Value::Object(example), Value::Object(real)) => {
            let is_alike = |(name, value): (&String, &Value)| match real.get(name) {
                Some(real) if DRAWN.contains(&name.as_str()) => is_drawn_alike(value, real),
                Some(real) => is_alike(value, real),
                None => false,
            };
            example.len() == real.len() && example.iter().all(is_alike)
        }
        (Value::Array(example), Value::Array(real)) => {
            example.len() == real.len() && example.iter().zip(real).all(|(example, real)| is_alike(example, real))
        }
        (example, real) => example == real,
    }
}

/// Produces every answer of an operation and compares it with its example.
async fn gives_every_answer(operation: &'static Operation) {
    let id = &operation.id;
    let mut problems = String::new();
    for (&status, response) in &operation.responses {
        for name in names(response) {
            let answer = answers::given(operation, status, name).await;
            assert_eq!(answer.status.as_u16(), status, "{id} {status} {name}: {}", answer.body);
            let example = response.examples.get(name).unwrap_or(&Value::Null);
            problems += &response.body_problems(example);
            let example = if operation.method == "HEAD" { &Value::Null } else { example };
            let is_page = response.examples.is_empty() && answer.body.is_string();
            if !is_page && !is_alike(example, &answer.body) {
                problems += &format!("\n{id} {status} {name} is not its example, but {}", answer.body);
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

/// Two operations at a time, each in its own runtime, because most answers need a specially prepared deployment.
#[test]
fn every_documented_answer_occurs() {
    let left = Mutex::new(CONTRACT.operations.iter().chain([&CONTRACT.elsewhere]));
    let next = || left.lock().unwrap().next();
    std::thread::scope(|scope| {
        let give = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            while let Some(operation) = next() {
                runtime.block_on(gives_every_answer(operation));
            }
        };
        let threads = [scope.spawn(give), scope.spawn(give)];
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn the_document_has_every_route_and_no_other() {
    let mut routes = BTreeSet::new();
    for operation in &CONTRACT.operations {
        routes.insert(format!("{} {}", operation.method, without_final_slash(&operation.path)));
    }
    let aliases = ALIASES.iter().map(|alias| (alias.method, alias.path));
    let ours = ROUTES.iter().map(|route| (route.method, route.path));
    let expected = ours.chain(aliases).map(|(method, path)| format!("{method} {path}"));
    assert_eq!(routes, expected.collect());
    // docs/migration.md has the aliases.
    let page = read("docs/api.md");
    for Operation { method, path, .. } in CONTRACT.operations.iter().filter(|operation| original(operation).is_none()) {
        assert!(page.contains(&format!("| `{method} {path}` |")), "docs/api.md has no route `{method} {path}`");
    }
    assert_eq!(document()["info"]["version"], env!("CARGO_PKG_VERSION"));
}

/// The numbers in the document match the settings and the code.
#[test]
fn every_limit_matches_the_code() {
    let (document, settings) = (document(), crate::environment::settings());
    let schema = |path: &str| document["components"]["schemas"].pointer(path).unwrap().clone();
    for (path, setting) in
        [("/AccountsSent/properties/resend_in", "OTP_RESEND_SECONDS"), ("/AccessSeconds", "JWT_ACCESS_SECONDS")]
    {
        let expected = format!("a whole number from {} to {}", schema(path)["minimum"], schema(path)["maximum"]);
        assert_eq!(settings[setting], expected, "{path}");
    }
    let algorithms = schema("/Discovery/properties/id_token_signing_alg_values_supported/items/enum");
    let algorithms: Vec<_> = algorithms.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(settings["JWT_ALGORITHM"], format!("one of {}", algorithms.join(", ")));
    for name in ["first_name", "last_name"] {
        assert_eq!(schema("/User/properties")[name]["maxLength"], LONGEST_NAME);
    }
    let rules = document["info"]["description"].as_str().unwrap();
    for limit in [
        format!("{} KiB", LONGEST_BODY / 1024),
        format!("body over {} MB", local_aws::gateway::LONGEST_BODY / 1_000_000),
    ] {
        assert!(rules.contains(&limit), "{limit}");
    }
}

/// The values of each property `channel` in the document.
fn channels(of: &Value) -> Vec<Vec<String>> {
    let own = of["properties"]["channel"]["enum"].as_array().map(|values| {
        let words = values.iter().filter_map(Value::as_str).filter(|word| !["", "phone"].contains(word));
        words.map(str::to_owned).collect()
    });
    let inner = match of {
        Value::Array(values) => values.iter().flat_map(channels).collect(),
        Value::Object(members) => members.values().flat_map(channels).collect(),
        _ => Vec::new(),
    };
    own.into_iter().chain(inner).collect()
}

/// S160: the document and the declarations of the client name every channel, and no other.
#[test]
fn every_channel_is_documented() {
    let all: Vec<_> = Channel::ALL.iter().map(|channel| channel.name().to_owned()).collect();
    let documented = channels(&document());
    assert!(documented.len() >= 2 && documented.iter().all(|channels| *channels == all), "{documented:?}");
    let declarations = read("web/client/latchkey.d.ts");
    let declared: Vec<_> = declarations.lines().filter(|line| line.contains("channel: \"")).collect();
    let quoted = all.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" | ");
    assert!(!declared.is_empty() && declared.iter().all(|line| line.ends_with(&format!("channel: {quoted};"))));
}

fn document() -> Value {
    serde_json::from_str(&local::document::json().unwrap()).unwrap()
}

/// Each error has one example for each of its routes and statuses, and responses allow no other errors. Aliases have a common
/// format for theirs.
#[test]
fn every_error_has_an_example_on_each_of_its_routes() {
    let ours = CONTRACT.operations.iter().filter(|operation| has_own_errors(operation));
    let responses = ours.chain([&CONTRACT.elsewhere]).flat_map(|operation| {
        operation.responses.iter().map(|(status, response)| (format!("{} {status}", operation.id), response))
    });
    let responses: Vec<_> = responses.collect();
    let refusals = responses.iter().flat_map(|(_, response)| &response.examples);
    let refusals: BTreeMap<&String, &Value> =
        refusals.filter(|(_, value)| value.get("success") == Some(&json!(false))).collect();
    for (code, example) in &refusals {
        assert_eq!(example["error"], json!(code));
        for (place, response) in &responses {
            let is_taken = !response.examples.is_empty() && response.body_problems(example).is_empty();
            assert_eq!(is_taken, response.examples.contains_key(*code), "{place} {code}");
        }
    }
    let source = read("shared/src/words/error.rs");
    let codes = source.lines().filter_map(|line| line.split_once(" => \"")?.1.strip_suffix("\","));
    assert_eq!(refusals.into_keys().map(String::as_str).collect::<BTreeSet<_>>(), codes.collect());
}

/// Each kind of valid request has one example.
#[test]
fn every_example_of_a_request_has_one_of_its_answer() {
    // A webhook answers without a body.
    let posts = CONTRACT.operations.iter().filter(|operation| operation.method == "POST");
    for operation in posts.filter(|operation| operation.responses.contains_key(&200)) {
        assert!(operation.requests.keys().eq(operation.responses[&200].examples.keys()), "{}", operation.id);
        for (name, body) in &operation.requests {
            assert!(operation.takes(body), "{} does not take its example {name}", operation.id);
        }
    }
}

type Change = fn(&mut Request<Bytes>, &mut Answer);

/// Breaks each rule of the checks once, because a check without effect would accept everything.
#[tokio::test]
async fn undocumented_behaviour_is_detected() {
    let auth = Deployment::start().await;
    let request = Request::post(REQUEST).header("content-type", "application/json");
    let request = request.body(Bytes::from_static(br#"{"identifier":"ada@example.com"}"#)).unwrap();
    let answer = auth.client().send(request.clone()).await;
    let found = |change: Change| {
        let (mut request, mut answer) = (request.clone(), answer.clone());
        change(&mut request, &mut answer);
        CONTRACT.problems(&request, &answer)
    };
    assert_eq!(found(|_, _| ()), "");
    let broken: [(&str, Change); 13] = [
        ("no status 418", |_, answer| answer.status = StatusCode::IM_A_TEAPOT),
        ("no status 404", |_, answer| answer.status = StatusCode::NOT_FOUND),
        ("no status 405", |_, answer| answer.status = StatusCode::METHOD_NOT_ALLOWED),
        ("no status 200", |request, _| *request.method_mut() = Method::PUT),
        ("'more' was unexpected", |_, answer| answer.body["more"] = json!(1)),
        ("\"expires_in\" is a required property", |_, answer| {
            answer.body.as_object_mut().unwrap().remove("expires_in");
        }),
        ("at `/channel`", |_, answer| answer.body["channel"] = json!("pigeon")),
        ("the header x-request-id is missing", |_, answer| drop(answer.headers.remove("x-request-id"))),
        ("the header x-more is not listed", |_, answer| {
            answer.headers.insert("x-more", HeaderValue::from_static("1"));
        }),
        ("the header cache-control is public", |_, answer| {
            answer.headers.insert("cache-control", HeaderValue::from_static("public"));
        }),
        ("the content type is not", |_, answer| drop(answer.headers.remove("content-type"))),
        ("a body of another content type was taken", |request, _| drop(request.headers_mut().remove("content-type"))),
        ("a body that is no JSON was taken", |request, _| *request.body_mut() = Bytes::from_static(b"identifier=a")),
    ];
    for (problem, change) in broken {
        assert!(found(change).contains(problem), "{problem}: {}", found(change));
    }
    let untaken = found(|request, _| *request.body_mut() = Bytes::from_static(br#"{"identifier":7}"#));
    assert!(untaken.contains("is not valid under any of the schemas"), "{untaken}");

    let refused = auth.client().post(REQUEST, json!({ "identifier": "nobody" })).await;
    let other = Answer { body: json!({ "success": false, "error": "invalid_otp", "message": "" }), ..refused.clone() };
    assert_eq!(CONTRACT.problems(&request, &refused), "");
    assert!(CONTRACT.problems(&request, &other).contains("the code invalid_otp is not listed"), "another code");
    let limited = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1")]).await;
    limited.client().ask("ada@example.com").await;
    let mut too_many = limited.client().post(REQUEST, json!({ "identifier": "ada@example.com" })).await;
    too_many.headers.remove("retry-after");
    assert!(CONTRACT.problems(&request, &too_many).contains("different waits"));
}

/// Operations that anybody may call. Those that take a refresh token, a code, a cookie or a signature check it themselves.
const PUBLIC: [&str; 24] = [
    "accountsRequestCode",
    "accountsVerifyCode",
    "addTotp",
    "cfgBlacklist",
    "cfgRefresh",
    "cfgRequestCode",
    "cfgVerifyCode",
    "codeStatus",
    "confirmTotp",
    "disavow",
    "disavowPage",
    "discovery",
    "discoveryHeaders",
    "logout",
    "publicKeys",
    "publicKeysHeaders",
    "refresh",
    "requestCode",
    "secondFactor",
    "sendOtp",
    "sendgridWebhook",
    "twilioWebhook",
    "verifyCode",
    "verifyOtp",
];

/// S155: a new operation needs an access token unless somebody adds it to the list. Without a token all others answer 401.
#[tokio::test]
async fn an_operation_is_public_only_if_it_is_listed() {
    let auth = Deployment::start().await;
    let mut public = BTreeSet::new();
    for operation in &CONTRACT.operations {
        assert!(operation.declares_security, "{} declares no security", operation.id);
        if !operation.needs_access {
            public.insert(operation.id.as_str());
            continue;
        }
        for path in [operation.path.replace("{id}", "x"), without_final_slash(&operation.path).replace("{id}", "x")] {
            let request = Request::builder().method(operation.method.as_str()).uri(path);
            let request = request.header("content-type", "application/json").body(Bytes::from_static(b"{}")).unwrap();
            assert_eq!(auth.client().send(request).await.status, StatusCode::UNAUTHORIZED, "{}", operation.id);
        }
    }
    assert_eq!(public, BTreeSet::from(PUBLIC));
}
