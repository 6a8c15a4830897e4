//! A stack from outside: the gateway's own answers, and settings that keep a stack from starting.

use serde_json::{Value, json};

use super::*;

/// All tests use P-256, because it is the fastest algorithm for generating keys, and generating a key takes most of the
/// time.
async fn stack(change: impl FnOnce(&mut Options)) -> Result<Stack, Failure> {
    let mut options = Options { env: vec![("JWT_ALGORITHM".to_owned(), "ES256".to_owned())], ..Options::default() };
    change(&mut options);
    Stack::start(options).await
}

async fn post(stack: &Stack, path: &str, body: &Value) -> (StatusCode, Value) {
    let request =
        axum::http::Request::post(path).header("content-type", "application/json").header("host", "x.example");
    let request = request.body(Bytes::from(body.to_string())).unwrap();
    let answer = stack.api().unwrap().call(request, "203.0.113.9".parse().unwrap()).await;
    (answer.status(), serde_json::from_slice(answer.body()).unwrap_or_default())
}

fn code(stack: &Stack) -> String {
    let subject = stack.inbox().messages(None)[0].subject.clone().unwrap();
    subject.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn the_main_job_is_done_by_the_functions_of_the_template() {
    let stack = stack(|_| {}).await.unwrap();
    let ada = json!({ "identifier": "ada@example.com" });
    let (status, asked) = post(&stack, "/api/auth/otp/request/", &ada).await;
    assert_eq!(status, 200, "{asked} {:?}", stack.logs());

    let answer =
        json!({ "identifier": "ada@example.com", "challenge_id": asked["challenge_id"], "otp_code": code(&stack) });
    let (status, signed_in) = post(&stack, "/api/auth/otp/verify", &answer).await;
    assert_eq!(status, 200, "{signed_in} {:?}", stack.logs());

    let refresh = json!({ "refresh": signed_in["tokens"]["refresh"] });
    let (status, refreshed) = post(&stack, "/api/auth/token/refresh/", &refresh).await;
    assert_eq!(status, 200, "{refreshed} {:?}", stack.logs());

    let (status, _) = post(&stack, "/api/auth/logout/", &json!({ "refresh": refreshed["refresh"] })).await;
    assert_eq!(status, 200, "{:?}", stack.logs());
    let (status, _) = post(&stack, "/api/auth/token/refresh/", &json!({ "refresh": refreshed["refresh"] })).await;
    assert_eq!(status, 401);
    assert!(stack.logs().len() >= 5, "{:?}", stack.logs());
}

#[tokio::test]
async fn a_rotation_publishes_the_new_key_before_it_signs() {
    let stack = stack(|_| {}).await.unwrap();
    stack.rotate_keys().await.unwrap();
    let request = axum::http::Request::get("/.well-known/jwks.json").body(Bytes::new()).unwrap();
    let answer = stack.api().unwrap().call(request, "203.0.113.9".parse().unwrap()).await;
    let set: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(set["keys"].as_array().map(Vec::len), Some(2), "{set}");
}

#[tokio::test]
async fn the_gateway_gives_its_own_answers() {
    let stack = stack(|_| {}).await.unwrap();
    let call = async |request: axum::http::Request<Bytes>| {
        let answer = stack.api().unwrap().call(request, "203.0.113.9".parse().unwrap()).await;
        (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
    };
    let request = || axum::http::Request::post("/api/auth/logout");
    let long = request().body(Bytes::from(vec![b' '; LONGEST_BODY + 1])).unwrap();
    assert_eq!(call(long).await, (413, r#"{"message":"Request Entity Too Large"}"#.to_owned()));
    let wide = request().header("x-a", "a".repeat(10_240)).body(Bytes::new()).unwrap();
    assert_eq!(call(wide).await, (431, r#"{"message":"Request Header Fields Too Large"}"#.to_owned()));

    let gateway = stack.api().unwrap().gateway();
    gateway.set_refusal(Some(StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(
        call(request().body(Bytes::new()).unwrap()).await,
        (429, r#"{"message":"Too Many Requests"}"#.to_owned())
    );
    gateway.set_refusal(None);

    gateway.set_ignores_empty_rest(true);
    let slash = axum::http::Request::post("/api/auth/logout/").body(Bytes::new()).unwrap();
    assert_eq!(call(slash).await.0, 308);
}

#[tokio::test]
async fn wrong_settings_are_named_all_together() {
    let wrong = |options: &mut Options| {
        let wrong = [("OTP_LENGTH", "5"), ("JWT_LEEWAY_SECONDS", "soon")];
        options.env.extend(wrong.map(|(name, value)| (name.to_owned(), value.to_owned())));
    };
    let failure = stack(wrong).await.err().unwrap().to_string();
    assert!(failure.contains("OTP_LENGTH") && failure.contains("JWT_LEEWAY_SECONDS"), "{failure}");
}

#[tokio::test]
async fn a_misspelled_setting_is_refused() {
    let started = stack(|options| options.env = vec![("OTP_LENGHT".to_owned(), "8".to_owned())]).await;
    assert_eq!(
        started.err().unwrap().to_string(),
        "--env OTP_LENGHT: no function reads a variable with this name. Check the spelling."
    );
}

#[tokio::test]
async fn a_taken_address_is_named_with_its_flag() {
    let first = stack(|_| {}).await.unwrap();
    let taken = first.addresses().aws;
    let failure = stack(|options| options.aws = taken).await.err().unwrap().to_string();
    assert!(failure.starts_with(&format!("{taken} is taken")) && failure.contains("--aws"), "{failure}");
    first.stop().await;
}

#[tokio::test]
async fn keyrings_and_users_are_kept_in_the_data_folder() {
    let folder = std::env::temp_dir().join(format!("latchkey-local-{}", std::process::id()));
    let start = || stack(|options| options.data = Some(folder.clone()));
    let ada = json!({ "identifier": "ada@example.com" });

    let before = start().await.unwrap();
    assert_eq!(post(&before, "/api/auth/otp/request", &ada).await.0, 200);
    let answer = json!({ "identifier": "ada@example.com", "otp_code": code(&before) });
    before.stop().await;

    let after = start().await.unwrap();
    let (status, signed_in) = post(&after, "/api/auth/otp/verify", &answer).await;
    assert_eq!(status, 200, "{signed_in} {:?}", after.logs());
    after.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

/// `cargo run -p local` delivers by itself. A test asks for it.
#[tokio::test]
async fn a_stack_may_deliver_its_streams_by_itself() {
    let stack = stack(|options| options.deliver_every = Some(std::time::Duration::from_millis(1))).await.unwrap();
    let ada = json!({ "identifier": "ada@example.com" });
    let (_, asked) = post(&stack, "/api/auth/otp/request/", &ada).await;
    let answer =
        json!({ "identifier": "ada@example.com", "challenge_id": asked["challenge_id"], "otp_code": code(&stack) });
    assert_eq!(post(&stack, "/api/auth/otp/verify", &answer).await.0, 200, "{:?}", stack.logs());
    let waiting = async {
        while stack.services().events("latchkey-Bus").is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), waiting).await.expect("no event comes");
    stack.stop().await;
}
