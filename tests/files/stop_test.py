#!/usr/bin/env python3
"""The file guard stops who destroys, and nobody else: local programs, a real Samba server with two real clients,
remote-control tools, backups under attack.

Needs root, loop devices and Samba on a high port of loopback: all in a throw-away folder, all ended by process id."""

import contextlib
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

ROOT = Path(__file__).resolve().parent.parent.parent
HYGIE = os.environ["HYGIE"]
PORT = 14451
WAIT = 30
# Two accounts that every Debian has: Samba needs a Unix user behind each of its own.
USERS = {"games": "p-accueil", "news": "p-lune"}

SMB_CONF = """[global]
  workgroup = PRACTICE
  security = user
  smb ports = {port}
  interfaces = 127.0.0.0/8
  bind interfaces only = yes
  private dir = {dir}/private
  lock directory = {dir}/var
  state directory = {dir}/var
  cache directory = {dir}/var
  pid directory = {dir}/var
  ncalrpc dir = {dir}/var/ncalrpc
  log file = {dir}/log
  passdb backend = tdbsam:{dir}/private/passdb.tdb
  load printers = no
  disable spoolss = yes
[share]
  path = {share}
  read only = no
  create mask = 0666
  force create mode = 0666
"""


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def wait_for(condition, what):
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited in vain: {what}")


