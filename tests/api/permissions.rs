//! The AWS permissions of each function: exactly those it needs.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use local::Options;
use local_aws::template::{Template, find_root};
use serde_json::{Value, json};
use tests::authenticator::{BACKUP_CODES, CONFIRM, FACTORS, STEP_UP, STEP_UP_OPTIONS, TOTP, TRUSTED_DEVICES};
use tests::client::{DISAVOW, REQUEST, SESSIONS};
use tests::deployment::wrong;
use tests::{Answer, Asked, Authenticator, Call, Client, Deployment, Tokens};

use crate::policies::{self, statements, texts};

const ADA: &str = "ada@example.com";
const PHONE: &str = "+447400123456";
const TAGGED: &str = "ada+tag@example.com";
const CAROL: &str = "carol@example.com";
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:topic";
const KEYS: &str = "/.well-known/jwks.json";

fn template() -> Template {
    Template::read(&find_root().unwrap(), "default").unwrap()
}

/// Returns the answer if its code is that of a deployment with all permissions.
fn expect(step: &str, answer: Answer, code: &str) -> Result<Answer, String> {
    if answer.code() == code { Ok(answer) } else { Err(format!("{step}: {}", answer.body)) }
}

async fn ask(auth: &Deployment) -> Result<Asked, String> {
    ask_for(auth, auth.client(), ADA).await
}

async fn ask_for(auth: &Deployment, client: Client<'_>, who: &str) -> Result<Asked, String> {
    let answer = client.post(REQUEST, json!({ "identifier": who })).await;
    let answer = expect("request", answer, "ok")?;
    let challenge = answer.body["challenge_id"].as_str().unwrap().to_owned();
    Ok(Asked { challenge, code: auth.newest_code(who) })
}

async fn sign_in(auth: &Deployment) -> Result<Tokens, String> {
    let asked = ask(auth).await?;
    Ok(expect("verify", auth.client().answer(ADA, &asked).await, "ok")?.tokens())
}

/// Spends so many attempts that their count is written.
async fn spend(auth: &Deployment) -> Result<(), String> {
    for number in 0..6 {
        let (client, person) = (auth.client_at(&format!("192.0.2.{}", 100 + number)), format!("p{number}@example.com"));
        let answer = client.post(REQUEST, json!({ "identifier": person })).await;
        let challenge = expect("request", answer, "ok")?.body["challenge_id"].as_str().unwrap().to_owned();
        let asked = Asked { challenge, code: wrong(&auth.newest_code(&person)) };
        for _ in 0..3 {
            expect("a wrong code", client.answer(&person, &asked).await, "invalid_otp")?;
        }
    }
    Ok(())
}

/// A sign-in, and a step-up by a code.
async fn step_up(auth: &Deployment, client: Client<'_>, who: &str) -> Result<Tokens, String> {
    let asked = ask_for(auth, client, who).await?;
    let signed_in = expect("verify", client.answer(who, &asked).await, "ok")?;
    let (device, tokens) = (signed_in.body["device"].clone(), signed_in.tokens());
    let request = json!({ "identifier": who, "purpose": "step_up", "device": device });
    let sent = expect("a code to step up", client.post_as(&tokens.access, REQUEST, request).await, "ok")?;
    let proof = json!({ "method": "otp", "identifier": who, "otp_code": auth.newest_code(who),
        "challenge_id": sent.body["challenge_id"], "device": device });
    Ok(expect("a step-up by a code", client.post_as(&tokens.access, STEP_UP, proof).await, "ok")?.tokens())
}

/// Step-ups by codes, and an app from its secret to its end.
async fn prove(auth: &Deployment) -> Result<(), String> {
    let client = auth.client_at("192.0.2.50");
    for who in ["+447400123457", "carol+tag@example.com"] {
        step_up(auth, client, who).await?;
    }
    let tokens = step_up(auth, client, CAROL).await?;
    let as_carol = |path: &'static str, body: Value| {
        let access = tokens.access.clone();
        async move { client.post_as(&access, path, body).await }
    };
    let begun = expect("a new app", as_carol(TOTP, json!({})).await, "ok")?;
    let app = Authenticator::of(begun.body["secret"].as_str().unwrap());
    let confirmation = json!({ "factor_id": begun.body["factor_id"], "code": app.code(auth) });
    expect("its confirmation", as_carol(CONFIRM, confirmation).await, "ok")?;
    auth.wait(30);
    let asked = ask_for(auth, client, CAROL).await?;
    let due = expect("the first step", client.answer(CAROL, &asked).await, "ok")?;
    let challenge = due.body["challenge_id"].as_str().ok_or("no second factor is due")?;
    let wrong = client.second_step(challenge, "totp", &app.wrong(auth)).await;
    expect("a wrong code of an app", wrong, "invalid_otp")?;
    expect("the second step", client.second_step(challenge, "totp", &app.code(auth)).await, "ok")?;
    auth.wait(30);
    let options = expect("the options of a step-up", as_carol(STEP_UP_OPTIONS, json!({})).await, "ok")?;
    let proof = json!({ "challenge_id": options.body["challenge_id"], "method": "totp", "code": app.code(auth) });
    let access = expect("a step-up", as_carol(STEP_UP, proof).await, "ok")?.tokens().access;
    expect("the list of factors", client.with_token("GET", FACTORS, &access).await, "ok")?;
    expect("new backup codes", client.post_as(&access, BACKUP_CODES, json!({})).await, "ok")?;
    expect("an end of trust", client.delete_as(&access, TRUSTED_DEVICES).await, "ok")?;
    let path = format!("{TOTP}{}/", begun.body["factor_id"].as_str().unwrap());
    expect("the app's removal", client.delete_as(&access, &path).await, "ok")?;
    Ok(())
}

