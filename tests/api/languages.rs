//! The language of messages and errors: by the request's `locale`, its `Accept-Language`, or the setting.

use axum::body::Bytes;
use axum::http::Request;
use serde_json::{Value, json};
use tests::client::{REQUEST, VERIFY};
use tests::operations::SETTINGS;
use tests::{Answer, Deployment};

use crate::workspace::{files, read};

const ADA: &str = "ada@example.com";
const PHONE: &str = "+447400123456";

/// A request with an `Accept-Language` header.
async fn ask(auth: &Deployment, path: &str, accepted: &str, body: &Value) -> Answer {
    let request = Request::post(path).header("content-type", "application/json").header("accept-language", accepted);
    auth.client().send(request.body(Bytes::from(body.to_string())).unwrap()).await
}

/// The texts of a language, as its file has them.
fn texts(tag: &str) -> toml::Table {
    read(format!("shared/messages/{tag}.toml")).parse().unwrap()
}

fn tags() -> Vec<String> {
    let names =
        files("shared/messages", ".toml").into_iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    let mut tags: Vec<_> = names.collect();
    tags.sort();
    assert!(tags.len() >= 12, "{tags:?}");
    tags
}

fn text<'a>(texts: &'a toml::Table, table: &str, key: &str) -> &'a str {
    texts[table][key].as_str().unwrap()
}

#[tokio::test]
async fn a_message_is_in_the_language_of_the_request() {
    let auth = Deployment::with(&[("DEFAULT_LOCALE", "pl")]).await;
    for (number, (locale, accepted, tag)) in [
        (json!("de"), "fr", "de"),
        (json!(null), "fr-CA, de;q=0.5", "fr"),
        (json!("tlh"), "tr", "tr"),
        (json!(null), "", "pl"),
        (json!("tlh"), "tlh", "pl"),
    ]
    .into_iter()
    .enumerate()
    {
        let who = format!("ada{number}@example.com");
        let answer = ask(&auth, REQUEST, accepted, &json!({ "identifier": who, "locale": locale })).await.ok();
        let texts = texts(tag);
        assert_eq!(answer["message"], text(&texts, "answers", "email_sent"));
        let message = auth.stack.inbox().messages(Some(&who)).remove(0);
        let code = auth.newest_code(&who);
        let filled = |key| text(&texts, "mail", key).replace("{code}", &code).replace("{product}", "Latchkey");
        assert_eq!(message.subject.unwrap(), filled("subject"));
        for part in [message.text, message.html.unwrap()] {
            assert!(
                part.contains(&filled("never_asks").replace('\'', "&#39;")) || part.contains(&filled("never_asks")),
                "{part}"
            );
        }
    }
    let wrong = ask(&auth, REQUEST, "de", &json!({ "identifier": ADA, "locale": 5 })).await;
    wrong.refused(400, "invalid_request");
}

/// Every language, by mail and SMS, and back again.
#[tokio::test]
async fn a_code_of_every_language_signs_in() {
    let auth = Deployment::with(&SETTINGS).await;
    for (number, tag) in tags().into_iter().enumerate() {
        for who in [format!("{tag}@example.com"), format!("+4474001234{number:02}")] {
            let asked = auth.client().post(REQUEST, json!({ "identifier": who, "locale": tag })).await.ok();
            let message = auth.stack.inbox().messages(Some(&who)).remove(0);
            let parts = serde_json::to_value(&message).unwrap()["sms"]["parts"].clone();
            assert!(who.contains('@') || parts == 1, "{tag}: a usual SMS has {parts} parts");
            // A user may paste the whole message.
            let pasted = message.text;
            let body =
                json!({ "identifier": who, "otp_code": pasted, "challenge_id": asked["challenge_id"], "locale": tag });
            let answer = auth.client().post(VERIFY, body).await.ok();
            assert_eq!(answer["message"], text(&texts(&tag), "answers", "signed_in"), "{tag}");
        }
    }
}

#[tokio::test]
async fn an_error_is_in_the_language_of_the_request_and_its_code_stays() {
    let auth = Deployment::start().await;
    for tag in tags() {
        let texts = texts(&tag);
        let invalid = json!({ "identifier": ADA, "otp_code": "123456", "challenge_id": "x" });
        for (path, body, error) in [
            (REQUEST, json!({ "identifier": "ada@" }), "invalid_email"),
            (REQUEST, json!({ "identifier": "+44" }), "invalid_phone"),
            (VERIFY, invalid, "invalid_otp"),
            ("/api/auth/token/refresh", json!({ "refresh": "x" }), "invalid_token"),
            ("/api/nothing", json!({}), "not_found"),
        ] {
            let answer = ask(&auth, path, &tag, &body).await;
            assert_eq!(answer.code(), error, "{tag}");
            let of = |answer: &Answer| answer.body.clone();
            assert_eq!(of(&answer)["message"], text(&texts, "errors", error), "{tag}");
        }
        let answer = ask(&auth, REQUEST, &tag, &json!({})).await;
        let reason = "The field identifier is missing.";
        assert_eq!(answer.body["message"], text(&texts, "errors", "invalid_request").replace("{reason}", reason));
    }
}

