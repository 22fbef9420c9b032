#!/usr/bin/env python3
"""Servers over real sockets, in turn: requests a second, latencies, and the processor time of the server for a request.

Usage: sockets.py BUILT RESULT STARTS ROUNDS SECONDS   (called by sockets.sh, which builds and installs what is needed)
       sockets.py notes RESULT                         (what the report says besides on the peers that were there)

The server has one processor for itself, the load the other one. Each round goes through all of them in a shuffled order.
What is measured differs from start to start of one program, and stays for all rounds of a start: so there are many starts,
and how sure a figure is comes from how they differ.
"""

import contextlib
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile

BARE, BARE_07, OURS = "bare axum", "bare axum 0.7", "ours, seen before"
AUTHORIZER, OAUTH2 = "jwt-authorizer (axum 0.7)", "tower-oauth2-resource-server (RS256)"
# Name, program, mode, and the bare server that it is compared with.
CASES = [
    (BARE, "sockets_ours", "bare", BARE),
    ("axum with a layer that does nothing", "sockets_ours", "layered", BARE),
    (OURS, "sockets_ours", "ours", BARE),
    ("jsonwebtoken by hand (aws_lc_rs)", "sockets_ours", "raw", BARE),
    ("axum-jwt-auth", "sockets_axum_jwt_auth", "", BARE),
    (OAUTH2, "sockets_tower_oauth2", "keys", BARE),
    ("tower-sessions (memory)", "sockets_sessions", "", BARE),
    ("axum-login (memory)", "sockets_axum_login", "", BARE),
    ("axum_session (memory)", "sockets_axum_session", "", BARE),
    (BARE_07, "sockets_authorizer", "bare", BARE_07),
    (AUTHORIZER, "sockets_authorizer", "guarded", BARE_07),
]
BARE_OF = {name: bare for name, _, _, bare in CASES}
# Modes in which nobody is told 401: some let in everybody, and what is called by hand hangs up.
OPEN = {"bare", "layered", "raw"}
NOTES = {
    AUTHORIZER: "jwt-authorizer is for axum 0.7 and is compared with bare axum 0.7; all others are of axum 0.8 and are compared with that.",
    OAUTH2: "tower-oauth2-resource-server takes no secrets: its tokens are of RS256, which is the quickest for it, those of all others of "
            "HS256. It checks no `nbf`: where it does, it requires one, which the tokens do not have.",
}
CONNECTIONS = 32
RESAMPLES = 4_000
SAMPLE = ["requests_per_second", "cpu_us", "p50_us", "p99_us"]


def start(built, program, mode):
    path = os.path.join(built, program)
    if not os.path.exists(path):
        return None
    arguments = public_keys(built) if mode == "keys" else [mode]
    process = subprocess.Popen(["taskset", "-c", "0", path, *arguments], stdout=subprocess.PIPE, text=True)
    port = process.stdout.readline().strip()
    header = process.stdout.readline().strip()
    if not port:
        process.wait()
        return None
    return {"process": process, "port": port, "header": header, "mode": mode}


def public_keys(built):
    """A set of keys, and the header with a token of theirs."""
    return subprocess.run([os.path.join(built, "sockets_ours"), "keys"], capture_output=True, text=True, check=True).stdout.splitlines()