/// A second day, a sign-in with a new device, and the link in the notice about it.
async fn disavow(auth: &Deployment) -> Result<(), String> {
    auth.wait(86_400);
    let client = auth.client_at("203.0.113.1");
    let asked = client.ask(ADA).await;
    expect("verify elsewhere", client.answer(ADA, &asked).await, "ok")?;
    auth.stack.deliver().await;
    let messages = auth.stack.inbox().messages(Some(ADA)).into_iter();
    let token = messages.filter_map(|message| Some(message.text.split_once("?token=")?.1.trim().to_owned())).next();
    let token = token.ok_or("no notice came")?;
    let epoch = || auth.identifier(ADA).and_then(|item| item["ep"]["N"].as_str().map(str::to_owned));
    let before = epoch();
    expect("disavow", client.post(DISAVOW, json!({ "token": token })).await, "ok")?;
    if epoch() == before { Err("a disavowal has forgotten no device".to_owned()) } else { Ok(()) }
}

/// A user's item is deleted, and the sweeps of two days follow.
async fn leave(auth: &Deployment) {
    let user = auth.items("U#").pop().unwrap();
    auth.delete_item(user["pk"]["S"].as_str().unwrap());
    for _ in 0..3 {
        auth.stack.deliver().await;
        auth.wait(86_400);
    }
    auth.stack.deliver().await;
}

/// `record` cannot read the item and its end, and `erase` cannot read its end.
async fn unreadable(auth: &Deployment) -> Result<(), String> {
    let item = json!({ "pk": { "S": "U#unreadable" } });
    let put = json!({ "TableName": auth.setting("USER_TABLE"), "Item": item });
    auth.stack.services().dynamodb("PutItem", put).unwrap();
    auth.delete_item("U#unreadable");
    auth.stack.deliver().await;
    let failed = auth.failed_records();
    let by = |function: &str| failed.iter().filter(|message| message["function"] == function).count();
    if (by("record"), by("erase")) == (2, 1) { Ok(()) } else { Err(format!("{failed:?}")) }
}

