#!/usr/bin/env python3
"""Measures the style of this repository's pages and comments.

Usage: tools/prose.py [--check] [FILE…]

Without FILE it measures every Markdown page, and the comments of the Rust sources in each folder. Code, tables and link
targets are ignored. The columns are:

  words      words of prose
  w/sent     words per sentence
  relative   who, what, which, that and where, per 100 words        (at most 2.2)
  negative   no, not, never and the like, per 100 words             (at most 1.2)
  : ;        colons and semicolons, per 100 sentences               (at most 25)

A star marks a figure above its limit. With --check the exit code is 1 if a total is above its limit.
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

LIMITS = {"relative": 2.2, "negative": 1.2, "colons": 25.0}
RELATIVE = re.compile(r"\b(?:who|whom|whose|whoever|what|whatever|which|that|where)\b", re.I)
NEGATIVE = re.compile(r"\b(?:no|not|none|nobody|nothing|nowhere|never|neither|nor|cannot)\b|n['’]t\b", re.I)
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9'’_./-]*")
SENTENCE_END = re.compile(r"[.!?…](?=[\s)\"”*]|$)")
ROOT = Path(__file__).resolve().parent.parent


def without_code(text):
    """Replaces inline code by one word and a link by its text."""
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.S)
    text = re.sub(r"``.+?``|`[^`]*`", " Code ", text, flags=re.S)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", " ", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"<https?://[^>]*>|https?://\S+|</?[a-z][^>]*>", " Code ", text)


def blocks(lines):
    """The paragraphs of Markdown lines, each as one text, without code blocks and tables."""
    block, fence = [], None
    for line in lines:
        stripped = line.strip()
        opening = re.match(r"(```+|~~~+)", stripped)
        if opening:
            fence = None if fence and stripped.startswith(fence) else fence or opening.group(1)
            line = stripped = ""
        if fence or stripped.startswith("|"):
            stripped = ""
        if not stripped or re.match(r"(#+ |[-*+] |\d+\. |\[[^\]]+\]: )", stripped):
            if block:
                yield " ".join(block)
            block = []
        text = re.sub(r"^(#+ |[-*+] |\d+\. |> ?)", "", stripped)
        if text and not re.match(r"\[[^\]]+\]: ", stripped):
            block.append(text)
    if block:
        yield " ".join(block)


def comments(source):
    """The comments of Rust source, as Markdown lines. A gap between two of them ends a paragraph."""
    previous = -1
    for number, line in enumerate(source.splitlines()):
        match = re.match(r"\s*//[/!]?(?:\s(.*))?$", line)
        if match:
            if number != previous + 1:
                yield ""
            previous = number
            yield match.group(1) or ""


class Measure:
    """Counts of words and punctuation marks."""

    def __init__(self):
        self.words = self.sentences = self.relative = self.negative = self.colons = 0

    def add(self, lines):
        """Counts the prose of Markdown lines."""
        for block in blocks(lines):
            text = without_code(block)
            words = len(WORD.findall(text))
            if words == 0:
                continue
            self.words += words
            self.sentences += max(1, len(SENTENCE_END.findall(text)))
            self.relative += len(RELATIVE.findall(text))
            self.negative += len(NEGATIVE.findall(text))
            # Only marks before a space, because times and paths contain colons too.
            self.colons += len(re.findall(r"[:;](?=\s|$)", text))

    def join(self, other):
        """Adds the counts of another measure."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def figures(self):
        """The figures that have a limit."""
        words, sentences = max(1, self.words), max(1, self.sentences)
        return {"relative": 100 * self.relative / words, "negative": 100 * self.negative / words,
                "colons": 100 * self.colons / sentences}

    def row(self, name):
        """A line of the report."""
        cells = [f"{value:7.1f}{'*' if value > LIMITS[key] else ' '}" for key, value in self.figures().items()]
        return f"{name:44}{self.words:8}{self.words / max(1, self.sentences):8.1f} {' '.join(cells)}"


def main(arguments):
    """Measures the files, prints a row for each group and the total."""
    if {"--help", "-h"} & set(arguments):
        print(__doc__)
        return 0
    files = [Path(name).resolve() for name in arguments if not name.startswith("--")]
    single = bool(files)
    if not files:
        listed = subprocess.run(["git", "ls-files", "*.md", "*.rs"], cwd=ROOT, capture_output=True, text=True, check=True)
        files = [ROOT / name for name in listed.stdout.split() if not name.startswith("shared/data/")]
    groups, total = defaultdict(Measure), Measure()
    for file in files:
        source = file.read_text()
        name = str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)
        if file.suffix == ".rs" and not single:
            parts = Path(name).parent.parts
            name = "comments in " + "/".join(parts[:3 if parts[0] in ("shared", "local") else 2])
        groups[name].add(comments(source) if file.suffix == ".rs" else source.splitlines())
    print(f"{'':44}{'words':>8}{'w/sent':>8} {'relative':>8} {'negative':>8} {': ;':>8}")
    for name, measure in sorted(groups.items()):
        print(measure.row(name))
        total.join(measure)
    print(total.row("total"))
    above = [key for key, value in total.figures().items() if value > LIMITS[key]]
    return 1 if above and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
