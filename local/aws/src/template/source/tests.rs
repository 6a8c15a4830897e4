//! The functions of templates, and the project's own template.

use serde_json::json;

use super::*;
use crate::template::{unanswered, waits_for};

const SAMCONFIG: &str = r#"
[default.deploy.parameters]
parameter_overrides = ["Sender=no-reply@example.com", "Mode=slow"]
[testing.deploy.parameters]
parameter_overrides = ["Mode=fast"]
"#;

/// A template with one function and these variables.
fn template(variables: &str) -> String {
    format!(
        "Parameters:\n  Sender: {{ Type: String }}\n  Mode: {{ Type: String, Default: none }}\n  \
         List: {{ Type: CommaDelimitedList, Default: 'a, b' }}\n\
         Conditions:\n  IsFast: !Equals [!Ref Mode, fast]\n\
         Resources:\n  Box:\n    Type: AWS::DynamoDB::Table\n  Key:\n    Type: AWS::SecretsManager::Secret\n  \
         First:\n    Type: Custom::Keys\n    Properties: {{ ServiceToken: !GetAtt Worker.Arn, ServiceTimeout: 9, Days: 3 }}\n  \
         Worker:\n    Type: AWS::Serverless::Function\n    \
         Properties:\n      CodeUri: target/lambda/worker\n      Environment:\n        Variables:\n          X: {variables}\n"
    )
}

fn evaluate(value: &str, profile: &str) -> Result<Option<String>, String> {
    let template = Template::parse(&template(value), SAMCONFIG, profile).map_err(|failure| failure.to_string())?;
    Ok(template.functions["Worker"].environment.get("X").cloned())
}

fn gives(value: &str, expected: &str) {
    assert_eq!(evaluate(value, "default").unwrap().as_deref(), Some(expected), "{value}");
}

fn fails(value: &str, problem: &str) {
    assert_eq!(evaluate(value, "default").unwrap_err(), format!("template.yaml:21: {problem}"), "{value}");
}

#[test]
fn functions_have_their_values() {
    gives("plain", "plain");
    gives("12", "12");
    gives("!Ref Mode", "slow");
    gives("{ Ref: Mode }", "slow");
    gives("!Ref Box", "latchkey-Box");
    gives("!Ref Key", "arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey-Key-000000");
    gives("!GetAtt First.Digest", &unanswered("First", "Digest"));
    gives("!Ref AWS::Region", "us-east-1");
    gives("!GetAtt Box.Arn", "arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-Box");
    let stream = "arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-Box/stream/2026-01-01T00:00:00.000";
    gives("!GetAtt Box.StreamArn", stream);
    gives("!Ref Worker.Alias", "arn:aws:lambda:us-east-1:000000000000:function:latchkey-Worker:live");
    gives(
        "!Sub '${Mode}-${AWS::AccountId}-${Box.Arn}-${!kept}'",
        "slow-000000000000-arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-Box-${kept}",
    );
    gives("!If [IsFast, yes, !Ref Mode]", "slow");
    gives("!Join [',', !Ref List]", "a,b");
    gives("!Join ['-', !Split [',', 'a,b']]", "a-b");
    gives("!Or [!Equals [!Ref Mode, fast], !Equals [!Ref Mode, slow]]", "true");
    gives("!Or [!Equals [!Ref Mode, fast], !Equals [!Ref Mode, none]]", "false");
    gives("!And [!Equals [!Ref Mode, slow], !Equals [!Ref Mode, fast]]", "false");
    gives("!And [!Equals [!Ref Mode, slow], !Not [!Equals [!Ref Mode, fast]]]", "true");
    gives("!Join ['-', [x, !Ref Mode]]", "x-slow");
}

#[test]
fn a_custom_resource_names_its_function_and_has_its_properties_as_strings() {
    let template = Template::parse(&template("x"), SAMCONFIG, "default").unwrap();
    let first = &template.custom["First"];
    assert_eq!((first.function.as_str(), &first.properties), ("Worker", &json!({ "Days": "3" })));
    assert_eq!(waits_for(&unanswered("First", "Digest")), Some(("First", "Digest")));
    assert_eq!([waits_for("x"), waits_for("${x}"), waits_for("${x.y")], [None; 3]);
}

