"""The part on what this crate is made of, and what it might have been made of."""

import json
import sys

WHAT = {
    "hash": ("Hash of a token of 462 bytes", "Taken: foldhash of the last 32 bytes, which are of the signature."),
    "clock": ("Clocks of a request", "Taken: the coarse pair; it is behind by a tick of the kernel at most."),
    "tokens": ("Finding one of 100,000 tokens by zipf(1.0), all bytes hashed by foldhash but where said",
               "Taken: quick_cache. The maps without a bound cannot be taken, since what strangers send must not grow memory."),
    "revocations": ("Asking a million revocations for one that is not there", "Taken: a table of hashbrown behind each of 256 locks; it holds entries of 72 bytes."),
    "allocator": ("Allocator: all of a request whose token was seen before, bare service included, HS256",
                  "A library takes none: it is the application's to choose. Here is what it would bring."),
}

rows = [json.loads(line) for line in open(sys.argv[1]) if line.strip()]
print("## Parts that could have been others\n")
print("Nanoseconds, medians of shuffled rounds on one thread; `benches/peers/choices.sh` makes them anew.\n")
for key, (title, why) in WHAT.items():
    of = sorted((row for row in rows if row["for"] == key), key=lambda row: row["ns"])
    if of:
        print(f"**{title}.** {why}\n\n| | ns |\n|---|---|")
        for row in of:
            print(f"| {row['which']} | {row['ns']:,.1f} |")
        print()
