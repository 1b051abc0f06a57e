#!/usr/bin/env python3
"""Measures the guard of files: the attacks of behaviours.py, intruders.py and vandals.py, the work of workloads.py, chores.py
and errands.py, on loop-mounted images.

    HYGIE=path bench.py [--files N] [--runs N] [--fs xfs|btrfs|ext4|all] [--only NAME]... [--json]
                        [--attacks|--work|--stops]

Attacks: how many files had lost their content when the attacker stood still, how long after its first destructive act,
and how long after the last: an attacker that takes its time between two files lengthens the first figure, not the second.
Work: whether anything was stopped, and the time with the guard over the time without, in turn, after a round that does not
count. Stops: the same work with the guard alone, for who wants to know only that nothing honest is stopped.
Needs root. Nothing outside a throw-away folder is touched.
"""

import argparse
import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
HYGIE = os.environ.get("HYGIE", "hygie")
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"]}
# Nothing is frozen for deletion alone: these are kept and reported, not stopped.
DELETIONS = {"wiped", "replaced_by_a_link"}
STOP_MAX = 60
WORK_MAX = 300  # work that waits for a busy disk is late, and stopped by nobody
HELD_MAX = 1.5  # who waits to be judged stands still for less
# Who began before the guard did (intruders.py, vandals.py).
EARLY = {"descriptors_from_before", "mappings_from_before", "compiled_mappings_from_before"}
STUCK = 0.5  # nothing moves for so many seconds


