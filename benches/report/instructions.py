"""The part on instructions."""

import sys

import note
from goals import table

counted = note.read(sys.argv[1])
print("## Instructions of a request\n")
print(note.line(counted))
print(
    f"Counted by callgrind over {counted['requests']:,} requests, so that it repeats to the instruction: what the layer, with its "
    f"defaults, adds to the bare service ({counted['bare']:,} for making, answering and dropping a request) where the token was "
    "seen before. The clock is held, since valgrind maps no clock of the kernel. `benches/instructions/check.sh` is part of the "
    "tests and fails above the gate.\n")
whole = "{:,.0f}".format
print(table([(case["case"], case["over_bare"], counted["goal"], counted["limit"], whole) for case in counted["cases"]]))
