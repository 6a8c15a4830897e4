"""Writes what CloudFormation needs to take the tables, secrets and sender of a deleted stack into a new stack.

    python3 tools/import_stack.py UserTable=NAME RecordTable=NAME IndexSecret=ARN CodesSecret=ARN RefreshSecret=ARN SigningSecret=ARN

Add VaultSecret=ARN if the stack has second factors. The tool writes two files: import.yaml, the resources of template.yaml that
outlive a stack, and import.json, their names. Only a template without SAM's transform can import. docs/operations.md has the commands that use the files.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The property by which CloudFormation finds a resource of each type.
IDENTIFIERS = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SecretsManager::Secret": "Id",
    "AWS::SES::EmailIdentity": "EmailIdentity",
}


def blocks(text, indent):
    """The named blocks at one indentation, each with its lines."""
    found, name = {}, None
    for line in text.splitlines(keepends=True):
        start = re.match(rf" {{{indent}}}([A-Za-z:]+):", line)
        if start:
            name = start[1]
            found[name] = ""
        if name and not line.lstrip().startswith("#"):
            found[name] += line
    return found


def retained(sections):
    """The resources that outlive a stack: their name, type and lines."""
    for name, lines in blocks(sections["Resources"], 2).items():
        if re.search(r"^    DeletionPolicy: Retain", lines, re.M):
            yield name, re.search(r"^    Type: (\S+)", lines, re.M)[1], lines


def main():
    given = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    sections = blocks((ROOT / "template.yaml").read_text(), 0)
    resources = list(retained(sections))
    known = {name for name, _, _ in resources}
    usage = f"{__doc__}\nName one or more of: {', '.join(sorted(known))}"
    if sys.argv[1:] == ["--help"]:
        print(usage)
        return
    if not given or len(given) != len(sys.argv) - 1 or given.keys() - known:
        sys.exit(usage)
    chosen = [(name, kind, lines) for name, kind, lines in resources if name in given]
    head = "".join(sections[name] for name in ["AWSTemplateFormatVersion", "Parameters", "Conditions"])
    Path("import.yaml").write_text(head + "Resources:\n" + "".join(lines.rstrip() + "\n" for _, _, lines in chosen))
    imports = [
        {"ResourceType": kind, "LogicalResourceId": name, "ResourceIdentifier": {IDENTIFIERS[kind]: given[name]}}
        for name, kind, _ in chosen
    ]
    Path("import.json").write_text(json.dumps(imports, indent=2) + "\n")
    absent = known - given.keys()
    print("import.yaml and import.json name: " + ", ".join(name for name, _, _ in chosen))
    # An import changes nothing, and the deployment after it reads the stream.
    for name, _, lines in chosen:
        if view := re.search(r"StreamViewType: (\w+)", lines):
            print(f"{name} needs a stream. If it has none, as after a restore, run this before the import:")
            specification = f"StreamEnabled=true,StreamViewType={view[1]}"
            print(f"  aws dynamodb update-table --table-name {given[name]} --stream-specification {specification}")
    if absent:
        print("The next deployment creates: " + ", ".join(sorted(absent)))


if __name__ == "__main__":
    main()
