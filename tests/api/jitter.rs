//! `JWT_ACCESS_JITTER`: access tokens that were issued together end at different times, and each answer tells the real one.

use std::collections::BTreeSet;

use shared::config;
use shared::http::TokenSettings;
use tests::client::PROFILE;
use tests::deployment::unverified;
use tests::{Answer, Deployment};

const ADA: &str = "ada@example.com";

/// The life that an answer tells, which must be its token's.
fn life(answer: Answer) -> u64 {
    let told = answer.body["expires_in"].as_u64().unwrap();
    let claims = unverified(&answer.tokens().access).1;
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), told);
    told
}

async fn lives(auth: &Deployment) -> Vec<u64> {
    let asked = auth.client().ask(ADA).await;
    let answer = auth.client().answer(ADA, &asked).await;
    let mut refresh = answer.clone().tokens().refresh;
    let mut lives = vec![life(answer)];
    for _ in 0..40 {
        let answer = auth.client().refresh(&refresh).await;
        refresh = answer.clone().tokens().refresh;
        lives.push(life(answer));
    }
    lives
}

/// A life is only shortened: backends and revocation count on the setting as the longest one.
#[tokio::test]
async fn a_token_loses_a_random_part_of_its_life() {
    let auth = Deployment::with(&[("JWT_ACCESS_SECONDS", "1000"), ("JWT_ACCESS_JITTER", "10")]).await;
    let lives = lives(&auth).await;
    assert!(lives.iter().all(|life| (900..=1_000).contains(life)), "{lives:?}");
    // By chance forty of 101 lives are so alike in far less than one of 10⁹ runs.
    assert!(lives.iter().collect::<BTreeSet<_>>().len() > 10, "{lives:?}");
    assert!(lives.iter().any(|life| *life < 950) && lives.iter().any(|life| *life > 950), "{lives:?}");
}

#[tokio::test]
async fn without_jitter_all_lives_are_the_same() {
    let auth = Deployment::with(&[("JWT_ACCESS_SECONDS", "1000"), ("JWT_ACCESS_JITTER", "0")]).await;
    assert_eq!(lives(&auth).await.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([1_000]));
}

/// The token is accepted until then, and no longer.
#[tokio::test]
async fn a_shortened_token_ends_when_it_says() {
    let auth = Deployment::with(&[("JWT_ACCESS_JITTER", "50"), ("JWT_LEEWAY_SECONDS", "0")]).await;
    let asked = auth.client().ask(ADA).await;
    let answer = auth.client().answer(ADA, &asked).await;
    let access = answer.clone().tokens().access;
    auth.wait(life(answer) - 1);
    auth.client().with_token("GET", PROFILE, &access).await.ok();
    auth.wait(1);
    auth.client().with_token("GET", PROFILE, &access).await.needs_a_token();
}

#[test]
fn the_jitter_is_five_percent_and_at_most_half() {
    let jitter = |value: Option<&str>| {
        let lookup = |name: &str| match name {
            "JWT_ACCESS_JITTER" => value.map(str::to_owned),
            name => name.ends_with("_SECRET_ARN").then(|| "arn:x".to_owned()),
        };
        config::read(lookup, TokenSettings::read)
            .map(|settings| settings.jitter)
            .map_err(|problems| problems.to_string())
    };
    assert_eq!([jitter(None), jitter(Some("0")), jitter(Some("50"))], [Ok(5), Ok(0), Ok(50)]);
    for value in ["51", "-1", "2.5", "5%"] {
        let problem = jitter(Some(value)).unwrap_err();
        assert!(problem.contains("JWT_ACCESS_JITTER: expected a whole number from 0 to 50"), "{problem}");
    }
}
