"""Checks the template that CloudFormation gets, and writes it to a file for the linter.

Runs template.yaml through SAM's own transform, with the values of a deployment. Only the result contains roles, permissions,
versions and integrations, and cyclic references between functions and the API.
"""

import copy
import json
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

import cfnlint  # noqa: E402
from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    """Managed policies that SAM looks up: none, except those that it attaches to every function by itself."""

    def load(self):
        return {}


# What a deployer sets. All other parameters have their defaults. CloudFormation passes a list as a list.
VALUES = {
    "Stage": "production",
    "SenderEmail": "no-reply@example.com",
    "AllowedOrigins": ["https://app.example.com", "https://www.example.com"],
    "DomainName": "auth.example.com",
    "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-4000-8000-000000000000",
    "SmsCountries": "US,GB",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:000000000000:alarms",
}


def transformed(path):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    source = copy.deepcopy(template)
    unknown = VALUES.keys() - template["Parameters"].keys()
    if unknown:
        sys.exit(f"the template has no parameters {unknown}")
    # The transform accepts code in an S3 bucket only. `sam deploy` uploads it before.
    for function in of_type(template, "AWS::Serverless::Function").values():
        function["Properties"]["CodeUri"] = "s3://bucket/code.zip"
    return source, transform(template, copy.deepcopy(VALUES), NoManagedPolicies())


def of_type(template, kind):
    return {name: part for name, part in template["Resources"].items() if part["Type"] == kind}


