//! The environment of each function. The code, the template and docs/settings.md agree about every setting.

use std::collections::{BTreeMap, BTreeSet};

use local::Kind;
use local_aws::template::{Function, waits_for};
use regex::Regex;
use serde_json::json;
use shared::codes::GONE;
use shared::config;

use crate::workspace::{read, row, template, whole_template};

/// Variables set by Lambda itself, and variables set only by `local` and tests.
const NOT_IN_THE_TEMPLATE: [&str; 17] = [
    GONE[0],
    GONE[1],
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_EVENTBRIDGE",
    "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_SESV2",
    "AWS_ENDPOINT_URL_SNS",
    "AWS_ENDPOINT_URL_SQS",
    "TWILIO_ENDPOINT_URL",
    "SENDGRID_ENDPOINT_URL",
];

/// Stands for an answer of the first-keys resource.
const ANSWERED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Settings without a default.
const REQUIRED: [&str; 13] = [
    "ALLOWED_ORIGINS",
    "SENDER_EMAIL",
    "SES_CONFIGURATION_SET",
    "OTP_TABLE",
    "USER_TABLE",
    "RECORD_TABLE",
    "EVENT_BUS",
    "FAILED_RECORDS_URL",
    "CODES_SECRET_ARN",
    "INDEX_SECRET_ARN",
    "REFRESH_SECRET_ARN",
    "SIGNING_SECRET_ARN",
    "ROOT_KEY",
];

/// Lists, limited to 600 bytes.
const LISTS: [&str; 6] =
    ["ALLOWED_ORIGINS", "TRUSTED_PROXIES", "SMS_COUNTRIES", "SMS_PRICES", "MAIL_ALLOW", "MAIL_DENY"];

/// The digest of all settings, for Lambda and CloudFormation only. No function reads it.
const DIGEST: &str = "SETTINGS";

fn functions() -> impl Iterator<Item = (String, Function, Kind)> {
    whole_template().functions.into_iter().map(|(name, mut function)| {
        let answered = function.environment.values_mut().filter(|value| waits_for(value).is_some());
        answered.for_each(|value| ANSWERED.clone_into(value));
        let kind = Kind::of_binary(&function.binary).unwrap();
        (name, function, kind)
    })
}

/// A function's settings as text, or all errors in them.
fn settings_of(kind: &Kind, lookup: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let identity = |name: &str| {
        ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(&name).then(|| "x".to_owned())
    };
    config::read(|name| lookup(name).or_else(|| identity(name)), kind.read).map_err(|problems| problems.to_string())
}

/// All settings of all functions, with their descriptions of valid values.
pub(crate) fn settings() -> BTreeMap<String, String> {
    let expected = |kind: &Kind, name: &String| {
        let garbage = |asked: &str| (asked == name).then(|| "\u{1}".repeat(300));
        let problems = settings_of(kind, garbage).err().unwrap_or_default();
        let mine = problems.split("; ").map(|line| line.trim_start_matches("invalid settings: "));
        let mine = mine.filter_map(|line| line.strip_prefix(&format!("{name}: expected "))).next();
        mine.unwrap_or_default().to_owned()
    };
    let of_function = |(_, _, kind): (_, _, Kind)| {
        let variables = kind.variables().into_iter().filter(|name| !GONE.contains(&name.as_str()));
        variables.map(|name| (name.clone(), expected(&kind, &name))).collect::<Vec<_>>()
    };
    functions().flat_map(of_function).collect()
}

fn range(expected: &str) -> Option<(&str, &str)> {
    expected.strip_prefix("a whole number from ")?.split_once(" to ")
}

/// A function with only its own settings is independent of all others. Its settings also stay below Lambda's limit of 4 KB.
#[test]
fn a_function_has_only_the_variables_it_reads() {
    let mut found: BTreeMap<String, BTreeSet<String>> =
        functions().map(|(name, function, _)| (name, function.environment.into_keys().collect())).collect();
    for (name, variables) in &mut found {
        // RotateKeys computes the digest, so it is the only function without it.
        assert_eq!(variables.remove(DIGEST), name != "RotateKeys", "{name}");
    }
    let common = found.values().cloned().reduce(|all, one| &all & &one).unwrap();
    let mut readers = BTreeMap::<String, usize>::new();
    for (name, _, kind) in functions() {
        let mut read = kind.variables();
        read.retain(|variable| !NOT_IN_THE_TEMPLATE.contains(&variable.as_str()));
        read.iter().for_each(|variable| *readers.entry(variable.clone()).or_default() += 1);
        assert_eq!(found[&name], &read | &common, "{name}");
    }
    for variable in &common {
        assert!(readers[variable] * 2 > found.len(), "{variable} stands in Globals, and most functions do not read it");
    }
}