/// Beside the text, no byte of an answer depends on the language.
#[tokio::test]
async fn only_the_message_depends_on_the_language() {
    let auth = Deployment::start().await;
    let mut others = tags().into_iter().map(|tag| {
        let bodies = [
            (REQUEST, json!({ "identifier": format!("{tag}@example.com"), "locale": tag })),
            (REQUEST, json!({ "identifier": "+44", "locale": tag })),
            (VERIFY, json!({ "identifier": ADA, "otp_code": "123456", "challenge_id": "x", "locale": tag })),
        ];
        (tag, bodies)
    });
    let (_, bodies) = others.next().unwrap();
    let without = async |(path, body): (&str, Value)| {
        let Answer { status, mut body, headers } = auth.client().post(path, body).await;
        body.as_object_mut().unwrap().remove("message").unwrap();
        // Random, in every answer.
        body.as_object_mut().unwrap().remove("challenge_id");
        let headers = headers.iter().filter(|(name, _)| !["x-request-id", "apigw-requestid"].contains(&name.as_str()));
        let headers: Vec<_> = headers.map(|(name, value)| (name.to_string(), value.clone())).collect();
        (status, body, headers)
    };
    let mut first = Vec::new();
    for body in bodies {
        first.push(without(body).await);
    }
    for (tag, bodies) in others {
        for (body, first) in bodies.into_iter().zip(&first) {
            assert_eq!(&without(body).await, first, "{tag}");
        }
    }
}

#[tokio::test]
async fn a_subject_may_leave_the_code_out() {
    let auth = Deployment::with(&[("OTP_IN_SUBJECT", "off")]).await;
    for tag in tags() {
        let who = format!("{tag}@example.com");
        auth.client().post(REQUEST, json!({ "identifier": who, "locale": tag })).await.ok();
        let subject = auth.stack.inbox().messages(Some(&who)).remove(0).subject.unwrap();
        assert_eq!(subject, text(&texts(&tag), "mail", "subject_without_code").replace("{product}", "Latchkey"));
    }
}

/// The first https origin is the page that an SMS is for, unless a setting names another host.
#[tokio::test]
async fn an_sms_names_the_host_of_the_first_https_origin() {
    for (origins, line) in [
        ("http://localhost:5173,https://app.example.com:8443,https://b.example.com", Some("@app.example.com #")),
        ("http://localhost:5173", None),
    ] {
        let auth = Deployment::with(&[("ALLOWED_ORIGINS", origins)]).await;
        auth.client().ask(PHONE).await;
        let text = auth.stack.inbox().messages(Some(PHONE)).remove(0).text;
        let last = text.lines().last().filter(|last| last.starts_with('@'));
        assert_eq!(last.map(|last| last.trim_end_matches(|digit: char| digit.is_ascii_digit())), line);
    }
}

/// docs/messages.md lists the languages with what no native speaker has read, and every key.
#[test]
fn the_page_lists_all_languages_and_keys() {
    let page = read("docs/messages.md");
    for tag in tags() {
        let texts = texts(&tag);
        let unreviewed = texts["unreviewed"].as_array().unwrap();
        let all = texts.values().filter(|value| value.is_table()).count();
        let read_by = match unreviewed.len() {
            0 => "all",
            some if some == all => "none",
            _ => "some",
        };
        let name = texts["name"].as_str().unwrap();
        assert!(
            page.contains(&format!("| `{tag}` | {name} | {read_by} |")),
            "docs/messages.md lacks `{tag}`, {read_by}"
        );
    }
    for (table, texts) in texts("en").iter().filter_map(|(name, value)| Some((name, value.as_table()?))) {
        assert!(page.contains(&format!("`[{table}]`")), "docs/messages.md lacks [{table}]");
        for key in texts.keys().filter(|_| ["life", "mail", "sms"].contains(&table.as_str())) {
            assert!(page.contains(&format!("`{key}`")), "docs/messages.md lacks {key}");
        }
    }
}