#[test]
fn a_profile_sets_parameters_and_takes_required_ones_from_default() {
    assert_eq!(evaluate("!If [IsFast, yes, no]", "testing").unwrap().as_deref(), Some("yes"));
    assert_eq!(evaluate("!Ref Sender", "testing").unwrap().as_deref(), Some("no-reply@example.com"));
    assert_eq!(evaluate("x", "staging").unwrap_err(), "samconfig.toml has no profile `staging`");
}

fn with_settings(text: &str, settings: &[(String, String)]) -> Result<Template, Failure> {
    Template::evaluate(text, SAMCONFIG, &|name: &str| panic!("{name} is read"), "default", settings)
}

#[test]
fn a_setting_also_sets_its_parameter() {
    let settings = [("MODE".to_owned(), "fast".to_owned()), ("OTHER".to_owned(), "x".to_owned())];
    let text = template("!If [IsFast, yes, no]");
    let template = with_settings(&text, &settings).unwrap();
    assert_eq!(template.functions["Worker"].environment["X"], "yes");

    let settings = [("LIST".to_owned(), "c, d".to_owned())];
    let text = self::template("!Join ['-', !Ref List]");
    let template = with_settings(&text, &settings).unwrap();
    assert_eq!(template.functions["Worker"].environment["X"], "c-d");
}

#[test]
fn the_stage_of_an_api_has_sams_name() {
    let text = template("!Ref Api.Stage") + "  Api: { Type: AWS::Serverless::HttpApi }\n";
    let template = Template::parse(&text, SAMCONFIG, "default").unwrap();
    assert_eq!(template.functions["Worker"].environment["X"], "$default");
    fails("!Ref Box.Stage", "there is no parameter or resource `Box.Stage`");
}

#[test]
fn no_value_removes_the_entry() {
    assert_eq!(evaluate("!If [IsFast, x, !Ref AWS::NoValue]", "default").unwrap(), None);
}

#[test]
fn unsupported_parts_fail_with_their_line() {
    fails("!FindInMap [a, b, c]", "!FindInMap is not supported");
    fails("!Ref Nothing", "there is no parameter or resource `Nothing`");
    fails("!GetAtt Box.Colour", "there is no attribute `Box.Colour`");
    fails("!If [IsSlow, a, b]", "there is no condition `IsSlow`");
    fails("!Sub ['${a}', { a: b }]", "!Sub is not supported in this form");
    fails("!Or [x, y]", "!Or is not supported in this form");
    fails("!Join [',', x]", "!Join is not supported in this form");
    fails("{ Fn::Select: [0, [a]] }", "!Select is not supported");
}

#[test]
fn a_function_with_a_role_is_rejected() {
    let with_role = template("x").replace("    Properties:\n", "    Properties:\n      Role: !Ref Mode\n");
    let problem = Template::parse(&with_role, SAMCONFIG, "default").unwrap_err().to_string();
    assert!(problem.ends_with(": Role of Worker is not supported. Use Policies instead"), "{problem}");
}

#[test]
fn the_template_of_this_project_is_understood_under_every_profile() {
    let root = find_root().unwrap();
    for (profile, access) in [("default", "3600"), ("testing", "3600"), ("production", "900")] {
        let template = Template::read(&root, profile).unwrap();
        assert_eq!(template.functions["VerifyOtp"].environment["JWT_ACCESS_SECONDS"], access, "{profile}");
        assert_eq!((template.tables.len(), template.mappings.len(), template.schedules.len()), (3, 2, 1));
        assert_eq!((template.queues.len(), template.buses.len()), (2, 1));
        // Only the default profile has second factors.
        let (secrets, routes) = if profile == "default" { (5, 57) } else { (4, 51) };
        assert_eq!((template.secrets.len(), template.routes.len()), (secrets, routes), "{profile}");
        assert_eq!(template.senders, ["no-reply@example.com"]);
    }
}

