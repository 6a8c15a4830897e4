//! Secrets Manager, and the data folder.

use super::*;

#[tokio::test]
async fn a_secret_is_found_by_arn_and_name_and_survives() {
    let folder = std::env::temp_dir().join(format!("latchkey-{}", new_id()));
    let arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey/codes-AbCdEf";
    let kept = stand(Some(&folder));
    kept.services.put_secret(arn, "one".to_owned()).unwrap();
    kept.services.put_secret(arn, "two".to_owned()).unwrap();
    kept.db("PutItem", put("a")).await;
    drop(kept);

    let stand = stand(Some(&folder));
    assert_eq!(stand.services.secret(arn).as_deref(), Some("two"));
    for id in [arn, "latchkey/codes", arn.strip_suffix("-AbCdEf").unwrap()] {
        let found = stand.secret("GetSecretValue", json!({ "SecretId": id })).await;
        assert_eq!(
            (&found.body["SecretString"], &found.body["ARN"], &found.body["Name"]),
            (&json!("two"), &json!(arn), &json!("latchkey/codes"))
        );
        let version = json!({ "SecretId": id, "VersionId": found.body["VersionId"], "VersionStage": "AWSCURRENT" });
        assert_eq!(stand.secret("GetSecretValue", version).await.body["VersionStages"], json!(["AWSCURRENT"]));
    }
    let previous = json!({ "SecretId": arn, "VersionStage": "AWSPREVIOUS" });
    assert_eq!(stand.secret("GetSecretValue", previous).await.body["SecretString"], "one");
    let described = stand.secret("DescribeSecret", json!({ "SecretId": arn })).await;
    assert_eq!(described.body["VersionIdsToStages"].as_object().unwrap().len(), 2);
    let unknown = stand.secret("GetSecretValue", json!({ "SecretId": "other" })).await;
    assert_eq!(
        (unknown.error(), unknown.message()),
        ((400, "ResourceNotFoundException"), "Secrets Manager can't find the specified secret.")
    );
    let get = json!({ "TableName": "codes", "Key": { "pk": { "S": "a" } } });
    assert_eq!(stand.db("GetItem", get).await.body["Item"]["n"], json!({ "N": "1" }));
    #[cfg(unix)]
    for (path, mode) in [(folder.clone(), 0o40700), (folder.join("secrets.json"), 0o100_600)] {
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(path).unwrap()), mode);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

const ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey/codes-AbCdEf";

#[tokio::test]
async fn a_batch_has_the_current_secrets_and_lists_what_is_missing() {
    let stand = stand(None);
    let (other, missing) = (ARN.replace("codes", "index"), ARN.replace("codes", "tokens"));
    for (arn, text) in [(ARN, "old"), (ARN, "one"), (other.as_str(), "two")] {
        stand.services.put_secret(arn, text.to_owned()).unwrap();
    }
    let batch = stand.secret("BatchGetSecretValue", json!({ "SecretIdList": [other, missing, ARN] })).await.body;
    let values = batch["SecretValues"].as_array().unwrap();
    let found: Vec<_> = values.iter().map(|value| (&value["ARN"], &value["SecretString"])).collect();
    assert_eq!(found, [(&json!(other), &json!("two")), (&json!(ARN), &json!("one"))]);
    let errors = batch["Errors"].as_array().unwrap();
    assert_eq!((errors.len(), &errors[0]["SecretId"]), (1, &json!(missing)));
    assert_eq!(errors[0]["ErrorCode"], "ResourceNotFoundException");
    assert_eq!(stand.secret("BatchGetSecretValue", json!({})).await.error(), (400, "InvalidParameterException"));
}

fn token(number: u32) -> String {
    format!("{number:032}")
}

impl Stand {
    async fn put_version(&self, number: u32, text: &str, label: &str) -> Answered {
        let body = json!({ "SecretId": ARN, "ClientRequestToken": token(number), "SecretString": text, "VersionStages": [label] });
        self.secret("PutSecretValue", body).await
    }

