#!/usr/bin/env python3
"""Reads by id over HTTP/1.1 and HTTP/2, all on, in turn: `hygie demo` in a throw-away folder, asked by h2load.

    HYGIE=build/release/hygie bench/records/http2.py [--rounds 3] [--requests 40000] [--dir /var/tmp]

h2load is in Debian's nghttp2-client. It shares the machine, and costs less of it over HTTP/2: compare the columns, not with
`hygie vault bench`. Prints the median of the rounds, and the last of them in full with --verbose."""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WAYS = {
    "HTTP/1.1, 64 connections": ("--h1", "-c", "64"),
    "HTTP/2, 64 connections": ("-c", "64", "-m", "1"),
    "HTTP/2, 8 connections, 8 requests at a time": ("-c", "8", "-m", "8"),
    "HTTP/2, 2 connections, 32 requests at a time": ("-c", "2", "-m", "32"),
}


def ask(options, way, token, addresses):
    done = subprocess.run(["h2load", "-n", str(options.requests), "-t", "1", "-i", addresses,
                           "-H", "Authorization: Bearer " + token, *way], capture_output=True, text=True, check=True)
    if options.verbose:
        print(done.stdout)
    succeeded = int(re.search(r"status codes: (\d+) 2xx", done.stdout).group(1))
    if succeeded != options.requests:
        sys.exit(f"{options.requests - succeeded} requests were not answered with 200")
    return float(re.search(r"([\d.]+) req/s", done.stdout).group(1))


def measure(options, home):
    process = subprocess.Popen([os.environ.get("HYGIE", "build/release/hygie"), "demo", "--json", "--state", home / "demo"],
                               stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(process.stdout.readline())
        token = next(a["token"] for a in ready["accounts"] if a["role"] == "program")
        addresses = home / "addresses"
        addresses.write_text("".join(f"{ready['url']}/fhir/Patient/{patient}\n" for patient in ready["patients"]))
        rates = {name: [] for name in WAYS}
        for _ in range(options.rounds):
            for name, way in WAYS.items():
                rates[name].append(ask(options, way, token, addresses))
        return rates
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=40_000)
    parser.add_argument("--dir", default=None, help="the disk to measure")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if not shutil.which("h2load"):
        sys.exit("h2load is missing: apt-get install nghttp2-client")
    with tempfile.TemporaryDirectory(dir=options.dir) as home:
        rates = measure(options, Path(home))
    for name, each in rates.items():
        print(f"{name:46} {statistics.median(each):10,.0f} req/s   ({min(each):,.0f} to {max(each):,.0f})")


if __name__ == "__main__":
    main()
