"""Tests of release.py, import_stack.py and samconfig.toml: python3 -m unittest discover -s tools"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import unittest
from pathlib import Path

import release

TOOLS = Path(__file__).resolve().parent


def build(target, architecture):
    """Files that look like the programs of a build."""
    number = release.MACHINES[architecture][0]
    for name in release.binaries():
        program = target / "lambda" / name / "bootstrap"
        program.parent.mkdir(parents=True)
        program.write_bytes(b"\x7fELF" + bytes(14) + number.to_bytes(2, "little") + name.encode())
        program.chmod(0o755)


class Release(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.target = Path(folder.name)
        self.names = release.binaries()
        build(self.target, "arm64")

    def problems(self, architecture="arm64"):
        return list(release.problems(self.target, architecture, self.names))

    def test_a_whole_build_has_no_problems(self):
        self.assertGreaterEqual(len(self.names), 9)
        self.assertEqual(self.problems(), [])

    def test_programs_for_another_processor_are_refused(self):
        found = self.problems("x86_64")
        self.assertEqual(len(found), len(self.names))
        self.assertIn("no program for x86_64. Run: cargo lambda build --release --locked --x86-64", found[0])

    def test_each_thing_that_keeps_a_program_from_running_is_named(self):
        program = self.target / "lambda" / "jwks" / "bootstrap"
        os.utime(program, (0, 0))
        self.assertRegex(self.problems()[0], "jwks/bootstrap is older than ")
        program.chmod(0o644)
        self.assertRegex(self.problems()[0], "jwks/bootstrap is not executable")
        program.write_text("#!/bin/sh")
        self.assertRegex(self.problems()[0], "jwks/bootstrap is no program for arm64")
        program.unlink()
        self.assertRegex(self.problems()[0], "jwks/bootstrap is missing")

    def test_an_archive_has_what_a_deployment_needs(self):
        for _ in range(2):
            release.archive(self.target, "arm64", self.target)
        [path] = self.target.glob("*.tar.gz")
        with tarfile.open(path) as tar:
            title = path.name.removesuffix(".tar.gz")
            files = {member.name.removeprefix(f"{title}/"): tar.extractfile(member).read() for member in tar.getmembers()}
            modes = {member.name.removeprefix(f"{title}/"): member.mode for member in tar.getmembers()}
        sums = dict(line.split("  ")[::-1] for line in files.pop("SHA256SUMS").decode().splitlines())
        self.assertEqual(sums, {name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
        for name in self.names:
            self.assertEqual(modes[f"target/lambda/{name}/bootstrap"], 0o755)
        self.assertIn(b"    Default: arm64\n    AllowedValues: [arm64]\n", files["template.yaml"])
        self.assertLessEqual({"samconfig.toml", "stages/production.yaml", "LICENSE", "docs/deploy.md", "licenses/README"}, files.keys())

    def test_each_stage_deploys_the_template_to_a_place_of_its_own(self):
        profiles = tomllib.loads((release.ROOT / "samconfig.toml").read_text())
        deployed = {name: profile["deploy"]["parameters"] for name, profile in profiles.items() if name not in ("version", "default")}
        self.assertEqual(sorted(deployed), ["development", "production", "testing"])
        for name, given in deployed.items():
            stack = f"latchkey-{name}"
            self.assertEqual((given["stack_name"], given["s3_prefix"], given["template_file"]), (stack, stack, "template.yaml"))

    def test_what_outlives_a_stack_can_be_imported(self):
        tool = [sys.executable, TOOLS / "import_stack.py"]
        usage = subprocess.run(tool, cwd=self.target, capture_output=True, text=True)
        names = re.search("Name one or more of: (.*)", usage.stderr)[1].split(", ")
        self.assertIn("UserTable", names)
        told = subprocess.run(tool + [f"{name}=x" for name in names], cwd=self.target, check=True, capture_output=True, text=True)
        stream = "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
        self.assertIn(f"aws dynamodb update-table --table-name x --stream-specification {stream}\n", told.stdout)
        self.assertEqual(told.stdout.count("--stream-specification"), 1)
        template = (self.target / "import.yaml").read_text()
        self.assertNotIn("Transform", template)
        self.assertNotIn("AWS::Serverless", template)
        imported = json.loads((self.target / "import.json").read_text())
        self.assertEqual(sorted(part["LogicalResourceId"] for part in imported), sorted(names))
        self.assertTrue(all(list(part["ResourceIdentifier"].values()) == ["x"] for part in imported))


if __name__ == "__main__":
    unittest.main()