    async fn move_label(&self, label: &str, from: Option<u32>, to: Option<u32>) -> Answered {
        let mut body = json!({ "SecretId": ARN, "VersionStage": label });
        for (member, number) in [("RemoveFromVersionId", from), ("MoveToVersionId", to)] {
            if let Some(number) = number {
                body[member] = json!(token(number));
            }
        }
        self.secret("UpdateSecretVersionStage", body).await
    }

    async fn labels(&self, number: u32) -> Value {
        let body = json!({ "SecretId": ARN, "VersionId": token(number) });
        self.secret("GetSecretValue", body).await.body["VersionStages"].clone()
    }
}

#[tokio::test]
async fn labels_move_only_from_where_they_are() {
    let stand = stand(None);
    let nowhere = stand.put_version(1, "one", "AWSPENDING").await;
    assert_eq!(nowhere.error(), (400, "ResourceNotFoundException"));
    stand.services.create_secret(ARN);
    let empty = stand.secret("GetSecretValue", json!({ "SecretId": ARN })).await;
    let message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT.";
    assert_eq!((empty.error(), empty.message()), ((400, "ResourceNotFoundException"), message));

    let first = stand.put_version(1, "one", "AWSPENDING").await;
    assert_eq!(first.body["VersionStages"], json!(["AWSPENDING", "AWSCURRENT"]), "the first one is current anyway");
    assert_eq!(stand.put_version(2, "two", "AWSPENDING").await.body["VersionStages"], json!(["AWSPENDING"]));
    assert_eq!(stand.labels(1).await, json!(["AWSCURRENT"]));

    for (from, to) in [(None, Some(2)), (Some(2), Some(1)), (Some(1), None)] {
        let refused = stand.move_label("AWSCURRENT", from, to).await;
        assert_eq!(refused.error(), (400, "InvalidParameterException"), "{from:?} {to:?}");
    }
    assert_eq!(stand.move_label("AWSCURRENT", Some(1), Some(3)).await.error(), (400, "ResourceNotFoundException"));
    assert_eq!(stand.move_label("AWSCURRENT", Some(1), Some(2)).await.status, 200);
    assert_eq!(stand.labels(1).await, json!(["AWSPREVIOUS"]));
    assert_eq!(stand.labels(2).await, json!(["AWSPENDING", "AWSCURRENT"]));
    assert_eq!(stand.move_label("AWSCURRENT", Some(1), Some(2)).await.error(), (400, "InvalidParameterException"));
    assert_eq!(stand.move_label("AWSPENDING", Some(2), None).await.status, 200);
    assert_eq!(stand.labels(2).await, json!(["AWSCURRENT"]));

    let both = |number: u32, label: &str| json!({ "SecretId": ARN, "VersionId": token(number), "VersionStage": label });
    assert_eq!(stand.secret("GetSecretValue", both(1, "AWSPREVIOUS")).await.body["SecretString"], "one");
    let neither = stand.secret("GetSecretValue", both(1, "AWSCURRENT")).await;
    assert_eq!(neither.error(), (400, "ResourceNotFoundException"));
}

#[tokio::test]
async fn a_version_never_changes_and_a_secret_takes_twenty_labels() {
    let stand = stand(None);
    stand.services.create_secret(ARN);
    assert_eq!(stand.put_version(1, "one", "AWSCURRENT").await.status, 200);
    assert_eq!(stand.put_version(1, "one", "AWSCURRENT").await.status, 200);
    assert_eq!(stand.put_version(1, "other", "AWSCURRENT").await.error(), (400, "ResourceExistsException"));
    let short = json!({ "SecretId": ARN, "ClientRequestToken": "short", "SecretString": "x" });
    assert_eq!(stand.secret("PutSecretValue", short).await.error(), (400, "ValidationException"));
    for number in 2..=20 {
        assert_eq!(stand.put_version(number, "x", &format!("label-{number}")).await.status, 200);
    }
    assert_eq!(stand.put_version(21, "x", "label-21").await.error(), (400, "LimitExceededException"));
}
