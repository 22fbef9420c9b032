"""What a result says besides its figures: when, of which commit and on what it was measured, and what it lacks of a whole run.

Usage: note.py RESULT MEASURED [WHAT DONE WHOLE]...     adds that to a result; MEASURED is what measured.sh says
"""

import json
import sys


def read(path):
    """A result, or the rows of one that has a row on each line."""
    text = open(path).read()
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return {"rows": [json.loads(line) for line in text.splitlines() if line.strip()]}


def line(result):
    """The same for people; nothing of a result that does not say it."""
    said = ""
    if measured := result.get("measured"):
        said = "Measured on {at} at commit {commit} on {processor}, {kernel}, rustc {rustc}.\n".format(**measured)
    if lacks := result.get("lacks"):
        said += f"\n**{lacks}**\n"
    return said


def lacking(counts):
    """Counts of (what, done, of a whole run)."""
    short = [f"{done} of {whole} {what}" for what, done, whole in counts if int(done) < int(whole)]
    return f"Not the whole: {', '.join(short)}." if short else None


def write(path, result):
    """One line for each row."""
    def text(value):
        if isinstance(value, list) and any(isinstance(row, dict) for row in value):
            return "[\n  " + ",\n  ".join(map(text, value)) + "\n ]"
        return json.dumps(value, ensure_ascii=False)

    with open(path, "w") as file:
        file.write("{\n " + ",\n ".join(f'"{key}": {text(value)}' for key, value in result.items()) + "\n}\n")


if __name__ == "__main__":
    path, measured, *counts = sys.argv[1:]
    noted = {"measured": json.loads(measured), "lacks": lacking(zip(*[iter(counts)] * 3))}
    # First in the file, and anew where it was noted before.
    write(path, noted | read(path) | noted)
