#!/usr/bin/env python3
"""Servers over real sockets, in turn: requests a second, latencies, and the processor time of the server for a request.

Usage: sockets.py BUILT RESULT ROUNDS SECONDS   (called by sockets.sh, which builds and installs what is needed)

The server has one processor for itself, the load the other one. Each round goes through all of them in a shuffled order.
"""

import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile

CASES = [
    ("bare axum", "sockets_ours", "bare"),
    ("axum with a layer that does nothing", "sockets_ours", "layered"),
    ("ours, seen before", "sockets_ours", "ours"),
    ("jsonwebtoken by hand (aws_lc_rs)", "sockets_ours", "raw"),
    ("jwt-authorizer", "sockets_authorizer", ""),
    ("tower-sessions, memory", "sockets_sessions", ""),
]
CONNECTIONS = 32


def start(built, program, mode):
    path = os.path.join(built, program)
    if not os.path.exists(path):
        return None
    process = subprocess.Popen(["taskset", "-c", "0", path, mode], stdout=subprocess.PIPE, text=True)
    port = process.stdout.readline().strip()
    header = process.stdout.readline().strip()
    if not port:
        process.wait()
        return None
    return {"process": process, "port": port, "header": header}


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
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{duration}s", "--latency", "-H", header,
         f"http://127.0.0.1:{port}/"],
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


def interval(samples):
    samples = sorted(samples)
    n = len(samples)
    spread = int(1.96 * n**0.5 / 2 + 1)
    middle = n // 2
    return {
        "median": statistics.median(samples),
        "low": samples[max(0, middle - spread)],
        "high": samples[min(n - 1, middle + spread)],
    }


def main():
    built, result, rounds, duration = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    servers, skipped = {}, []
    for name, program, mode in CASES:
        server = start(built, program, mode)
        if server is None:
            skipped.append(name)
            print(f"SKIPPED: {name}", file=sys.stderr)
        else:
            servers[name] = server
    try:
        rows = measured(servers, rounds, duration)
    finally:
        for server in servers.values():
            server["process"].kill()
            server["process"].wait()
    with open(result, "w") as out:
        json.dump({"rounds": rounds, "seconds": duration, "connections": CONNECTIONS, "skipped": skipped, "rows": rows}, out, indent=1)


def measured(servers, rounds, duration):
    token = servers["ours, seen before"]["header"]
    samples = {}
    for number in range(rounds):
        for protocol, load in (("HTTP/1.1", http1), ("HTTP/2", http2)):
            names = list(servers)
            random.shuffle(names)
            for name in names:
                server = servers[name]
                pid = server["process"].pid
                begun = processor_time(pid)
                requests, took, p50, p99 = load(server["port"], server["header"] or token, duration)
                used = processor_time(pid) - begun
                samples.setdefault((protocol, name), []).append(
                    {"rate": requests / took, "cpu": used / requests / 1000, "p50": p50, "p99": p99})
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    rows = []
    for (protocol, name), of in samples.items():
        bare = samples[(protocol, "bare axum")]
        rows.append({
            "protocol": protocol,
            "case": name,
            "requests_per_second": interval([one["rate"] for one in of]),
            "rate_of_bare": interval([one["rate"] / base["rate"] for one, base in zip(of, bare)]),
            "cpu_us": interval([one["cpu"] for one in of]),
            "cpu_of_bare": interval([one["cpu"] / base["cpu"] for one, base in zip(of, bare)]),
            "p50_us": statistics.median(one["p50"] for one in of) * 1e6,
            "p99_us": statistics.median(one["p99"] for one in of) * 1e6,
        })
    return rows


main()
