"""The part on peers: what a layer adds to the bare service."""

import os
import sys

import note
import plot
from goals import table

ALGORITHMS = ["HS256", "RS256", "ES256", "EdDSA"]
NAMES = {
    "raw_aws": "jsonwebtoken 11, aws_lc_rs, by hand",
    "raw_rust": "jsonwebtoken 11, rust_crypto, by hand",
    "jwt_authorizer": "jwt-authorizer 0.15",
    "axum_jwt_auth": "axum-jwt-auth 0.7",
    "tower_oauth2": "tower-oauth2-resource-server 0.12",
}
SESSIONS = {
    ("tower_sessions", "memory"): "tower-sessions 0.14, memory",
    ("tower_sessions", "moka"): "tower-sessions 0.14, moka",
    ("tower_sessions", "Redis"): "tower-sessions 0.14, Redis",
    ("axum_login", "memory"): "axum-login 0.18, memory",
    ("axum_session", "memory"): "axum_session 0.22, memory",
}

path = sys.argv[1]
result = note.read(path)
missing = sys.argv[2:] + result["skipped"]
folder = os.path.dirname(path)
rows = {(row["program"], row["case"]): row for row in result["cases"]}


def over(program, case):
    row = rows.get((program, case))
    return row and row["over_bare"]


def cell(summary):
    if summary is None:
        return "–"
    return f"{summary['median']:,.0f} ({summary['low']:,.0f}–{summary['high']:,.0f})"


def times(summary):
    return "–" if summary is None else f"{summary['median']:,.1f}"


print("## Beside other crates\n")
print(note.line(result))
print(
    f"Nanoseconds that a layer adds to the bare service: medians of same-round differences over {result['rounds']} rounds, in "
    "which all cases come in a shuffled order, with the interval in which the median lies 19 times out of 20. Each program has the "
    "bare service in it, and one peer alone, so that no feature or provider of one reaches another. Same tokens; everybody "
    "checks signature, `exp`, `nbf`, `iss` and `aud`, but for tower-oauth2-resource-server, which would require the `nbf` that the tokens do not have. Processor time of the thread, after a quarter as many requests that are not timed, but where a server is asked: there it is the "
    "wall. `benches/peers/run.sh` makes it anew.\n")
if missing:
    print("**Left out of this run:** " + ", ".join(missing) + ".\n")

print("| checks of tokens | " + " | ".join(ALGORITHMS) + " |\n|---|---|---|---|---|")
print("| **ours, seen before** | " + " | ".join(cell(over("ours", f"warm {a}")) for a in ALGORITHMS) + " |")
print("| ours, first seen | " + " | ".join(cell(over("ours", f"cold {a}")) for a in ALGORITHMS) + " |")
print("| floor of that: one check, one parse | " + " | ".join(cell(over("ours", f"floor {a}")) for a in ALGORITHMS) + " |")
for program, name in NAMES.items():
    if any(key[0] == program for key in rows):
        print(f"| {name} | " + " | ".join(cell(over(program, a)) for a in ALGORITHMS) + " |")

print("\nNone of the other crates in that table refuses a token that was revoked. Those that can ask a store each time:\n")
print("| sessions that can be ended | ns over bare | times ours, seen before |\n|---|---|---|")
warm = over("ours", "warm HS256")
print(f"| **ours, seen before** (HS256) | {cell(warm)} | 1 |")
for case in ("Confirm::Always, Redis", "first sight, Redis"):
    row = rows.get(("ours", case))
    if row:
        print(f"| ours, {case} | {cell(row['over_bare'])} | {times(row['times_ours_warm'])} |")
for (program, case), name in SESSIONS.items():
    row = rows.get((program, case))
    if row:
        print(f"| {name} | {cell(row['over_bare'])} | {times(row['times_ours_warm'])} |")

print("\n| ours, seen before, HS256 | ns over bare |\n|---|---|")
for case in ("warm HS256, 10000 revoked", "warm HS256, 10000000 revoked", "warm HS256, zipf, 1 threads", "warm HS256, zipf, 2 threads"):
    name = {"10000 revoked": "10,000 revocations in the view", "10000000 revoked": "10 million revocations in the view",
            "zipf, 1 threads": "100,000 tokens by zipf(1.0), one thread", "zipf, 2 threads": "the same on two threads"}[case[len("warm HS256, "):]]
    print(f"| {name} | {cell(over('ours', case))} |")

goals = []
whole = "{:,.0f} ns".format
for case, goal, gate in (("warm HS256", 120, 150), ("warm RS256", 130, 165), ("warm HS256, zipf, 1 threads", 260, 320),
                         ("warm HS256, zipf, 2 threads", 300, 420)):
    if over("ours", case):
        goals.append((case.replace("warm", "seen before,").replace(",,", ","), over("ours", case)["median"], goal, gate, whole))
ratio = "{:.2f}".format
for algorithm in ALGORITHMS[1:]:
    row = rows.get(("ours", f"cold {algorithm}"))
    if row and row["times_floor"]:
        goals.append((f"first seen over its floor, {algorithm}", row["times_floor"]["median"], 1.05, 1.15, ratio))
print("\n### Against what was to be reached\n")
print(table(goals))

more = []
factor = "{:,.1f} times".format
for algorithm, goal, gate in (("HS256", 24, 15), ("RS256", 180, 130), ("ES256", 530, 350), ("EdDSA", 320, 220)):
    peers = [rows[(program, algorithm)]["times_ours_warm"]["median"] for program in NAMES if (program, algorithm) in rows]
    if peers:
        more.append((f"faster than the fastest check of tokens, {algorithm}", min(peers), goal, gate, factor))
local = [rows[key]["times_ours_warm"]["median"] for key in SESSIONS if key in rows]
if local:
    more.append(("faster than the fastest sessions that can be ended", min(local), 8, 6, factor))
print()
print(table(more, more_is_better=True))

bars = [("ours, seen before", warm["median"], True)]
bars += [(name, over(program, "HS256")["median"], False) for program, name in NAMES.items() if over(program, "HS256")]
bars += [(name, over(*key)["median"], False) for key, name in SESSIONS.items() if over(*key)]
bars.sort(key=lambda bar: bar[1])
plot.bars(os.path.join(folder, "peers-hs256.svg"), "What a request costs over the bare service, HS256 (logarithmic)", bars, "ns", True)
if over("ours", "warm ES256"):
    bars = [("ours, seen before", over("ours", "warm ES256")["median"], True), ("ours, first seen", over("ours", "cold ES256")["median"], True)]
    bars += [(name, over(program, "ES256")["median"], False) for program, name in NAMES.items() if over(program, "ES256")]
    bars.sort(key=lambda bar: bar[1])
    plot.bars(os.path.join(folder, "peers-es256.svg"), "The same, ES256 (logarithmic)", bars, "ns", True)
    print("\n![what a request costs, HS256](peers-hs256.svg)\n\n![what a request costs, ES256](peers-es256.svg)")
