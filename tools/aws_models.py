"""Prints AWS's own models of the operations that `local-aws`, the stand-in for AWS, serves.

botocore contains a model of every service. This script keeps the operations below with all their shapes, and the names
of all other operations. It drops the documentation. To add an operation, add its name and run:

    . .ci/tools && "$tools/bin/python" tools/aws_models.py > local/aws/src/models/models.json

.ci/requirements.in pins botocore, and .ci/run compares the checked-in file with the output.
"""

import json
import sys

from botocore.loaders import Loader

OPERATIONS = {
    "dynamodb": [
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "DescribeTable",
        "GetItem",
        "PutItem",
        "Query",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    ],
    "events": ["PutEvents"],
    "pinpoint-sms-voice-v2": ["PutMessageFeedback", "SendTextMessage", "SendVoiceMessage"],
    "secretsmanager": [
        "BatchGetSecretValue",
        "DescribeSecret",
        "GetSecretValue",
        "PutSecretValue",
        "UpdateSecretVersionStage",
    ],
    "sesv2": ["GetAccount", "GetEmailIdentity", "SendEmail"],
    "sns": ["GetSMSAttributes", "GetSMSSandboxAccountStatus", "Publish"],
    "sqs": ["SendMessage"],
}

# A DynamoDB value has exactly one type, says its documentation. botocore's model lacks this trait.
UNIONS = {"dynamodb": ["AttributeValue"]}

# The validator's regular expressions have no look-around. These mean the same without it.
PATTERNS = {
    r"(?!\s*$)[\s\S]+": r"[\s\S]*\S[\s\S]*",
    r"(?!\s)^[\s\S]+(?<!\s)": r"\S([\s\S]*\S)?",
}

PROTOCOLS = {"json", "rest-json", "query"}

# The traits that the validator uses, and those that are irrelevant for checking a value. Any other trait stops this script,
# because the validator would ignore its rule.
METADATA = ["apiVersion", "protocol", "targetPrefix"]
SHAPE = ["type", "required", "min", "max", "pattern", "enum", "union", "flattened", "fault"]
SHAPE_SKIPPED = {
    "documentation", "sensitive", "deprecated", "deprecatedMessage", "box", "exception", "retryable", "synthetic",
}  # fmt: skip
REF = ["shape", "location", "locationName"]
# Only forms have flattened lists.
REF_SKIPPED = {
    "documentation", "deprecated", "deprecatedMessage", "box", "contextParam", "flattened", "idempotencyToken",
}  # fmt: skip
LOCATIONS = {None, "uri", "querystring"}


def chosen(part, kept, skipped, place):
    unknown = part.keys() - set(kept) - skipped
    if unknown:
        sys.exit(f"{place} has traits unknown to the validator: {sorted(unknown)}. Add or skip them.")
    return {key: part[key] for key in kept if key in part}


def reference(ref, shapes, place):
    if ref.get("location") not in LOCATIONS:
        sys.exit(f"{place} is in a part of the request that the validator ignores: {ref['location']}")
    if "location" in ref and shapes[ref["shape"]]["type"] in ("timestamp", "blob", "structure", "map"):
        sys.exit(f"{place} has a type that the validator cannot read from a URL")
    return chosen(ref, REF, REF_SKIPPED, place)


def trimmed(name, shape, shapes):
    """The shape without skipped traits, and the names of the shapes in it."""
    parts = {"members", "member", "key", "value", "error"}
    kept = chosen(shape, SHAPE, SHAPE_SKIPPED | parts, name)
    if "pattern" in kept:
        kept["pattern"] = PATTERNS.get(kept["pattern"], kept["pattern"])
        if "(?" in kept["pattern"].replace("(?:", ""):
            sys.exit(f"{name} has a pattern unknown to the validator: {kept['pattern']}. Add it without look-around.")
    reached = []

    def follow(ref, place):
        reached.append(ref["shape"])
        return reference(ref, shapes, place)

    for part in ("member", "key", "value"):
        if part in shape:
            kept[part] = follow(shape[part], f"{name}.{part}")
    if "members" in shape:
        # Under their names in a request.
        names = {member: ref.get("locationName", member) for member, ref in shape["members"].items()}
        refs = {names[member]: follow(ref, f"{name}.{member}") for member, ref in shape["members"].items()}
        for ref in refs.values():
            ref.pop("locationName", None)
        kept["members"] = refs
        if "required" in shape:
            kept["required"] = [names[member] for member in shape["required"]]
    if "error" in shape:
        kept["error"] = chosen(shape["error"], ["code", "httpStatusCode"], {"senderFault"}, name)
    return kept, reached


def operation(model, shapes):
    http = chosen(model["http"], ["method", "requestUri"], {"responseCode"}, model["name"])
    if "+}" in http["requestUri"] or "?" in http["requestUri"]:
        sys.exit(f"{model['name']} has a URL that the validator cannot parse: {http['requestUri']}")
    kept = {"http": http, "errors": [error["shape"] for error in model.get("errors", [])]}
    kept.update({side: model[side]["shape"] for side in ("input", "output") if side in model})
    return kept


def service(name, wanted):
    model = Loader().load_service_model(name, "service-2")
    shapes = model["shapes"]
    metadata = model["metadata"]
    if metadata["protocol"] not in PROTOCOLS:
        sys.exit(f"{name} uses a protocol unknown to the validator: {metadata['protocol']}")
    missing = set(wanted) - model["operations"].keys()
    if missing:
        sys.exit(f"botocore's model of {name} lacks these operations: {sorted(missing)}")
    operations = {each: operation(model["operations"][each], shapes) for each in sorted(wanted)}

    if metadata["protocol"] == "query" and '"flattened"' in json.dumps([shape.get("members") for shape in shapes.values()]):
        sys.exit(f"{name} has members with flattened lists, but the validator cannot read them in form fields")
    found = {}
    left = [shape for each in operations.values() for shape in (each.get("input"), each.get("output"), *each["errors"])]
    while left:
        shape = left.pop()
        if shape is not None and shape not in found:
            found[shape], reached = trimmed(shape, shapes[shape], shapes)
            left.extend(reached)
    if metadata["protocol"] == "query" and any(shape["type"] == "timestamp" for shape in found.values()):
        sys.exit(f"{name} has timestamps, but the validator cannot read them in form fields")
    for union in UNIONS.get(name, []):
        found[union]["union"] = True
    return {
        "metadata": {key: metadata[key] for key in METADATA if key in metadata},
        "others": sorted(model["operations"].keys() - set(wanted)),
        "operations": operations,
        "shapes": dict(sorted(found.items())),
    }


def written(value, depth):
    """JSON with one line for each operation and shape, so that the diff of a new model is easy to read."""
    if depth == 0 or not isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    lines = (f"{json.dumps(key)}:{written(inner, depth - 1)}" for key, inner in value.items())
    return "{\n" + ",\n".join(lines) + "\n}"


print(written({name: service(name, wanted) for name, wanted in OPERATIONS.items()}, 3))
