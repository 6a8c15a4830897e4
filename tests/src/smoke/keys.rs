//! Checks discovery and public keys against the needs of API Gateway's JWT authorizer (S46 to S49).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::http::{Browser, Seen};
use super::{Finding, Look};

/// The limits of the authorizer on time and size.
const LONGEST: Duration = Duration::from_millis(1_500);
const MOST: usize = 150_000;

pub(super) async fn look(look: &Look, browser: &Browser) -> Vec<Finding> {
    let mut findings = Vec::new();
    match browser.get("/.well-known/openid-configuration").await {
        Ok(seen) => findings.extend(discovery(look, browser, &seen)),
        Err(problem) => findings.push(Finding::bad("discovery", problem, "is --url the stack's output ApiUrl?")),
    }
    match browser.get("/.well-known/jwks.json").await {
        Ok(seen) => findings.extend(keys(&seen)),
        Err(problem) => findings.push(Finding::bad("public keys", problem, "is --url the stack's output ApiUrl?")),
    }
    findings
}

fn in_time(name: &'static str, seen: &Seen) -> Finding {
    let words = format!("{} in {} ms, {} bytes", seen.status, seen.took.as_millis(), seen.body.len());
    let is_so = seen.status == 200 && seen.took <= LONGEST && seen.body.len() <= MOST;
    Finding::if_so(name, is_so, words, "run again when the function is warm; a larger MemorySize shortens cold starts")
}

fn discovery(look: &Look, browser: &Browser, seen: &Seen) -> Vec<Finding> {
    let document = seen.json();
    let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
    let expected = look.issuer.as_deref().unwrap_or(&browser.url);
    let (issuer, keys) = (text("issuer"), text("jwks_uri"));
    let same = Finding::if_so(
        "issuer",
        issuer == expected,
        format!("`{issuer}`"),
        format!("expected `{expected}`: pass --issuer, or set the parameter DomainName or JwtIssuer and deploy"),
    );
    let is_reachable = issuer == browser.url && keys.starts_with(&format!("{issuer}/"));
    let fix = "set JwtIssuer to the address of the API, because authorizers fetch the keys from the issuer's address";
    let own = if is_reachable {
        Finding::good("issuer's address", keys)
    } else {
        Finding::bad("issuer's address", format!("the API is at {}, its keys at {keys}", browser.url), fix)
    };
    let is_loopback = ["http://127.0.0.1", "http://localhost"].iter().any(|start| issuer.starts_with(start));
    let is_https = issuer.starts_with("https://") || is_loopback;
    vec![in_time("discovery", seen), same, own, Finding::if_so("https", is_https, issuer, "use an issuer with https")]
}

fn keys(seen: &Seen) -> Vec<Finding> {
    let keys = seen.json()["keys"].as_array().cloned().unwrap_or_default();
    let ids: BTreeSet<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
    let is_private = |key: &Value| ["d", "p", "q", "dp", "dq", "qi", "k"].iter().any(|part| key.get(part).is_some());
    let is_sound = ids.len() == keys.len() && !keys.iter().any(is_private);
    let revoke = "revoke every key published with its private half (docs/operations.md, A key has leaked)";
    let sound = Finding::if_so("key set", is_sound, format!("{} public keys", keys.len()), revoke);
    let kinds: Vec<&str> = keys.iter().filter_map(|key| key["alg"].as_str()).collect();
    let is_taken = kinds.iter().any(|kind| kind.starts_with("RS"));
    let fix = "API Gateway's authorizer supports only RSA: set JwtAlgorithm=RS256, or verify tokens in your backend";
    let authorizer = match is_taken {
        true => Finding::good("authorizer", format!("supports these: {}", kinds.join(", "))),
        false => Finding::doubtful("authorizer", format!("supports none of these: {}", kinds.join(", ")), fix),
    };
    vec![in_time("public keys", seen), sound, authorizer]
}
