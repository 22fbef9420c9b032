#!/usr/bin/env python3
"""How large a fleet is for so many users: the sums of docs/sizing.md, to play with.

    benches/sizing.py                                   the two fleets of the page
    benches/sizing.py --users 50e6 --cells 4            another one
    benches/sizing.py --users 1e9 --access-hours 0.25   the same with tokens that live for a quarter of an hour
    benches/sizing.py --write                           writes the tables of the page anew
    benches/sizing.py --check                           says whether they are as the sums are

What a step and a piece cost is in FIGURES below, each with where it is from; what is assumed of users is in ASSUMED. Each is an
option.
"""
import argparse
import math
import pathlib
import sys

# Of one machine of two cores; time is that of one core. Where no run is named, the value is assumed until one has measured it.
FIGURES = {
    "warm_ns": (510, "what the layer adds to a request with one of 100,000 known tokens: *other crates*, by zipf, one thread"),
    "first_sight_us": (160, "ES256: `request` has 56 µs for the token; a question to a store over the network is assumed as 100 µs on the node"),
    "token_bytes": (994, "a warm token of 480 bytes in a node: `load -- memory`, of a million"),
    "revocation_bytes": (105, "a revocation in the view of a node: `load -- memory`, of a million"),
    "line_bytes": (260, "a line of the log as Redis tells it to a node, of a session of a user whose name is a UUID (231 were counted where it has 7 bytes)"),
    "taken_in_us": (5, "taking in a line of the log, on the node: assumed; a start took 1.3 to 3.4 µs a line, `load -- start`"),
    "redis_ops": (11_500, "refreshes per second on one Redis, 64 clients of eight nodes, `appendfsync always`, all on two cores: `load -- growth`"),
    "redis_bytes": (1_686, "a stored session in Redis: `load -- growth`, of ten million"),
    "postgres_ops": (7_000, "refreshes per second on one PostgreSQL, 64 clients of eight nodes, `synchronous_commit=on`, all on two cores: `load -- growth`"),
    "postgres_bytes": (1_911, "a stored session in PostgreSQL, with its indexes: `load -- growth`, of ten million"),
}
ASSUMED = {
    "sessions": (1.5, "live sessions of a user"),
    "active": (0.05, "share of sessions that are in use at the peak"),
    "every": (10.0, "seconds between two requests of a session in use"),
    "sign_ins": (0.2, "sign-ins of a user a day"),
    "ends": (0.1, "sessions of a user that somebody ends, a day"),
    "peak": (3.0, "how far the peak of a day is above its mean"),
    "access_hours": (2.0, "hours that an access token lives"),
    "busy": (0.5, "share of a core, and of a store, that may be used"),
    "node_cores": (4, "cores of a node"),
    "node_gib": (8.0, "memory of a node that may be used for this"),
    "store_gib": (48.0, "memory or disk cache of a store that may be used for this"),
    "visited": (3.0, "nodes that requests of one token reach, among those of its cell"),
    "app_us": (500.0, "what the application itself does for a request, on one core"),
}
PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "sizing.md"
GIB = 1024**3


