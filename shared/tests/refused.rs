//! Code that other crates must be unable to compile: a session without a proof, and a key or a MAC without a scope.
//!
//! These tests call the compiler, because rustdoc's `compile_fail` checks error codes with nightly compilers only.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by a panic")]

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use serde_json::Value;

const IMPORTS: &str = "
    use std::time::Duration;
    use shared::admission::{Gate, NoticeGate, NoticePermit, Permit, Reserved};
    use shared::codes::{Attempt, Code, CodeDigest, IdentifierState, ProvenCode, SignInCode, StepUpCode};
    use shared::factors::{FactorAttempt, FactorSet, Finding, Pending, ProvenFactor};
    use shared::messages::{CodeMessage, Notice, Notifier, Sender, Sent};
    use shared::http::{AccessKey, RequestKeys, Tokens};
    use shared::people::User;
    use shared::texts::Language;
    use shared::sessions::{Opening, Proof, Session};
    use shared::store::{Occasion, OtpTable, RecordTable, Users};
    use shared::words::{
        Destination, Email, Entropy, IdentifierDigest, ItemKey, Lane, MacKey, Result, Scope, SessionId, Tenant, Timestamp, UserId,
    };
";

/// The newest build of this crate. Builds with other features are older.
fn library() -> PathBuf {
    let folder = env::current_exe().unwrap().parent().unwrap().to_owned();
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("libshared-") && name.ends_with(".rlib")
    };
    let built =
        |path: &PathBuf| fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    files.filter(is_library).max_by_key(built).expect("this crate beside its test")
}

/// The error codes that the compiler reports for `source`.
fn errors(library: &Path, source: &str) -> Vec<String> {
    let folder = env::temp_dir();
    let mut compiler = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition=2024", "--crate-name=refused", "--crate-type=lib", "--emit=metadata", "--error-format=json"])
        .arg(format!("--extern=shared={}", library.display()))
        .arg(format!("-Ldependency={}", library.parent().unwrap().display()))
        .arg("--out-dir")
        .arg(folder)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    compiler.stdin.take().unwrap().write_all([IMPORTS, source].concat().as_bytes()).unwrap();
    let output = compiler.wait_with_output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    let messages: Vec<Value> = messages.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let errors: Vec<_> =
        messages.iter().filter(|message| message["level"] == "error" && !message["spans"][0].is_null()).collect();
    assert_eq!(errors.is_empty(), output.status.success(), "{messages:#?}");
    errors.iter().map(|error| error["code"]["code"].as_str().unwrap_or_default().to_owned()).collect()
}

fn compiles(source: &str) {
    assert_eq!(errors(&library(), source), Vec::<String>::new(), "{source}");
}

fn is_refused(code: &str, source: &str) {
    assert_eq!(errors(&library(), source), [code], "{source}");
}

/// S27, S274: opening a session compiles with a proof, and fails without one in every other way.
#[test]
fn no_session_is_opened_without_a_proof() {
    compiles(
        "pub fn open(proof: Proof<'_>, user: UserId, opening: Opening<'_>, now: Timestamp) -> Result<Session> {
            Session::open(proof, user, opening, &Entropy, now)
        }",
    );
    is_refused(
        "E0061",
        "pub fn open(user: UserId, opening: Opening<'_>, now: Timestamp) -> Result<Session> {
            Session::open(user, opening, &Entropy, now)
        }",
    );
    is_refused("E0451", "pub fn copy(old: Session, user: UserId) -> Session { Session { user, ..old } }");
    is_refused("E0616", "pub fn take(session: &mut Session, user: UserId) { session.user = user; }");
    is_refused(
        "E0451",
        "pub fn code(to: Destination, digest: CodeDigest, old: ProvenCode) -> ProvenCode {
            ProvenCode { to, digest, ..old }
        }",
    );
    is_refused("E0308", "pub fn proof(code: &ProvenCode) -> Proof<'_> { Proof::Code(code) }");
    is_refused("E0308", "pub fn proof(code: &StepUpCode) -> Proof<'_> { Proof::Code(code) }");
    is_refused("E0423", "pub fn code(code: ProvenCode) -> SignInCode { SignInCode(code) }");
    is_refused("E0423", "pub fn code(code: ProvenCode) -> StepUpCode { StepUpCode(code) }");
    is_refused(
        "E0451",
        "pub fn factor(pending: Pending, old: ProvenFactor) -> ProvenFactor { ProvenFactor { pending, ..old } }",
    );
    is_refused("E0624", "pub fn count(set: FactorSet) -> FactorAttempt { FactorAttempt::counted(set, None) }");
    is_refused("E0451", "pub fn find(set: FactorSet, old: Finding) -> Finding { Finding { set, ..old } }");
    is_refused("E0624", "pub fn prove(found: &Finding, pending: Pending) -> ProvenFactor { found.proven(pending) }");
    is_refused(
        "E0624",
        "pub fn attempt(identifier: &IdentifierDigest, state: IdentifierState) -> Attempt { Attempt::unbound(identifier, state, &[], None) }",
    );
    is_refused(
        "E0624",
        "pub fn attempt(identifier: &IdentifierDigest, state: IdentifierState) -> Attempt {
            Attempt::bound(identifier, state, Lane::Open, \"challenge\")
        }",
    );
    is_refused(
        "E0624",
        "pub async fn put(users: Users<'_>, session: &Session) -> Result<()> { users.put_session(session).await }",
    );
    is_refused(
        "E0624",
        "pub async fn enter(users: Users<'_>, user: &User, session: &SessionId, now: Timestamp) -> Result<()> {
            users.enter_session(user, session, 10, false, now).await
        }",
    );
    is_refused(
        "E0624",
        "pub async fn use_up(table: &OtpTable, code: &ProvenCode, now: Timestamp) -> Result<bool> {
            table.use_up(code, now).await
        }",
    );
}

