//! EventBridge: entries, buses and rules.

use local_aws::events::Pattern;

use super::*;

const BUS: &str = "latchkey-Bus";

fn entry() -> Value {
    json!({ "EventBusName": BUS, "Source": "latchkey", "DetailType": "session.opened",
        "Detail": "{\"user\":\"1\"}", "Time": 1_800_000_001 })
}

async fn put(stand: &Stand, entries: Value) -> Answered {
    stand.send(request("events", "AWSEvents.PutEvents", &json!({ "Entries": entries }))).await
}

#[tokio::test]
async fn an_event_arrives_with_the_rules_that_it_matches() {
    let stand = stand(None);
    stand.services.create_bus(BUS);
    let pattern = |kind: &str| Pattern::read(&json!({ "detail-type": [kind] })).unwrap();
    stand.services.create_rule(BUS, "Opened", pattern("session.opened")).unwrap();
    stand.services.create_rule(BUS, "Ended", pattern("session.ended")).unwrap();
    assert!(stand.services.create_rule("other", "Opened", pattern("x")).is_err());
    let answered = put(&stand, json!([entry()])).await;
    assert_eq!((answered.status, &answered.body["FailedEntryCount"]), (200, &json!(0)));
    let events = stand.services.events(BUS);
    assert_eq!((events.len(), &events[0].rules), (1, &vec!["Opened".to_owned()]));
    let event = &events[0].event;
    assert_eq!(event["id"], answered.body["Entries"][0]["EventId"]);
    assert_eq!(
        (&event["source"], &event["detail-type"], &event["detail"], &event["time"]),
        (&json!("latchkey"), &json!("session.opened"), &json!({ "user": "1" }), &json!("2027-01-15T08:00:01Z"))
    );
}

#[tokio::test]
async fn an_unusable_entry_fails_alone() {
    let stand = stand(None);
    stand.services.create_bus(BUS);
    let with = |member: &str, value: &str| {
        let mut entry = entry();
        entry[member] = json!(value);
        entry
    };
    let broken = [
        (with("Source", "aws.ec2"), "NotAuthorizedForSourceException"),
        (with("Detail", "{"), "MalformedDetail"),
        (with("Detail", "[]"), "MalformedDetail"),
        (with("DetailType", ""), "InvalidArgument"),
        (with("EventBusName", "other"), "ResourceNotFoundException"),
    ];
    for (entry_of, code) in broken {
        let answered = put(&stand, json!([entry_of, entry()])).await;
        assert_eq!((answered.status, &answered.body["FailedEntryCount"]), (200, &json!(1)), "{code}");
        assert_eq!(answered.body["Entries"][0]["ErrorCode"], code);
        assert!(answered.body["Entries"][1]["EventId"].is_string());
    }
    assert_eq!(stand.services.events(BUS).len(), 5);
    let many = put(&stand, json!(vec![entry(); 11])).await;
    assert_eq!(many.error(), (400, "ValidationException"));
}

#[tokio::test]
async fn an_entry_needs_the_permission_on_its_bus() {
    let bus = "arn:aws:events:us-east-1:000000000000:event-bus/latchkey-Bus";
    let allowed = json!({ "Statement": { "Effect": "Allow", "Action": "events:PutEvents", "Resource": bus } });
    let stand = stand_for(None, &allowed);
    stand.services.create_bus(BUS);
    assert_eq!(put(&stand, json!([entry()])).await.status, 200);
    let mut by_arn = entry();
    by_arn["EventBusName"] = json!(bus);
    assert_eq!(put(&stand, json!([by_arn])).await.status, 200);
    let mut other = entry();
    other["EventBusName"] = json!("default");
    assert_eq!(put(&stand, json!([entry(), other])).await.error(), (400, "AccessDeniedException"));
}
