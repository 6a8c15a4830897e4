use super::*;

/// AWS's own examples.
const EVENT: &str = r#"{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "ThisFlag": true,
    "user": {"id": 1, "email": "John.Stiles@example.com"}, "users": [{"id": 2, "email": "John.Doe@example.com"}],
    "actions": ["GET", "PUT", "DELETE"], "coordinates": [[0, 1, 2], [4, 5, 6]], "latency": 750.5}"#;

fn matches(pattern: &str) -> Result<bool, String> {
    FilterPattern::read(pattern)?.matches(EVENT)
}

#[test]
fn a_pattern_matches_as_aws_documents_it() {
    for (pattern, expected) in [
        (r#"{ $.eventType = "UpdateTrail" }"#, true),
        ("{ $.eventType = UpdateTrail }", true),
        ("{$.eventType=updateTrail}", false),
        ("{ $.eventType = Update* }", true),
        (r#"{ $.eventType = "*Trail" }"#, true),
        ("{ $.eventType = *date* }", true),
        ("{ $.eventType = * }", true),
        ("{ $.sourceIPAddress != 123.123.* }", true),
        ("{ $.sourceIPAddress != 111.111.* }", false),
        (r#"{ $.arrayKey[0] = "value" }"#, true),
        (r#"{ $.eventType[0] = "value" }"#, false),
        ("{ $.objectList[1].id = 2 }", true),
        ("{ $.objectList[2].id = 2 }", false),
        ("{ $.SomeObject IS NULL }", true),
        ("{ $.ThisFlag IS NULL }", false),
        ("{ $.SomeOtherObject IS NULL }", false),
        ("{ $.SomeOtherObject NOT EXISTS }", true),
        ("{ $.SomeObject NOT EXISTS }", false),
        ("{ $.ThisFlag IS TRUE }", true),
        ("{ $.ThisFlag IS FALSE }", false),
        (r#"{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }"#, true),
        (r#"{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }"#, false),
        (r#"{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = 9 && $.actions[2] = nomatch }"#, true),
        (
            r#"{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = 9) && $.actions[2] = nomatch }"#,
            false,
        ),
        ("{ $.users = 1 }", false),
        ("{ $.users != 1 }", false),
        ("{ $.latency >= 500 }", true),
        ("{ $.latency > 750.5 }", false),
        ("{ $.latency <= 750.5 }", true),
        ("{ $.latency < +10e3 }", true),
        ("{ $.latency < 10e-3 }", false),
        ("{ $.latency != 750 }", true),
        ("{ $.missing = x || $.missing > 1 || $.missing IS TRUE }", false),
    ] {
        assert_eq!(matches(pattern), Ok(expected), "{pattern}");
    }
    for line in ["START RequestId: 1", "[1]", "\"text\"", ""] {
        assert_eq!(FilterPattern::read("{ $.a NOT EXISTS }").unwrap().matches(line), Ok(false), "{line}");
    }
}

#[test]
fn an_undocumented_comparison_is_an_error() {
    for (pattern, problem) in [
        ("{ $.missing != x }", "!= for a missing member ($.missing)"),
        ("{ $.user.missing != 1 }", "!= for a missing member ($.user.missing)"),
        (r#"{ $.latency = "750.5" }"#, "a comparison of two types ($.latency)"),
        ("{ $.eventType > 1 }", "a comparison of two types ($.eventType)"),
        ("{ $.SomeObject = null }", "a comparison of two types ($.SomeObject)"),
    ] {
        assert_eq!(matches(pattern), Err(format!("AWS does not document {problem}")), "{pattern}");
    }
}

#[test]
fn a_pattern_that_is_not_understood_is_refused() {
    for (pattern, problem) in [
        ("", "the local stack supports only patterns for JSON, in braces"),
        ("ERROR", "the local stack supports only patterns for JSON, in braces"),
        ("[ip, status = 4*]", "the local stack supports only patterns for JSON, in braces"),
        ("{ }", "expected a selector such as $.outcome before ``"),
        ("{ a = 1 }", "expected a selector such as $.outcome before `a = 1`"),
        ("{ $ = 1 }", "expected the name of a member before `= 1`"),
        ("{ $.* = 1 }", "expected the name of a member before `* = 1`"),
        ("{ $.a[*] = 1 }", "expected the number of an element before `*] = 1`"),
        ("{ $.a[1 = 1 }", "expected ] before `= 1`"),
        ("{ $.['a'] = 1 }", "expected the name of a member before `['a'] = 1`"),
        ("{ $.a }", "expected a comparison, IS or NOT EXISTS before ``"),
        ("{ $.a == 1 }", "expected a number, or a text in quotation marks before `= 1`"),
        ("{ $.a EXISTS }", "expected a comparison, IS or NOT EXISTS before ``"),
        ("{ $.a IS 1 }", "expected NULL, TRUE or FALSE before `1`"),
        ("{ $.a NOT NULL }", "expected a comparison, IS or NOT EXISTS before ``"),
        ("{ $.a > x }", "expected a number before ``"),
        (r#"{ $.a > "1" }"#, "expected a number before ``"),
        ("{ $.a = %b% }", "expected a number, or a text in quotation marks before `%b%`"),
        ("{ $.a = b-c }", "expected a number, or a text in quotation marks before ``"),
        ("{ $.a = b_c }", "expected && or || before `_c`"),
        (r#"{ $.a = "b }"#, "expected a closing quotation mark before `\"b`"),
        (r#"{ $.a = "b*c" }"#, "`b*c`: the local stack supports * only at the ends of a text"),
        (r#"{ $.a = "b\c" }"#, r"`b\c`: the local stack supports * only at the ends of a text"),
        ("{ ($.a = 1 }", "expected ) before ``"),
        ("{ $.a = 1 ) }", "expected && or || before `)`"),
        ("{ $.a = 1 & $.b = 1 }", "expected && or || before `& $.b = 1`"),
        ("{ $.a = 1 && }", "expected a selector such as $.outcome before ``"),
    ] {
        let refused = FilterPattern::read(pattern).unwrap_err();
        assert!(refused.starts_with(problem), "{pattern}: {refused}");
    }
    let long = format!("{{ $.a = \"{}\" }}", "b".repeat(1_024));
    assert!(FilterPattern::read(&long).unwrap_err().contains("at most 1024 characters"));
}