def references(node):
    """The resources and parameters that a part of the template refers to."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value.split(".")[0]
            elif key == "Fn::GetAtt":
                yield value[0] if isinstance(value, list) else value.split(".")[0]
            elif key == "DependsOn":
                yield from [value] if isinstance(value, str) else value
            elif key == "Fn::Sub":
                text = value if isinstance(value, str) else value[0]
                yield from (name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", text))
                yield from references(value)
            else:
                yield from references(value)


def present(node):
    """A part of the template as it is if its condition holds."""
    return node["Fn::If"][1] if isinstance(node, dict) and "Fn::If" in node else node


def circle(resources):
    """A path of references from a resource back to itself, if there is one."""
    edges = {name: set(references(part)) & resources.keys() for name, part in resources.items()}
    done = set()

    def walk(name, path):
        if name in path:
            return path[path.index(name) :] + [name]
        if name in done:
            return None
        for other in edges[name]:
            found = walk(other, path + [name])
            if found:
                return found
        done.add(name)
        return None

    return next((found for name in edges if (found := walk(name, []))), None)


def first_keys(template):
    """The properties of the resource that checks the settings and answers their digest."""
    return next(iter(of_type(template, "Custom::Keyrings").values()))["Properties"]


def inputs(node, conditions):
    """The resources and parameters that decide the value of a part of the template."""
    yield from (name for name in references(node) if not name.startswith("AWS::"))
    parts = [node]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            if "Fn::If" in part:
                yield from inputs(conditions[part["Fn::If"][0]], conditions)
            if isinstance(part.get("Condition"), str):
                yield from inputs(conditions[part["Condition"]], conditions)
            parts.extend(part.values())
        elif isinstance(part, list):
            parts.extend(part)


def digest_problems(result):
    """A change of a value must publish a new version of each function, and CloudFormation compares only texts.

    So each version has the digest of all values in its description, and each function has it in its environment, because
    Lambda publishes a version only if the function has changed.
    """
    digest = {"Fn::GetAtt": ["FirstKeys", "Settings"]}
    properties = first_keys(result)
    covered = set(inputs(properties, result["Conditions"]))
    versions = of_type(result, "AWS::Lambda::Version")
    functions = of_type(result, "AWS::Lambda::Function")
    published = set()
    for name, version in versions.items():
        function = version["Properties"]["FunctionName"]["Ref"]
        published.add(function)
        if version["Properties"].get("Description") != digest:
            yield f"{function} must have VersionDescription: !GetAtt FirstKeys.Settings"
        if version.get("DeletionPolicy") != "Delete":
            yield f"{function} must have VersionDeletionPolicy: Delete"
    for name in functions:
        if name == "RotateKeys":
            continue
        if name not in published:
            yield f"{name} must publish versions"
        own = dict(functions[name]["Properties"])
        if own.get("Environment", {}).get("Variables", {}).get("SETTINGS") != digest:
            yield f"{name} must have SETTINGS: !GetAtt FirstKeys.Settings in its environment"
        # SAM names a role by its function. A change of a role's policies takes effect without a new version.
        own.pop("Role")
        # It belongs to the function and not to a version.
        own.pop("ReservedConcurrentExecutions", None)
        missing = set(inputs(own, result["Conditions"])) - covered - {"FirstKeys"}
        if missing:
            yield f"FirstKeys must have {missing} among its properties, because {name} depends on them"
    settings = properties["Settings"]
    for name, function in functions.items():
        for variable, value in function["Properties"].get("Environment", {}).get("Variables", {}).items():
            # What FirstKeys answers cannot be among its properties.
            is_answer = isinstance(value, dict) and value.get("Fn::GetAtt", [None])[0] == "FirstKeys"
            if not is_answer and settings.get(variable) != value:
                yield f"{variable} of {name} must have the same expression in the Settings of FirstKeys"


def guard_problems(result):
    """A deployment is guarded by one alarm: on the errors of the version that it deploys.

    A function behind a mapping, or behind a rule with a queue for failed events, has no guard. Its errors delay events and lose none,
    and another service may cause them. Nor has one behind a topic, because nobody waits for it.
    """
    groups = of_type(result, "AWS::CodeDeploy::DeploymentGroup")
    alarms = of_type(result, "AWS::CloudWatch::Alarm")
    versions = {
        version["Properties"]["FunctionName"]["Ref"]: name
        for name, version in of_type(result, "AWS::Lambda::Version").items()
    }
    mappings = of_type(result, "AWS::Lambda::EventSourceMapping").values()
    mapped = {mapping["Properties"]["FunctionName"].get("Ref", "").removesuffix("Aliaslive") for mapping in mappings}
    queued = {config["Properties"]["FunctionName"]["Ref"] for config in of_type(result, "AWS::Lambda::EventInvokeConfig").values()}
    topics = of_type(result, "AWS::SNS::Subscription").values()
    told = {topic["Properties"]["Endpoint"].get("Ref", "").removesuffix("Aliaslive") for topic in topics}
    if groups.keys() != {f"{function}DeploymentGroup" for function in versions.keys() - mapped - queued - told}:
        yield "each function with versions must have a deployment group, except those behind a mapping, a rule or a topic"
    for name, group in groups.items():
        function = name.removesuffix("DeploymentGroup")
        guarding = group["Properties"].get("AlarmConfiguration")
        expected = {
            "Fn::If": [
                "GuardsDeployments",
                {"Enabled": True, "Alarms": [{"Name": {"Ref": f"{function}Errors"}}]},
                {},
            ]
        }
        if guarding != expected:
            yield f"the deployments of {function} must be guarded by {function}Errors alone: {guarding}"
            continue
        properties = alarms[f"{function}Errors"]["Properties"]
        version = {"Fn::GetAtt": [versions[function], "Version"]}
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in properties["Dimensions"]}
        if dimensions != {
            "FunctionName": {"Ref": function},
            "Resource": {"Fn::Sub": "${" + function + "}:live"},
            "ExecutedVersion": version,
        }:
            yield f"{function}Errors must watch the new version alone: {dimensions}"
        if "${" + versions[function] + ".Version}" not in properties["AlarmName"]["Fn::Sub"]:
            yield f"{function}Errors must have the version in its name, because an alarm keeps its state"
        if properties["Period"] * properties["EvaluationPeriods"] > 60:
            yield f"{function}Errors must rise within a minute, because a canary lasts five"


def secret_problems(result):
    """Parameters and properties stand in CloudFormation's events, in samconfig.toml and in environments."""
    for name, parameter in result["Parameters"].items():
        if "NoEcho" in parameter:
            yield f"{name} holds a secret. Read it from Secrets Manager instead"
    if "{{resolve:" in json.dumps(result):
        yield "a dynamic reference puts a secret into a property"
    for name, value in first_keys(result)["Settings"].items():
        # The digest of a random secret reveals nothing.
        is_secret = re.search(r"SECRET|PASSWORD|PRIVATE|CREDENTIAL|API_?KEY", name) and not name.endswith("_SHA256")
        if is_secret and not (name.endswith("_SECRET_ARN") and set(references(value)) <= of_type(result, "AWS::SecretsManager::Secret").keys()):
            yield f"{name} must be the ARN of a secret"


# What a failed first deployment deletes again, and nothing else does: users and the keys to them.
RETAINED = ["AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::SES::EmailIdentity"]


def retention_problems(result):
    for name, resource in result["Resources"].items():
        if resource["Type"] in RETAINED and name != "OtpTable":
            kept = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
            if kept != ("RetainExceptOnCreate", "Retain"):
                yield f"{name} must have DeletionPolicy: RetainExceptOnCreate and UpdateReplacePolicy: Retain"


def alarm_problems(result):
    """An alarm reaches the operator, and a metric that was never written raises none."""
    actions = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    for name, alarm in of_type(result, "AWS::CloudWatch::Alarm").items():
        properties = alarm["Properties"]
        if properties.get("TreatMissingData") != "notBreaching":
            yield f"{name} must treat missing data as notBreaching, because rare events leave gaps"
        if properties.get("AlarmActions") != actions or properties.get("OKActions") != actions:
            yield f"{name} must tell AlarmTopicArn when it rises and when it ends"


