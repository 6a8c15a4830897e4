//! The fields of an event.

use super::*;
use crate::gateway::routes;
use crate::template::Route;

fn made(request: Request<Bytes>, always_base64: bool) -> Value {
    let route = Route { method: "POST".to_owned(), path: "/a/{proxy+}".to_owned(), function: "F".to_owned() };
    let routes = [route];
    let matched = routes::find(&routes, "POST", &raw_path(&request), true).unwrap();
    let source = "::ffff:203.0.113.9".parse().unwrap();
    let now = Timestamp::from_unix(1_773_342_238);
    event(&request, &Circumstances { matched: &matched, source, id: "id-1", now, always_base64 })
}

fn posted(uri: &str, headers: &[(&str, &str)], body: &'static [u8]) -> Value {
    let request = headers.iter().fold(Request::post(uri), |request, (name, value)| request.header(*name, *value));
    made(request.body(Bytes::from_static(body)).unwrap(), false)
}

#[test]
fn an_event_has_the_gateways_fields() {
    let event = posted("/a/b%20c/?x=1&x=2&y=%26", &[("user-agent", "test"), ("host", "elsewhere.example")], b"");
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "POST /a/{proxy+}");
    assert_eq!(event["rawPath"], "/a/b c/");
    assert_eq!(event["rawQueryString"], "x=1&x=2&y=%26");
    assert_eq!(event["queryStringParameters"], json!({ "x": "1,2", "y": "&" }));
    assert_eq!(event["pathParameters"], json!({ "proxy": "b c/" }));
    assert_eq!(event["isBase64Encoded"], false);
    assert!(event.get("body").is_none() && event.get("cookies").is_none());

    let context = &event["requestContext"];
    assert_eq!(context["domainName"], "latchkey.execute-api.us-east-1.amazonaws.com");
    assert_eq!(context["stage"], "$default");
    assert_eq!(context["requestId"], "id-1");
    assert_eq!(context["time"], "12/Mar/2026:19:03:58 +0000");
    assert_eq!(context["timeEpoch"], 1_773_342_238_000_u64);
    assert_eq!(context["http"]["method"], "POST");
    assert_eq!(context["http"]["path"], "/a/b c/");
    assert_eq!(context["http"]["protocol"], "HTTP/1.1");
    assert_eq!(context["http"]["sourceIp"], "203.0.113.9");
    assert_eq!(context["http"]["userAgent"], "test");
}

#[test]
fn headers_are_joined_and_cookies_are_a_list() {
    let event = posted("/a/", &[("X-Some", "1"), ("x-some", "2"), ("cookie", "a=1; b=2"), ("cookie", "c=3")], b"");
    assert_eq!(event["headers"]["x-some"], "1,2");
    assert_eq!(event["cookies"], json!(["a=1", "b=2", "c=3"]));
    assert!(event["headers"].get("cookie").is_none());
}

#[test]
fn the_source_stands_at_the_right_end_of_the_forwarded_addresses() {
    let event = posted("/a/", &[("x-forwarded-for", "198.51.100.7"), ("x-forwarded-proto", "gopher")], b"");
    assert_eq!(event["headers"]["x-forwarded-for"], "198.51.100.7, 203.0.113.9");
    assert_eq!(event["headers"]["x-forwarded-proto"], "https");
    assert_eq!(posted("/a/", &[], b"")["headers"]["x-forwarded-for"], "203.0.113.9");
}

#[test]
fn a_body_is_plain_where_its_type_is_textual_and_base64_elsewhere() {
    let json = [("content-type", "application/json; charset=utf-8")];
    let event = posted("/a/", &json, b"{}");
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{}"), &json!(false)));
    for (headers, body) in [
        ([("content-type", "application/x-www-form-urlencoded")], b"{}".as_slice()),
        ([("x-other", "1")], b"{}"),
        (json, b"\xff\xfe"),
    ] {
        let event = posted("/a/", &headers, body);
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(BASE64.encode(body)), &json!(true)));
    }
    let request =
        Request::post("/a/").header("content-type", "application/json").body(Bytes::from_static(b"{}")).unwrap();
    assert_eq!(made(request, true)["body"], "e30=");
}

#[test]
fn a_path_is_decoded_and_cut_at_a_decoded_question_mark() {
    for (path, decoded) in [
        ("/a/%41%7e", "/a/A~"),
        ("/a/b%3Fc", "/a/b"),
        ("/a/%", "/a/%"),
        ("/a/%zz", "/a/%zz"),
        ("/a/%ff", "/a/\u{fffd}"),
    ] {
        assert_eq!(posted(path, &[], b"")["rawPath"], decoded);
    }
}

#[test]
fn a_time_is_in_the_common_log_format_to_the_end_of_time() {
    assert_eq!(common_log_time(Timestamp::from_unix(0)), "01/Jan/1970:00:00:00 +0000");
    assert_eq!(common_log_time(Timestamp::from_unix(u64::MAX)), "31/Dec/9999:23:59:59 +0000");
}
