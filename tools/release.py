"""Checks what `cargo lambda build` has made, or packs it into an archive that deploys without Rust.

    python3 tools/release.py check --architecture arm64
    python3 tools/release.py archive --architecture arm64

Both look at the folders that template.yaml names as CodeUri.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The number of each processor in the header of a program, and what builds for it.
MACHINES = {"arm64": (183, "aarch64-unknown-linux-gnu", "--arm64"), "x86_64": (62, "x86_64-unknown-linux-gnu", "--x86-64")}
FILES = ["samconfig.toml", "openapi.yaml", "LICENSE", "tools/import_stack.py"]
FILES += [f"{name}.md" for name in ["README", "CHANGELOG", "SECURITY", "ARCHITECTURE", "CONTRIBUTING"]]
FOLDERS = ["docs", "stages", "web", "tests/account"]


def binaries():
    """The programs that the template deploys."""
    return sorted(re.findall(r"^      CodeUri: target/lambda/([a-z-]+)$", (ROOT / "template.yaml").read_text(), re.M))


def newest_source(name):
    """The file that changed last among those that cargo compiles into a program. It does not compile tests."""
    # rotate-keys checks the settings of all functions, so it contains parts of each.
    functions = [ROOT / "functions", ROOT / "catalog"] if name == "rotate-keys" else [ROOT / "functions" / name / "src"]
    folders = functions + [ROOT / "shared" / part for part in ["src", "data", "certs", "templates"]]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()] + [ROOT / "Cargo.lock"]
    compiled = [path for path in files if not {"tests", "tests.rs"} & set(path.relative_to(ROOT).parts)]
    return max(compiled, key=lambda path: path.stat().st_mtime)


def machine(program):
    """The number of the processor in an ELF header, or None."""
    with open(program, "rb") as file:
        header = file.read(20)
    return int.from_bytes(header[18:20], "little") if header[:4] == b"\x7fELF" and len(header) == 20 else None


def problems(target, architecture, names):
    """What keeps these programs from being deployed."""
    number, _, flag = MACHINES[architecture]
    build = f"Run: cargo lambda build --release --locked {flag}"
    for name in names:
        program = target / "lambda" / name / "bootstrap"
        if not program.is_file():
            yield f"{program} is missing. {build}"
        elif machine(program) != number:
            yield f"{program} is no program for {architecture}. {build}"
        elif not os.access(program, os.X_OK):
            yield f"{program} is not executable, and Lambda would not start it. Run: chmod +x {program}"
        elif program.stat().st_mtime < (source := newest_source(name)).stat().st_mtime:
            yield f"{program} is older than {source.relative_to(ROOT)}. {build}"
    elsewhere = os.environ.get("CARGO_TARGET_DIR", "target")
    if target.resolve() == ROOT / "target" and (ROOT / elsewhere).resolve() != ROOT / "target":
        yield "CARGO_TARGET_DIR is set, so cargo lambda builds elsewhere, and template.yaml deploys target/lambda. Unset it"


def template(architecture):
    """The template that deploys programs for one processor only."""
    text = (ROOT / "template.yaml").read_text()
    fixed = f"    Default: {architecture}\n    AllowedValues: [{architecture}]\n"
    text, count = re.subn(r"    Default: arm64\n    AllowedValues: \[arm64, x86_64\]\n", fixed, text)
    if count != 1:
        sys.exit("template.yaml: the parameter Architecture has another form. Change tools/release.py too")
    return text.encode()


def licenses(triple, names):
    """The license files of every crate that is part of the programs."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", triple]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    open_ids = [id for id, package in packages.items() if package["name"] in names and package["source"] is None]
    seen = set()
    while open_ids:
        id = open_ids.pop()
        if id in seen:
            continue
        seen.add(id)
        linked = [dep for dep in nodes[id]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
        open_ids += [dep["pkg"] for dep in linked]
    listed = []
    for package in sorted((packages[id] for id in seen), key=lambda package: (package["name"], package["version"])):
        if package["source"] is None:
            continue
        title = f"{package['name']}-{package['version']}"
        listed.append(f"{title}: {package['license'] or 'see its files'}")
        for path in sorted(Path(package["manifest_path"]).parent.iterdir()):
            if path.is_file() and re.match(r"(LICEN[CS]E|COPYING|NOTICE)", path.name, re.I):
                yield f"licenses/{title}/{path.name}", path.read_bytes()
    yield "licenses/README", ("\n".join(listed) + "\n").encode()


def contents(target, architecture):
    """Every file of the archive, with its bytes."""
    names = binaries()
    yield "template.yaml", template(architecture)
    for name in FILES:
        yield name, (ROOT / name).read_bytes()
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path.read_bytes()
    for name in names:
        yield f"target/lambda/{name}/bootstrap", (target / "lambda" / name / "bootstrap").read_bytes()
    yield from licenses(MACHINES[architecture][1], names)


def archive(target, architecture, output):
    """Writes the archive: the same bytes from the same files, with their digests in SHA256SUMS."""
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    title = f"latchkey-{version}-{architecture}"
    files = dict(contents(target, architecture))
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    files["SHA256SUMS"] = sums.encode()
    path = output / f"{title}.tar.gz"
    with open(path, "wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name in sorted(files):
                info = tarfile.TarInfo(f"{title}/{name}")
                info.size = len(files[name])
                info.mode = 0o755 if name.endswith(("/bootstrap", ".sh")) else 0o644
                tar.addfile(info, io.BytesIO(files[name]))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{digest}  {path} ({path.stat().st_size / 1e6:.1f} MB, {len(files)} files)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["check", "archive"])
    parser.add_argument("--architecture", choices=MACHINES, default="arm64", help="as in the parameter Architecture")
    parser.add_argument("--target", type=Path, default=ROOT / "target", help="the folder with lambda/NAME/bootstrap")
    parser.add_argument("--only", action="append", help="check this program alone; may be repeated")
    parser.add_argument("--output", type=Path, default=Path("."), help="the folder of the archive")
    arguments = parser.parse_args()
    names = arguments.only or binaries()
    found = list(problems(arguments.target, arguments.architecture, names))
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        sys.exit(1)
    if arguments.what == "archive":
        archive(arguments.target, arguments.architecture, arguments.output)
    else:
        print(f"{len(names)} programs for {arguments.architecture}")


if __name__ == "__main__":
    main()