def mapping_problems(result):
    """An outage must lose no record, and a shard's cursor needs the shard's id and one reader."""
    for name, mapping in of_type(result, "AWS::Lambda::EventSourceMapping").items():
        properties = mapping["Properties"]
        if not re.fullmatch(r"\w+Aliaslive", properties["FunctionName"].get("Ref", "")):
            yield f"{name} must invoke the alias of a function, because deployments shift its traffic"
        if not properties.get("TumblingWindowInSeconds") or properties.get("ParallelizationFactor") != 1:
            yield f"{name} must have a tumbling window, whose events name their shard, and one reader a shard"
        limits = [properties.get(limit) for limit in ["MaximumRetryAttempts", "MaximumRecordAgeInSeconds"]]
        if limits != [-1, -1] or not properties.get("BisectBatchOnFunctionError"):
            yield f"{name} must repeat a failed batch without limit, and halve it"
        source = properties["EventSourceArn"].get("Fn::GetAtt", [None, None])
        stream = of_type(result, "AWS::DynamoDB::Table").get(source[0], {}).get("Properties", {}).get("StreamSpecification")
        if source[1] != "StreamArn" or stream != {"StreamViewType": "NEW_AND_OLD_IMAGES"}:
            yield f"{name} must read the stream of a table with both images"
    for name, queue in of_type(result, "AWS::SQS::Queue").items():
        if queue["Properties"].get("SqsManagedSseEnabled") is not True:
            yield f"{name} must be encrypted"


def region_problems(result, page):
    """The page names each public region in which CloudFormation lacks a type of resource."""
    types = {part["Type"] for part in result["Resources"].values() if part["Type"].startswith("AWS::")}
    for path in sorted((Path(cfnlint.__file__).parent / "data" / "schemas" / "providers").glob("*.json")):
        region = path.stem
        # Not one of the regions that any customer of AWS can use.
        if not re.fullmatch(r"[a-z]{2}-[a-z]+-[0-9]", region) or region.startswith("cn-"):
            continue
        missing = types - json.loads(path.read_text(encoding="utf-8")).keys()
        if bool(missing) != (f"({region})" in page):
            yield f"docs/deploy.md is wrong about {region}, which lacks {sorted(missing) or 'nothing'}"


# The quotas of AWS: 500 resources and 200 parameters in a template, 300 routes in an HTTP API, 20,480 bytes in a function's
# resource policy. The limits here are lower, to leave room for the next part.
MOST = {"resources": 450, "routes": 250, "parameters": 180, "bytes of policy at one function": 16 * 1024}


def policy_sizes(result):
    """The size of each function's resource policy in bytes. SAM adds a statement for every route."""
    values = {"AWS::Region": "ap-southeast-1", "AWS::AccountId": "0" * 12, "AWS::Partition": "aws"}
    bytes_of = {}
    for name, permission in of_type(result, "AWS::Lambda::Permission").items():
        properties = permission["Properties"]
        function = next(references(properties["FunctionName"]))
        source = json.dumps(properties.get("SourceArn", ""))
        for variable, value in values.items():
            source = source.replace("${" + variable + "}", value)
        statement = {
            "Sid": f"{'s' * 32}-{name}-{'X' * 12}",
            "Effect": "Allow",
            "Principal": {"Service": properties["Principal"]},
            "Action": properties["Action"],
            "Resource": f"arn:aws:lambda:ap-southeast-1:{'0' * 12}:function:{'s' * 32}-{function}-{'X' * 12}:live",
            "Condition": {"ArnLike": {"AWS:SourceArn": source}},
        }
        bytes_of[function] = bytes_of.get(function, 0) + len(json.dumps(statement, separators=(",", ":")))
    return bytes_of


def sizes(result):
    paths = next(iter(of_type(result, "AWS::ApiGatewayV2::Api").values()))["Properties"]["Body"]["paths"]
    return {
        "resources": len(result["Resources"]),
        "routes": sum(len(present(methods)) for methods in paths.values()),
        "parameters": len(result["Parameters"]),
        "bytes of policy at one function": max(policy_sizes(result).values()),
    }