def fleet(users, cells, given):
    """What each of the cells needs, and all together."""
    of = {name: value for name, (value, _) in {**FIGURES, **ASSUMED}.items()} | given
    life = of["access_hours"] * 3600
    known_for = life + 5 + 4 * 2
    here = users / cells
    out = {"users of a cell": here}
    sessions = out["live sessions"] = here * of["sessions"]
    in_use = out["sessions in use at the peak"] = sessions * of["active"]
    requests = out["requests/s"] = in_use / of["every"]
    refreshes = out["refreshes/s"] = in_use / life
    sign_ins = out["sign-ins/s"] = here * of["sign_ins"] / 86400 * of["peak"]
    ends = out["revocations/s"] = here * of["ends"] / 86400 * of["peak"]
    sights = out["first sights/s"] = (refreshes + sign_ins) * min(of["visited"], requests * life / max(in_use, 1))
    out["live revocations"] = ends * known_for
    busy = (
        requests * (of["app_us"] * 1e-6 + of["warm_ns"] * 1e-9) + sights * of["first_sight_us"] * 1e-6
    )
    view = out["live revocations"] * of["revocation_bytes"]
    by_cores = busy / of["busy"] / of["node_cores"]
    # Each node keeps the whole view of its cell, and its part of the tokens.
    room = of["node_gib"] * GIB - view
    tokens = in_use * of["visited"] * of["token_bytes"]
    by_memory = tokens / room if room > 0 else math.inf
    nodes = out["nodes"] = max(2, ceil(max(by_cores, by_memory)))
    out["of a core for this layer, each node"] = (
        requests / nodes * of["warm_ns"] * 1e-9
        + sights / nodes * of["first_sight_us"] * 1e-6
        + ends * of["taken_in_us"] * 1e-6
    )
    out["MiB of tokens in each node"] = tokens / nodes / 2**20
    out["MiB of view in each node"] = view / 2**20
    out["MiB/s of log, to all nodes"] = ends * of["line_bytes"] * nodes / 2**20
    steps = out["steps of the store/s"] = refreshes + 2 * sign_ins + ends + sights
    for store in ("redis", "postgres"):
        name = {"redis": "Redis", "postgres": "PostgreSQL"}[store]
        size = out[f"GiB in {name}"] = sessions * of[f"{store}_bytes"] / GIB
        out[f"of what {name} can do"] = steps / of[f"{store}_ops"]
        fits = steps <= of[f"{store}_ops"] * of["busy"] and size <= of["store_gib"]
        out[f"one {name} will do"] = "yes" if fits else "no"
        least = max(steps / of[f"{store}_ops"] / of["busy"], size / of["store_gib"])
        out[f"cells for {name}, at least"] = cells * least
    return out


def ceil(value):
    return value if math.isinf(value) else math.ceil(value)


def said(value):
    if isinstance(value, str):
        return value
    if math.isinf(value):
        return "no node is large enough"
    if value >= 1e9:
        return f"{value / 1e9:,.2f} bn"
    if value >= 1e6:
        return f"{value / 1e6:,.1f} M"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if value >= 0.005 else f"{value:.4f}"


def table(columns):
    heads = [head for head, _ in columns]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for name in columns[0][1]:
        lines.append(f"| {name} | " + " | ".join(said(column[name]) for _, column in columns) + " |")
    return "\n".join(lines)


def figures():
    lines = ["| figure | value | from |", "|---|---:|---|"]
    lines += [f"| `{name}` | {value:,} | {source} |" for name, (value, source) in FIGURES.items()]
    lines += ["", "| assumed | value | |", "|---|---:|---|"]
    lines += [f"| `{name}` | {value:,} | {meaning} |" for name, (value, meaning) in ASSUMED.items()]
    return "\n".join(lines)


def columns(given):
    return [
        ("10 million users, one cell", fleet(10e6, 1, given)),
        ("1 billion users, one cell", fleet(1e9, 1, given)),
        ("1 billion users, each of 64 cells", fleet(1e9, 64, given)),
    ]


def page():
    return {"figures": figures(), "fleets": table(columns({}))}


def put(text, name, part):
    begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    if not after:
        sys.exit(f"{PAGE.name} has no place for the {name}")
    return before + begin + part + end + after


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--users", type=float)
    options.add_argument("--cells", type=int, default=1)
    options.add_argument("--write", action="store_true")
    options.add_argument("--check", action="store_true")
    for name, (value, meaning) in {**ASSUMED, **FIGURES}.items():
        options.add_argument("--" + name.replace("_", "-"), type=float, help=f"{meaning} ({value})")
    wanted = options.parse_args()
    if wanted.cells < 1 or (wanted.users is not None and wanted.users <= 0):
        sys.exit("there is at least one user, and one cell")
    given = {name: getattr(wanted, name) for name in {**ASSUMED, **FIGURES}}
    given = {name: value for name, value in given.items() if value is not None}
    if any(value <= 0 for value in given.values()):
        sys.exit("every number is above zero")
    if wanted.write or wanted.check:
        text = PAGE.read_text()
        made = text
        for name, part in page().items():
            made = put(made, name, part)
        if wanted.write:
            PAGE.write_text(made)
        elif made != text:
            sys.exit(f"{PAGE.name} is not what the sums say: benches/sizing.py --write")
    elif wanted.users:
        head = f"{said(wanted.users)} users" + (f", each of {wanted.cells} cells" if wanted.cells > 1 else "")
        print(table([(head, fleet(wanted.users, wanted.cells, given))]))
    else:
        print(table(columns(given)))


if __name__ == "__main__":
    main()
