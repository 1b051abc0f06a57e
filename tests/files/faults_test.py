#!/usr/bin/env python3
"""The file guard where things are not as they should be: no room, a share that moves, another namespace, root in a fence,
an attacker who takes his time, canaries, a backup that root would delete.

Needs root and loop devices; all in a throw-away folder, on loopback, all ended by process id."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from gate_test import listen  # noqa: E402
from scenes import run_scenes  # noqa: E402

HYGIE = os.environ["HYGIE"]
WAIT = 30
PORT = 14453
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
# jemalloc asks for the time before libfaketime can tell it, and both wait for ever; this one does not.
TCMALLOC = "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4"


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def wait_for(condition, what, seconds=WAIT):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited in vain: {what}")


def now():
    at = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e6):06d}Z"


def hygie(*words, code=0):
    run = subprocess.run([HYGIE, "--json", "--lang", "en", *words], capture_output=True, text=True, timeout=120)
    check(run.returncode == code, f"hygie {words}: {run.returncode} {run.stderr} {run.stdout[:600]}")
    return json.loads(run.stdout) if run.stdout.strip() else {}


@contextlib.contextmanager
def disk(work, size=400 << 20, files=24):
    image, mount = work / "image", work / "mount"
    with open(image, "wb") as out:
        out.truncate(size)
    subprocess.run(["mkfs.xfs", "-q", "-f", image], check=True)
    mount.mkdir()
    subprocess.run(["mount", "-o", "loop", image, mount], check=True)
    share = mount / "share"
    try:
        for i in range(files):
            (share / f"NOM {i % 6}").mkdir(parents=True, exist_ok=True)
            text = "".join(f"ligne {n * 37 % 1000} du dossier {i}\n" for n in range(300))
            (share / f"NOM {i % 6}" / f"lettre {i:02}.txt").write_text(text)
        share.mkdir(exist_ok=True)
        yield mount
    finally:
        subprocess.run(["umount", "-l", mount], check=False)


@contextlib.contextmanager
def guarded(mount, *options, env=None):
    guard = listen(subprocess.Popen(
        [HYGIE, "--json", "guard", "files", "--protect", mount / "share", "--state", mount / "state", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env))
    try:
        check(json.loads(guard.stdout.readline() or "{}").get("ready"), f"the guard is ready: {guard.said}")
        yield guard
    finally:
        guard.terminate()
        guard.wait(WAIT)


def stopped(mount):
    return hygie("files", "stopped", "--state", mount / "state")


def texts(mount):
    return sorted((mount / "share").rglob("*.txt"))


def destroy(*paths):
    """By a process of its own; its exit code."""
    code = ("import os, sys\nfor p in sys.argv[1:]:\n    f = os.open(p, os.O_RDWR)\n"
            "    os.pwrite(f, os.urandom(os.path.getsize(p)), 0)\n    os.close(f)\n")
    return subprocess.Popen([sys.executable, "-c", code, *paths], stderr=subprocess.DEVNULL, start_new_session=True)


def stands_still(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False


def test_what_cannot_be_guarded_is_said(work):
    with disk(work) as mount:
        refused = subprocess.run([HYGIE, "--lang", "en", "guard", "files", "--protect", mount / "share", "--state", mount],
                                 capture_output=True, text=True, timeout=WAIT)
        check(refused.returncode == 1 and "beside the share" in refused.stderr, refused.stderr)
        no_rights = subprocess.run(["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin", HYGIE, "--lang",
                                    "en", "guard", "files", "--protect", mount / "share", "--state", mount / "state"],
                                   capture_output=True, text=True, timeout=WAIT)
        check(no_rights.returncode != 0 and "CAP_SYS_ADMIN" in no_rights.stderr, no_rights.stderr)
        nameless = subprocess.run([HYGIE, "--lang", "en", "guard", "files", "--protect", "/proc/sys", "--state",
                                   mount / "state"], capture_output=True, text=True, timeout=WAIT)
        check(nameless.returncode != 0 and "ext4, xfs or btrfs" in nameless.stderr, nameless.stderr)
    memory = work / "memory"
    memory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", memory], check=True)
    try:
        (memory / "share").mkdir()
        guard = subprocess.Popen([HYGIE, "--json", "--lang", "en", "guard", "files", "--protect", memory / "share", "--state",
                                  memory / "state"], stdout=subprocess.PIPE, text=True)
        says = json.loads(guard.stdout.readline())["protected"][0]["says"]
        guard.terminate()
        guard.wait(WAIT)
        check("ESCAPES" in says, says)
    finally:
        subprocess.run(["umount", "-l", memory], check=True)


def test_without_room_nothing_is_destroyed(work):
    with disk(work, 300 << 20, files=0) as mount:
        victim, other = mount / "share/images.bin", mount / "share/lettre.txt"
        victim.write_bytes(os.urandom(30 << 20))
        other.write_text("lettre\n" * 100)
        with guarded(mount, "--judge", "off"):
            last, since = victim.read_bytes(), now()
            for _ in range(30):
                fresh = os.urandom(30 << 20)
                try:
                    victim.write_bytes(fresh)
                except OSError:
                    break
                last = fresh
                time.sleep(0.3)  # its version is kept, or there is no room for it
            else:
                raise AssertionError("it could always write")
            check(victim.read_bytes() == last, "what was there is still there")
            check(other.read_text() == "lettre\n" * 100, "reading asks for no room")
            plan = hygie("files", "plan", "--state", mount / "state", "--since", since)
            check(plan["items"][0]["path"] == str(victim), plan)


def test_a_share_that_moves_is_still_guarded(work):
    with disk(work) as mount:
        with guarded(mount) as guard:
            (mount / "share").rename(mount / "ailleurs")
            wait_for(lambda: any("files.protected-moved" in line for line in guard.said), "the move is told")
            (mount / "ailleurs").rename(mount / "share")
            victim, since = texts(mount)[0], now()
            was = victim.read_text()
            # Through another name, in another namespace, as from a container.
            (work / "other").mkdir()
            subprocess.run(["unshare", "-m", "sh", "-c", f"mount --bind {mount}/share {work}/other && "
                            f"head -c 5000 /dev/urandom >'{work}/other/{victim.relative_to(mount / 'share')}'"], check=True)
            time.sleep(0.5)
            done = hygie("files", "restore", "--state", mount / "state", "--since", since, "--yes")
            check(done["failed"] == 0 and victim.read_text() == was, done)


# What root tries from inside: each must fail. ctypes, since the shell has no word for the last ones.
FENCED = """
import ctypes, os, signal, sys
state, share, guard = sys.argv[1], sys.argv[2], int(sys.argv[3])
def tried(act):
    try:
        act()
    except OSError:
        return True
    return False
