//! Checks the routes, their final slashes, the headers of every answer and the clock.

use shared::words::Clock;

use super::Finding;
use super::http::{Browser, Seen};
use crate::client::{LOGOUT, REFRESH, REQUEST, SESSIONS, VERIFY};

pub(super) async fn look(browser: &Browser) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in [REQUEST, VERIFY, REFRESH, LOGOUT] {
        findings.push(route(browser, path).await);
        findings.push(final_slash(browser, path).await);
    }
    findings.push(route_with_an_id(browser).await);
    findings.push(elsewhere(browser).await);
    findings.extend(every_answer(browser).await);
    findings
}

const REDEPLOY: &str = "deploy again (docs/deploy.md), then compare the API's routes in API Gateway with the template";

/// Only the function itself refuses an empty body with this code.
fn is_ours(seen: &Seen) -> bool {
    (seen.status, seen.code().as_str()) == (400, "invalid_request")
}

async fn route(browser: &Browser, path: &str) -> Finding {
    let path = path.trim_end_matches('/');
    match browser.post(path, "{}").await {
        Ok(seen) => Finding::if_so("route", is_ours(&seen), format!("POST {path} answers {}", seen.status), REDEPLOY),
        Err(problem) => Finding::bad("route", format!("POST {path}: {problem}"), "is --url the stack's output ApiUrl?"),
    }
}

/// The gateway may match this route or its greedy sibling. Both lead to the function that checks the token.
async fn route_with_an_id(browser: &Browser) -> Finding {
    const NAME: &str = "route with an id";
    let path = format!("{SESSIONS}AAAAAAAAAAAAAAAAAAAAAA");
    match browser.ask("DELETE", &path, &[], "").await {
        Ok(seen) => {
            let is_asked = (seen.status, seen.code().as_str()) == (401, "invalid_token");
            Finding::if_so(NAME, is_asked, format!("DELETE {path} answers {}", seen.status), REDEPLOY)
        }
        Err(problem) => Finding::bad(NAME, format!("DELETE {path}: {problem}"), REDEPLOY),
    }
}

/// An HTTP API may match `/x/` by the route `/x`, by `/x/{proxy+}` with an empty rest, or by neither.
async fn final_slash(browser: &Browser, path: &str) -> Finding {
    const NAME: &str = "final slash";
    let seen = match browser.post(path, "{}").await {
        Ok(seen) => seen,
        Err(problem) => return Finding::bad(NAME, format!("POST {path}: {problem}"), REDEPLOY),
    };
    let id = seen.header("x-request-id").unwrap_or("unknown").to_owned();
    if is_ours(&seen) {
        // The answer is the same by either route. Only the gateway's access log shows the route.
        let ask = format!("aws logs filter-log-events --log-group-name AccessLogName --filter-pattern '\"{id}\"'");
        return Finding::good(NAME, format!("POST {path} reaches its function; to see the route: {ask}"));
    }
    let target = seen.header("location").unwrap_or_default().to_owned();
    if seen.status == 308 && target == path.trim_end_matches('/') {
        let seen = format!("POST {path} has no route of its own; the fallback redirects clients to {target}");
        return Finding::doubtful(NAME, seen, "none needed, but clients unable to follow a 308 must omit the slash");
    }
    Finding::bad(NAME, format!("POST {path} answers {}", seen.status), REDEPLOY)
}

async fn elsewhere(browser: &Browser) -> Finding {
    const NAME: &str = "unknown routes";
    let (nothing, method) = (browser.get("/nothing/here").await, browser.get(REQUEST.trim_end_matches('/')).await);
    match (nothing, method) {
        (Ok(nothing), Ok(method)) => {
            let codes = (nothing.code(), method.code());
            let is_so = codes == ("not_found".to_owned(), "method_not_allowed".to_owned());
            Finding::if_so(NAME, is_so, format!("{} and {}", nothing.status, method.status), REDEPLOY)
        }
        (Err(problem), _) | (_, Err(problem)) => Finding::bad(NAME, problem, REDEPLOY),
    }
}

async fn every_answer(browser: &Browser) -> Vec<Finding> {
    let Ok(seen) = browser.get("/nothing").await else { return Vec::new() };
    let is_guarded = seen.header("x-content-type-options") == Some("nosniff")
        && seen.header("strict-transport-security").is_some_and(|value| value.starts_with("max-age="))
        && seen.header("cache-control") == Some("no-store");
    let guarded = Finding::if_so("headers", is_guarded, "HSTS, nosniff, no-store", REDEPLOY);
    vec![guarded, clock(&seen)]
}

/// With a wrong clock, tokens are refused as not yet valid. From five minutes on, AWS also refuses requests.
fn clock(seen: &Seen) -> Finding {
    const NAME: &str = "clock";
    const FIX: &str = "set this machine's clock (AWS's clock is correct)";
    let theirs = seen.header("date").and_then(|date| {
        let format = aws_smithy_types::date_time::Format::HttpDate;
        aws_smithy_types::DateTime::from_str(date, format).ok().map(|date| date.secs())
    });
    let Some(theirs) = theirs else { return Finding::doubtful(NAME, "the answer has no date header", FIX) };
    let difference = theirs.abs_diff(Clock::system().now().unix() as i64);
    let words = format!("{difference} s between the API's clock and this machine's");
    match difference {
        0..=5 => Finding::good(NAME, words),
        6..=60 => Finding::doubtful(NAME, words, FIX),
        _ => Finding::bad(NAME, words, FIX),
    }
}