def problems(source, result):
    functions = of_type(result, "AWS::Lambda::Function")
    document = next(iter(of_type(result, "AWS::ApiGatewayV2::Api").values()))["Properties"]["Body"]
    paths = document["paths"]
    cors = document["x-amazon-apigateway-cors"]
    if cors.get("allowOrigins") != VALUES["AllowedOrigins"] or cors.get("allowCredentials") is not True:
        yield f"the API must allow the list of AllowedOrigins, with cookies: {cors}"
    if document.get("components", {}).get("securitySchemes"):
        yield "the API must be public"
    for name, api in of_type(source, "AWS::Serverless::HttpApi").items():
        if not api["Properties"].get("Auth"):
            yield f"{name} must have Auth, or `sam deploy --guided` asks about each route"
    rotating = functions["RotateKeys"]["Properties"]["Timeout"]
    if first_keys(result)["ServiceTimeout"] <= rotating:
        yield f"CloudFormation must wait for FirstKeys longer than the {rotating} s of RotateKeys"
    served = set()
    for path, methods in paths.items():
        for method, operation in present(methods).items():
            if method == "options":
                continue
            operation = present(operation)
            uri = json.dumps(operation.get("x-amazon-apigateway-integration", {}))
            # Routes must use the alias, because deployments shift its traffic gradually. The function itself is always its
            # newest version.
            target = re.search(r"\$\{(\w+)Aliaslive\}", uri)
            if not target or target[1] not in functions:
                yield f"{method} {path} does not lead to the alias of a function"
                continue
            served.add((method.lower(), path))
            if operation["x-amazon-apigateway-integration"].get("payloadFormatVersion") != "2.0":
                yield f"{method} {path} must have payload format 2.0"
    for name, function in of_type(source, "AWS::Serverless::Function").items():
        for event in function["Properties"].get("Events", {}).values():
            properties = event["Properties"]
            if "Path" not in properties:
                # SAM adds the slash only if warnings are errors.
                if not any(path in ("$default", "/$default") for _, path in served):
                    yield "the default route is missing"
                continue
            method, path = properties["Method"].lower(), properties["Path"]
            if method == "any":
                yield f"{path} of {name} must name a method"
            if (method, path) not in served:
                yield f"{method} {path} of {name} is not a route"
            if not path.endswith("/{proxy+}") and (method, path + "/{proxy+}") not in served:
                yield f"{method} {path} of {name} has no greedy route for its sub-paths and final slash"
        roles = of_type(result, "AWS::IAM::Role")
        role = roles.get(f"{name}Role")
        if role is None:
            yield f"{name} must have its own role"
            continue
        managed = {re.sub(r".*/", "", json.dumps(arn)).strip('"} ]') for arn in role["Properties"].get("ManagedPolicyArns", [])}
        if managed - {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}:
            yield f"{name}'s role has managed policies: {managed}"
        properties = functions[name]["Properties"]
        if properties["Runtime"] != "provided.al2023" or properties["Architectures"] != [{"Ref": "Architecture"}]:
            yield f"{name} must have the runtime provided.al2023 and the architecture of the parameter"
        logging = properties.get("LoggingConfig", {})
        if "LogGroup" not in logging or logging.get("SystemLogLevel") != "WARN":
            yield f"{name} must log to a log group with retention, with Lambda's own lines at WARN"
    for name, table in of_type(result, "AWS::DynamoDB::Table").items():
        properties = table["Properties"]
        if properties.get("TimeToLiveSpecification") != {"AttributeName": "ttl", "Enabled": True}:
            yield f"{name} must have time to live on the attribute ttl"
        # Every table is encrypted. A specification would choose a key that costs money.
        if "OnDemandThroughput" not in properties or "SSESpecification" in properties:
            yield f"{name} must have a maximum throughput and DynamoDB's own encryption key"
    for name, mail in of_type(result, "AWS::SES::ConfigurationSet").items():
        # Without this, SES would accept a code for a mailbox that bounced once, and send nothing.
        if mail["Properties"].get("SuppressionOptions") != {"SuppressedReasons": []}:
            yield f"{name} must suppress nothing"
    for name, stage in of_type(result, "AWS::ApiGatewayV2::Stage").items():
        if "DetailedMetricsEnabled" in json.dumps(stage):
            yield f"{name} must not pay for metrics of each route"
    yield from digest_problems(result)
    yield from guard_problems(result)
    yield from secret_problems(result)
    yield from retention_problems(result)
    yield from alarm_problems(result)
    yield from mapping_problems(result)
    yield from region_problems(result, (Path(__file__).parent.parent / "docs" / "deploy.md").read_text(encoding="utf-8"))
    for what, count in sizes(result).items():
        if count > MOST[what]:
            yield f"{count} {what}, the limit is {MOST[what]}"
    found = circle(result["Resources"])
    if found:
        yield "cyclic references: " + " -> ".join(found)


def main():
    source, result = transformed(sys.argv[1])
    found = list(problems(source, result))
    for problem in found:
        print(problem, file=sys.stderr)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    print(", ".join(f"{count} {what}" for what, count in sizes(result).items()) + f", {len(found)} problems")
    sys.exit(1 if found else 0)


main()
