"""The part on servers over real sockets."""

import os
import sys

import note
import plot
from goals import spanned, table

path = sys.argv[1]
result = note.read(path)
print("## Over real sockets\n")
print(note.line(result))
print(
    f"Servers of axum on one processor, the load on the other: wrk with {result['connections']} connections for HTTP/1.1, h2load with 4 "
    f"connections of 8 streams for HTTP/2. All are started {result['starts']} times, since servers of one program differ from start to start, by "
    f"where they lie in memory; after a warm-up, {result['rounds']} shuffled rounds of {result['seconds']} s each time. Medians of the medians of the "
    "starts, ratios being of the same round, with the interval in which they lie 19 times out of 20 (bootstrap over the starts). Processor time is that of the server's threads, kernel included. `benches/peers/sockets.sh` makes it anew.\n")
if result["skipped"]:
    print("**Left out of this run:** " + ", ".join(result["skipped"]) + ".\n")
number = "{:.3f}".format
for protocol in ("HTTP/1.1", "HTTP/2"):
    print(f"| {protocol} | requests/s | of bare | µs of processor | times bare | p50 µs | p99 µs |\n|---|---|---|---|---|---|---|")
    for row in (row for row in result["rows"] if row["protocol"] == protocol):
        print(
            f"| {row['case']} | {row['requests_per_second']['median']:,.0f} | {spanned(row['rate_of_bare'], number)} "
            f"| {row['cpu_us']['median']:.2f} | {spanned(row['cpu_of_bare'], number)} | {row['p50_us']:.0f} | {row['p99_us']:.0f} |")
    print()
ours = {row["protocol"]: row for row in result["rows"] if row["case"].startswith("ours")}
print(table([(f"processor time of bare, {of}", row["cpu_of_bare"], 1.03, 1.08, number) for of, row in ours.items()]))
print()
print(table([(f"requests/s of bare, {of}", row["rate_of_bare"], 0.98, 0.93, number) for of, row in ours.items()], True))
bars = [(row["case"], row["requests_per_second"]["median"], row["case"].startswith("ours")) for row in result["rows"] if row["protocol"] == "HTTP/1.1"]
bars.sort(key=lambda bar: -bar[1])
plot.bars(os.path.join(os.path.dirname(path), "sockets.svg"), "Requests a second over HTTP/1.1, one processor", bars, "/s")
print("\n![requests a second](sockets.svg)")
