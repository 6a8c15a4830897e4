//! Cookies authorize requests only from allowed pages (S61, S62).

use axum::body::Bytes;
use axum::http::Request;
use serde_json::json;
use tests::browser::{CHALLENGE_COOKIE, REFRESH_COOKIE};
use tests::client::{LOGOUT, REFRESH, REQUEST, VERIFY};
use tests::{Answer, Browser, Deployment};

const ADA: &str = "ada@example.com";
const PAGE: &str = "http://localhost:3000";

/// Requests that use a cookie: refresh, sign out, answer, resend, and be recognised as a known browser.
async fn with_cookies(browser: &mut Browser<'_>, code: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (path, body) in [
        (REFRESH, json!({})),
        (LOGOUT, json!({ "all": true })),
        (VERIFY, json!({ "identifier": ADA, "otp_code": code })),
        (REQUEST, json!({ "identifier": ADA })),
    ] {
        answers.push(browser.post(path, body).await);
    }
    browser.cookies.remove(CHALLENGE_COOKIE);
    answers.push(browser.post(REQUEST, json!({ "identifier": "bob@example.com", "token_delivery": "cookie" })).await);
    answers
}

/// S152, V60: a foreign page could otherwise have codes sent from its visitors' networks, even without a cookie. The browser sends
/// the request and only hides the answer. Native apps have no `Origin`.
#[tokio::test]
async fn a_page_that_is_not_allowed_sends_no_code() {
    let auth = Deployment::start().await;
    let ask = async |path: &str, page: &[(&str, &str)]| {
        let mut request = Request::post(path).header("content-type", "application/json");
        for (name, value) in page {
            request = request.header(*name, *value);
        }
        let body = json!({ "identifier": ADA, "phone_number": "", "source_url": "https://evil.example" });
        auth.client().send(request.body(Bytes::from(body.to_string())).unwrap()).await
    };
    for path in [REQUEST, "/accounts/otp/request/", "/cfg/accounts/otp/request/"] {
        for origin in
            ["https://evil.example", "null", "http://localhost:3001", "http://localhost:3000.evil.example", ""]
        {
            assert_eq!(ask(path, &[("origin", origin)]).await.status, 403, "{path} {origin}");
        }
        assert_eq!(ask(path, &[("origin", PAGE), ("origin", "https://evil.example")]).await.status, 403);
    }
    assert_eq!(auth.messages_to(ADA), 0);
    assert!(auth.items("R#").is_empty(), "the request was counted");
    for page in [
        [("origin", PAGE)].as_slice(),
        &[],
        &[("origin", "https://auth.example.com"), ("sec-fetch-site", "same-origin")],
    ] {
        ask(REQUEST, page).await.ok();
    }
}

/// S61: another page's request, sent by the browser with Latchkey's cookies, is refused.
#[tokio::test]
async fn a_cookie_works_only_for_allowed_pages() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    browser.sign_in(ADA).await;
    let code = browser.ask(ADA).await;
    auth.wait(30);
    let charged = auth.charged(ADA);
    let page =
        |headers: &[(&'static str, &str)]| headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    for foreign in [
        page(&[("origin", "https://evil.example")]),
        page(&[("origin", "null")]),
        page(&[]),
        page(&[("origin", "http://localhost:3001")]),
        page(&[("origin", "http://localhost:3000.evil.example")]),
        page(&[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]),
        page(&[("sec-fetch-site", "same-site")]),
        page(&[("sec-fetch-site", "none")]),
        page(&[("origin", PAGE), ("origin", "https://evil.example")]),
        page(&[("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-origin")]),
    ] {
        let mut elsewhere = browser.clone();
        elsewhere.page = foreign;
        for answer in with_cookies(&mut elsewhere, &code).await {
            answer.refused(403, "forbidden");
            assert!(!answer.headers.contains_key("set-cookie"));
        }
    }
    assert_eq!((auth.charged(ADA), auth.messages_to(ADA), auth.messages_to("bob@example.com")), (charged, 2, 0));

    // The API's own origin is allowed without an entry, because only a browser can write this header.
    let mut own = browser;
    own.page = page(&[("sec-fetch-site", "same-origin")]);
    own.answer(ADA, &code).await.ok();
    own.refresh().await.ok();
    own.logout().await.ok();
}

