//! The query protocol of SNS.

use super::super::form;
use super::super::shape::Shape;
use super::*;

fn read(operation: &str, form: &str) -> Value {
    models().sns.read(operation, "/", "", form.as_bytes()).ok().unwrap()
}

fn problems_of(operation: &str, form: &str) -> Vec<String> {
    problems(&models().sns, operation, &read(operation, form))
}

#[test]
fn a_form_has_maps() {
    let entries = "&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=Binary\
        &MessageAttributes.entry.1.Value.BinaryValue=AA%3D%3D&MessageAttributes.entry.2.Name=b\
        &MessageAttributes.entry.2.Value.DataType=String&MessageAttributes.entry.2.Value.StringValue=%E2%82%AC+1";
    let form = format!("Action=Publish&Version=2010-03-31&PhoneNumber=%2B447400123456&Message=a%0Ab{entries}");
    let expected = json!({ "PhoneNumber": "+447400123456", "Message": "a\nb", "MessageAttributes": {
        "a": { "DataType": "Binary", "BinaryValue": "AA==" }, "b": { "DataType": "String", "StringValue": "€ 1" } } });
    assert_eq!(read("Publish", &form), expected);
    assert_eq!(problems_of("Publish", &form), [""; 0]);
    for (part, other, problem) in [
        ("&Message=a%0Ab", "", missing("message")),
        ("&Message=", "&Text=x&Message=", "Member at 'text' is unknown".to_owned()),
        ("&Message=", "&Message.x=y&Message=", "Member at 'message.x' is unknown".to_owned()),
        ("&MessageAttributes.entry.1.Value.DataType=Binary", "", missing("messageAttributes.value.dataType")),
        ("AA%3D%3D", "A", "Value at 'messageAttributes.value.binaryValue' is not a blob in base64".to_owned()),
        (
            "entry.2.Name=b",
            "entry.2.Name=b&MessageAttributes.entry.4.Name=c",
            "Member at 'messageAttributes.entry.4.Name' is unknown".to_owned(),
        ),
    ] {
        assert!(form.contains(part));
        assert_eq!(problems_of("Publish", &form.replacen(part, other, 1)), [problem], "{other}");
    }
    for version in ["", "&Version=2010-03-30"] {
        let other = models().sns.read("Publish", "/", "", form.replace("&Version=2010-03-31", version).as_bytes());
        assert!(matches!(other, Err(Unreadable::Version(_))), "{version}");
    }
}

#[test]
fn a_form_has_lists() {
    let form = |names: &str| format!("Action=GetSMSAttributes&Version=2010-03-31{names}");
    let two = form("&attributes.member.1=MonthlySpendLimit&attributes.member.2=DefaultSenderID");
    assert_eq!(read("GetSMSAttributes", &two), json!({ "attributes": ["MonthlySpendLimit", "DefaultSenderID"] }));
    assert_eq!(read("GetSMSAttributes", &form("&attributes=")), json!({ "attributes": [] }));
    for (names, problems) in [
        ("", &[][..]),
        ("&attributes=", &[]),
        ("&attributes.member.1=x", &[]),
        ("&attributes=x", &["Value at 'attributes' is not a list"]),
        ("&attributes.member.2=x", &["Member at 'attributes.member.2' is unknown"]),
    ] {
        assert_eq!(problems_of("GetSMSAttributes", &form(names)), problems, "{names}");
    }
}

/// Invalid text stays text, so that the check finds it.
#[test]
fn a_text_of_a_form_is_read_as_its_type() {
    for (kind, text, value) in [
        ("boolean", "true", json!(true)),
        ("boolean", "yes", json!("yes")),
        ("integer", "-3", json!(-3)),
        ("long", "3.0", json!("3.0")),
        ("double", "0.5", json!(0.5)),
        ("string", "1", json!("1")),
    ] {
        let shape: Shape = serde_json::from_value(json!({ "type": kind })).unwrap();
        assert_eq!(form::scalar(Some(&shape), text.to_owned()), value, "{kind}");
    }
}
