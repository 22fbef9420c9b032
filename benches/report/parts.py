"""When, of which commit and on what each part was measured, and which are not of the newest commit.

Usage: parts.py RESULTS FIGURES PART...
"""

import os
import re
import subprocess
import sys

import note

NOT_NOTED = "not noted"
BY_HAND = {"profile"}
MEASURED = re.compile(r"measured from (\S+) to (\S+)(?: at commit (.+?))? on (.+?), load of the machine[^*\n]*(?:\*\*(.*)\*\*)?")


def part(results, name):
    """A row of a part; older results say nothing of it."""
    path = os.path.join(results, f"{name}.json")
    result = note.read(path) if os.path.exists(path) else {}
    measured = result.get("measured") or {}
    return [name, *(measured.get(key, NOT_NOTED) for key in ("at", "commit", "processor")), result.get("lacks") or ""]


def stores(figures):
    """Rows of the report that the fleet writes, whose sections are measured one by one."""
    groups = {}
    for section in re.split(r"^### ", open(figures).read(), flags=re.M)[1:]:
        said = MEASURED.search(section)
        first, last, commit, processor, lacks = said.groups() if said else [None] * 5
        groups.setdefault((commit, processor, lacks), []).append((first, last))
    tables = sum(map(len, groups.values()))
    for (commit, processor, lacks), times in groups.items():
        at = NOT_NOTED
        if processor:
            first, last = (time[:16].replace("T", " ") for time in (min(times)[0], max(last for _, last in times)))
            at = f"{first} to {last} UTC"
        yield [f"stores, {len(times)} of {tables} tables", at, commit or NOT_NOTED, processor or NOT_NOTED, lacks or ""]


def age(commit):
    """Orders commits as they were made, those first that are not known here."""
    said = subprocess.run(["git", "log", "-1", "--format=%ct", commit.rstrip("+")], capture_output=True, text=True)
    return int(said.stdout or 0), commit.endswith("+")


def sentences(rows):
    noted = {row[2] for row in rows} - {NOT_NOTED}
    newest = max(noted, key=age, default=None)
    older = [f"{row[0]} ({row[2]})" for row in rows if row[2] in noted - {newest}]
    if older:
        yield f"**Of an older commit than the newest part ({newest}):** {'; '.join(older)}."
    unknown = [row[0] for row in rows if row[2] == NOT_NOTED]
    if unknown:
        yield f"**Of a commit that was not noted:** {'; '.join(unknown)}."


rows = [part(sys.argv[1], name) for name in sys.argv[3:] if name not in BY_HAND]
if os.path.exists(sys.argv[2]):
    rows += stores(sys.argv[2])
print("When each part was measured, and on what; a + behind a commit says that the tree was changed.\n")
print("| part | measured | commit | processor | lacks |\n|---|---|---|---|---|")
for row in rows:
    print(f"| {' | '.join(row)} |")
for sentence in sentences(rows):
    print(f"\n{sentence}")
    print(sentence.replace("*", ""), file=sys.stderr)
