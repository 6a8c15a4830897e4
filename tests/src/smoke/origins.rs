//! Checks CORS: only the origins of the frontends may read answers.

use super::http::Browser;
use super::{Finding, Look};
use crate::client::REQUEST;

const FOREIGN: &str = "https://foreign.example";

pub(super) async fn look(look: &Look, browser: &Browser) -> Vec<Finding> {
    let mut findings = Vec::new();
    for origin in &look.origins {
        findings.push(allowed(browser, origin).await);
    }
    if look.origins.is_empty() {
        let fix = "pass each origin of AllowedOrigins as --origin";
        findings.push(Finding::doubtful("origins", "no --origin, so no origin was checked", fix));
    }
    findings.push(foreign(browser).await);
    findings
}

/// The status, the allowed origin, and whether a browser at `origin` would send the request.
async fn preflight(browser: &Browser, origin: &str) -> Result<(u16, Option<String>, bool), String> {
    let asked = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let seen = browser.ask("OPTIONS", REQUEST.trim_end_matches('/'), &asked, "").await?;
    let allows = |name: &str, word: &str| {
        seen.header(name).is_some_and(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(word)))
    };
    // Browsers give up at any other status, whatever the headers say.
    let is_usable = (200..300).contains(&seen.status)
        && allows("access-control-allow-methods", "POST")
        && allows("access-control-allow-headers", "content-type")
        && seen.header("access-control-allow-credentials") == Some("true");
    Ok((seen.status, seen.header("access-control-allow-origin").map(str::to_owned), is_usable))
}

async fn allowed(browser: &Browser, origin: &str) -> Finding {
    const FIX: &str = "add exactly this origin, without path or final slash, to AllowedOrigins, then sam deploy";
    match preflight(browser, origin).await {
        Ok((_, Some(allowed), true)) if allowed == origin => Finding::good("origin", format!("{origin} is allowed")),
        Ok((status, allowed, _)) => {
            Finding::bad("origin", format!("for {origin} the answer is {status} and allows {allowed:?}"), FIX)
        }
        Err(problem) => Finding::bad("origin", problem, FIX),
    }
}

async fn foreign(browser: &Browser) -> Finding {
    const NAME: &str = "foreign origin";
    match preflight(browser, FOREIGN).await {
        Ok((_, None, _)) => Finding::good(NAME, "is not allowed"),
        Ok((_, Some(allowed), _)) => {
            Finding::bad(NAME, format!("the answer allows `{allowed}`"), "remove the star from AllowedOrigins")
        }
        Err(problem) => Finding::bad(NAME, problem, "is --url the stack's output ApiUrl?"),
    }
}