/// Exercises everything the functions do. Returns the first unexpected result.
async fn walk(auth: &Deployment) -> Result<(), String> {
    let client = auth.client();
    expect("keys", client.get(KEYS).await, "ok")?;
    // The domain's used codes are counted 16 at a time. The last two sessions stay within the session limit.
    for _ in 2..16 {
        sign_in(auth).await?;
    }
    // The oldest sessions end first.
    auth.wait(1);
    let first = sign_in(auth).await?;
    let second = sign_in(auth).await?;
    let asked = ask(auth).await?;
    expect("status", client.status(ADA, &asked.challenge).await, "ok")?;
    for time in ["an answer", "the same answer"] {
        expect(time, client.answer_with(ADA, &asked, "retry-key-of-the-tests").await, "ok")?;
    }
    let asked = ask(auth).await?;
    let wrong = Asked { code: wrong(&asked.code), ..asked };
    expect("a wrong code", client.answer(ADA, &wrong).await, "invalid_otp")?;
    let unbound = client.answer_unbound(ADA, "000000").await;
    expect("a wrong code without its challenge", unbound, "invalid_otp")?;
    let body = json!({ "identifier": ADA, "purpose": "step_up" });
    let alone = client.post_with("authorization", &format!("Bearer {}", second.access), REQUEST, body).await;
    expect("a code to confirm, without a device token", alone, "forbidden")?;
    expect("refresh", client.refresh(&second.refresh).await, "ok")?;
    auth.wait(11);
    expect("a used token", client.refresh(&second.refresh).await, "invalid_token")?;
    for (operation, answer) in client.read_all(&first.access).await {
        expect(operation, answer, "ok")?;
    }
    expect("an end to the others", client.with_token("DELETE", SESSIONS, &first.access).await, "ok")?;
    expect("logout", client.logout(&first.refresh).await, "ok")?;
    let texted = client.post(REQUEST, json!({ "identifier": PHONE })).await;
    expect("request by SMS", texted, "ok")?;
    let texted = client.answer_unbound(PHONE, &auth.newest_code(PHONE)).await;
    expect("verify by SMS", texted.clone(), "ok")?;
    expect("logout everywhere", client.logout_everywhere(&texted.tokens().refresh).await, "ok")?;
    if auth.items_of("OTP_TABLE", "I#").iter().all(|item| item["ep"].is_null()) {
        return Err("logout everywhere has forgotten no device".to_owned());
    }
    let tagged = client.post(REQUEST, json!({ "identifier": TAGGED })).await;
    expect("request for a tagged address", tagged, "ok")?;
    expect("verify for a tagged address", client.answer_unbound(TAGGED, &auth.newest_code(TAGGED)).await, "ok")?;
    prove(auth).await?;
    spend(auth).await?;
    auth.stack.deliver().await;
    disavow(auth).await?;
    leave(auth).await;
    unreadable(auth).await?;
    auth.stack.rotate_keys().await.map_err(|failure| failure.to_string())?;
    // Without these permissions everything works, but later: the first keys are repeated after a denial, and the first request
    // reads what a start could not.
    let late = ["another attempt follows", "at start", "the share of wrong answers was not read"];
    let is_late = |line: &&String| late.iter().any(|said| line.contains(said));
    if let Some(late) = auth.stack.logs().iter().find(is_late) {
        return Err(late.clone());
    }
    let calls = auth.stack.services().calls().take();
    match calls.iter().find(|call| call.error.as_deref() == Some("AccessDeniedException")) {
        Some(refused) => Err(format!("{refused:?}")),
        None if auth.may("RequestOtp", Call::publish(TOPIC)).await => Err("a topic is a phone number".to_owned()),
        None => Ok(()),
    }
}

/// Each function has access only to the tables and keys it needs.
#[test]
fn every_function_has_its_own_tables_and_secrets_and_no_others() {
    let (otp, user, record) = ("table/latchkey-OtpTable", "table/latchkey-UserTable", "table/latchkey-RecordTable");
    let stream = "table/latchkey-UserTable/stream/*";
    let secrets = ["Index", "Codes", "Refresh", "Signing", "Vault"];
    let secrets = secrets.map(|name| format!("secret:latchkey-{name}Secret-000000"));
    let [index, codes, refresh, signing, vault] = secrets.each_ref().map(String::as_str);
    let expected: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::from([
        ("RequestOtp", BTreeSet::from([otp, user, index, codes])),
        ("VerifyOtp", BTreeSet::from([otp, user, index, codes, refresh, signing])),
        ("SecondFactorFunction", BTreeSet::from([otp, user, index, codes, refresh, signing, vault])),
        ("Factors", BTreeSet::from([user, record, refresh, vault])),
        ("Refresh", BTreeSet::from([user, refresh, signing])),
        ("Logout", BTreeSet::from([otp, user, index, refresh])),
        ("Sessions", BTreeSet::from([user])),
        ("Profile", BTreeSet::from([user, record])),
        ("Account", BTreeSet::from([user, record])),
        ("Status", BTreeSet::from([otp, index])),
        ("Delivery", BTreeSet::from([otp])),
        ("Callbacks", BTreeSet::from([otp])),
        // The stream has addresses, so nobody else may read it.
        ("Record", BTreeSet::from([record, stream])),
        ("Erase", BTreeSet::from([user, record, stream, index])),
        ("Jwks", BTreeSet::from([user])),
        ("Notify", BTreeSet::from([user, record])),
        ("Disavow", BTreeSet::from([otp, user, index])),
        ("Fallback", BTreeSet::new()),
        ("RotateKeys", BTreeSet::from([user, index, codes, refresh, signing, vault])),
    ]);
    let template = policies::template();
    assert_eq!(template.functions.len(), expected.len());
    for (name, function) in &template.functions {
        let statements = statements(&function.policies);
        let resources: Vec<&str> = statements.iter().flat_map(|statement| texts(&statement["Resource"])).collect();
        let stored = resources.iter().filter(|arn| arn.contains(":dynamodb:") || arn.contains(":secretsmanager:"));
        let stored: BTreeSet<_> = stored.map(|arn| arn.splitn(6, ':').nth(5).unwrap()).collect();
        assert_eq!(stored, expected[name.as_str()], "{name}");
        // With the peppers and the challenges a role can compute every live code.
        let sees_codes = stored.contains(codes) && stored.contains(otp);
        assert_eq!(sees_codes, ["RequestOtp", "VerifyOtp", "SecondFactorFunction"].contains(&name.as_str()), "{name}");
        let signs = ["VerifyOtp", "SecondFactorFunction", "Refresh", "RotateKeys"].contains(&name.as_str());
        assert_eq!(stored.contains(signing), signs, "{name}");
        let actions: Vec<&str> = statements.iter().flat_map(|statement| texts(&statement["Action"])).collect();
        let deletes = actions.iter().any(|action| ["dynamodb:DeleteItem", "dynamodb:BatchWriteItem"].contains(action));
        assert_eq!(deletes, name == "Erase", "{name}");
        let is_sender = actions.contains(&"ses:SendEmail") || actions.contains(&"sns:Publish");
        assert_eq!(is_sender, ["RequestOtp", "Notify", "Factors"].contains(&name.as_str()), "{name}");
    }
}