def status(port, headers):
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
    try:
        connection.request("GET", "/", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def check(name, server):
    """What lets in everybody, or nobody, is not measured."""
    answered = status(server["port"], dict([server["header"].split(": ", 1)]))
    if answered != 200:
        raise RuntimeError(f"{name}: a good request is answered with {answered}")
    if server["mode"] not in OPEN:
        answered = status(server["port"], {})
        if answered != 401:
            raise RuntimeError(f"{name}: a request of nobody is answered with {answered}")


def processor_time(pid):
    """Nanoseconds that the threads of a process have run."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as text:
            total += int(text.read().split()[0])
    return total


def seconds(text):
    found = re.fullmatch(r"([0-9.]+)(us|ms|s)", text)
    if found is None:
        raise RuntimeError(f"no time: {text}")
    number, unit = found.groups()
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[unit]


def http1(port, header, duration):
    said = subprocess.run(
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{duration}s", "--latency",
         # A machine that stands still for a while shows in the figures; it does not end the run.
         "--timeout", "30s", "-H", header, f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    requests, took = re.search(r"(\d+) requests in ([0-9.]+)s", said).groups()
    p50 = seconds(re.search(r"^ +50%\s+(\S+)", said, re.M).group(1))
    p99 = seconds(re.search(r"^ +99%\s+(\S+)", said, re.M).group(1))
    return int(requests), float(took), p50, p99


def http2(port, header, duration):
    with tempfile.NamedTemporaryFile("r") as log:
        said = subprocess.run(
            ["taskset", "-c", "1", "h2load", "-t1", "-c4", "-m8", f"-D{duration}", "-H", header,
             f"--log-file={log.name}", f"http://127.0.0.1:{port}/"],
            capture_output=True, text=True, check=True).stdout
        counted = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", said).groups()
        if any(int(number) for number in counted[1:]):
            raise RuntimeError(said)
        took = sorted(int(line.split("\t")[2]) * 1e-6 for line in log)
    finished = float(re.search(r"finished in ([0-9.]+)s", said).group(1))
    return int(counted[0]), finished, took[len(took) // 2], took[len(took) * 99 // 100]


def warm_up(server):
    """What a server does for the first time is not what is measured."""
    for protocol in (["--h1", f"-c{CONNECTIONS}"], ["-c4", "-m8"]):
        subprocess.run(
            ["taskset", "-c", "1", "h2load", "-t1", *protocol, "-D300ms", "-H", server["header"], f"http://127.0.0.1:{server['port']}/"],
            stdout=subprocess.DEVNULL, check=True)


def interval(starts):
    """The median of the medians of starts, and where it lies nineteen times out of twenty."""
    medians = [statistics.median(rounds) for rounds in starts]
    chance = random.Random(1)
    again = sorted(statistics.median(chance.choices(medians, k=len(medians))) for _ in range(RESAMPLES))
    return {"median": statistics.median(medians), "low": again[RESAMPLES // 40], "high": again[-1 - RESAMPLES // 40]}


def notes(result):
    rows = {row["case"] for row in json.load(open(result))["rows"]}
    for name, note in NOTES.items():
        if name in rows:
            print(f"\n{note}")


def main():
    if sys.argv[1] == "notes":
        return notes(sys.argv[2])
    built, result = sys.argv[1:3]
    starts, rounds, duration = map(int, sys.argv[3:6])
    if not os.path.exists(os.path.join(built, "sockets_ours")):
        sys.exit("sockets_ours is not built: there is nothing to compare with")
    samples, skipped = {}, []
    for number in range(starts):
        with started(built, skipped) as servers:
            for server in servers.values():
                warm_up(server)
            for key, of in measured(servers, rounds, duration).items():
                samples.setdefault(key, []).append(of)
        print(f"start {number + 1} of {starts}", file=sys.stderr)
    with open(result, "w") as out:
        json.dump({"starts": starts, "rounds": rounds, "seconds": duration, "connections": CONNECTIONS, "skipped": skipped,
                   "sample": SAMPLE, "rows": rows(samples, skipped)}, out)


@contextlib.contextmanager
def started(built, skipped):
    """All servers, started anew; one that does not start is left out from then on."""
    servers = {}
    try:
        for name, program, mode, bare in CASES:
            if name in skipped:
                continue
            server = None if bare in skipped else start(built, program, mode)
            if server is None:
                skipped.append(name)
                print(f"SKIPPED: {name}", file=sys.stderr)
            else:
                servers[name] = server
        # A token of ours is known where ours runs, so that is what the peers with its secret are sent as well.
        for server in servers.values():
            server["header"] = server["header"] or servers[OURS]["header"]
        for name, server in servers.items():
            check(name, server)
        yield servers
    finally:
        for server in servers.values():
            server["process"].kill()
            server["process"].wait()


def measured(servers, rounds, duration):
    """Of each protocol and server a sample for each round."""
    samples = {}
    for _ in range(rounds):
        for protocol, load in (("HTTP/1.1", http1), ("HTTP/2", http2)):
            names = list(servers)
            random.shuffle(names)
            for name in names:
                server = servers[name]
                pid = server["process"].pid
                begun = processor_time(pid)
                try:
                    requests, took, p50, p99 = load(server["port"], server["header"], duration)
                except RuntimeError as error:
                    raise RuntimeError(f"{name}, {protocol}") from error
                used = processor_time(pid) - begun
                sample = requests / took, used / requests / 1000, p50 * 1e6, p99 * 1e6
                samples.setdefault((protocol, name), []).append([float(f"{value:.3e}") for value in sample])
    return samples


def rows(samples, skipped):
    """What came of the samples, which stand beside it: a list for each start, with a sample for each round."""
    rows = []
    for (protocol, name), starts in sorted(samples.items(), key=lambda sample: list(BARE_OF).index(sample[0][1])):
        if name in skipped:
            continue
        bare = samples[(protocol, BARE_OF[name])]

        def of(which):
            return [[sample[which] for sample in rounds] for rounds in starts]

        def of_bare(which):
            return [[one[which] / base[which] for one, base in zip(*rounds)] for rounds in zip(starts, bare)]

        rate, cpu, p50, p99 = range(len(SAMPLE))
        rows.append({
            "protocol": protocol,
            "case": name,
            "bare": BARE_OF[name],
            "requests_per_second": interval(of(rate)),
            "rate_of_bare": interval(of_bare(rate)),
            "cpu_us": interval(of(cpu)),
            "cpu_of_bare": interval(of_bare(cpu)),
            "p50_us": interval(of(p50))["median"],
            "p99_us": interval(of(p99))["median"],
            "samples": starts,
        })
    return rows


main()