/// A client without an allowed origin cannot ask for cookies. That includes clients other than browsers.
#[tokio::test]
async fn only_allowed_pages_are_given_cookies() {
    let auth = Deployment::start().await;
    let body = || json!({ "identifier": ADA, "token_delivery": "cookie" });
    auth.client().browser("https://evil.example").post(REQUEST, body()).await.refused(403, "forbidden");
    auth.client().post(REQUEST, body()).await.ok();
    auth.client()
        .post(REQUEST, json!({ "identifier": ADA, "token_delivery": "cookies" }))
        .await
        .refused(400, "invalid_request");
}

/// A browser would not send such cookies back. Requests for tokens in the body, or without a preference, work as usual.
#[tokio::test]
async fn cookies_are_refused_for_pages_whose_browser_would_not_send_them() {
    let frontends = "https://app.example.com,https://app.example.org,http://app.example.com";
    for (domain, origin, code) in [
        ("", "https://app.example.com", "invalid_request"),
        ("auth.example.com", "https://app.example.com", "ok"),
        ("auth.example.com", "https://app.example.org", "invalid_request"),
        ("auth.example.com", "http://app.example.com", "invalid_request"),
        ("auth.example.com", "https://example.com", "forbidden"),
    ] {
        let auth = Deployment::with(&[("ALLOWED_ORIGINS", frontends), ("DOMAIN_NAME", domain)]).await;
        let tokens = auth.client().sign_in(ADA).await;
        let mut browser = auth.client().browser(origin);
        for (path, body) in [
            (REQUEST, json!({ "identifier": "bob@example.com", "token_delivery": "cookie" })),
            (REFRESH, json!({ "refresh": tokens.refresh, "token_delivery": "cookie" })),
        ] {
            assert_eq!(browser.post(path, body).await.code(), code, "{domain} {origin} {path}");
        }
        if code != "forbidden" {
            auth.client().browser(origin).post(REQUEST, json!({ "identifier": "eve@example.com" })).await.ok();
        }
    }
}

/// Two parsers could choose different cookies, and one may come from a sibling domain (V42).
#[tokio::test]
async fn a_duplicate_cookie_is_refused() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    browser.sign_in(ADA).await;
    let good = format!("{REFRESH_COOKIE}={}", browser.cookie(REFRESH_COOKIE));
    let long = format!("{REFRESH_COOKIE}={}", "x".repeat(1_000));
    for lines in [vec![format!("{good}; {good}")], vec![good.clone(), good.clone()], vec![long]] {
        let request = Request::post(REFRESH).header("content-type", "application/json").header("origin", PAGE);
        let request = lines.iter().fold(request, |request, line| request.header("cookie", line));
        let answer = auth.client().send(request.body(Bytes::from_static(b"{}")).unwrap()).await;
        answer.refused(400, "invalid_request");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    let request = Request::post(REFRESH).header("content-type", "application/json").header("origin", PAGE);
    let request = request.header("cookie", "theme=dark").header("cookie", good).header("cookie", "a=b; c");
    auth.client().send(request.body(Bytes::from_static(b"{}")).unwrap()).await.ok();
}

/// S62: a form can be posted with cookies, so it is refused even from an allowed page.
#[tokio::test]
async fn a_form_is_refused() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    browser.sign_in(ADA).await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded"] {
        let cookie = format!("{REFRESH_COOKIE}={}", browser.cookie(REFRESH_COOKIE));
        let request = Request::post(LOGOUT).header("content-type", content_type).header("origin", PAGE);
        let request = request.header("cookie", cookie).body(Bytes::from_static(b"{}")).unwrap();
        auth.client().send(request).await.refused(400, "invalid_request");
    }
    browser.refresh().await.ok();
}