/// Without second factors, no function has a key for them, and the API lacks the routes to change them.
#[test]
fn without_second_factors_nothing_of_them_is_deployed() {
    let template = Template::read(&find_root().unwrap(), "production").unwrap();
    assert!(!template.functions.contains_key("Factors"));
    assert!(!template.secrets.iter().any(|arn| arn.contains("Vault")), "{:?}", template.secrets);
    assert!(!template.routes.iter().any(|route| route.path.contains("/factors") || route.path.contains("/2fa")));
    for (name, function) in &template.functions {
        assert!(!function.policies.to_string().contains("Vault"), "{name}");
        let vault = function.environment.get("VAULT_SECRET_ARN");
        assert!(vault.is_none_or(String::is_empty), "{name}: {vault:?}");
    }
}

/// While SMS are off, even a function's own credentials cannot spend money on them.
#[test]
fn no_function_may_send_sms_without_countries() {
    for (name, function) in &policies::template().functions {
        let statements = statements(&function.policies);
        let allowed = statements.iter().filter(|statement| statement["Effect"] == "Allow");
        let actions: Vec<&str> = allowed.flat_map(|statement| texts(&statement["Action"])).collect();
        let sends = actions.iter().any(|action| action.starts_with("sns:") || action.starts_with("sms-voice:"));
        assert!(!sends, "{name}: {actions:?}");
    }
}

/// Copies of the template, each without one statement or one entry of a list: an action, a resource or a key.
fn removals(template: &Template) -> Vec<(String, Template)> {
    let mut removals = Vec::new();
    for (name, function) in &template.functions {
        for (list, at) in entries(&function.policies) {
            let mut without = template.clone();
            let policies = &mut without.functions.get_mut(name).unwrap().policies;
            let removed = policies.pointer_mut(&list).unwrap().as_array_mut().unwrap().remove(at);
            removals.push((format!("{name} {list}: {removed}"), without));
        }
    }
    removals
}

/// The removable entries: each statement, and each entry of a list with several entries.
fn entries(policies: &Value) -> Vec<(String, usize)> {
    let mut entries = Vec::new();
    for (number, document) in policies.as_array().into_iter().flatten().enumerate() {
        let statements = format!("/{number}/Statement");
        for (at, statement) in document["Statement"].as_array().unwrap().iter().enumerate() {
            entries.push((statements.clone(), at));
            for list in lists(statement) {
                let length = statement.pointer(&list).and_then(Value::as_array).map_or(0, Vec::len);
                let removable = (0..length).filter(|_| length > 1);
                entries.extend(removable.map(|entry| (format!("{statements}/{at}{list}"), entry)));
            }
        }
    }
    entries
}

/// The lists of a statement.
fn lists(statement: &Value) -> Vec<String> {
    let conditions = statement["Condition"].as_object().into_iter().flatten();
    let keys = conditions.flat_map(|(operator, keys)| {
        keys.as_object().unwrap().keys().map(move |key| format!("/Condition/{operator}/{key}"))
    });
    ["/Action", "/Resource"].map(str::to_owned).into_iter().chain(keys).collect()
}

/// A missing permission fails the walk, and a superfluous one fails this test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_functions_need_all_their_permissions() {
    let template = template();
    walk(&Deployment::from(template.clone()).await.unwrap()).await.unwrap();
    let mut removals = removals(&template);
    // Nothing calls a webhook by default. The next test does.
    removals.retain(|(removed, _)| !removed.starts_with("Callbacks "));
    // An instance counts answers and used codes 16 at a time, and the walk has fewer step-ups.
    let counts = ["BRAKE", "MAIL#to#*"].map(|key| format!(": \"{key}\""));
    let is_rare = |removed: &str| counts.iter().any(|key| removed.ends_with(key));
    removals.retain(|(removed, _)| !(removed.starts_with("SecondFactorFunction ") && is_rare(removed)));
    assert!(removals.len() > 30, "{} statements and entries", removals.len());
    let unneeded = join_all(removals.into_iter().map(|(removed, without)| async move {
        // Some are needed even to create the first key.
        let auth = Deployment::from(without).await.ok()?;
        walk(&auth).await.is_ok().then_some(removed)
    }));
    let unneeded: Vec<String> = unneeded.await.into_iter().flatten().collect();
    assert!(unneeded.is_empty(), "nothing needs {unneeded:#?}");
}

