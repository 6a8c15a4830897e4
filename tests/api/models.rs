//! At the end of each deployment, the witness fails a test with calls that violate AWS's API models. This proves it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use local_aws::gate::Release;
use serde_json::{Value, json};
use tests::Deployment;
use tests::client::REQUEST;

type Corruption = fn(&mut Value);

/// Corrupts the first write of a code request after the SDK has made it.
async fn with_a_corrupted_call(corrupt: impl Fn(&mut Value)) -> Deployment {
    let auth = Deployment::start().await;
    let gate = auth.stack.services().gate();
    gate.close();
    let corrupting = async {
        let held = loop {
            match gate.held().into_iter().find(|held| held.operation == "UpdateItem") {
                Some(held) => break held,
                None => tokio::task::yield_now().await,
            }
        };
        let mut body = held.body;
        corrupt(&mut body);
        assert!(gate.release(held.number, Release::Rewritten(body)));
        gate.open();
    };
    let asking = auth.client();
    let (answer, ()) = tokio::join!(asking.post(REQUEST, json!({ "identifier": "ada@example.com" })), corrupting);
    answer.refused(500, "internal_error");
    auth
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_violates_the_aws_model_fails_its_test() {
    let corruptions: [(Corruption, &str); 4] = [
        (|body| body["Nothing"] = json!("x"), "Member at 'nothing' is unknown"),
        (|body| body["TableName"] = json!(1), "Value at 'tableName' is not a string"),
        (
            |body| drop(body.as_object_mut().unwrap().remove("Key")),
            "Value null at 'key' failed to satisfy constraint: Member must not be null",
        ),
        (|body| body["Key"]["pk"]["N"] = json!("1"), "Member must have exactly one of its members"),
    ];
    for (corrupt, problem) in corruptions {
        let auth = with_a_corrupted_call(corrupt).await;
        let panic = catch_unwind(AssertUnwindSafe(|| drop(auth))).unwrap_err();
        let message = panic.downcast::<String>().unwrap();
        assert!(
            message.starts_with("1 violations, such as: RequestOtp calls dynamodb.UpdateItem, in the request: "),
            "{message}"
        );
        assert!(message.ends_with(problem), "{message}");
    }
}
