"""The part on what this crate is made of, and what it might have been made of."""

import sys

import note

WHAT = {
    "hash": ("Hash of a token of 462 bytes", "Taken: foldhash of the last 32 bytes, which are of the signature."),
    "clock": ("Clocks of a request", "Taken: the coarse pair; it is behind by a tick of the kernel at most."),
    "tokens": ("Finding one of 100,000 tokens by zipf(1.0), all bytes hashed by foldhash but where said",
               "Taken: quick_cache. The maps without a bound cannot be taken, since what strangers send must not grow memory."),
    "revocations": ("Asking a million revocations for one that is not there", "Taken: a table of hashbrown behind each of 256 locks; it is purged one table at a time, and gives memory back."),
    "names": ("Hash of a session's id, under which its end is filed", "Taken: foldhash's fast kind, with a seed of the process."),
    "answers": ("One look for what the store said of one of 100,000 sessions, by zipf(1.0); a check makes two, for a yes and for a no",
                "Taken: moka with foldhash: it lets go by time as well as by room, and is asked about tokens alone that are not warm."),
    "allocator": ("Allocator: all of a request whose token was seen before, bare service included, HS256",
                  "A library takes none: it is the application's to choose. Here is what it would bring."),
}

TAKEN = {
    "hash": "foldhash, the last 32 bytes",
    "clock": "coarse wall and coarse monotonic",
    "tokens": "quick_cache (bounded)",
    "revocations": "256 locks over tables of hashbrown",
    "names": "foldhash, the fast kind",
    "answers": "moka with foldhash",
    "allocator": "system",
}


def standing(key, of):
    """How what was taken stands among the others, by the figures."""
    taken = next((row["ns"] for row in of if row["which"] == TAKEN[key]), None)
    others = [row for row in of if row["which"] != TAKEN[key]]
    if taken is None or not others:
        return ""
    best = others[0]
    if key == "allocator":
        return f" With {best['which']} it takes {best['ns'] / taken:.2f} times as long as with the system's."
    if taken <= best["ns"]:
        return f" It is the quickest: the next takes {best['ns'] / taken:.2f} times as long."
    return f" It takes {taken / best['ns']:.2f} times as long as the quickest, {best['which']}."


result = note.read(sys.argv[1])
rows = result["rows"]
print("## Parts that could have been others\n")
print(note.line(result))
print(
    "Nanoseconds of processor time, medians of shuffled rounds on one thread. A round is 20,000 calls, but for the allocators: each is a program "
    "of its own there, which is run five times and tells the quickest of 200 batches of 10,000 requests. `benches/peers/choices.sh` makes them anew.\n")
for key, (title, why) in WHAT.items():
    of = sorted((row for row in rows if row["for"] == key), key=lambda row: row["ns"])
    if of:
        print(f"**{title}.** {why}{standing(key, of)}\n\n| | ns |\n|---|---|")
        for row in of:
            print(f"| {row['which']} | {row['ns']:,.1f} |")
        print()
