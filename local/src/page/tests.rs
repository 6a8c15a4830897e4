//! The page over HTTP, as a browser loads it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::options::{FREE, Options};
use crate::stack::Stack;

async fn stack(delivery: &str, services_only: bool) -> Stack {
    let env = [("JWT_ALGORITHM", "ES256"), ("TOKEN_DELIVERY", delivery)];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let options = Options { api: Some(FREE), page: Some(FREE), services_only, env, ..Options::default() };
    Stack::start(options).await.unwrap()
}

/// Requests `path` with `host` as the host header; returns the head and the body of the answer.
async fn get(page: SocketAddr, path: &str, host: &str) -> (String, String) {
    let mut stream = TcpStream::connect(page).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn the_page_knows_where_its_api_is_and_may_talk_to_nobody_else() {
    for delivery in ["body", "cookie"] {
        let stack = stack(delivery, false).await;
        let page = stack.addresses().page.unwrap();
        let api = stack.addresses().api_url();
        let (head, body) = get(page, "/", &page.to_string()).await;
        assert!(body.contains(&format!(r#"content="{api}" data-delivery="{delivery}""#)), "{body}");
        for policy in ["default-src 'none'", "script-src 'self'; style-src 'self'", "frame-ancestors 'none'"] {
            assert!(head.contains(policy), "{head}");
        }
        assert!(head.contains(&format!("connect-src {api};")), "{head}");
        assert!(!body.contains("<style") && !body.contains(" style=") && !body.contains(" onclick="), "{body}");
        for path in [
            "/page.css",
            "/page.js",
            "/account.css",
            "/factors.js",
            "/latchkey.js",
            "/answers.js",
            "/surroundings.js",
            "/webmail.js",
        ] {
            let (head, body) = get(page, path, &page.to_string()).await;
            assert!(head.starts_with("HTTP/1.1 200") && !body.is_empty(), "{path}: {head}");
        }
    }
}

/// Cookies need the same host name for the page and the API.
#[tokio::test]
async fn the_page_names_its_api_as_the_browser_named_the_page() {
    let stack = stack("cookie", false).await;
    let page = stack.addresses().page.unwrap();
    let api = stack.addresses().api_url();
    let named = api.replace("127.0.0.1", "localhost");
    assert_ne!(api, named);
    for (host, expected) in [("localhost", &named), ("127.0.0.1", &api), ("auth.localhost", &api), ("[::1]", &api)] {
        let (head, body) = get(page, "/", &format!("{host}:{}", page.port())).await;
        assert!(body.contains(&format!(r#"content="{expected}""#)), "{host}: {body}");
        assert!(head.contains(&format!("connect-src {expected};")), "{host}: {head}");
    }
}

#[tokio::test]
async fn without_its_own_api_the_page_calls_cargo_lambda_watch() {
    let stack = stack("body", true).await;
    let page = stack.addresses().page.unwrap();
    let (_, body) = get(page, "/", &page.to_string()).await;
    assert!(body.contains(r#"content="http://127.0.0.1:9000""#), "{body}");
}

#[tokio::test]
async fn the_page_is_for_this_machine_only() {
    let stack = stack("body", false).await;
    let (head, _) = get(stack.addresses().page.unwrap(), "/", "app.example.com").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
}
