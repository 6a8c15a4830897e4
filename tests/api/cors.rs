//! CORS, as declared in the template and served by the gateway (S63).

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Request};
use local_aws::template::{Cors, Template, find_root};
use serde_json::json;
use shared::http::Frontends;
use shared::http::{ROUTES, Route};
use tests::Deployment;
use tests::client::REQUEST;

const PAGE: &str = "http://localhost:3000";
/// The headers that tracing tools and frameworks add by themselves. One that is missing makes every request of such a page fail.
const HEADERS: &str =
    "authorization,content-type,traceparent,tracestate,sentry-trace,baggage,x-requested-with,x-csrftoken";

fn declared() -> Cors {
    Template::read(&find_root().unwrap(), "default").unwrap().cors.unwrap()
}

async fn preflight(auth: &Deployment, path: &str, method: &str, origin: &str) -> HeaderMap {
    let request = Request::builder().method(Method::OPTIONS).uri(path).header("origin", origin);
    let request = request
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "content-type,authorization");
    let answer = auth.client().send(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(answer.status, 204, "{path}");
    answer.headers
}

fn of_cors(headers: &HeaderMap) -> usize {
    headers.keys().filter(|name| name.as_str().starts_with("access-control-")).count()
}

/// A star with credentials would allow every page on the web.
#[test]
fn the_template_names_its_origins_and_lets_them_read_what_they_need() {
    let cors = declared();
    assert!(cors.credentials && !cors.origins.is_empty());
    for list in [&cors.origins, &cors.methods, &cors.headers, &cors.exposed] {
        assert!(list.iter().all(|item| !item.contains('*')), "{list:?}");
    }
    assert_eq!(cors.exposed, ["Retry-After", "WWW-Authenticate", "X-Request-Id"]);
    let routes = ROUTES.iter().map(|Route { method, path, .. }| (*method, *path));
    for (method, path) in routes.chain([("PUT", "later routes"), ("PATCH", "later routes")]) {
        assert!(cors.methods.iter().any(|allowed| allowed == method), "{method} {path}");
    }
}

/// A deployer can only give a list of exact origins. Functions read the same list.
#[tokio::test]
async fn functions_and_the_gateway_allow_the_same_origins() {
    let auth = Deployment::start().await;
    assert_eq!(auth.read(Frontends::read).origins().collect::<Vec<_>>(), declared().origins);
    // A browser treats the names of this machine as different origins, and people use all of them.
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        for port in [3000, 5173, 8080] {
            assert!(declared().origins.contains(&format!("http://{host}:{port}")), "{host}:{port}");
        }
    }
    let samconfig = |origins: &str| {
        format!(
            "version = 0.1\n[default.deploy.parameters]\nparameter_overrides = [\"Stage=production\", \"SenderEmail=a@example.com\", \"AllowedOrigins={origins}\"]\n"
        )
    };
    let template = std::fs::read_to_string(find_root().unwrap().join("template.yaml")).unwrap();
    for (origins, fits) in [
        ("https://app.example.com,http://localhost:3000", true),
        ("http://[::1]:3000", true),
        ("*", false),
        ("https://*", false),
        ("https://*.example.com", false),
        ("https://app.example.com/", false),
        ("https://App.example.com", false),
        ("null", false),
    ] {
        assert_eq!(Template::parse(&template, &samconfig(origins), "default").is_ok(), fits, "{origins}");
    }
}

/// Every route with and without its final slash, and unknown routes. The gateway answers without calling a function.
#[tokio::test]
async fn a_preflight_of_every_route_is_answered() {
    let auth = Deployment::start().await;
    let before = auth.stack.logs().len();
    for (method, path) in ROUTES.iter().map(|route| (route.method, route.path)).chain([("DELETE", "/nowhere")]) {
        for path in [path.to_owned(), format!("{path}/")] {
            let allowed = preflight(&auth, &path, method, PAGE).await;
            assert_eq!(allowed["access-control-allow-origin"], PAGE);
            assert_eq!(allowed["access-control-allow-credentials"], "true");
            assert_eq!(allowed["access-control-allow-headers"], HEADERS);
            assert_eq!(allowed["access-control-max-age"], "600");
            let methods = allowed["access-control-allow-methods"].to_str().unwrap();
            assert!(methods.split(',').any(|allowed| allowed == method), "{method} {path}: {methods}");
            for foreign in
                ["https://evil.example", "null", "http://localhost:3001", "http://localhost:3000.evil.example"]
            {
                assert_eq!(of_cors(&preflight(&auth, &path, method, foreign).await), 0, "{foreign} {path}");
            }
        }
    }
    assert_eq!(auth.stack.logs().len(), before, "a function was asked");
}

/// AWS's pages say that the gateway answers preflights, and also that `$default` matches OPTIONS. Browsers accept only a success,
/// whoever answers.
#[tokio::test]
async fn a_preflight_that_reaches_a_function_is_answered_alike() {
    let auth = Deployment::start().await;
    for (method, path) in ROUTES.iter().map(|route| (route.method, route.path)).chain([("DELETE", "/nowhere")]) {
        for path in [path.to_owned(), format!("{path}/")] {
            auth.stack.api().unwrap().gateway().set_passes_preflights(false);
            let by_gateway = preflight(&auth, &path, method, PAGE).await;
            auth.stack.api().unwrap().gateway().set_passes_preflights(true);
            let by_function = preflight(&auth, &path, method, PAGE).await;
            assert!(by_function.contains_key("x-request-id") && of_cors(&by_function) >= 5, "{by_function:?}");
            for (name, value) in &by_gateway {
                assert_eq!(by_function.get(name), Some(value), "{path}: {name}");
            }
            assert_eq!(of_cors(&preflight(&auth, &path, method, "https://evil.example").await), 0, "{path}");
        }
    }
}

/// Answers are readable too, especially errors, because a page must read `Retry-After` to wait.
#[tokio::test]
async fn a_page_can_read_every_answer_and_its_retry_after() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1")]).await;
    let ask = |origin: &'static str| {
        let client = auth.client();
        async move { client.post_with("origin", origin, REQUEST, json!({ "identifier": "ada@example.com" })).await }
    };
    let (answered, limited, foreign) = (ask(PAGE).await, ask(PAGE).await, ask("https://evil.example").await);
    assert_eq!((answered.code(), limited.code(), foreign.code()), ("ok", "rate_limited", "forbidden"));
    for answer in [&answered, &limited] {
        assert_eq!(answer.headers["access-control-allow-origin"], PAGE);
        assert_eq!(answer.headers["access-control-allow-credentials"], "true");
        assert_eq!(answer.headers["access-control-expose-headers"], "retry-after,x-request-id");
    }
    assert!(limited.headers.contains_key("retry-after") && limited.headers.contains_key("x-request-id"));
    assert_eq!(of_cors(&foreign.headers), 0);
    auth.stack.api().unwrap().gateway().set_refusal(Some(axum::http::StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(ask(PAGE).await.headers["access-control-allow-origin"], PAGE, "the gateway's own answer");
}