/// `local` and people treat a setting as the deployment's, whichever function has it.
#[test]
fn a_variable_is_the_same_in_every_function() {
    let mut values = BTreeMap::new();
    for (variable, value) in functions().flat_map(|(_, function, _)| function.environment) {
        let first = values.entry(variable.clone()).or_insert_with(|| value.clone());
        assert_eq!(*first, value, "{variable}");
    }
    // CloudFormation lets rotate-keys check these values before any function gets them.
    // Answers of the resource itself come later.
    values.retain(|_, value| *value != ANSWERED);
    assert_eq!(whole_template().custom["FirstKeys"].properties["Settings"], json!(values));
}

#[test]
fn the_template_sets_every_setting_to_the_codes_default() {
    // All variables of all functions, with the defaults of all parameters. The resource itself answers the others.
    let all = template().custom["FirstKeys"].properties["Settings"].clone();
    for (name, function, kind) in functions() {
        let given = |variable: &str| {
            let own = function.environment.get(variable)?;
            Some(all[variable].as_str().unwrap_or(own).to_owned())
        };
        let required = |variable: &str| given(variable).filter(|_| REQUIRED.contains(&variable));
        let [given, defaults] = [settings_of(&kind, given), settings_of(&kind, required)].map(Result::unwrap);
        assert!(given == defaults, "{name}: a default of the template is not the code's:\n{given}\n{defaults}");
    }
}

/// Lambda refuses more than 4 KB of names and values, counted as JSON. The rest is reserved for later versions.
#[test]
fn the_longest_environment_leaves_room() {
    let settings = settings();
    // The longest realistic values.
    let longest = |name: &str| match (name, settings.get(name).map_or("", String::as_str)) {
        // Ten origins. Longer lists, here and below, fit in if others are shorter.
        ("ALLOWED_ORIGINS", _) => 320,
        // Ten networks.
        ("TRUSTED_PROXIES", _) => 200,
        // Five domains each.
        ("MAIL_ALLOW" | "MAIL_DENY", _) => 100,
        // Thirty countries.
        ("SMS_COUNTRIES", _) => 90,
        // Eight prices.
        ("SMS_PRICES", _) => 64,
        (_, expected) if range(expected).is_some() => range(expected).unwrap().1.len(),
        (_, expected) if expected.starts_with("one of ") => expected[7..].split(", ").map(str::len).max().unwrap(),
        // CloudFormation names a secret by its resource, and Secrets Manager appends to that.
        (name, _) if name.ends_with("_SECRET_ARN") => {
            let resource = name.len() - "_SECRET_ARN".len() + "Secret".len();
            "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:-abcdefghijkl-abcdef".len() + resource
        }
        ("USER_ID_CLAIM" | "TOKEN_TYPE_CLAIM" | "JTI_CLAIM", _) => 24,
        (
            "SMS_SENDER_ID"
            | "SMS_ORIGINATION_NUMBER"
            | "VOICE_NUMBER"
            | "WHATSAPP_NUMBER"
            | "SMS_MAX_PRICE"
            | "SMS_DAILY_BUDGET_USD",
            _,
        ) => 15,
        // AWS gives 32 digits.
        ("SMS_POOL", _) => 37,
        // India's register gives 19 digits.
        ("SMS_ENTITY_ID" | "SMS_TEMPLATE_ID", _) => 19,
        ("WEBOTP_HOST", _) => 47,
        ("ORIGIN_SECRET_SHA256", _) => 65,
        // Names that CloudFormation makes of the stack's and the resource's.
        ("OTP_TABLE" | "USER_TABLE" | "RECORD_TABLE" | "EVENT_BUS" | "SES_CONFIGURATION_SET", _) => 48,
        ("SMS_CONFIGURATION_SET", _) => 32,
        ("FAILED_RECORDS_URL", _) => "https://sqs.us-gov-west-1.amazonaws.com/123456789012/".len() + 64,
        ("SMS_CHANNELS", _) => "sms,whatsapp,voice".len(),
        ("PRODUCT_NAME", _) => 40,
        // Names of hosts and mailboxes, and the path of a file.
        _ => 64,
    };
    for (name, function, _) in functions() {
        let environment: BTreeMap<_, _> =
            function.environment.into_keys().map(|name| (name.clone(), "x".repeat(longest(&name)))).collect();
        let bytes = json!(environment).to_string().len();
        assert!(bytes < 3 * 1024 + 896, "{name} may have {bytes} bytes of environment");
    }
}

