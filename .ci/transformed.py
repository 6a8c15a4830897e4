"""Checks the template that CloudFormation gets, and writes it to a file for the linter.

Runs template.yaml through SAM's own transform. Only the result contains roles, permissions and integrations, and cyclic
references between functions and the API.
"""

import copy
import json
import os
import re
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    """Managed policies that SAM looks up: none, except those that it attaches to every function by itself."""

    def load(self):
        return {}


# CloudFormation gives SAM the values of parameters. A list is the only value that is not a text.
VALUES = {"AllowedOrigins": ["https://app.example.com", "http://localhost:3000"]}


def transformed(path):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    source = copy.deepcopy(template)
    # The transform accepts code in an S3 bucket only. `sam deploy` uploads it before.
    for function in of_type(template, "AWS::Serverless::Function").values():
        function["Properties"]["CodeUri"] = "s3://bucket/code.zip"
    return source, transform(template, dict(VALUES), NoManagedPolicies())


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
        "routes": sum(len(methods) for methods in paths.values()),
        "parameters": len(result["Parameters"]),
        "bytes of policy at one function": max(policy_sizes(result).values()),
    }


def problems(source, result):
    functions = of_type(result, "AWS::Lambda::Function")
    document = next(iter(of_type(result, "AWS::ApiGatewayV2::Api").values()))["Properties"]["Body"]
    paths = document["paths"]
    if document["x-amazon-apigateway-cors"]["allowOrigins"] != VALUES["AllowedOrigins"]:
        yield "the API must allow the list of AllowedOrigins"
    if document.get("components", {}).get("securitySchemes"):
        yield "the API must be public"
    served = set()
    for path, methods in paths.items():
        for method, operation in methods.items():
            if method == "options":
                continue
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
