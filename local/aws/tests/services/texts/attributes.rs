//! SNS: the attributes of a message.

use super::*;

#[tokio::test]
async fn an_attribute_matches_its_type() {
    let stand = stand(None);
    let refuses = async |attribute: &str, message: &str| {
        let refused = stand.sms(&["fine=String:x", attribute]).await;
        assert_eq!(refusal(&refused), (400, "ParameterValueInvalid", message), "{attribute}");
    };
    refuses("a=:x", "The message attribute 'a' must contain non-empty message attribute type.").await;
    let unknown = "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is \
                   Binary, Number, and String.";
    refuses("a=string:x", unknown).await;
    refuses("a=Text:x", unknown).await;
    let empty = "The message attribute 'a' must contain non-empty message attribute value for message attribute type";
    refuses("a=String:", &format!("{empty} 'String'.")).await;
    refuses("a=Binary:", &format!("{empty} 'Binary'.")).await;
    refuses("a=Number:ten", "Could not cast message attribute 'a' value to number.").await;
    refuses(".a=String:x", "Invalid message attribute name starting with character '.' was found.").await;
    refuses("a.=String:x", "Invalid message attribute name ending with character '.' was found.").await;
    refuses("a..b=String:x", "Message attribute name can not have successive '.' character.").await;
    let letter = "Invalid non-alphanumeric character '#x20' was found in the message attribute name. Can only include \
                  alphanumeric characters, hyphens, underscores, or dots.";
    refuses("a b=String:x", letter).await;
    refuses(&format!("{}=String:x", "a".repeat(257)), "Length of message attribute name must be less than 256 bytes.")
        .await;
    let reserved = "Message attribute names starting with 'AWS.' or 'Amazon.' are reserved for use by Amazon.";
    for name in ["AWS.SNS.SMS.SenderId", "AWS.SNS.SMS.Sender", "aws.sns.sms.SMSType", "Amazon.x"] {
        refuses(&format!("{name}=String:x"), reserved).await;
    }
    let mut crossed = form(&[("PhoneNumber", ADA), ("Message", "Hello")], &["a=Binary:AA=="]);
    let text = String::from_utf8(crossed.body().to_vec()).unwrap().replace("DataType=Binary", "DataType=String");
    *crossed.body_mut() = Bytes::from(text);
    let message = "The message attribute 'a' with type 'String' must use field 'String'.";
    assert_eq!(refusal(&stand.send(crossed).await), (400, "ParameterValueInvalid", message));
    assert!(stand.texts.try_recv().is_err());
}

#[tokio::test]
async fn the_attributes_of_an_sms_are_checked() {
    let stand = stand(None);
    for (name, good, bad) in [
        (
            "AWS.SNS.SMS.SenderID",
            &["A", "Latchkey", "12345678x90"][..],
            &["123", "Latch key", "Latch-key", "Latchkey2027", "Schlüssel"][..],
        ),
        ("AWS.SNS.SMS.SMSType", &["Promotional", "Transactional"], &["transactional", "Marketing", " "]),
        ("AWS.SNS.SMS.MaxPrice", &["0", "0.05", "12"], &["-1", "1e2", ".5", "5.", "0.5.0", "$1", "0,5"]),
        ("AWS.MM.SMS.OriginationNumber", &["12345", "+12065550100"], &["1234", "+123456789012345", "++12345", "ACME1"]),
        ("AWS.MM.SMS.EntityId", &["1001"], &["1234567890123456789012345678901"]),
    ] {
        for value in good {
            let sent = stand.sms(&[&format!("{name}=String:{value}")]).await;
            assert_eq!(sent.status, 200, "{name} {value}");
        }
        for value in bad {
            let refused = stand.sms(&[&format!("{name}=String:{value}")]).await;
            let (status, code, message) = refusal(&refused);
            assert_eq!((status, code), (400, "ParameterValueInvalid"), "{name} {value}");
            assert!(
                message.starts_with(&format!("Invalid value for message attribute '{name}': expected ")),
                "{message}"
            );
        }
    }
}