/// With `ExecuteApi` off, clients cannot bypass a proxy or firewall in front of the own domain by calling AWS's address.
#[test]
fn a_deployer_can_close_awss_own_address() {
    let text = std::fs::read_to_string(find_root().unwrap().join("template.yaml")).unwrap();
    let has = |line: &str| text.lines().any(|own| own.trim() == line);
    assert!(has("DisableExecuteApiEndpoint: !If [ClosesExecuteApi, true, false]"));
    // SAM's output makes API Gateway warn (aws/serverless-application-model#2424), and with this setting the deployment
    // would fail.
    assert!(!has("FailOnWarnings: true"));
    assert!(has("ClosesExecuteApi: !Equals [!Ref ExecuteApi, \"off\"]"));
    let parameters = r#""SenderEmail=a@b.example", "AllowedOrigins=https://a.example", "DomainName=auth.a.example",
        "CertificateArn=arn:aws:acm:eu-west-1:123456789012:certificate/a", "ExecuteApi=off", "Stage=production""#;
    let samconfig = format!("[default.deploy.parameters]\nparameter_overrides = [{parameters}]");
    Template::parse(&text, &samconfig, "default").unwrap();
}

/// CloudFormation reports mistakes of a deployer before it creates anything.
#[test]
fn a_deployers_mistake_is_reported_before_anything_is_created() {
    let text = |name: &str| std::fs::read_to_string(find_root().unwrap().join(name)).unwrap();
    let template = text("template.yaml");
    for (parameters, problem) in [
        (r#""AllowedOrigins=https://a.example""#, "parameter SenderEmail has no default"),
        (
            r#""SenderEmail=a@b.example", "AllowedOrigins=https://a.example", "AllowedHeaders=*""#,
            "AllowedHeaders: `*` does not fit",
        ),
        (
            r#""SenderEmail=a@b.example", "AllowedOrigins=https://a.example", "SmsEntityId=1001""#,
            "SmsEntityId has no effect while SmsCountries is empty",
        ),
        (r#""SenderEmail=nobody", "AllowedOrigins=https://a.example""#, "SenderEmail: `nobody` does not fit"),
        (
            r#""SenderEmail=a@b.example", "AllowedOrigins=https://a.example/app""#,
            "AllowedOrigins: `https://a.example/app`",
        ),
        (r#""SenderEmail=a@b.example", "AllowedOrigins=*""#, "AllowedOrigins: `*` does not fit"),
        (r#""SenderEmail=a@b.example", "AllowedOrigins=https://*""#, "AllowedOrigins: `https://*` does not fit"),
        (
            r#""SenderEmail=a@b.example", "AllowedOrigins=https://a.example", "SmsSenderId=Ada""#,
            "SmsSenderId has no effect while SmsCountries is empty",
        ),
        (
            r#""SenderEmail=a@b.example", "AllowedOrigins=https://a.example", "DomainName=auth.a.example""#,
            "DomainName needs CertificateArn",
        ),
        (
            r#""SenderEmail=a@b.example", "AllowedOrigins=https://a.example", "ExecuteApi=off""#,
            "ExecuteApi=off needs DomainName",
        ),
        (
            r#""SenderEmail=a@b.example", "AllowedOrigins=https://a.example", "JwtAccessSeconds=299""#,
            "JwtAccessSeconds: `299` does not fit",
        ),
        (
            r#""SenderEmail=a@b.example", "AllowedOrigins=https://a.example", "JwtAlgorithm=ES512""#,
            "JwtAlgorithm: `ES512` does not fit",
        ),
        (
            r#""SenderEmail=a@b.example", "AllowedOrigins=https://a.example", "JwtIssuer=http://a.example""#,
            "JwtIssuer: `http://a.example` does not fit",
        ),
    ] {
        let samconfig =
            format!("[default.deploy.parameters]\nparameter_overrides = [\"Stage=production\", {parameters}]");
        let problems = Template::parse(&template, &samconfig, "default").unwrap_err().to_string();
        assert!(problems.contains(problem), "{problems}");
    }
}
