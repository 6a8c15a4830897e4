//! The files of a deployment, with changes by a deployer: `template.yaml` and `samconfig.toml`.

use local_aws::template::Template;

use crate::{Target, Word, texts};

/// A small template with every supported feature.
const WHOLE: &str = r#"Parameters:
  Sender: { Type: String, AllowedPattern: '.+@.+', MaxLength: 40 }
  Mode: { Type: String, Default: fast, AllowedValues: [fast, slow] }
  Count: { Type: Number, Default: 3, MinValue: 1, MaxValue: 9 }
  List: { Type: CommaDelimitedList, Default: 'a, b' }
Rules:
  Fits:
    RuleCondition: !Equals [!Ref Mode, slow]
    Assertions: [{ Assert: !Not [!Equals [!Ref Count, '3']], AssertDescription: three }]
Conditions:
  IsFast: !Equals [!Ref Mode, fast]
  IsEither: !Or [!Equals [!Ref Mode, fast], !Not [!Equals [!Ref Count, '1']]]
Globals:
  Function: { Environment: { Variables: { STAGE: !Sub '${Mode}-${AWS::Region}-${!kept}' } } }
Resources:
  Box:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      TimeToLiveSpecification: { AttributeName: ttl, Enabled: true }
  Key: { Type: AWS::SecretsManager::Secret, Condition: IsFast }
  Mail: { Type: AWS::SES::EmailIdentity, Properties: { EmailIdentity: !Ref Sender } }
  Api: { Type: AWS::Serverless::HttpApi, Properties: { CorsConfiguration: { AllowOrigins: !Ref List, MaxAge: 600 } } }
  Bell: { Type: AWS::CloudWatch::Alarm, Properties: { Threshold: !If [IsFast, 1, !Ref AWS::NoValue] } }
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/worker
      Environment: { Variables: { BOX: !Ref Box, KEY: !If [IsFast, !Ref Key, ''], ALL: !Join [',', !Ref List] } }
      Policies: [{ Statement: [{ Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Box.Arn }] }]
      Events:
        Any: { Type: HttpApi }
        One: { Type: HttpApi, Properties: { Method: post, Path: '/a/{id}' } }
"#;

const CONFIG: &str =
    "[default.deploy.parameters]\nparameter_overrides = [\"Sender=a@example.com\", \"Mode=slow\", \"Count=4\"]\n";

#[rustfmt::skip] // Words side by side.
pub(super) const TEMPLATE: Target = Target {
    name: "template", asks_functions: false,
    run: |input| evaluated(&String::from_utf8_lossy(input), CONFIG),
    seeds: || {
        texts([
            WHOLE,
            "Parameters: { Sender: { Type: String }, Mode: { Type: String }, Count: { Type: Number } }\nResources: {}\n",
            "Parameters:\n  Sender: &all { Type: String }\n  Mode: *all\n  Count: *all\n",
            "Parameters: {Sender: {Default: x}, Mode: {Default: !Ref Mode}, Count: {Default: 1}}\nConditions:\n  A: !Not [!Or [!Equals [a, !If [A, b, c]]]]\n",
        ])
    },
    dictionary: &[
        "!Ref ", "!Sub ", "!If ", "!Equals ", "!Not ", "!Or ", "!Join ", "!GetAtt ", "!Select ", "Ref: ", "Fn::If: ",
        "Fn::Sub: ", "Fn::", "${", "}", "${!", "${Mode}", "AWS::NoValue", "AWS::Region", "Mode", "Sender", "Box.Arn",
        "Api.Stage", "IsFast", "[", "]", "{", "}", "{ ", ", ", ": ", "- ", "\n", "  ", "\t", "&a ", "*a", "<<: *a",
        "!!binary ", "!!str ", "!<!Ref> ", "? ", "| ", ">\n", "---\n", "...\n", "%YAML 1.1\n", "%TAG ! !x\n", "#", "~",
        "null", ".inf", ".nan", "0x7fffffffffffffff", "1e999", "Type: ", "Condition: ", "Properties: ", "Parameters:\n",
        "Conditions:\n", "Resources:\n", "Rules:\n", "Globals:\n", "AWS::Serverless::Function", "AWS::DynamoDB::Table",
    ],
    reaches: &["a stack", "a line", "a value"],
};

#[rustfmt::skip] // Words side by side.
pub(super) const SAMCONFIG: Target = Target {
    name: "samconfig", asks_functions: false,
    run: |input| evaluated(WHOLE, &String::from_utf8_lossy(input)),
    seeds: || {
        texts([
            CONFIG,
            "[default.deploy.parameters]\nparameter_overrides = 'Sender=a@example.com Mode=\"slow\" Count=4 List=\"a, b\"'\n",
            "default = { deploy = { parameters = { parameter_overrides = [\"Count=3\"] } } }\n",
        ])
    },
    dictionary: &[
        "[default.deploy.parameters]\n", "[testing.deploy]\n", "parameter_overrides = ", "[", "]", "\"", "'", "\"\"\"",
        "=", "Sender=", "Mode=", "Count=", "List=", "slow", "fast", "-1", "1e9", "NaN", "inf", " ", "\n", ",", "{", "}",
        "1979-05-27", "\\u0000", "#", "é",
    ],
    reaches: &["a stack", "a value", "no profile"],
};

/// Returns the same stack each time, or a one-line error with the file and, if known, the line.
fn evaluated(template: &str, samconfig: &str) -> Word {
    let failure = match Template::parse(template, samconfig, "default") {
        Ok(stack) => {
            let again = Template::parse(template, samconfig, "default").unwrap();
            assert_eq!(format!("{stack:?}"), format!("{again:?}"));
            return "a stack";
        }
        Err(failure) => failure.to_string(),
    };
    let Some(told) = failure.strip_prefix("template.yaml:") else {
        assert!(failure.starts_with("samconfig.toml"), "{failure}");
        return "no profile";
    };
    if let Some(values) = told.strip_prefix(' ') {
        assert!(!values.is_empty());
        return "a value";
    }
    let (line, problem) = told.split_once(": ").unwrap_or_else(|| panic!("{failure}"));
    let lines = template.lines().count() + 2;
    assert!(line.parse::<usize>().is_ok_and(|line| (1..=lines).contains(&line)) && !problem.is_empty(), "{failure}");
    "a line"
}
