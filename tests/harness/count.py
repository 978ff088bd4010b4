# SPDX-License-Identifier: MIT
"""Add up the results of a run: JUnit files of meson and pytest, and the steps of tests/run."""
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def cases(path):
    """Yield (name, outcome, reason) for each test of a JUnit file."""
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}: {case.get('name')}"
        outcome, reason = "passed", ""
        for child in case:
            if child.tag in ("failure", "error"):
                outcome, reason = "failed", child.get("message") or ""
            elif child.tag == "skipped":
                outcome, reason = "skipped", child.get("message") or ""
        yield name, outcome, reason


def main(directory):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path in sorted(directory.glob("*.xml")):
        for name, outcome, reason in cases(path):
            counts[outcome] += 1
            if outcome != "passed":
                print(f"{outcome}: {path.stem}: {name} {reason.splitlines()[0] if reason else ''}")
    for line in (directory / "steps").read_text().splitlines():
        status, name = line.split(maxsplit=1)
        outcome = "passed" if status == "0" else "failed"
        counts[outcome] += 1
        if outcome == "failed":
            print(f"failed: step {name}, see {directory / name}.log")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
