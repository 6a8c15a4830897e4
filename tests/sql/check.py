"""Runs the queries of docs/sql with DuckDB over an export, and compares them with the same counts in plain Python.

Usage: check.py EXPORT, the folder of a full export of UserTable.
"""

import collections
import datetime
import gzip
import json
import pathlib
import re
import sys

import duckdb

QUERIES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "sql"
DAY = 86400


def items(export):
    """All items of the export, as plain values."""
    for path in sorted((export / "data").glob("*.json.gz")):
        for line in gzip.open(path, "rt", encoding="utf-8"):
            yield {name: next(iter(value.values())) for name, value in json.loads(line)["Item"].items()}


def month(seconds):
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m")


def source(url):
    host = re.match(r"https?://(?:[^/?#@]*@)?(?:www\.)?([^/?#:]+)", (url or "").lower())
    return host.group(1) if host else "none"


def sign_ups(export):
    found = (item for item in items(export) if item["pk"].startswith("ID#"))
    counts = collections.Counter(
        (month(item["at"]), item.get("via", "other"), source(item.get("source_url"))) for item in found
    )
    rows = [(*key, count) for key, count in counts.items()]
    return sorted(rows, key=lambda row: (row[0], -row[3], row[1], row[2]))


def retention(export):
    summary = json.loads((export / "manifest-summary.json").read_text(encoding="utf-8"))
    today = int(datetime.datetime.fromisoformat(summary["exportTime"]).timestamp()) // DAY
    users, active = collections.Counter(), collections.Counter()
    for item in items(export):
        if item["pk"].startswith("U#"):
            users[month(item["dj"])] += 1
            last = max(int(item.get("ll", item["dj"])) // DAY, int(item.get("la", 0)))
            active[month(item["dj"])] += last > today - 30
    return [(key, users[key], active[key]) for key in sorted(users)]


def main():
    export = pathlib.Path(sys.argv[1])
    # A file without items may have no byte.
    (export / "data" / "empty.json.gz").touch()
    for query in (sign_ups, retention):
        database = duckdb.connect()
        database.execute("SET VARIABLE export = ?", [str(export)])
        found = database.execute((QUERIES / f"{query.__name__}.sql").read_text(encoding="utf-8")).fetchall()
        expected = query(export)
        assert expected, f"the export answers nothing to {query.__name__}"
        assert found == expected, f"{query.__name__}: {found} instead of {expected}"
        print(f"{query.__name__}: {len(found)} rows")


if __name__ == "__main__":
    main()
