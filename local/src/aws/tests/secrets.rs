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