@contextlib.contextmanager
def image(kind, work, size="3G"):
    path, mount = work / f"{kind}.img", work / kind
    with open(path, "wb") as out:
        out.truncate(int(size[:-1]) << 30)
    subprocess.run(MAKE[kind] + [path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    mount.mkdir()
    subprocess.run(["mount", "-o", "loop", path, mount], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", mount], check=False)
        path.unlink()


class Guard:
    def __init__(self, mount, *options):
        self.state = mount / "state"
        self.process = subprocess.Popen([HYGIE, "--json", "guard", "files", "--protect", mount / "share", "--state", self.state,
                                         *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not self.process.stdout.readline():
            raise RuntimeError("the guard did not start")

    def stopped(self):
        told = subprocess.run([HYGIE, "--json", "files", "stopped", "--state", self.state], capture_output=True, text=True)
        return json.loads(told.stdout or "[]")

    def thaw(self):
        if not self.stopped():
            return
        subprocess.run([HYGIE, "files", "thaw", "--state", self.state, "all"], check=True, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 5
        while self.stopped() and time.monotonic() < until:
            time.sleep(0.1)

    def end(self):
        self.process.terminate()
        self.process.wait(30)


def digest(path):
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).digest()
    except OSError:
        return None


def state_of(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def stands_still(pid, depth=6):
    """It, or what it waits for."""
    if state_of(pid) == "T":
        return True
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if depth else []
    except OSError:
        return False
    return any(stands_still(child, depth - 1) for child in children)


def end_all(mark):
    """What left the family of the attack, by the mark in its environment."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)


# One behaviour runs in a process of its own: it tells each file it is done with, and what was refused.
CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
import behaviours
attack = behaviours.BEHAVIOURS[sys.argv[2]]
os.write(1, b"s")
for path in behaviours.victims(sys.argv[3], sys.argv[2]):
    try:
        attack(path)
        os.write(1, b".")
    except Exception:
        os.write(1, b"x")
os.write(1, b"e")
"""


class Victims:
    """Tells when the first and the last of these files was changed, moved or removed."""

    MODIFY, ATTRIB, CLOSE_WRITE, DELETE_SELF, MOVE_SELF = 0x2, 0x4, 0x8, 0x400, 0x800
    EVENT = struct.Struct("iIII")

    def __init__(self, paths):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        mask = self.MODIFY | self.ATTRIB | self.CLOSE_WRITE | self.DELETE_SELF | self.MOVE_SELF
        for path in paths:
            libc.inotify_add_watch(self.fd, path, mask)
        self.hurt, self.first_at, self.last_at = set(), None, None

    def look(self):
        try:
            told = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return
        now, at = time.monotonic(), 0
        while at < len(told):
            watch, _, _, size = self.EVENT.unpack_from(told, at)
            at += self.EVENT.size + size
            if watch in self.hurt:
                continue
            self.hurt.add(watch)
            self.first_at = self.first_at or now
            self.last_at = now

    def close(self):
        os.close(self.fd)


def where_is(folder, number):
    """A folder that may bear another name by now."""
    for entry in os.scandir(os.path.dirname(folder)):
        if entry.inode() == number:
            return entry.path
    return folder


def pictures(folder):
    paths = [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names]
    return {os.path.relpath(path, folder): digest(path) for path in paths}


def watch(child, victims, guard):
    """When the attacker stood still or was refused, if it did; and whether that is known to the millisecond."""
    refused_at, ended = None, False
    until = time.monotonic() + STOP_MAX
    moved = time.monotonic()
    still_since = None
    while time.monotonic() < until and not ended:
        told = child.stdout.read() or b""
        now = time.monotonic()
        if told:
            moved = now
        victims.look()
        if refused_at is None and b"x" in told:
            refused_at = now
        ended = b"e" in told or child.poll() is not None
        # Who only waits to be judged stands still too, for a moment.
        still_since = (still_since or now) if stands_still(child.pid) else None
        if still_since and guard.stopped():
            return still_since, True
        if refused_at and guard.stopped():
            return refused_at, True
        if now - moved > STUCK:  # it waits for what is nobody's child and was stopped, or works slowly
            if guard.stopped():
                return now, False
            moved = now
        time.sleep(0.001)
    return None, False


def begin(name, command):
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             start_new_session=True, env=os.environ | {"HYGIE_BENCH": f"{os.getpid()}.{name}"})
    return child


def attack(name, command, folder, guard, child=None):
    number = os.stat(folder).st_ino
    before = pictures(folder)
    victims = Victims([os.path.join(folder, file) for file in before])
    mark = f"HYGIE_BENCH={os.getpid()}.{name}"
    if child:  # it was there before the guard
        child.stdin.write(b"go\n")
        child.stdin.flush()
    child = child or begin(name, command)
    os.set_blocking(child.stdout.fileno(), False)
    stopped_at, is_exact = watch(child, victims, guard)
    # One that was refused file after file may have told its end, and stand still.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    child.stdin.close()
    child.stdout.close()
    end_all(mark)
    time.sleep(0.3)
    folder = where_is(folder, number)
    left = set(pictures(folder).values())  # under whatever name
    changed = sum(was not in left for was in before.values())
    stopped = stopped_at is not None or bool(guard.stopped())
    times = [round(1000 * (stopped_at - at)) if is_exact and at else None
             for at in (victims.first_at, victims.last_at)]
    victims.close()
    return {"behaviour": name, "files": len(before), "changed": changed, "stopped": stopped, "stop_ms": times[0],
            "last_ms": times[1]}


def attackers(share, tools, options):
    """Name, command and folder of each, its victims made."""
    sys.path.insert(0, str(HERE))
    import behaviours
    import vandals
    import workloads
    found = []
    behaviours.make(share, options.files)
    for name in behaviours.BEHAVIOURS:
        if not name.endswith("_from_before"):
            found.append((name, [sys.executable, "-c", CHILD, str(HERE), name, str(share)],
                          os.path.join(os.fsencode(share), name.encode())))
    vandals.intruders.build(tools)
    for name in vandals.intruders.names():
        folder = share / name
        workloads.make_share(folder, 60)
        found.append((name, [sys.executable, HERE / "vandals.py", "run", name, folder / "Patients", tools],
                      os.fsencode(folder / "Patients")))
    return [each for each in found if not options.only or each[0] in options.only]


def attacks(kind, work, options):
    rows = []
    with image(kind, work) as mount, tempfile.TemporaryDirectory() as tools:
        (mount / "share").mkdir()
        found = attackers(mount / "share", tools, options)
        early = {name: begin(name, command) for name, command, _ in found if name in EARLY}
        for child in early.values():
            child.stdout.readline()
        guard = Guard(mount)
        try:
            for name, command, folder in found:
                rows.append({"fs": kind, **attack(name, command, folder, guard, early.get(name))})
                guard.thaw()
        finally:
            guard.end()
    return rows


def work_names(options):
    listed = subprocess.run([sys.executable, HERE / "errands.py", "list"], capture_output=True, text=True, check=True)
    names = [line for line in listed.stdout.splitlines() if not line.startswith("-")]
    return [n for n in names if not options.only or n in options.only]


def run_work(name, folder):
    """Its time, and how it went: through, stopped, or late; one that stands still is ended."""
    start, still_since = time.monotonic(), None
    child = subprocess.Popen([sys.executable, HERE / "errands.py", "run", name, folder], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
    while child.poll() is None and time.monotonic() - start < WORK_MAX:
        still_since = (still_since or time.monotonic()) if stands_still(child.pid) else None
        if still_since and time.monotonic() - still_since > HELD_MAX:
            break
        time.sleep(0.005)
    took = time.monotonic() - start
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return took, "stopped" if still_since else "late"
    return took, "through" if child.returncode == 0 else "stopped"


def rounds(options):
    """(side, counted) for each time all works are done. The first of each side does not count: who begins waits for a disk
    that has read nothing yet, restic alone for four seconds more. Then each side begins every other time."""
    if options.stops:
        return [("on", True)] * options.runs
    turns = [("off", "on") if turn % 2 == 0 else ("on", "off") for turn in range(options.runs)]
    return [("off", False), ("on", False)] + [(side, True) for turn in turns for side in turn]


def honest(kind, work, options):
    names = work_names(options)
    times = {name: {"off": [], "on": []} for name in names}
    stops, late = {name: 0 for name in names}, {name: 0 for name in names}
    with image(kind, work) as mount:
        share = mount / "share"
        for side, counted in rounds(options):
            shutil.rmtree(share, ignore_errors=True)
            shutil.rmtree(mount / "state", ignore_errors=True)
            share.mkdir()
            for name in names:
                subprocess.run([sys.executable, HERE / "errands.py", "prepare", name, share / name], check=True)
            guard = Guard(mount) if side == "on" else None
            try:
                for name in names:
                    took, went = run_work(name, share / name)
                    if counted:
                        times[name][side].append(took)
                    stopped = bool(guard and guard.stopped())
                    stops[name] += went == "stopped" or stopped
                    late[name] += went == "late" and not stopped
                    if stopped:
                        guard.thaw()
            finally:
                if guard:
                    guard.end()
    rows = []
    for name in names:
        off, on = (statistics.median(times[name][side] or [0]) for side in ("off", "on"))
        rows.append({"fs": kind, "work": name, "runs": options.runs, "stopped": stops[name], "late": late[name],
                     "off_s": round(off, 3), "on_s": round(on, 3), "ratio": round(on / off, 2) if off else None})
    return rows


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else None


def figures(attack_rows, work_rows):
    judged = [r for r in attack_rows if r["behaviour"] not in DELETIONS]
    changed = [r["changed"] for r in judged if r["stopped"]]
    delays = [r["stop_ms"] for r in judged if r["stop_ms"] is not None]
    last = [r["last_ms"] for r in judged if r["last_ms"] is not None]
    off = sum(r["off_s"] for r in work_rows)
    return {
        "attacks": len(judged), "stopped": sum(r["stopped"] for r in judged),
        "changed_median": quantile(changed, 0.5), "changed_p95": quantile(changed, 0.95),
        "changed_max": max(changed, default=None), "stop_ms_p50": quantile(delays, 0.5),
        "stop_ms_p99": quantile(delays, 0.99), "last_ms_p50": quantile(last, 0.5),
        "last_ms_p99": quantile(last, 0.99), "work": len(work_rows),
        "work_stopped": sum(r["stopped"] for r in work_rows), "work_late": sum(r["late"] for r in work_rows),
        "overhead_total": round(sum(r["on_s"] for r in work_rows) / off, 3) if off else None,
        "overhead_worst": max((r["ratio"] for r in work_rows if r["ratio"]), default=None),
    }


def table(result):
    lines = ["fs     behaviour                        files changed  stopped  ms first, last"]
    lines += [f"{r['fs']:6} {r['behaviour']:32} {r['files']:5} {r['changed']:7}  "
              f"{'yes' if r['stopped'] else 'NO':7} {r['stop_ms']}, {r['last_ms']}" for r in result["attacks"]]
    lines += ["", "fs     work                             runs stopped  off s    on s     ratio"]
    lines += [f"{r['fs']:6} {r['work']:32} {r['runs']:4} {r['stopped']:7}  {r['off_s']:<8} {r['on_s']:<8} {r['ratio']}"
              for r in result["work"]]
    lines += [""] + [f"{name:16} {value}" for name, value in result["figures"].items()]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--fs", choices=[*MAKE, "all"], default="xfs")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--attacks", action="store_true")
    parser.add_argument("--work", action="store_true")
    parser.add_argument("--stops", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.work = options.work or options.stops
    both = options.attacks == options.work
    result = {"attacks": [], "work": []}
    with tempfile.TemporaryDirectory(prefix="hygie-bench-", ignore_cleanup_errors=True) as folder:
        for kind in MAKE if options.fs == "all" else [options.fs]:
            if both or options.attacks:
                result["attacks"] += attacks(kind, Path(folder), options)
                (Path(folder) / kind).rmdir()
            if both or options.work:
                result["work"] += honest(kind, Path(folder), options)
                (Path(folder) / kind).rmdir()
    result["figures"] = figures(result["attacks"], result["work"])
    print(json.dumps(result) if options.json else table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