@contextlib.contextmanager
def guarded(work, *options):
    image, mount = work / "image", work / "mount"
    with open(image, "wb") as out:
        out.truncate(1 << 30)
    subprocess.run(["mkfs.xfs", "-q", "-f", image], check=True)
    mount.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, mount], check=True)
    guard = None
    try:
        share = mount / "share"
        share.mkdir()
        for i in range(40):
            folder = share / f"NOM_{i % 12:02d}"
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
            (folder / f"compte rendu {i}.txt").write_text("".join(f"ligne {n} du dossier {i}\n" for n in range(300)))
            (folder / f"compte rendu {i}.txt").chmod(0o666)
        share.chmod(0o777)
        guard = listen(subprocess.Popen(
            [HYGIE, "--json", "guard", "files", "--protect", share, "--state", mount / "state", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        check(json.loads(guard.stdout.readline() or "{}").get("ready"), f"the guard is ready: {guard.said}")
        yield share, mount / "state"
    finally:
        if guard:
            guard.terminate()
            guard.wait(WAIT)
        subprocess.run(["umount", "-l", mount], check=False)


def stopped(state):
    told = subprocess.run([HYGIE, "--json", "files", "stopped", "--state", state], capture_output=True, text=True, check=True)
    return json.loads(told.stdout)


def destroy_in_place(paths):
    """A program of its own that overwrites file after file, and goes on with the next when one is refused; its process."""
    code = ("import os, sys\nfor p in sys.argv[1:]:\n    try:\n        f = os.open(p, os.O_RDWR)\n"
            "        os.pwrite(f, os.urandom(os.path.getsize(p)), 0)\n        os.close(f)\n"
            "    except OSError:\n        continue\n")
    return subprocess.Popen([sys.executable, "-c", code, *paths], stderr=subprocess.DEVNULL, start_new_session=True)


def is_standing_still(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def is_noise(path):
    return not path.read_bytes().startswith(b"ligne")


def test_a_local_attacker_is_frozen_and_thawed(work):
    with guarded(work) as (share, state):
        paths = sorted(share.rglob("*.txt"))
        attacker = destroy_in_place(paths)
        try:
            wait_for(lambda: is_standing_still(attacker.pid) or attacker.poll() is not None, "the attacker is stopped")
            wait_for(lambda: stopped(state), "it is named")
            changed = sum(map(is_noise, paths))
            check(changed <= 5, f"{changed} files were changed")
            stop = stopped(state)[0]
            check(stop["reasons"][0]["id"] == "files.scrambled", stop)
            # Others go on.
            with open(paths[-1], "a") as out:
                out.write("ligne de plus\n")
            frozen = is_standing_still(attacker.pid)
            subprocess.run([HYGIE, "files", "thaw", "--state", state, stop["actor"]], check=True, stdout=subprocess.DEVNULL)
            wait_for(lambda: not stopped(state) or changed < sum(map(is_noise, paths)), "it is thawed")
            if frozen:
                wait_for(lambda: changed < sum(map(is_noise, paths)), "it goes on")
        finally:
            attacker.kill()
            attacker.wait()


# Each destroys the file named by `p`, and opens none of those it destroys.
BY_NAME = {
    "encrypted into a new file, then deleted": "open(p + '.locked', 'wb').write(os.urandom(9000)); os.unlink(p)",
    "encrypted into a new file, opened once more before it is closed":
        "f = open(p + '.locked', 'wb'); f.write(os.urandom(9000)); f.flush(); os.close(os.open(p + '.locked', os.O_RDONLY)); "
        "f.close(); os.unlink(p)",
    "cut by name": "os.truncate(p, 0)",
    "cut to half by name": "os.truncate(p, os.path.getsize(p) // 2)",
}


def test_who_destroys_by_name_alone_is_stopped(work):
    for number, (what, act) in enumerate(BY_NAME.items()):
        folder = work / str(number)
        folder.mkdir()
        with guarded(folder) as (share, state):
            paths = sorted(share.rglob("*.txt"))
            before = {path: path.read_bytes() for path in paths}  # read just before, as by a backup
            code = f"import os, sys\nfor p in sys.argv[1:]:\n    try:\n        {act}\n    except OSError:\n        pass\n"
            attacker = subprocess.Popen([sys.executable, "-c", code, *paths], start_new_session=True)
            try:
                wait_for(lambda: stopped(state), f"{what}: it is named")
                wait_for(lambda: is_standing_still(attacker.pid) or attacker.poll() is not None, f"{what}: it is stopped")
            finally:
                attacker.kill()
                attacker.wait()
            changed = sum(not path.exists() or path.read_bytes() != before[path] for path in paths)
            check(0 < changed <= len(paths) // 2, f"{what}: {changed} files were changed")


def test_compressing_a_tree_stops_nobody(work):
    with guarded(work) as (share, state):
        check(subprocess.run(["gzip", "-r", share]).returncode == 0, "gzip got through")
        time.sleep(1)
        check(not stopped(state), stopped(state))
        check(len(list(share.rglob("*.gz"))) == 40, "all is compressed")


# As shred(1) on a slow disk: three passes, each of which lies there for a while, then cut, renamed and deleted.
ERASE = """import os, sys, time
for path in sys.argv[1:]:
    out = os.open(path, os.O_WRONLY)
    for _ in range(3):
        os.pwrite(out, os.urandom(os.path.getsize(path)), 0)
        os.fdatasync(out)
        time.sleep(0.15)
    os.ftruncate(out, 0)
    os.close(out)
    os.rename(path, path + "0")
    os.unlink(path + "0")
"""


def test_who_erases_three_letters_for_good_is_not_stopped_however_slow_the_disk(work):
    with guarded(work) as (share, state):
        letters = sorted(share.rglob("*.txt"))[:3]
        subprocess.run([sys.executable, "-c", ERASE, *letters], timeout=WAIT, check=True)
        time.sleep(0.5)
        check(not stopped(state), stopped(state))
        check(not any(map(Path.exists, letters)), "they are gone")


@contextlib.contextmanager
def samba(work, share):
    folder = work / "samba"
    for part in ("private", "var"):
        (folder / part).mkdir(parents=True)
    conf = folder / "smb.conf"
    conf.write_text(SMB_CONF.format(port=PORT, dir=folder, share=share))
    for user, secret in USERS.items():
        subprocess.run(["smbpasswd", "-c", conf, "-s", "-a", user], input=f"{secret}\n{secret}\n", text=True, check=True,
                       stdout=subprocess.DEVNULL)
    server = subprocess.Popen(["smbd", "-F", "--no-process-group", "-s", conf], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(lambda: client(conf, "news", "ls").returncode == 0, "Samba answers")
        yield conf
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(WAIT)


def client(conf, user, commands):
    return subprocess.run(["smbclient", "-s", conf, "//127.0.0.1/share", "-p", str(PORT), "-U", f"{user}%{USERS[user]}",
                           "-c", commands], capture_output=True, text=True, timeout=WAIT * 2)


def test_one_infected_workstation_is_cut_and_the_other_works(work):
    with guarded(work, "--smb-conf", str(work / "samba/smb.conf")) as (share, state), samba(work, share) as conf:
        noise = work / "noise"
        noise.write_bytes(os.urandom(9000))
        paths = sorted(share.rglob("*.txt"))
        puts = "; ".join(f'put {noise} "{path.relative_to(share)}"' for path in paths)
        client(conf, "games", puts)
        changed = sum(map(is_noise, paths))
        check(0 < changed <= 6, f"{changed} files were changed over SMB")
        wait_for(lambda: stopped(state), "the workstation is named")
        check(stopped(state)[0]["actor"] == "smb:games@127.0.0.1", stopped(state))
        # It comes back, and is refused; the other one works.
        client(conf, "games", puts)
        check(sum(map(is_noise, paths)) == changed, f"by another session it destroyed more: {stopped(state)}")
        mine = work / "mine"
        mine.write_text("ligne du médecin\n" * 50)
        works = client(conf, "news", f'put {mine} "NOM_03/nouveau.txt"; put {mine} "NOM_04/nouveau.txt"')
        check(works.returncode == 0, f"the other workstation works: {works.stdout} {works.stderr} {stopped(state)}")
        check((share / "NOM_03/nouveau.txt").read_text().startswith("ligne du"), "what it wrote is there")
        check([stop["actor"] for stop in stopped(state)] == ["smb:games@127.0.0.1"], "only one is stopped")


def test_remote_tools_do_not_run_unless_wanted(work):
    with guarded(work, "--remote-tools", "refuse") as (share, state):
        tool, harmless = share / "AnyDesk", share / "calcul"
        for path in (tool, harmless):
            path.write_bytes(Path("/bin/true").read_bytes())
            path.chmod(0o755)
        time.sleep(0.5)
        check(subprocess.run([harmless]).returncode == 0, "a harmless program runs")
        with contextlib.suppress(PermissionError):
            check(subprocess.run([tool]).returncode != 0, "the tool ran")
        subprocess.run([HYGIE, "files", "enrol", "--state", state, str(tool)], check=True, stdout=subprocess.DEVNULL)

        def runs():
            try:
                return subprocess.run([tool]).returncode == 0
            except PermissionError:
                return False
        wait_for(runs, "an enrolled tool runs")


def test_no_copy_is_promoted_while_somebody_is_stopped(work):
    (work / "pw").write_text("une phrase\n")
    with guarded(work) as (share, state):
        backup = ["--state", state, "--dir", share, "--repository", work / "copies", "--password-file", work / "pw",
                  "--scratch", work]

        def run(verb):
            return subprocess.run([HYGIE, "--json", "backup", verb, *backup], capture_output=True, text=True)
        first = run("now")
        check(first.returncode == 0 and json.loads(first.stdout)["promoted"], first.stdout + first.stderr)
        proof = run("drill")
        check(proof.returncode == 0 and json.loads(proof.stdout)["drill"]["differing"] == 0, proof.stdout + proof.stderr)
        attacker = destroy_in_place(sorted(share.rglob("*.txt")))
        try:
            wait_for(lambda: stopped(state), "the attacker is stopped")
            during = run("now")
            check(during.returncode == 1 and json.loads(during.stdout)["reasons"][0]["id"] == "backup.attack", during.stdout)
        finally:
            attacker.kill()
            attacker.wait()
        status = subprocess.run([HYGIE, "--json", "backup", "status", "--state", state], capture_output=True, text=True)
        report = json.loads(status.stdout)
        check(report["fresh"] and report["proven"], report)
        check([copy["promoted"] for copy in report["copies"]] == [True, False], report)


if __name__ == "__main__":
    sys.exit(run_scenes(globals()))
