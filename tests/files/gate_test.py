#!/usr/bin/env python3
"""The file guard on real file systems: every behaviour of bench/files destroys its files, and all come back.

Needs root and loop devices: images of ext4, xfs and btrfs in a throw-away folder, unmounted at the end."""

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench" / "files"))
import behaviours  # noqa: E402

HYGIE = os.environ["HYGIE"]
PER = int(os.environ.get("HYGIE_FILES_PER", "2"))
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"]}
WAIT = 60


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def now():
    at = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e6):06d}Z"


def check(condition, what):
    if not condition:
        raise AssertionError(what)


@contextlib.contextmanager
def image(kind, work, size="400M"):
    path, mount = os.path.join(work, kind + ".img"), os.path.join(work, kind)
    subprocess.run(["truncate", "-s", size, path], check=True)
    subprocess.run(MAKE[kind] + [path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.makedirs(mount)
    subprocess.run(["mount", "-o", "loop", path, mount], check=True)
    try:
        os.makedirs(os.path.join(mount, "share"))
        yield mount
    finally:
        subprocess.run(["umount", "-l", mount], check=False)
        os.unlink(path)


def listen(process):
    """Hears what it says as it says it: a guard that waits for room in a full pipe answers nobody."""
    process.said = []
    threading.Thread(target=lambda: process.said.extend(process.stderr), daemon=True).start()
    return process


class Guard:
    """A guard process; its deadman is told by `pid` files of /proc alone."""

    def __init__(self, mount, *options):
        self.state = os.path.join(mount, "state")
        self.process = listen(subprocess.Popen(
            [HYGIE, "--json", "guard", "files", "--protect", os.path.join(mount, "share"), "--state", self.state,
             "--judge", "off", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        self.ready = json.loads(self.line() or self.fail())

    def line(self):
        lines = []
        reader = threading.Thread(target=lambda: lines.append(self.process.stdout.readline()), daemon=True)
        reader.start()
        reader.join(WAIT)
        return lines[0] if lines else ""

    def fail(self):
        self.process.kill()
        raise AssertionError("the guard is not ready: " + "".join(self.process.said))

    def deadmen(self):
        found = []
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError, ValueError):
                text = Path("/proc", name, "stat").read_text()
                command, parent = re.match(r"\d+ \((.*)\) \S (\d+)", text, re.S).groups()
                if command == "hygie-deadman" and int(parent) == self.process.pid:
                    found.append(int(name))
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(WAIT) == 0, "a guard that is asked to stop ends well")


@contextlib.contextmanager
def guarded(mount, *options):
    guard = Guard(mount, *options)
    try:
        yield guard
    finally:
        if guard.process.poll() is None:
            guard.stop()


def hygie(*words, code=0):
    run = subprocess.run([HYGIE, "--json", *words], capture_output=True, text=True, timeout=120)
    check(run.returncode == code, f"hygie {' '.join(words)}: {run.returncode} {run.stderr} {run.stdout[:600]}")
    return json.loads(run.stdout) if run.stdout.strip() else {}


def picture(folder):
    """Everything a restore must bring back, by path."""
    seen = {}
    for base, folders, files in os.walk(os.fsencode(folder)):
        for name in files + folders:
            path = os.path.join(base, name)
            info = os.lstat(path)
            entry = [stat.S_IFMT(info.st_mode), stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid]
            if stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    entry += [file.read(), info.st_mtime_ns]
                entry += [(key, os.getxattr(path, key)) for key in sorted(os.listxattr(path))]
            elif stat.S_ISLNK(info.st_mode):
                entry.append(os.readlink(path))
            seen[path] = entry
    return seen


MARKS = itertools.count()


def settle(guard, state=None):
    """All that was done before is dealt with: what happens is told in its order, closings before names, rights last."""
    state = state or guard.state
    mark = os.path.join(os.path.dirname(state), "share", f".repere {next(MARKS)}")

    def wait_until(what):
        until = time.monotonic() + WAIT
        # Not known yet is no failure.
        while what not in subprocess.run([HYGIE, "--json", "files", "log", "--state", state, mark],
                                         capture_output=True, text=True, timeout=WAIT).stdout:
            check(time.monotonic() < until, f"the guard wrote nothing down: {what}")

    behaviours.write(mark, b"dit en dernier\n")
    wait_until('"present"')
    os.chmod(mark, 0o600)
    wait_until('"attributes"')
    os.unlink(mark)
    wait_until('"gone"')


def compare(before, after, what):
    missing = [path for path in before if path not in after]
    changed = [path for path in before if path in after and after[path] != before[path]]
    check(not missing and not changed, f"{what}: missing {missing[:3]} ({len(missing)}), "
          f"changed {changed[:3]} ({len(changed)})")


def every_behaviour(mount, kind, *options):
    share = os.path.join(mount, "share")
    behaviours.EARLY.clear()
    behaviours.make(share, PER)
    behaviours.prepare(share)
    before = picture(share)
    with guarded(mount, *options) as guard:
        since = now()
        refused = behaviours.attack(share)
        check(not refused, f"behaviours that did not run: {refused}")
        settle(guard)
        after = picture(share)
        untouched = {name for name in behaviours.BEHAVIOURS
                     if all(after.get(p) == e for p, e in before.items()
                            if os.fsencode("/" + name + "/") in p)}
        check(not untouched, f"behaviours that changed nothing: {untouched}")
        result = hygie("files", "restore", "--state", guard.state, "--since", since, "--yes")
        compare(before, picture(share), f"{kind}: after the restore")
        check(result["failed"] == 0, result)
        extra = [p for p in picture(share) if p not in before]
        check(not extra, f"left behind: {extra[:3]}")
        undone = hygie("files", "restore", "--state", guard.state, "--undo", result["restore"])
        check(undone["failed"] == 0, undone)
    print(f"{kind} {' '.join(options)}: {len(behaviours.BEHAVIOURS)} behaviours x {PER} files, all back")


def killed_in_mid_attack(mount, kind):
    share = os.path.join(mount, "share")
    behaviours.make(share, PER + 4)
    before = picture(share)
    names = [name for name in behaviours.BEHAVIOURS if not name.endswith("_from_before") and name not in behaviours.PROGRAMS]
    guard = Guard(mount)
    since = now()
    met = {}
    thread = threading.Thread(target=lambda: met.update(behaviours.attack(share, names)))
    thread.start()
    time.sleep(0.2)
    guard.process.kill()
    guard.process.wait()
    some = next(iter(before))
    with contextlib.suppress(IsADirectoryError, FileNotFoundError), open(some, "rb") as file:
        file.read()  # reads go on
    time.sleep(0.5)
    status = hygie("files", "status", "--state", guard.state)
    check(status["standing_in"] and not status["running"], status)
    check(thread.is_alive(), "writes wait while the guard is dead")
    with guarded(mount) as second:
        check(second.ready["took_over"], "the second guard takes over from the deadman")
        thread.join(WAIT)
        check(not thread.is_alive(), "what waited goes on")
        settle(second)
        hygie("files", "restore", "--state", second.state, "--since", since, "--yes")
        compare(before, picture(share), f"{kind}: after a kill")
    print(f"{kind}: guard killed in mid-attack, nothing lost")


PATIENT = 1000
WRITERS = ["import os, sys; os.close(os.open(sys.argv[1], os.O_WRONLY | os.O_TRUNC))",
           "import os, sys; os.truncate(sys.argv[1], 3)",
           "import os, sys; open(sys.argv[1], 'r+b').write(b'0123456789')"]


def waited_for_the_next(mount, kind):
    """Whoever waits while no guard is there has the bytes kept before it goes on, be the file nobody's but its owner's."""
    share = os.path.join(mount, "share")
    letters = [os.path.join(share, f"courrier {i}.txt") for i in range(len(WRITERS))]
    write_letters(letters)
    for letter in letters:
        os.chown(letter, PATIENT, PATIENT)
        os.chmod(letter, 0o600)
    before = picture(share)
    guard = Guard(mount)
    since = now()
    guard.process.kill()
    guard.process.wait()
    writers = [subprocess.Popen([sys.executable, "-c", text, letter])
               for text, letter in zip(WRITERS, letters)]
    until = time.monotonic() + WAIT
    while not all(" D " in Path(f"/proc/{writer.pid}/stat").read_text() for writer in writers):
        check(time.monotonic() < until and all(writer.poll() is None for writer in writers), "who writes waits")
    with guarded(mount) as second:
        check([writer.wait(WAIT) for writer in writers] == [0] * len(writers), "what waited goes on")
        settle(second)
        check(all(behaviours.whole(letter) != before[os.fsencode(letter)][4] for letter in letters), "and has written")
        hygie("files", "restore", "--state", second.state, "--since", since, "--yes")
        compare(before, picture(share), f"{kind}: after who had waited")
    print(f"{kind}: what somebody waited to write over is kept by the next guard")


def rights_of(pid):
    """Its system calls filtered or not (2, 0), whether it may win new rights, and those it has."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    return int(status["Seccomp"]), int(status["NoNewPrivs"]), int(status["CapEff"], 16)


def confined(mount):
    """The deadman may look at others' calls and end them, nothing else; guard and children may not mount."""
    ptrace, kill = 1 << 19, 1 << 5
    with guarded(mount) as guard:
        (deadman,) = guard.deadmen()
        check(rights_of(deadman) == (2, 1, ptrace | kill), f"the deadman's rights: {rights_of(deadman)}")
        check(rights_of(guard.process.pid)[0] == 2, "the guard's calls are filtered")
    print("guard and deadman are confined")


def deadman_killed(mount):
    with guarded(mount) as guard:
        (old,) = guard.deadmen()
        os.kill(old, signal.SIGKILL)
        deadline = time.time() + WAIT
        while time.time() < deadline and (guard.deadmen() in ([], [old])):
            time.sleep(0.1)
        check(len(guard.deadmen()) == 1 and guard.deadmen() != [old], "the deadman is made anew")
    print("deadman killed: made anew")


def rights_read_at_once(mount, kind):
    """Whoever reads a file right after its rights changed has it kept before anybody told of the change."""
    if kind == "ext4":
        return  # nothing is cloned there, and no reader waits
    share = os.path.join(mount, "share")
    for i in range(200):
        behaviours.write(os.path.join(share, f"letter{i}"), b"letter\n" * 500)
    before = picture(share)
    with guarded(mount) as guard:
        since = now()
        for path in before:
            os.chmod(path, 0o600)
            os.setxattr(path, "user.key", b"k")
            behaviours.whole(path)
        hygie("files", "restore", "--state", guard.state, "--since", since, "--yes")
        compare(before, picture(share), f"{kind}: rights read at once")
    print(f"{kind}: rights that were changed and read at once are back")


def short_lives(mount, kind):
    """Files that live no longer than their closing, inodes used again, one file's own history."""
    share = os.path.join(mount, "share")
    with guarded(mount) as guard:
        kept = {}
        for i in range(50):
            path = os.path.join(share, f"short{i}")
            data = os.urandom(5000)
            behaviours.write(path, data)
            os.unlink(path)
            kept[path] = data
        settle(guard)
        last = f"{share}/short49"
        log = hygie("files", "log", "--state", guard.state, last)
        moment = next(line["time"] for line in log if line["what"] == "present" and line["bytes"] == 5000)
        hygie("files", "restore", "--state", guard.state, "--path", last, "--at", moment, "--yes")
        check(behaviours.whole(last) == kept[last], "a file that lived for a moment comes back")
        letter = os.path.join(share, "lettre.txt")
        behaviours.write(letter, b"hier\n")
        settle(guard)
        yesterday = now()
        behaviours.write(letter, b"aujourd'hui\n")
        settle(guard)
        hygie("files", "restore", "--state", guard.state, "--path", letter, "--at", yesterday, "--yes")
        check(behaviours.whole(letter) == b"hier\n", "I overwrote it yesterday")
    print(f"{kind}: short lives and single histories")


READER = "import sys\nfor p in sys.argv[1:]: open(p, 'rb').read()"


def write_letters(paths):
    for i, path in enumerate(paths):
        behaviours.write(path, b"cher confrere %d\n" % i)


def cut_and_restore(guard, letters):
    """truncate(2) by name of each, and all of them back."""
    before = now()
    time.sleep(0.01)
    for path in letters:
        os.truncate(path, 0)
    settle(guard)
    hygie("files", "restore", "--state", guard.state, "--since", before, "--yes")
    check(all(behaviours.whole(path) == b"cher confrere %d\n" % i for i, path in enumerate(letters)), "all come back")


def copied_ahead(mount):
    """Without clones a file has a second name alone, until it was read again: then it is copied before anybody asks."""
    letters = [os.path.join(mount, "share", f"lettre {i}.txt") for i in range(20)]
    write_letters(letters)
    with guarded(mount) as guard:
        def copies():
            return len(list(Path(guard.state).glob("stage*/??/*.c")))
        check(copies() == 0, "nothing is copied before it is read")
        until = time.monotonic() + WAIT
        while copies() < len(letters) and time.monotonic() < until:
            subprocess.run([sys.executable, "-c", READER, *letters], check=True)
            time.sleep(0.2)
        check(copies() == len(letters), f"read again, {copies()} of {len(letters)} copied ahead")
        cut_and_restore(guard, letters)
    print("what is read again is copied ahead")


CHANGED_HOW = ("gardee", "renommee", "ouverte a tous")


def change_without_writing(letter):
    """Another name and back, or other rights: what it holds is as it was."""
    if "renommee" in letter:
        os.rename(letter, letter + ".ailleurs")
        os.rename(letter + ".ailleurs", letter)
    if "ouverte" in letter:
        os.chmod(letter, 0o666)


def compressed(mount):
    """Programs that leave a file alone when it has a second name find none, and what they replace comes back."""
    tools = [tool for tool in ("gzip", "bzip2", "xz") if shutil.which(tool)]
    letters = [os.path.join(mount, "share", f"lettre {how} {tool}.txt") for tool in tools for how in CHANGED_HOW]
    write_letters(letters)
    with guarded(mount) as guard:
        for letter in letters:
            change_without_writing(letter)
        settle(guard)
        before = now()
        time.sleep(0.01)
        for letter, tool in zip(letters, [tool for tool in tools for _ in CHANGED_HOW]):
            told = subprocess.run([tool, letter], capture_output=True, text=True, timeout=WAIT)
            check(told.returncode == 0 and not os.path.exists(letter), f"{tool}: {told.stderr}")
        settle(guard)
        hygie("files", "restore", "--state", guard.state, "--since", before, "--yes")
        for i, letter in enumerate(letters):
            check(behaviours.whole(letter) == b"cher confrere %d\n" % i, f"{letter} comes back")
    print("gzip and its like take the files that were there")


# Linux asynchronous reads: which call a thread is in does not tell them from writes.
AIO_READER = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
SETUP, GETEVENTS, SUBMIT, PREAD = 206, 208, 209, 0
context = ctypes.c_ulong()
assert libc.syscall(SETUP, 8, ctypes.byref(context)) == 0
for path in sys.argv[1:]:
    fd = os.open(path, os.O_RDONLY)
    room = ctypes.create_string_buffer(4096)
    request = (0, 0, 0, PREAD, 0, fd, ctypes.addressof(room), 4096, 0, 0, 0, 0)
    block = ctypes.create_string_buffer(struct.pack("<QIIHhIQQqQII", *request))
    blocks = (ctypes.c_void_p * 1)(ctypes.addressof(block))
    assert libc.syscall(SUBMIT, context, 1, blocks) == 1
    done = ctypes.create_string_buffer(32)
    assert libc.syscall(GETEVENTS, context, 1, 1, done, None) == 1
    assert struct.unpack("<QQqq", done.raw)[2] == os.fstat(fd).st_size
    os.close(fd)
"""


def cut_after_reading(mount, _kind):
    """However a file was read before, truncate(2) by name is seen."""
    letters = [os.path.join(mount, "share", f"lettre {i}.txt") for i in range(20)]
    write_letters(letters)
    with guarded(mount) as guard:
        for reader in (AIO_READER, READER, READER):
            subprocess.run([sys.executable, "-c", reader, *letters], check=True)
        cut_and_restore(guard, letters)
    print("what was read and cut by name comes back")


def carried_off(mount, _kind):
    """Whole folders moved out of the share and lost there; folders given to somebody else; a virtual disk."""
    share = os.path.join(mount, "share")
    for part in ("Courriers/2025", "Photos", "Retour"):
        os.makedirs(os.path.join(share, part))
        write_letters([os.path.join(share, part, f"lettre {i}.txt") for i in range(5)])
    disk = os.path.join(share, "disque.img")
    size, middle = 100 << 30, 60 << 30
    with open(disk, "wb") as file:
        os.truncate(disk, size)
        for at in (0, middle):
            os.pwrite(file.fileno(), b"des octets", at)
    with guarded(mount) as guard:
        status = hygie("files", "status", "--state", guard.state)
        check(status["kernel"] == os.uname().release and status["protected"][0]["dir"] == share, status)
        check(status["protected"][0]["says"] and status["landlock_abi"] >= 0, status)
        parts = [os.path.join(share, part) for part in ("Courriers", "Photos")]
        before, letters = now(), [picture(part) for part in parts]
        time.sleep(0.01)
        elsewhere = os.path.join(mount, "ailleurs")
        os.makedirs(elsewhere)
        os.rename(os.path.join(share, "Courriers"), os.path.join(elsewhere, "Courriers"))
        for base, _, files in os.walk(os.path.join(elsewhere, "Courriers")):
            for name in files[:3]:
                behaviours.write(os.path.join(base, name), os.urandom(2000))
        shutil.rmtree(elsewhere)
        os.chown(os.path.join(share, "Photos"), 1234, 1234)
        # Out and back again is nothing to restore.
        os.rename(os.path.join(share, "Retour"), os.path.join(mount, "Retour"))
        settle(guard)
        os.rename(os.path.join(mount, "Retour"), os.path.join(share, "Retour"))
        with open(disk, "r+b") as file:
            os.pwrite(file.fileno(), b"rien", middle)
        settle(guard)
        plan = hygie("files", "plan", "--state", guard.state, "--since", before)
        check(not [item for item in plan["items"] if "/Retour/" in item["path"]], plan["items"])
        start = time.monotonic()
        hygie("files", "restore", "--state", guard.state, "--since", before, "--yes")
        check(time.monotonic() - start < WAIT, "holes are not read")
        for part, was in zip(parts, letters):
            compare(was, picture(part), "carried off")
        check(os.stat(parts[1]).st_uid == 0, "a folder is its owner's again")
        with open(disk, "rb") as file:
            check(os.pread(file.fileno(), 10, middle) == b"des octets", "the disk is as it was")
        check(os.stat(disk).st_size == size and os.stat(disk).st_blocks < 1000, "its holes are holes")
    print("what was carried off comes back, and a virtual disk with its holes")


def refusals(mount, work):
    with guarded(mount) as guard:
        second = subprocess.run([HYGIE, "--lang", "en", "guard", "files", "--protect", os.path.join(mount, "share"),
                                 "--state", guard.state], capture_output=True, text=True, timeout=WAIT)
        check(second.returncode == 3 and "another guard" in second.stderr, second.stderr)
        inner = os.path.join(mount, "share", "dedans")
        os.makedirs(inner)
        for dir, language, said in ((os.path.join(mount, "share"), "en", "another guard, with another state"),
                                    (inner, "fr", "un autre garde, avec un autre dossier d'état"), (mount, "en", "folder in it")):
            second = subprocess.run([HYGIE, "--lang", language, "guard", "files", "--protect", dir, "--state", work + "/s3"],
                                    capture_output=True, text=True, timeout=WAIT)
            check(second.returncode == 3 and said in second.stderr and "--protect" in second.stderr, f"{dir} {second.stderr}")
        check(hygie("files", "status", "--state", guard.state)["running"], "the first one goes on")
    gone = subprocess.run([HYGIE, "--lang", "en", "guard", "files", "--protect", os.path.join(mount, "absent"),
                           "--state", os.path.join(mount, "s2")], capture_output=True, text=True, timeout=WAIT)
    check(gone.returncode != 0 and "absent" in gone.stderr, gone.stderr)
    no_state = subprocess.run([HYGIE, "files", "status", "--state", os.path.join(work, "nothing")],
                              capture_output=True, text=True, timeout=WAIT)
    check(no_state.returncode != 0 and no_state.stderr, "no state: said so")
    print("refusals are clear")


def main():
    if os.geteuid() != 0:
        skip("needs root")
    for tool in ("mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "openssl", "dd"):
        if not shutil.which(tool):
            skip("needs " + tool)
    work = tempfile.mkdtemp(prefix="hygie-files-")
    try:
        probe = os.path.join(work, "probe")
        subprocess.run(["truncate", "-s", "20M", probe], check=True)
        subprocess.run(MAKE["ext4"] + [probe], check=True)
        os.makedirs(probe + ".d")
        if subprocess.run(["mount", "-o", "loop", probe, probe + ".d"], capture_output=True).returncode != 0:
            skip("needs loop devices")
        subprocess.run(["umount", probe + ".d"], check=True)
        only = sys.argv[1:] or list(MAKE)
        for kind in only:
            with image(kind, work) as mount:
                every_behaviour(mount, kind)
            shutil.rmtree(os.path.join(work, kind), ignore_errors=True)
            # As on a kernel without pre-content events: everything is kept ahead.
            with image(kind, work) as mount:
                every_behaviour(mount, kind, "--events", "permission")
            shutil.rmtree(os.path.join(work, kind), ignore_errors=True)
        kind = "xfs" if "xfs" in only else only[0]
        for scene in (rights_read_at_once, short_lives):
            with image(kind, work) as mount:
                scene(mount, kind)
            shutil.rmtree(os.path.join(work, kind), ignore_errors=True)
        if "ext4" in only:
            for scene in (copied_ahead, compressed):
                with image("ext4", work) as mount:
                    scene(mount)
                shutil.rmtree(os.path.join(work, "ext4"), ignore_errors=True)
        for each in sorted({kind, "ext4"} & set(only)):  # with clones, and without
            for scene in (killed_in_mid_attack, waited_for_the_next, cut_after_reading, carried_off):
                with image(each, work) as mount:
                    scene(mount, each)
                shutil.rmtree(os.path.join(work, each), ignore_errors=True)
        with image(kind, work) as mount:
            deadman_killed(mount)
            confined(mount)
            refusals(mount, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