def by_handle():
    libc = ctypes.CDLL(None, use_errno=True)
    handle = (ctypes.c_ubyte * 136)(*bytes.fromhex(sys.argv[4]))
    folder = os.open(share, os.O_RDONLY)
    fd = libc.open_by_handle_at(folder, handle, os.O_RDONLY)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "open_by_handle_at")
    os.read(fd, 10)
def mounted():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(os.path.dirname(state).encode(), b"/mnt", None, 4096, None) != 0:
        raise OSError(ctypes.get_errno(), "mount")
acts = {"open": lambda: open(state + "/key", "rb"), "unlink": lambda: os.unlink(state + "/key"),
        "cut": lambda: os.truncate(state + "/key", 0), "move": lambda: os.rename(state, state + ".away"),
        "make": lambda: open(state + "/x", "w"), "mount": mounted, "by handle": by_handle}
if int(sys.argv[5]) >= 6:
    acts["kill"] = lambda: os.kill(guard, signal.SIGKILL)
failed = [name for name, act in acts.items() if not tried(act)]
open(share + "/ecrit.txt", "w").write("dans la clôture\\n")
os.rename(share + "/ecrit.txt", share + "/NOM 0/ecrit.txt")
print(os.geteuid(), failed)
"""


def handle_of(path):
    libc, handle, mount = ctypes.CDLL(None, use_errno=True), (ctypes.c_ubyte * 136)(), ctypes.c_int()
    handle[0] = 128
    if libc.name_to_handle_at(-100, os.fsencode(path), handle, ctypes.byref(mount), 0) != 0:
        raise OSError(ctypes.get_errno(), "name_to_handle_at")
    return bytes(handle).hex()


def test_root_in_a_fence_does_not_reach_what_is_kept(work):
    version = ctypes.CDLL(None).syscall(444, None, 0, 1)  # landlock_create_ruleset, its version
    if version < 2:
        print("without Landlock: not tried")
        return
    with disk(work) as mount, guarded(mount) as guard:
        told = subprocess.run([HYGIE, "files", "fence", "--state", mount / "state", "--", sys.executable, "-c", FENCED,
                               mount / "state", mount / "share", str(guard.pid), handle_of(mount / "state/key"), str(version)],
                              capture_output=True, text=True, timeout=WAIT)
        check(told.stdout.strip() == "0 []", told.stdout + told.stderr)
        check((mount / "share/NOM 0/ecrit.txt").read_text() == "dans la clôture\n", "the share is open to it")
        check(guard.poll() is None and (mount / "state/key").exists(), "the guard lives, its key is there")


def test_one_file_an_hour_is_stopped(work):
    """Each hour another guard, another process, one file: what the judge remembers is on the disk."""
    if not Path(FAKETIME).exists() or not Path(TCMALLOC).exists():
        print("without libfaketime and libtcmalloc-minimal4: not tried")
        return
    with disk(work) as mount:
        for hour, victim in enumerate(texts(mount)):
            env = dict(os.environ, LD_PRELOAD=f"{TCMALLOC}:{FAKETIME}", FAKETIME=f"+{hour * 3600}",
                       FAKETIME_DONT_FAKE_MONOTONIC="1")
            with guarded(mount, env=env):
                attacker = destroy(victim)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    attacker.wait(1)
                # On a busy machine the judge comes to it late, and what it did not see it cannot remember.
                end = time.monotonic() + 1.5
                while not (names := stopped(mount)) and time.monotonic() < end:
                    time.sleep(0.1)
                attacker.kill()
                attacker.wait()
                if names:
                    break
        check(names, "it was never stopped")
        changed = sum(not path.read_bytes().startswith(b"ligne") for path in texts(mount))
        check(2 < changed <= 20, f"stopped after {changed} files, in as many hours")


def test_canaries_give_a_destroyer_away_and_nobody_else(work):
    with disk(work) as mount, guarded(mount) as guard:
        planted = hygie("files", "canaries", "plant", "--state", mount / "state", "--protect", mount / "share")
        check(planted["planted"] == 14, planted)
        time.sleep(0.6)  # the guard takes the order
        share = mount / "share"
        decoys = sorted(share.rglob("00 *.docx")) + sorted(share.rglob("zz *.pdf"))
        check(len(decoys) == 14, decoys)
        # Who tidies up, marks and moves everything meets them too.
        subprocess.run(["sh", "-c", 'for f in "$0"/*/*; do chmod g+w "$f"; touch "$f"; cp "$f" "$f.copie"; done; '
                        'sed -i s/ligne/Ligne/ "$0"/*/lettre*; mkdir "$0/rangé"; mv "$0/NOM 5"/* "$0/rangé/"; '
                        'rm -r "$0/NOM 4"', share], check=True)
        time.sleep(0.5)
        check(not stopped(mount), stopped(mount))
        attacker = destroy(next(path for path in decoys if path.exists()))
        wait_for(lambda: stopped(mount), "one is enough")
        attacker.kill()
        attacker.wait()
        stop = stopped(mount)[0]
        check("files.canary" in [reason["id"] for reason in stop["reasons"]], stop)
        status = hygie("files", "status", "--state", mount / "state")
        check(status["canaries"] == 9 and status["canaries_lost"] == 5, status)
        removed = hygie("files", "canaries", "remove", "--state", mount / "state")
        check(removed["removed"] == 9, removed)
        check(guard.poll() is None, "the guard lives")


def cgroups():
    return next((top for top in (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
                 if (top / "cgroup.procs").exists()), None)


def test_a_cgroup_of_its_own_is_frozen_as_a_whole(work):
    top = cgroups()
    if not top:
        print("without cgroups of version 2: not tried")
        return
    group = top / f"hygie-test-{os.getpid()}"
    group.mkdir()
    try:
        with disk(work) as mount, guarded(mount):
            code = ("import os, sys, time\nopen(sys.argv[1], 'w').write(str(os.getpid()))\n"
                    "if os.fork() == 0:\n    time.sleep(60)\n    os._exit(0)\n"
                    "for p in sys.argv[2:]:\n    f = os.open(p, os.O_RDWR)\n"
                    "    os.pwrite(f, os.urandom(os.path.getsize(p)), 0)\n    os.close(f)\n")
            attacker = subprocess.Popen([sys.executable, "-c", code, group / "cgroup.procs", *texts(mount)],
                                        start_new_session=True, stderr=subprocess.DEVNULL)

            def frozen():
                return "frozen 1" in (group / "cgroup.events").read_text()
            try:
                wait_for(frozen, "the group is frozen")
                # Thawed it would go on, and be frozen again before that is seen: its child alone stays.
                attacker.kill()
                attacker.wait()
                hygie("files", "thaw", "--state", mount / "state", "all")
                wait_for(lambda: not frozen(), "the group is thawed")
            finally:
                os.killpg(attacker.pid, signal.SIGKILL)
                attacker.wait()
    finally:
        (group / "cgroup.freeze").write_text("0")
        wait_for(lambda: not (group / "cgroup.procs").read_text(), "the group is empty")
        group.rmdir()


SSHD = """Port {port}
ListenAddress 127.0.0.1
HostKey {dir}/host
PidFile none
AuthorizedKeysFile {dir}/keys
PermitRootLogin forced-commands-only
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
"""


@contextlib.contextmanager
def other_machine(work):
    """An sshd that serves one repository, to add to, and nothing else; how the guarded machine reaches it."""
    folder = work / "copies"
    folder.mkdir()
    for name in ("host", "guard"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    serve = f"rclone --config {folder}/none serve restic --stdio --append-only {folder}/repository"
    (folder / "none").write_text("")
    (folder / "keys").write_text(f'restrict,command="{serve}" {(folder / "guard.pub").read_text()}')
    (folder / "sshd").write_text(SSHD.format(port=PORT, dir=folder))
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", folder / "sshd"], stderr=subprocess.DEVNULL)
    ssh = (f"ssh -F none -i {folder}/guard -p {PORT} -o BatchMode=yes -o StrictHostKeyChecking=no "
           "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@127.0.0.1")
    try:
        time.sleep(0.5)
        yield ssh, folder / "repository"
    finally:
        server.terminate()
        server.wait(WAIT)


def test_root_here_cannot_delete_the_copy_there(work):
    if not all(map(os.path.exists, ("/usr/sbin/sshd", "/usr/bin/rclone", "/usr/bin/restic"))):
        print("without sshd, rclone and restic: not tried")
        return
    (work / "pw").write_text("une phrase\n")
    with disk(work) as mount, other_machine(work) as (ssh, repository):
        options = ["--state", mount / "state", "--dir", mount / "share", "--repository", "rclone:", "--restic-option",
                   f"rclone.program={ssh}", "--password-file", work / "pw", "--scratch", work]
        check(hygie("backup", "now", *options)["promoted"], "the copy is promoted")
        held = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file() and path.parent.name != "locks"}
        # Root of the guarded machine has the key, the password and time.
        attack = subprocess.Popen(["restic", "-q", "-o", f"rclone.program={ssh}", "-r", "rclone:", "--password-file",
                                   work / "pw", "forget", "--prune", "latest"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            attack.wait(6)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(attack.pid, signal.SIGKILL)
        attack.wait()
        subprocess.run([*ssh.split(), f"rm -rf {repository}"], capture_output=True, timeout=WAIT, stdin=subprocess.DEVNULL)
        check(all(path.exists() and path.read_bytes() == was for path, was in held.items()), "something of the copy is gone")
        drill = hygie("backup", "drill", *options)["drill"]
        check(drill["passed"] and drill["files"] == 24, drill)


def deadmen_of(mark):
    """Whoever their parents are by now: what began with this mark in its environment keeps it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_deadman = (process / "comm").read_text() == "hygie-deadman\n"
            if is_deadman and mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def test_a_guard_that_is_killed_while_it_takes_over_leaves_one_deadman(work):
    """Two would take each other's acts, and one of them would stay for ever."""
    mark = f"HYGIE_SCENE={work}"
    env = os.environ | {"HYGIE_SCENE": str(work)}
    with disk(work) as mount:
        with guarded(mount, "--judge", "off", env=env) as first:
            deadmen = deadmen_of(mark)
            first.kill()
            first.wait()
        second = subprocess.Popen([HYGIE, "guard", "files", "--protect", mount / "share", "--state", mount / "state"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        until = time.monotonic() + WAIT
        while deadmen_of(mark) == deadmen and time.monotonic() < until:
            pass  # it dies before all is kept
        second.kill()
        second.wait()
        with guarded(mount, "--judge", "off", env=env):
            wait_for(lambda: len(deadmen_of(mark)) == 1, "one deadman alone")
            for path in texts(mount):
                path.write_text("une réponse")


def test_nobody_waits_for_a_guard_all_of_whose_parts_are_killed(work):
    """Of its groups of events the one that others wait for ends first; what was open before it, another watches too."""
    mark = f"HYGIE_SCENE={work}"
    with disk(work) as mount:
        path = texts(mount)[0]
        with open(path, "r+"), guarded(mount, env=os.environ | {"HYGIE_SCENE": str(work)}) as guard:
            (deadman,) = deadmen_of(mark)
            guard.send_signal(signal.SIGSTOP)
            reader = subprocess.Popen(["cat", path], stdout=subprocess.DEVNULL)
            wait_for(lambda: "fanotify" in Path(f"/proc/{reader.pid}/wchan").read_text(), "who reads waits")
            os.kill(deadman, signal.SIGKILL)
            guard.kill()
            try:
                reader.wait(WAIT)
            finally:
                reader.kill()  # else the dead guard could not end either
            guard.wait(WAIT)
        check(reader.returncode == 0, "who reads goes on")


def test_a_guard_ends_while_files_from_before_it_are_read(work):
    """The kernel ends a group of events once nobody waits over a file that it watches, and they wait for the guard."""
    code = ("import sys\nwhile True:\n    for path in sys.argv[1:]:\n        open(path, 'rb').read(10)\n"
            "    print(flush=True)")
    with disk(work) as mount, contextlib.ExitStack() as opened:
        for path in texts(mount):
            opened.enter_context(open(path, "r+"))
        with guarded(mount, "--judge", "off") as guard:
            readers = [subprocess.Popen([sys.executable, "-c", code, *texts(mount)], stdout=subprocess.PIPE) for _ in range(4)]
            for reader in readers:
                for _ in range(20):
                    reader.stdout.readline()
            guard.terminate()
            try:
                guard.wait(WAIT)
            finally:
                for reader in readers:
                    reader.kill()
                    reader.wait()


def test_a_guard_that_was_made_to_stand_still_goes_on(work):
    """Nobody writes meanwhile, its deadman makes it go on, it makes its deadman go on, and that is said."""
    mark = f"HYGIE_SCENE={work}"
    with disk(work) as mount:
        with guarded(mount, "--judge", "off", env=os.environ | {"HYGIE_SCENE": str(work)}) as guard:
            (deadman,) = deadmen_of(mark)
            for stopped_part in (guard.pid, deadman):
                said = len(guard.said)
                os.kill(stopped_part, signal.SIGSTOP)
                texts(mount)[0].write_text("une réponse")
                wait_for(lambda: any("stood-still" in line for line in guard.said[said:]), "it is said")
                check(not stands_still(stopped_part), "it goes on")
            check(guard.poll() is None and deadmen_of(mark) == [deadman], "both are who they were")


if __name__ == "__main__":
    sys.exit(run_scenes(globals()))