/// Access tokens come from a session, and only from one.
#[test]
fn no_access_token_is_issued_without_a_session() {
    compiles(
        "pub fn issue(keys: &RequestKeys<'_>, session: &Session, key: &AccessKey) -> Result<Tokens> {
            keys.issue(session, key)
        }",
    );
    is_refused("E0616", "pub fn signer(key: &AccessKey) { let _ = &key.0; }");
    is_refused("E0616", "pub fn ring(keys: &RequestKeys<'_>) { let _ = &keys.signing; }");
}

/// S160: a message needs a permit, which only the gate makes and which is used once.
#[test]
fn no_message_is_sent_without_a_permit() {
    compiles(
        "pub async fn send<'a>(sender: &Sender, gate: &Gate<'a>, counted: Reserved<'a>, message: CodeMessage<'_>) -> Result<Sent> {
            sender.send(gate.take(counted, 1).await?, &message).await
        }",
    );
    is_refused(
        "E0308",
        "pub async fn send(sender: &Sender, to: &Destination, message: CodeMessage<'_>) -> Result<Sent> {
            sender.send(to, &message).await
        }",
    );
    is_refused(
        "E0451",
        "pub fn permit<'a>(to: &'a Destination, old: Permit<'a>) -> Permit<'a> { Permit { to, ..old } }",
    );
    is_refused(
        "E0382",
        "pub async fn twice(sender: &Sender, permit: Permit<'_>, one: CodeMessage<'_>, other: CodeMessage<'_>) -> Result<Sent> {
            sender.send(permit, &one).await?;
            sender.send(permit, &other).await
        }",
    );
    is_refused("E0277", "pub fn copy<'a>(permit: &Permit<'a>) -> Permit<'a> { Permit::clone(permit) }");
    is_refused("E0603", "pub use shared::messages::Mailer;");
    is_refused("E0603", "pub use shared::messages::Texter;");
}

/// S230: a notice needs a permit, which only the gate of notices makes for a user's own address, and which is used once.
#[test]
fn no_notice_is_sent_without_a_permit() {
    compiles(
        "pub async fn send(notifier: &Notifier, gate: &NoticeGate, user: &User, of: Occasion<'_>, now: Timestamp) -> Result<()> {
            if let Some(permit) = gate.claim(user, of, now).await? {
                notifier.send(permit, &Notice::Welcome, Language::En).await?;
            }
            Ok(())
        }",
    );
    is_refused(
        "E0308",
        "pub async fn send(notifier: &Notifier, to: Email) -> Result<Sent> { notifier.send(to, &Notice::Welcome, Language::En).await }",
    );
    is_refused("E0451", "pub fn permit(to: Email) -> NoticePermit { NoticePermit { to } }");
    is_refused(
        "E0382",
        "pub async fn twice(notifier: &Notifier, permit: NoticePermit) -> Result<Sent> {
            notifier.send(permit, &Notice::Welcome, Language::En).await?;
            notifier.send(permit, &Notice::Welcome, Language::En).await
        }",
    );
    is_refused(
        "E0624",
        "pub async fn claim(table: &RecordTable, of: Occasion<'_>, now: Timestamp) { drop(table.claim_notice(of, 9, now).await); }",
    );
}

#[test]
fn no_key_and_no_mac_is_made_without_a_scope() {
    compiles("pub fn key(tenant: &Tenant) -> ItemKey { ItemKey::new(Scope::Tenant(tenant), \"U\", &[\"1\"]) }");
    is_refused("E0061", "pub fn key() -> ItemKey { ItemKey::new(\"U\", &[\"1\"]) }");
    is_refused("E0423", "pub fn key() -> ItemKey { ItemKey(\"U#1\".to_owned()) }");
    compiles("pub fn mac(key: &MacKey) -> [u8; 32] { key.digest(\"purpose\", Scope::Stack, &[b\"field\"]) }");
    is_refused("E0061", "pub fn mac(key: &MacKey) -> [u8; 32] { key.digest(\"purpose\", &[b\"field\"]) }");
}