/// The same for providers outside AWS.
#[tokio::test]
async fn callbacks_needs_all_its_permissions() {
    let settings = [("SMS_PROVIDER", "twilio"), ("SMS_ORIGINATION_NUMBER", "+12065550100")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let root = local_aws::template::find_root().unwrap();
    let template = Template::read_with(&root, "default", &settings).unwrap();
    let state = async |template: Template| {
        let auth = Deployment::from(template).await.unwrap();
        let asked = auth.client().ask("+447400123456").await;
        auth.stack.deliver().await;
        auth.client().status("+447400123456", &asked.challenge).await.ok()["state"].clone()
    };
    assert_eq!(state(template.clone()).await, "delivered");
    let removals: Vec<_> = removals(&template).into_iter().filter(|(name, _)| name.starts_with("Callbacks ")).collect();
    assert_eq!(removals.len(), 2);
    for (removed, without) in removals {
        assert_eq!(state(without).await, "sent", "nothing needs {removed}");
    }
}

/// Asserts that a function lacks the permissions for these calls.
async fn has_no_permission_for(function: &str, calls: Vec<Call>) {
    let auth = Deployment::start().await;
    for call in calls {
        let asked = format!("{function} {call:?}");
        assert!(!auth.may(function, call).await, "{asked}");
    }
}

/// These operations on the item at `key`.
fn each(operations: &[&str], table: &str, key: &str) -> Vec<Call> {
    operations.iter().map(|operation| Call::item(operation, table, key)).collect()
}

const SECRETS: [&str; 5] = ["Index", "Codes", "Refresh", "Signing", "Vault"];

/// A look at each of these secrets.
fn secrets(names: &[&str]) -> Vec<Call> {
    names.iter().map(|name| Call::secret(&format!("{name}Secret"))).collect()
}

const ALL: [&str; 4] = ["GetItem", "PutItem", "UpdateItem", "DeleteItem"];

/// S12: accounts are unreadable for the function, so it cannot reveal them.
#[tokio::test]
async fn request_otp_cannot_access_users() {
    let mut calls: Vec<Call> =
        ["U#a", "ID#a", "S#a", "JWKS2"].iter().flat_map(|key| each(&ALL, "UserTable", key)).collect();
    calls.extend(each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", "JWKS"));
    calls.extend(each(&["PutItem", "DeleteItem"], "OtpTable", "I#a"));
    calls.extend(each(&["UpdateItem", "DeleteItem"], "OtpTable", "BRAKE"));
    calls.extend(each(&ALL, "OtpTable", "R#failure#a#1"));
    calls.extend(secrets(&["Refresh", "Signing", "Vault"]));
    calls.extend([Call::mail("eve@example.com"), Call::publish(TOPIC)]);
    calls.push(Call::dynamodb("Scan", "OtpTable", json!({})));
    has_no_permission_for("RequestOtp", calls).await;
}

#[tokio::test]
async fn verify_otp_sends_nothing_and_rewrites_no_session() {
    let mut calls = each(&["UpdateItem", "DeleteItem"], "UserTable", "S#a");
    calls.extend(each(&["UpdateItem", "DeleteItem"], "UserTable", "ID#a"));
    calls.extend(each(&ALL, "UserTable", "JWKS"));
    calls.extend(each(&["GetItem", "PutItem", "DeleteItem"], "OtpTable", "R#request#a#1"));
    calls.extend(each(&ALL, "OtpTable", "MAIL#day#1"));
    calls.push(Call::item("GetItem", "OtpTable", "TAG#a"));
    calls.extend(each(&["PutItem", "DeleteItem"], "OtpTable", "I#a"));
    calls.extend(each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", "F#a"));
    calls.extend(secrets(&["Vault"]));
    calls.extend([Call::mail("no-reply@example.com"), Call::publish(PHONE)]);
    has_no_permission_for("VerifyOtp", calls).await;
}

#[tokio::test]
async fn second_factor_creates_no_user_and_sends_nothing() {
    let mut calls = each(&["PutItem", "DeleteItem"], "UserTable", "U#a");
    calls.extend(each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", "ID#a"));
    calls.extend(each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", "JWKS"));
    calls.extend(each(&["PutItem", "DeleteItem"], "UserTable", "F#a"));
    calls.push(Call::item("DeleteItem", "UserTable", "S#a"));
    calls.extend(each(&["PutItem", "DeleteItem"], "OtpTable", "I#a"));
    calls.extend(each(&ALL, "RecordTable", "A#a"));
    calls.extend([Call::mail("no-reply@example.com"), Call::publish(PHONE)]);
    has_no_permission_for("SecondFactorFunction", calls).await;
}

#[tokio::test]
async fn factors_opens_no_session_and_cannot_access_codes() {
    let mut calls = each(&["PutItem", "DeleteItem"], "UserTable", "U#a");
    calls.extend(each(&["PutItem", "DeleteItem"], "UserTable", "F#a"));
    calls.extend(each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", "JWKS"));
    calls.extend(["S#a", "ID#a"].iter().flat_map(|key| each(&ALL, "UserTable", key)));
    calls.extend(each(&["GetItem", "PutItem", "DeleteItem"], "RecordTable", "A#a"));
    calls.extend(each(&ALL, "OtpTable", "I#a"));
    calls.extend(secrets(&["Index", "Codes", "Signing"]));
    calls.extend([Call::mail("eve@example.com"), Call::publish(PHONE)]);
    has_no_permission_for("Factors", calls).await;
}

#[tokio::test]
async fn refresh_creates_nothing_and_cannot_access_codes() {
    let mut calls = each(&ALL, "OtpTable", "I#a");
    calls.extend(each(&ALL, "UserTable", "ID#a"));
    calls.extend(each(&ALL, "UserTable", "JWKS"));
    calls.extend(each(&["PutItem", "DeleteItem"], "UserTable", "U#a"));
    calls.extend(each(&["GetItem", "PutItem", "DeleteItem"], "UserTable", "S#a"));
    calls.extend(secrets(&["Index", "Codes", "Vault"]));
    calls.extend([Call::mail("no-reply@example.com"), Call::publish(PHONE)]);
    has_no_permission_for("Refresh", calls).await;
}

#[tokio::test]
async fn logout_reads_nothing() {
    let mut calls = each(&["GetItem", "PutItem", "DeleteItem"], "UserTable", "U#a");
    calls.extend(["S#a", "ID#a", "JWKS"].iter().flat_map(|key| each(&ALL, "UserTable", key)));
    calls.extend(each(&["GetItem", "PutItem", "DeleteItem"], "OtpTable", "I#a"));
    calls.extend(secrets(&["Codes", "Signing", "Vault"]));
    calls.push(Call::mail("no-reply@example.com"));
    has_no_permission_for("Logout", calls).await;
}

#[tokio::test]
async fn sessions_ends_sessions_and_creates_nothing() {
    let mut calls = each(&["PutItem", "DeleteItem"], "UserTable", "U#a");
    calls.extend(each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", "S#a"));
    calls.extend(each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", "JWKS"));
    calls.extend(each(&ALL, "UserTable", "ID#a"));
    calls.extend(each(&ALL, "OtpTable", "I#a"));
    calls.extend(secrets(&SECRETS));
    calls.push(Call::publish(PHONE));
    has_no_permission_for("Sessions", calls).await;
}

#[tokio::test]
async fn profile_reads_users_and_public_keys_and_writes_nothing() {
    let mut calls: Vec<Call> = ["S#a", "ID#a"].iter().flat_map(|key| each(&ALL, "UserTable", key)).collect();
    for key in ["U#a", "JWKS"] {
        calls.extend(each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", key));
    }
    calls.extend(each(&ALL, "OtpTable", "I#a"));
    calls.extend(secrets(&SECRETS));
    calls.push(Call::mail("no-reply@example.com"));
    has_no_permission_for("Profile", calls).await;
}

#[tokio::test]
async fn account_reads_one_users_activity_and_writes_nothing() {
    let mut calls: Vec<Call> = ["S#a", "ID#a"].iter().flat_map(|key| each(&ALL, "UserTable", key)).collect();
    for key in ["U#a", "JWKS"] {
        calls.extend(each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", key));
    }
    calls.extend(["A#a", "DAY#1", "SEQ#a"].iter().flat_map(|key| each(&ALL, "RecordTable", key)));
    calls.extend(each(&ALL, "OtpTable", "I#a"));
    calls.extend(secrets(&SECRETS));
    calls.push(Call::mail("no-reply@example.com"));
    has_no_permission_for("Account", calls).await;
}

/// S228: it learns nothing about users, and counts nothing but questions.
/// S245: the functions that send, and the one that checks signatures.
#[tokio::test]
async fn only_senders_and_callbacks_read_the_providers_keys() {
    let auth = Deployment::with(&[("MAIL_PROVIDER", "ses,sendgrid")]).await;
    for name in policies::template().functions.keys() {
        let is_reader = ["RequestOtp", "Notify", "Callbacks", "Factors"].contains(&name.as_str());
        assert_eq!(auth.may(name, Call::secret("ProvidersSecret")).await, is_reader, "{name}");
    }
    let without = Deployment::start().await;
    let setting =
        |name: &str| without.stack.environment(name).into_iter().find(|(name, _)| name == "PROVIDERS_SECRET_ARN");
    assert_eq!(setting("RequestOtp").unwrap().1, "");
}

#[tokio::test]
async fn status_reads_one_identifier_and_nothing_else() {
    let mut calls: Vec<Call> =
        ["U#a", "ID#a", "S#a", "JWKS"].iter().flat_map(|key| each(&ALL, "UserTable", key)).collect();
    calls.extend(each(&["PutItem", "UpdateItem", "DeleteItem"], "OtpTable", "I#a"));
    calls.extend(each(&ALL, "OtpTable", "R#request#a#1"));
    calls.extend(each(&["GetItem", "PutItem", "DeleteItem"], "OtpTable", "R#status#a#1"));
    calls.extend(secrets(&["Codes", "Refresh", "Signing", "Vault"]));
    calls.extend([Call::mail("no-reply@example.com"), Call::publish(PHONE), Call::publish(TOPIC)]);
    has_no_permission_for("Status", calls).await;
}

/// S225: the code in an event stays with it.
#[tokio::test]
async fn delivery_reads_nothing_and_has_no_keys() {
    let mut calls: Vec<Call> =
        ["U#a", "ID#a", "S#a", "JWKS"].iter().flat_map(|key| each(&ALL, "UserTable", key)).collect();
    calls.extend(each(&["GetItem", "PutItem", "DeleteItem"], "OtpTable", "I#a"));
    calls.extend(each(&ALL, "OtpTable", "R#request#a#1"));
    calls.extend(secrets(&SECRETS));
    calls.extend([Call::mail("no-reply@example.com"), Call::publish(PHONE), Call::publish(TOPIC)]);
    has_no_permission_for("Delivery", calls).await;
}

#[tokio::test]
async fn record_reads_no_item_of_a_user_and_deletes_nothing() {
    let mut calls: Vec<Call> =
        ["U#a", "ID#a", "S#a", "JWKS"].iter().flat_map(|key| each(&ALL, "UserTable", key)).collect();
    calls.extend(each(&["GetItem", "UpdateItem", "DeleteItem"], "RecordTable", "A#a"));
    calls.extend(each(&["GetItem", "PutItem", "DeleteItem"], "RecordTable", "LEFT"));
    calls.extend(each(&["PutItem", "DeleteItem"], "RecordTable", "DAY#1"));
    calls.extend(each(&["GetItem", "PutItem", "DeleteItem"], "RecordTable", "LA#1"));
    calls.extend(each(&["PutItem", "DeleteItem"], "RecordTable", "SEQ#a"));
    calls.extend(each(&ALL, "OtpTable", "I#a"));
    calls.extend(secrets(&SECRETS));
    calls.extend([Call::mail("no-reply@example.com"), Call::publish(PHONE)]);
    has_no_permission_for("Record", calls).await;
}

/// S183: it deletes what names a user, and never a user.
#[tokio::test]
async fn erase_deletes_no_user_and_changes_nothing_else() {
    let mut calls = each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", "U#a");
    calls.extend(
        ["F#a", "ID#a", "S#a"].iter().flat_map(|key| each(&["GetItem", "PutItem", "UpdateItem"], "UserTable", key)),
    );
    calls.extend(each(&ALL, "UserTable", "JWKS"));
    calls.extend(each(&["GetItem", "PutItem", "UpdateItem"], "RecordTable", "A#a"));
    calls.extend(each(&["GetItem", "PutItem"], "RecordTable", "LEFT"));
    calls.extend(["DAY#1", "LA#1", "SEQ#a"].iter().flat_map(|key| each(&ALL, "RecordTable", key)));
    calls.extend(each(&ALL, "OtpTable", "I#a"));
    calls.extend(secrets(&["Codes", "Refresh", "Signing", "Vault"]));
    calls.extend([Call::mail("no-reply@example.com"), Call::publish(PHONE)]);
    has_no_permission_for("Erase", calls).await;
}

/// It sends from one address, and writes nothing but the rows of notices.
#[tokio::test]
async fn notify_changes_no_user_and_reads_no_key() {
    let mut calls: Vec<Call> = ["U#a", "S#a"]
        .iter()
        .flat_map(|key| each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", key))
        .collect();
    calls.extend(["ID#a", "JWKS"].iter().flat_map(|key| each(&ALL, "UserTable", key)));
    calls.extend(each(&["GetItem", "PutItem", "DeleteItem"], "RecordTable", "A#a"));
    calls.extend(["DAY#1", "LA#1", "SEQ#a", "LEFT"].iter().flat_map(|key| each(&ALL, "RecordTable", key)));
    calls.extend(each(&ALL, "OtpTable", "I#a"));
    calls.extend(secrets(&SECRETS));
    calls.extend([Call::mail("eve@example.com"), Call::publish(PHONE), Call::publish(TOPIC)]);
    has_no_permission_for("Notify", calls).await;
}

#[tokio::test]
async fn disavow_ends_sessions_and_creates_nothing() {
    let mut calls = each(&["GetItem", "PutItem", "DeleteItem"], "UserTable", "U#a");
    calls.extend(each(&["PutItem", "DeleteItem"], "UserTable", "S#a"));
    calls.extend(["ID#a", "JWKS"].iter().flat_map(|key| each(&ALL, "UserTable", key)));
    calls.extend(each(&["GetItem", "PutItem", "DeleteItem"], "OtpTable", "I#a"));
    calls.extend(each(&ALL, "RecordTable", "A#a"));
    calls.extend(secrets(&["Codes", "Refresh", "Signing", "Vault"]));
    calls.extend([Call::mail("no-reply@example.com"), Call::publish(PHONE)]);
    has_no_permission_for("Disavow", calls).await;
}

#[tokio::test]
async fn jwks_reads_the_public_keys_and_nothing_else() {
    let mut calls: Vec<Call> = ["U#a", "JWKS2", "S#a"].iter().flat_map(|key| each(&ALL, "UserTable", key)).collect();
    calls.extend(each(&["PutItem", "UpdateItem", "DeleteItem"], "UserTable", "JWKS"));
    calls.extend(each(&ALL, "OtpTable", "JWKS"));
    calls.extend(secrets(&SECRETS));
    has_no_permission_for("Jwks", calls).await;
}

#[tokio::test]
async fn fallback_has_no_permissions() {
    let mut calls = each(&ALL, "UserTable", "JWKS");
    calls.extend(each(&ALL, "OtpTable", "I#a"));
    calls.extend(secrets(&SECRETS));
    calls.extend([Call::mail("no-reply@example.com"), Call::publish(PHONE)]);
    has_no_permission_for("Fallback", calls).await;
}

#[tokio::test]
async fn an_unknown_caller_is_refused() {
    let auth = Deployment::start().await;
    let read = || Call::item("GetItem", "UserTable", "JWKS");
    assert_eq!(auth.call_as("Jwks", read()).await, "ok");
    for stranger in ["jwks", "AKIAIOSFODNN7EXAMPLE", "HttpApi"] {
        assert_eq!(auth.call_as(stranger, read()).await, "UnrecognizedClientException", "{stranger}");
        assert_eq!(auth.call_as(stranger, Call::publish(PHONE)).await, "InvalidClientTokenId", "{stranger}");
    }
}

/// In the SES sandbox each recipient is an identity of the account, and so a resource of the call.
#[tokio::test]
async fn a_code_is_sent_to_an_identity_of_the_account() {
    let auth = Deployment::start().await;
    auth.stack.services().allow_sender(ADA);
    auth.client().sign_in(ADA).await;
}

/// In the format of the template.
#[tokio::test]
async fn the_log_shows_the_missing_statement() {
    let mut template = template();
    let policies = &mut template.functions.get_mut("Refresh").unwrap().policies;
    let keys = policies.pointer_mut("/0/Statement/0/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys").unwrap();
    assert_eq!(keys.as_array_mut().unwrap().remove(0), json!("S#*"));
    let auth = Deployment::from(template).await.unwrap();
    let tokens = auth.client().sign_in(ADA).await;
    auth.client().refresh(&tokens.refresh).await.refused(500, "internal_error");
    let lines: Vec<Value> = auth.stack.logs().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = lines.iter().find(|line| line["statement"].is_string()).expect("the log has no statement");
    assert_eq!((&line["caller"], &line["action"]), (&json!("Refresh"), &json!("dynamodb:UpdateItem")));
    let statement = "- Effect: Allow\n  Action: dynamodb:UpdateItem\n  Resource: !GetAtt UserTable.Arn\n  Condition:\n    \
                     ForAllValues:StringLike:\n      dynamodb:LeadingKeys: [\"S#*\"]";
    assert_eq!(line["statement"], json!(statement));
}

#[tokio::test]
async fn a_misspelled_action_stops_the_stack_from_starting() {
    let mut template = template();
    let policies = &mut template.functions.get_mut("Refresh").unwrap().policies;
    *policies.pointer_mut("/0/Statement/1/Action").unwrap() = json!("dynamodb:GetItems");
    let failure = Deployment::run(Options { template: Some(template), ..Options::default() }).await.err().unwrap();
    let problem = "template.yaml: Refresh, statement 2: `dynamodb:GetItems` is not a known action. Check its spelling";
    assert_eq!(failure.to_string(), problem);
}
