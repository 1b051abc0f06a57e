#!/usr/bin/env python3
"""Measures parts of the guard of files: the gate's answer, restoring beside restic, reading its index back.

    HYGIE=path measure.py [--fs xfs|btrfs|ext4] [--part PART] [--files N] [--megabytes N] [--unmarked] [--index N] [--json]

Gate: opening and reading files of 64 KiB, without the guard, with it for the first time, and for the fifth, a moment later.
Restore: N files, so many megabytes in all, marked by the guard, overwritten, brought back by one command; restic beside it.
Index: how long a guard takes to be ready again over N files that it knows.
Needs root. Nothing outside a throw-away folder is touched.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench

OPENED = 2000
OPENED_BYTES = 64 << 10
MOMENT = 3

# In a process of its own: the guard knows its own children and lets them be.
READER = """
import json, sys, time
opened, read = [], []
for path in sys.argv[1:]:
    start = time.perf_counter()
    file = open(path, "rb", buffering=0)
    middle = time.perf_counter()
    file.read()
    read.append(time.perf_counter() - middle)
    opened.append(middle - start)
    file.close()
print(json.dumps([opened, read]))
"""


def make(top, files, size, seed=1):
    r = random.Random(seed)
    for i in range(files):
        folder = top / f"NOM_{i % 100:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"document {i:06d}.bin").write_bytes(b"dossier %d\n" % i + r.randbytes(max(0, size - 16)))
    os.sync()


def every(top):
    return sorted(str(path) for path in top.rglob("*.bin"))


def read_all(paths):
    told = subprocess.run([sys.executable, "-c", READER, *paths], capture_output=True, text=True, check=True)
    opened, read = json.loads(told.stdout)
    return statistics.median(opened) * 1e6, statistics.median(read) * 1e6


def gate(kind, work):
    with bench.image(kind, work) as mount:
        make(mount / "share", OPENED, OPENED_BYTES)
        paths = every(mount / "share")
        read_all(paths)
        off = read_all(paths)
        guard = bench.Guard(mount)
        try:
            first, _ = read_all(paths), read_all(paths)
            time.sleep(MOMENT)
            *_, later = [read_all(paths) for _ in range(3)]
        finally:
            guard.end()
    return {"open_us_off": off[0], "open_us_hit": first[0], "gate_hit_us": first[0] - off[0], "open_us_later": later[0],
            "open_later_of_unguarded": off[0] / later[0], "read_later_of_unguarded": off[1] / later[1]}


def timed(argv, **more):
    start = time.monotonic()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    return time.monotonic() - start


def digests(paths):
    return {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths}


def wait_for_marks(state, files):
    """The keeper begins a minute after the guard and leaves the disk to others half of the time."""
    for _ in range(300):
        told = subprocess.run([bench.HYGIE, "--json", "files", "status", "--state", state], capture_output=True, check=True)
        if json.loads(told.stdout).get("marked", files) >= files:
            return
        time.sleep(1)
    sys.exit("the kept versions are not marked after five minutes")


def restore(kind, work, files, megabytes, marked):
    size = (megabytes << 20) // files
    # The files, what they are overwritten with, and restic's copy of them.
    with bench.image(kind, work, f"{max(8, 4 * megabytes // 1000)}G") as mount:
        share, repository = mount / "share", work / "repository"
        make(share, files, size)
        paths = every(share)
        before = digests(paths)
        secret = {**os.environ, "RESTIC_REPOSITORY": str(repository), "RESTIC_PASSWORD": "bench"}
        timed(["restic", "init"], env=secret)
        timed(["restic", "backup", share], env=secret)
        guard = bench.Guard(mount, "--judge", "off")
        try:
            if marked:
                wait_for_marks(guard.state, files)
            since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
            time.sleep(2)
            overwrite = "import os, sys\nfor p in sys.argv[1:]: open(p, 'r+b').write(os.urandom(%d))" % size
            subprocess.run([sys.executable, "-c", overwrite, *paths], check=True)
            time.sleep(2)
            ours = timed([bench.HYGIE, "files", "restore", "--state", guard.state, "--since", since, "--yes"])
            wrong = sum(digest != before[path] for path, digest in digests(paths).items())
        finally:
            guard.end()
        theirs = timed(["restic", "restore", "latest", "--target", mount / "restic"], env=secret)
        shutil.rmtree(repository)
    return {"files": files, "megabytes": megabytes, "restore_s": ours, "wrong_after": wrong, "restic_restore_s": theirs,
            "times_restic": theirs / ours}


def index(kind, work, files):
    with bench.image(kind, work, "8G") as mount:
        make(mount / "share", files, 200)
        start = time.monotonic()
        bench.Guard(mount, "--judge", "off").end()
        first = time.monotonic() - start
        start = time.monotonic()
        bench.Guard(mount, "--judge", "off").end()
        again = time.monotonic() - start
    return {"files": files, "first_start_s": first, "next_start_s": again, "next_start_s_per_million": again * 1e6 / files}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fs", choices=[*bench.MAKE], default="xfs")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--index", type=int, default=50_000)
    parser.add_argument("--unmarked", action="store_true", help="restore before the keeper has marked what is kept")
    parser.add_argument("--part", choices=["gate", "restore", "index"], help="this part alone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hygie-measure-", ignore_cleanup_errors=True) as folder:
        result = {}
        for name, part in (("gate", lambda work: gate(options.fs, work)),
                           ("restore", lambda work: restore(options.fs, work, options.files, options.megabytes,
                                                             not options.unmarked)),
                           ("index", lambda work: index(options.fs, work, options.index))):
            if options.part not in (None, name):
                continue
            work = Path(folder) / name
            work.mkdir()
            result[name] = {key: round(value, 2) for key, value in part(work).items()}
    lines = [f"{options.fs}  {part:8} {key:26} {value}" for part, row in result.items() for key, value in row.items()]
    print(json.dumps(result) if options.json else "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
