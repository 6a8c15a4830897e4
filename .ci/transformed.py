"""What CloudFormation will be given: template.yaml through SAM's own transform, checked, and written for the linter.

Circles between functions and the API show only here, and so do roles, permissions and integrations.
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
    """Only what SAM attaches to every function by itself."""

    def load(self):
        return {}


def transformed(path):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    # Built code lies in a bucket; the transform takes nothing else.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/code.zip"
    return copy.deepcopy(template), transform(template, {}, NoManagedPolicies())


def of_type(template, kind):
    return {name: part for name, part in template["Resources"].items() if part["Type"] == kind}


def references(node):
    """The resources and parameters that a part of the template names."""
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
    """A path from a resource back to itself, if there is one."""
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


# CloudFormation takes 500 resources and 200 parameters, an HTTP API 300 routes, and the policy that says who may invoke a function
# 20,480 bytes. A template that comes close to a quota has no room for the next part.
MOST = {"resources": 450, "routes": 250, "parameters": 180, "bytes of policy at one function": 16 * 1024}


def policy_sizes(result):
    """The bytes of each function's own policy: SAM adds a statement for every route."""
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
    paths = next(iter(of_type(result, "AWS::ApiGatewayV2::Api").values()))["Properties"]["Body"]["paths"]
    served = set()
    for path, methods in paths.items():
        for method, operation in methods.items():
            if method == "options":
                continue
            uri = json.dumps(operation.get("x-amazon-apigateway-integration", {}))
            # The alias, whose traffic shifts; a function itself would be its newest version at once.
            target = re.search(r"\$\{(\w+)Aliaslive\}", uri)
            if not target or target[1] not in functions:
                yield f"{method} {path} leads to no function's alias"
                continue
            served.add((method.lower(), path))
            if operation["x-amazon-apigateway-integration"].get("payloadFormatVersion") != "2.0":
                yield f"{method} {path} has another payload format than 2.0"
    for name, function in of_type(source, "AWS::Serverless::Function").items():
        for event in function["Properties"].get("Events", {}).values():
            properties = event["Properties"]
            if "Path" not in properties:
                # SAM gives it a slash only where warnings are failures.
                if not any(path in ("$default", "/$default") for _, path in served):
                    yield "there is no default route"
                continue
            method, path = properties["Method"].lower(), properties["Path"]
            if method == "any":
                yield f"{path} of {name} names no method"
            if (method, path) not in served:
                yield f"{method} {path} of {name} is not a route"
            if not path.endswith("/{proxy+}") and (method, path + "/{proxy+}") not in served:
                yield f"{method} {path} of {name} has no greedy route for its sub-paths and final slash"
        roles = of_type(result, "AWS::IAM::Role")
        role = roles.get(f"{name}Role")
        if role is None:
            yield f"{name} has no role of its own"
            continue
        managed = {re.sub(r".*/", "", json.dumps(arn)).strip('"} ]') for arn in role["Properties"].get("ManagedPolicyArns", [])}
        if managed - {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}:
            yield f"{name}'s role has managed policies: {managed}"
        properties = functions[name]["Properties"]
        if properties["Runtime"] != "provided.al2023" or properties["Architectures"] != [{"Ref": "Architecture"}]:
            yield f"{name} has another runtime or processor"
        if "LogGroup" not in properties.get("LoggingConfig", {}):
            yield f"{name} logs to a group without retention"
    for name, table in of_type(result, "AWS::DynamoDB::Table").items():
        properties = table["Properties"]
        if properties.get("TimeToLiveSpecification") != {"AttributeName": "ttl", "Enabled": True}:
            yield f"{name} forgets nothing"
        if "OnDemandThroughput" not in properties or not properties["SSESpecification"]["SSEEnabled"]:
            yield f"{name} has no fuse, or no encryption"
    for what, count in sizes(result).items():
        if count > MOST[what]:
            yield f"{count} {what}: more than {MOST[what]}"
    found = circle(result["Resources"])
    if found:
        yield "a circle: " + " -> ".join(found)


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