/// CloudFormation refuses every value that a function would refuse at start.
#[test]
fn the_template_and_the_settings_allow_the_same_values() {
    let template = read("template.yaml");
    for (name, expected) in settings() {
        let word = |word: &str| format!("{}{}", &word[..1], word[1..].to_lowercase());
        let parameter: String = name.split('_').map(word).collect();
        let rest = template.split_once(&format!("\n  {parameter}:\n")).map_or("", |(_, rest)| rest);
        let lines: Vec<_> = rest.lines().take_while(|line| line.starts_with("    ")).map(str::trim).collect();
        let allows =
            |line: String| assert!(lines.contains(&line.as_str()), "{parameter} does not say `{line}`: {lines:?}");
        // A parameter that may be empty is a text, and its pattern expresses the range.
        let pattern = lines.iter().find_map(|line| line.strip_prefix("AllowedPattern: \"")?.strip_suffix('"'));
        if let Some(choices) = expected.strip_prefix("one of ").filter(|choices| *choices != "on, off") {
            // Without quotes, YAML would read a boolean or two values.
            let quoted = |choice: &str| {
                if ["on", "off"].contains(&choice) || choice.contains(',') {
                    format!("\"{choice}\"")
                } else {
                    choice.to_owned()
                }
            };
            allows(format!("AllowedValues: [{}]", choices.split(", ").map(quoted).collect::<Vec<_>>().join(", ")));
        } else if let (Some((least, most)), Some(pattern)) = (range(&expected), pattern) {
            let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
            let [least, most] = [least, most].map(|bound| bound.parse::<u32>().unwrap());
            assert!(pattern.is_match(""), "{parameter} cannot be left open");
            for number in 0..most * 11 {
                let fits = (least..=most).contains(&number);
                assert_eq!(pattern.is_match(&number.to_string()), fits, "{parameter}: {number}");
            }
        } else if let Some((least, most)) = range(&expected) {
            allows(format!("MinValue: {least}"));
            allows(format!("MaxValue: {most}"));
        } else if LISTS.contains(&name.as_str()) && !lines.contains(&"Type: CommaDelimitedList") {
            allows(format!("MaxLength: {}", config::LONGEST_LIST));
        }
    }
}

#[test]
fn the_settings_page_has_every_setting() {
    let page = read("docs/settings.md");
    let settings = settings();
    for (name, expected) in &settings {
        let row = row(&page, name);
        let numbers = range(expected).map(|(least, most)| format!("{least}–{most}"));
        let range = numbers.or(expected.strip_prefix("one of ").map(str::to_owned));
        let list = LISTS.contains(&name.as_str()).then(|| format!("{} bytes", config::LONGEST_LIST));
        for word in range.iter().flat_map(|range| range.split(", ")).chain(list.as_deref()) {
            assert!(row.contains(word), "docs/settings.md has no `{word}` in the row of {name}: {row}");
        }
    }
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let told =
        rows.filter(|name| name.chars().all(|char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_'));
    for name in told {
        assert!(settings.contains_key(name), "docs/settings.md has {name}, but no function reads it");
    }
}

/// The page also has the parameters of the template only, with their defaults.
#[test]
fn the_settings_page_has_every_parameter() {
    let (template, page) = (read("template.yaml"), read("docs/settings.md"));
    let parameters = template.split_once("\nParameters:\n").unwrap().1;
    let parameters = parameters.lines().take_while(|line| line.is_empty() || line.starts_with("  "));
    let settings: BTreeSet<String> = settings().into_keys().map(|name| name.replace('_', "").to_lowercase()).collect();
    let mut name = "";
    let mut defaults = BTreeMap::new();
    for line in parameters {
        match line.strip_prefix("    ") {
            None => name = line.trim().trim_end_matches(':'),
            Some(line) => {
                if let Some(default) = line.strip_prefix("Default: ") {
                    defaults.insert(name, default.trim_matches('"'));
                }
            }
        }
    }
    defaults.retain(|name, _| !settings.contains(&name.to_lowercase()));
    assert!(defaults.len() > 10, "{defaults:?}");
    for (name, default) in defaults {
        let cell = if default.is_empty() { "none".to_owned() } else { format!("`{default}`") };
        let row = row(&page, name);
        assert!(row.contains(&format!(" | {cell} | ")), "docs/settings.md has another default of {name}: {row}");
    }
}

/// A function with a default of docs/settings.md behaves like a function without the setting.
#[test]
fn the_settings_page_has_the_codes_defaults() {
    let page = read("docs/settings.md");
    let mut told = BTreeSet::new();
    for (function, deployed, kind) in functions() {
        let required = |name: &str| deployed.environment.get(name).filter(|_| REQUIRED.contains(&name)).cloned();
        let unset = settings_of(&kind, required).unwrap();
        for name in kind.variables().into_iter().filter(|name| !NOT_IN_THE_TEMPLATE.contains(&name.as_str())) {
            let row = row(&page, &name);
            let Some(default) = row.split(" | ").nth(1).and_then(|cell| cell.strip_prefix('`')?.strip_suffix('`'))
            else {
                let says_none = ["| none", "| required |", "| the "].iter().any(|word| row.contains(word));
                assert!(says_none || REQUIRED.contains(&name.as_str()), "{row}");
                continue;
            };
            let set =
                settings_of(&kind, |asked| if asked == name { Some(default.to_owned()) } else { required(asked) });
            assert_eq!(set.unwrap(), unset, "{function}: the default of {name} is another one: {row}");
            told.insert(name);
        }
    }
    assert!(told.len() > 33, "{told:?}");
}
