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


@contextlib.contextmanager
def ledger(work):
    """A core with a ledger: the socket of the guard, and a function that verifies the ledger and gives what it was told."""
    folder, link = work / "ledger", work / "link.sock"
    subprocess.run([HYGIE, "ledger", "init", folder, "--origin", "hygie.example/files", "--seal", "key-file", "--key-file",
                    work / "ledger-opener"], check=True, stdout=subprocess.DEVNULL)
    core = subprocess.Popen([HYGIE, "--json", "ledger", "serve", folder, "--listen", "127.0.0.1:0", "--link", link],
                            stdout=subprocess.PIPE, text=True)

    def told(kind):
        subprocess.run([HYGIE, "ledger", "verify", folder], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = subprocess.run([HYGIE, "--json", "ledger", "tail", folder, "-n", "1000"], check=True, capture_output=True,
                               text=True).stdout.splitlines()
        events = [json.loads(line).get("event", {}) for line in lines]
        return [event for event in events if event.get("source") == "files" and event["type"] == kind]
    try:
        check(core.stdout.readline(), "the core is ready")
        yield link, told
    finally:
        core.terminate()
        core.wait(WAIT)
        core.stdout.close()


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


def outcome(program):
    """How it ended; None when it was refused."""
    try:
        return subprocess.run([program]).returncode
    except PermissionError:
        return None


def make_tool(path, inside=b""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(Path("/bin/true").read_bytes() + inside)
    path.chmod(0o755)
    return path


def test_remote_tools_do_not_run_wherever_they_lie(work):
    """Beside the share, on another disk, on one that is mounted later; nobody else waits, whatever becomes of the guard."""
    marked = b"https://rustdesk.com/"
    with contextlib.ExitStack() as mounts, guarded(work, "--remote-tools", "refuse") as (share, state):
        later = work / "later"
        later.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", later], check=True)
        mounts.callback(subprocess.run, ["umount", "-l", later], check=False)
        refused = [make_tool(share.parent / "AnyDesk"), make_tool(work / "bin/TeamViewer_15"),
                   make_tool(work / "bin/facture", marked), make_tool(share / "devis", marked)]
        for path in refused:
            check(outcome(path) is None, f"{path} ran")
        wait_for(lambda: outcome(make_tool(later / "rustdesk")) is None, "a disk mounted later is watched too")
        for path in (make_tool(work / "bin/calcul"), make_tool(later / "anydesknot"), Path("/bin/true")):
            check(outcome(path) == 0, f"{path} did not run")
        copy = work / "bin/hygie"
        copy.write_bytes(Path(HYGIE).read_bytes())
        copy.chmod(0o755)
        for hygie in (HYGIE, copy):
            check(subprocess.run([hygie, "--version"], capture_output=True).returncode == 0,
                  "who holds the list of all tools is none")
        subprocess.run([HYGIE, "files", "enrol", "--state", state, refused[1]], check=True, stdout=subprocess.DEVNULL)
        wait_for(lambda: outcome(refused[1]) == 0, "an enrolled tool runs")
        subprocess.run([HYGIE, "files", "enrol", "--dismiss", "--state", state, refused[1]], check=True,
                       stdout=subprocess.DEVNULL)
        wait_for(lambda: outcome(refused[1]) is None, "… and no more once it is dismissed")
        plain = make_tool(work / "bin/calcul")
        check(outcome(plain) == 0, "a harmless program runs")
        with open(plain, "ab") as out:
            out.write(marked)
        check(outcome(plain) is None, "written anew it is another program")


def test_programs_start_when_the_guard_that_is_asked_about_them_is_killed(work):
    tool = make_tool(work / "bin/AnyDesk")
    with guarded(work, "--remote-tools", "refuse") as (share, state):
        guard = next(int(p.name) for p in Path("/proc").glob("[0-9]*") if is_guard_of(p, share))
        check(outcome(tool) is None, "the tool ran")
        os.kill(guard, signal.SIGKILL)
        wait_for(lambda: not is_guard_of(Path(f"/proc/{guard}"), share), "the guard is dead")
        check(subprocess.run(["/bin/true"], timeout=WAIT).returncode == 0, "programs start")
        # Its deadman waits for the next one.
        follower = subprocess.Popen([HYGIE, "--json", "guard", "files", "--protect", share, "--state", state, "--remote-tools",
                                     "refuse"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        check(follower.stdout.readline(), "the next guard is ready")
        check(outcome(tool) is None, "the tool ran beside the next guard")
        follower.terminate()
        follower.wait(WAIT)
        follower.stdout.close()


def is_guard_of(process, share):
    with contextlib.suppress(OSError):
        words = (process / "cmdline").read_bytes().split(b"\0")
        return b"guard" in words and os.fsencode(share) in words and (process / "comm").read_text() == "hygie\n"
    return False


def test_by_default_remote_tools_are_reported_wherever_they_lie(work):
    """… and run."""
    with ledger(work) as (link, told), guarded(work, "--core", link) as (share, _):
        for path in (make_tool(work / "bin/AnyDesk"), make_tool(share / "rustdesk")):
            check(outcome(path) == 0, "it runs")
            wait_for(lambda: [e for e in told("file.stop_writer") if e.get("object") == str(path)], f"{path} is told")
        only = [e["detail"]["step"] for e in told("file.stop_writer") if str(work) in e.get("object", "")]
        check(only == ["run-reported"] * 2, f"each is told once: {only}")


def wait_for_steps(told, count):
    """What became of writers; programs that start elsewhere on this machine meanwhile are somebody else's."""
    def steps():
        return [event for event in told("file.stop_writer") if not event["detail"]["step"].startswith("run-")]
    wait_for(lambda: len(steps()) >= count, f"{count} steps in the ledger")
    return steps()


def read_all(conf, user, into):
    """Like a workstation that copies the share."""
    into.mkdir(exist_ok=True)
    client(conf, user, f"prompt off; recurse on; lcd {into}; mget *")
    return sum(path.is_file() for path in into.rglob("*"))


def test_who_copies_the_share_over_smb_is_cut_and_the_other_reads_on(work):
    with ledger(work) as (link, told), guarded(work, "--core", link, "--smb-conf", str(work / "samba/smb.conf")) as (
            share, state), samba(work, share) as conf:
        for i in range(900):
            folder = share / f"PATIENT {i % 90:02}"
            folder.mkdir(exist_ok=True)
            (folder / f"bilan {i}.txt").write_text(f"ligne {i}\n" * 100)
        taken = read_all(conf, "games", work / "loot")
        check(taken < 900, f"{taken} files were carried away")
        wait_for(lambda: stopped(state), "the thief is named")
        check(stopped(state)[0]["reasons"][0]["id"] == "files.bulk-read", stopped(state))
        check(client(conf, "games", f'get "PATIENT 01/bilan 1.txt" {work}/x').returncode != 0, "it may read no more")
        check(client(conf, "news", f'get "PATIENT 01/bilan 1.txt" {work}/x').returncode == 0, "the other reads on")
        cuts = wait_for_steps(told, 1)
        check([e["detail"]["step"] for e in told("file.read")] == ["alert"], "it was told before it was cut")
        check(cuts[0]["network"]["address"] == "127.0.0.1", "the workstation is named")
        # Let go it may read, and is cut again when it goes on like that.
        subprocess.run([HYGIE, "files", "thaw", "--state", state, "all"], check=True, stdout=subprocess.DEVNULL)
        wait_for(lambda: not stopped(state), "it is let go")
        wait_for(lambda: client(conf, "games", f'get "PATIENT 01/bilan 1.txt" {work}/x').returncode == 0, "it reads again")
        read_all(conf, "games", work / "more")
        wait_for(lambda: stopped(state), "it is cut again")


def test_a_backup_that_is_enrolled_reads_everything(work):
    with ledger(work) as (link, told), guarded(work, "--core", link) as (share, state):
        for i in range(400):
            folder = share / f"PATIENT {i % 40:02}"
            folder.mkdir(exist_ok=True)
            (folder / f"bilan {i}.txt").write_text(f"ligne {i}\n" * 100)
        copy = make_tool(work / "bin/copie")
        copy.write_bytes(Path("/bin/tar").read_bytes())
        subprocess.run([HYGIE, "files", "enrol", "--state", state, copy], check=True, stdout=subprocess.DEVNULL)
        wait_for(lambda: told("reported"), "who is left in peace is in the ledger")
        subprocess.run([copy, "cf", work / "copy.tar", "-C", share, "."], check=True)
        subprocess.run(["tar", "cf", work / "theft.tar", "-C", share, "."], check=True)
        wait_for(lambda: told("file.read"), "who is not enrolled is told")
        check([e["detail"]["program"] for e in told("file.read")] == [os.path.realpath("/bin/tar")], told("file.read"))


def test_every_step_is_in_the_ledger_and_each_restore(work):
    with ledger(work) as (link, told), guarded(work, "--core", link) as (share, state):
        since, paths = time.time(), sorted(share.rglob("*.txt"))
        attacker = destroy_in_place(paths)
        wait_for(lambda: stopped(state), "the attacker is stopped")
        attacker.kill()
        attacker.wait()
        actor, changed = stopped(state)[0]["actor"], sum(map(is_noise, paths))
        status = json.loads(subprocess.run([HYGIE, "--json", "files", "status", "--state", state], capture_output=True,
                                           text=True, check=True).stdout)
        check(status["stopped"] == 1, status)
        # As a person says it: by the clock on the wall here.
        words = ["files", "restore", "--state", state, "--yes", "--since", time.strftime("%Y-%m-%d %H:%M:%S",
                                                                                        time.localtime(since))]
        nobody = subprocess.run([HYGIE, "--lang", "en", *words, "--actor", "smb:nobody@192.0.2.1"], capture_output=True,
                                text=True)
        check("nothing that is to be brought back is this actor's" in nobody.stderr, nobody)
        check("understood" in nobody.stderr, nobody)
        done = json.loads(subprocess.run([HYGIE, "--json", *words, "--actor", actor], capture_output=True, text=True,
                                         check=True).stdout)
        check(done["done"] == changed and not any(map(is_noise, paths)), done)
        subprocess.run([HYGIE, "files", "thaw", "--state", state, actor], check=True, stdout=subprocess.DEVNULL)
        steps = wait_for_steps(told, 2)
        check([e["detail"]["step"] for e in steps] == ["freeze", "thaw"], steps)
        reasons = steps[0]["verdict"]["reasons"]
        check(all(reason["fr"] and reason["en"] for reason in reasons), reasons)
        wait_for(lambda: len(told("file.restore")) >= 2, "the restores are told")
        check([e["detail"]["done"] for e in told("file.restore")] == ["0", str(changed)], told("file.restore"))
        check(told("file.restore")[1]["detail"]["writer"] == actor, told("file.restore"))
        # Its report is what was signed here, wherever it was copied, and nothing else.
        copy = work / "rapport.json"
        copy.write_bytes(Path(done["report"]).read_bytes())

        def is_signed(report):
            return subprocess.run([HYGIE, "files", "report", "--state", state, report], capture_output=True).returncode == 0
        check(is_signed(done["restore"]) and is_signed(copy), "the report holds")
        copy.write_bytes(copy.read_bytes().replace(b"brought back", b"brought BACK"))
        check(not is_signed(copy), "a report that was changed does not")


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
