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
            key = (properties["Method"].lower(), properties["Path"])
            slash = (key[0], key[1].rstrip("/") + "/{proxy+}")
            if key not in served:
                yield f"{key} of {name} is no route"
            if not key[1].endswith("{proxy+}") and slash not in served:
                yield f"{key} of {name} has no form for a final slash"
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
    print(f"{len(result['Resources'])} resources, {len(found)} problems")
    sys.exit(1 if found else 0)


main()
