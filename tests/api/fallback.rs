//! Slashes, unknown paths and wrong methods.

use axum::body::Bytes;
use axum::http::{Method, Request};
use serde_json::json;
use tests::Deployment;
use tests::client::REQUEST;

#[tokio::test]
async fn every_path_answers_with_and_without_its_slash() {
    let auth = Deployment::start().await;
    for path in ["/api/auth/otp/request", "/api/auth/otp/request/"] {
        auth.client().post(path, json!({ "identifier": "ada@example.com" })).await.ok();
    }
    for path in ["/.well-known/jwks.json", "/.well-known/jwks.json/", "/.well-known/openid-configuration/"] {
        auth.client().get(path).await.ok();
    }
    for path in ["/api/auth/otp/verify", "/api/auth/token/refresh", "/api/auth/logout"] {
        for path in [path.to_owned(), format!("{path}/")] {
            auth.client().post(&path, json!({})).await.refused(400, "invalid_request");
        }
    }
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let auth = Deployment::start().await;
    for path in [
        "/",
        "/api",
        "/api/auth/otp/request/more",
        "/api/auth/otp/request//",
        "//api/auth/otp/request",
        "/API/auth/otp/request",
        "/api/auth/otp/request/..",
        "/api/auth/otp/",
        "/api/auth/sessions/a/b",
        "/cfg/",
        "/.well-known/jwks.json/x",
    ] {
        auth.client().post(path, json!({ "identifier": "ada@example.com" })).await.refused(404, "not_found");
        auth.client().get(path).await.refused(404, "not_found");
    }
    assert!(auth.stack.inbox().messages(None).is_empty());
}

#[tokio::test]
async fn a_wrong_method_lists_the_allowed_methods() {
    let auth = Deployment::start().await;
    for path in [REQUEST, "/api/auth/logout"] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let request = Request::builder().method(method).uri(path).body(Bytes::new()).unwrap();
            let answer = auth.client().send(request).await;
            answer.refused(405, "method_not_allowed");
            assert_eq!(answer.headers["allow"], "POST");
        }
        // The answer to HEAD has no body.
        let answer = auth.client().send(Request::head(path).body(Bytes::new()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (405, &json!(null)));
        assert_eq!(answer.headers["allow"], "POST");
    }
    for (path, allow) in [
        ("/.well-known/jwks.json/", "GET, HEAD"),
        ("/api/profile", "GET"),
        ("/api/auth/sessions/", "GET, DELETE"),
        ("/api/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA", "DELETE"),
    ] {
        let answer = auth.client().post(path, json!({})).await;
        answer.refused(405, "method_not_allowed");
        assert_eq!(answer.headers["allow"], allow);
    }
    // The route of all sessions matches this path, so its function answers.
    let answer = auth.client().get("/api/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA/").await;
    answer.refused(405, "method_not_allowed");
    assert_eq!(answer.headers["allow"], "DELETE");
}

/// API Gateway might miss the empty rest of `/{proxy+}`. The redirect keeps the method, the body and the origin.
#[tokio::test]
async fn a_slash_that_the_gateway_does_not_match_is_redirected() {
    let auth = Deployment::start().await;
    auth.stack.api().unwrap().gateway().set_ignores_empty_rest(true);
    let answer = auth.client().post(REQUEST, json!({ "identifier": "ada@example.com" })).await;
    assert_eq!(answer.status, 308);
    assert_eq!(answer.headers["location"], "/api/auth/otp/request");
    auth.client().post("/api/auth/otp/request", json!({ "identifier": "ada@example.com" })).await.ok();
    let answer = auth.client().with_token("DELETE", "/api/auth/sessions/", "x").await;
    assert_eq!((answer.status.as_u16(), &answer.headers["location"]), (308, &"/api/auth/sessions".parse().unwrap()));
    auth.client().with_token("DELETE", "/api/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA/", "x").await.needs_a_token();
    auth.client().post("//evil.example/api/auth/otp/request/", json!({})).await.refused(404, "not_found");
}
