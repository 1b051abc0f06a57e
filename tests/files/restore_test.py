#!/usr/bin/env python3
"""What a restore gives back when files left the share, hold flags, stay open, the disk is full, or the power is cut.

Needs root and loop devices: images in a throw-away folder, unmounted at the end."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from gate_test import MAKE, check, compare, guarded, hygie, image, now, picture, settle, skip  # noqa: E402

FILES = 12


def furnish(share):
    """Folders, of which one holds another; a file with two names; owners that are not root."""
    for folder in ("Courriers", "Courriers/2026", "Bilans"):
        os.makedirs(os.path.join(share, folder), exist_ok=True)
        os.chown(os.path.join(share, folder), 3001, 3001)
        for i in range(FILES):
            path = os.path.join(share, folder, f"lettre {i}.txt")
            Path(path).write_bytes(os.urandom(20000 + i))
            os.utime(path, (1e9 + i, 1e9 + i))
    os.link(os.path.join(share, "Bilans", "lettre 0.txt"), os.path.join(share, "Bilans", "second nom.txt"))


def restored(guard, share, before, since, what):
    planned = {item["path"] for item in hygie("files", "plan", "--state", guard.state, "--since", since)["items"]}
    after = picture(share)
    missing = [p for p in before if p not in after and os.fsdecode(p) not in planned]
    check(not missing, f"{what}: not in the plan: {missing[:3]} ({len(missing)})")
    result = hygie("files", "restore", "--state", guard.state, "--since", since, "--yes")
    check(result["failed"] == 0 and not result["problems"], result)
    compare(before, picture(share), what)
    return result


def left_the_share(mount, kind, *options):
    """A folder dragged out by mistake; one taken out and deleted there; all deleted; one that comes back."""
    share, other = os.path.join(mount, "share"), os.path.join(mount, "ailleurs")
    os.makedirs(other)
    furnish(share)
    before = picture(share)
    with guarded(mount, *options) as guard:
        for what in ("moved out", "moved out and deleted", "moved out, changed and deleted", "deleted"):
            since = now()
            if what == "deleted":
                shutil.rmtree(os.path.join(share, "Bilans"))
            else:
                os.rename(os.path.join(share, "Courriers"), os.path.join(other, what))
            if "changed" in what:
                for i in range(FILES):
                    Path(other, what, f"lettre {i}.txt").write_bytes(os.urandom(20000))
            if what.endswith("and deleted"):
                shutil.rmtree(os.path.join(other, what))
            settle(guard)
            restored(guard, share, before, since, f"{kind} {what}")
        # Back in the share: what is removed there comes back again.
        os.rename(os.path.join(share, "Courriers"), os.path.join(other, "tour"))
        settle(guard)
        os.rename(os.path.join(other, "tour"), os.path.join(share, "Courriers"))
        settle(guard)
        since = now()
        shutil.rmtree(os.path.join(share, "Courriers"))
        settle(guard)
        restored(guard, share, before, since, f"{kind} moved out and in, then deleted")
    print(f"{kind} {' '.join(options)}: what left the share comes back")


def held_and_owned(mount, kind):
    """Owners of folders, flags of chattr, a writer that never closes."""
    share = os.path.join(mount, "share")
    furnish(share)
    before = picture(share)
    target = os.path.join(share, "Bilans", "lettre 3.txt")
    with guarded(mount) as guard:
        since = now()
        os.chown(os.path.join(share, "Bilans"), 0, 0)
        os.chmod(os.path.join(share, "Courriers"), 0o700)
        with open(os.path.join(share, "Bilans", "lettre 4.txt"), "r+b", buffering=0) as writer:
            writer.write(b"chiffre")
            Path(target).write_bytes(b"chiffre")
            subprocess.run(["chattr", "+i", target, os.path.dirname(target)], check=True)
            settle(guard)
            result = restored(guard, share, before, since, f"{kind} held")
            check(set(result["flags_lifted"]) == {target, os.path.dirname(target)}, result)
    print(f"{kind}: owners, flags, open files")


def given_flags(mount, kind):
    """What a folder gives to new files, such as not to be copied on write, they have when they come back."""
    share = os.path.join(mount, "share")
    subprocess.run(["chattr", "+C", share], check=True)
    path = os.path.join(share, "disque.img")
    Path(path).write_bytes(os.urandom(100000))
    before = picture(share)
    with guarded(mount) as guard:
        evidence = Path(guard.state, "evidence")
        for what in ("written over", "deleted"):
            since = now()
            Path(path).write_bytes(b"chiffre") if what == "written over" else os.unlink(path)
            settle(guard)
            restored(guard, share, before, since, f"{kind} {what}")
            flags = subprocess.run(["lsattr", path], capture_output=True, text=True, check=True).stdout.split()[0]
            check("C" in flags, f"{kind} {what}: {flags}")
        until = time.monotonic() + 30
        while not (evidence / "next").is_dir() and time.monotonic() < until:
            time.sleep(0.1)
        check((evidence / "next").is_dir(), "no folder is ready for the next restore")
        check(len(list(evidence.iterdir())) == 3, list(evidence.iterdir()))
    print(f"{kind}: flags that a folder gives")


def subvolumes(mount, kind):
    """Subvolumes of btrfs inside the share, one in the other: nothing is renamed between them, and all comes back, goes
    back and leaves nothing behind."""
    share = os.path.join(mount, "share")
    for name in ("Bilans", "Bilans/2025"):
        subprocess.run(["btrfs", "subvolume", "create", os.path.join(share, name)], check=True, stdout=subprocess.DEVNULL)
    furnish(share)
    for i in range(FILES):
        Path(share, "Bilans", "2025", f"bilan {i}.txt").write_bytes(os.urandom(20000 + i))
    before = picture(share)
    with guarded(mount) as guard:
        since = now()
        for path in Path(share, "Bilans", "2025").iterdir():
            path.write_bytes(b"chiffre")
        for i in range(FILES // 2):
            os.unlink(os.path.join(share, "Bilans", f"lettre {i + 1}.txt"))
        note = os.path.join(share, "Bilans", "LISEZ-MOI.txt")
        os.makedirs(os.path.join(share, "Bilans", "dossier neuf"))
        os.symlink("LISEZ-MOI.txt", os.path.join(share, "Bilans", "lien"))
        Path(note).write_bytes(b"payez")
        os.chmod(note, 0o604)
        settle(guard)
        destroyed = picture(share)
        result = restored(guard, share, before, since, f"{kind} subvolumes")
        check(picture(share).keys() == before.keys(), f"left behind: {picture(share).keys() - before.keys()}")
        undone = hygie("files", "restore", "--state", guard.state, "--undo", result["restore"])
        check(undone["failed"] == 0, undone)
        compare({path: entry for path, entry in destroyed.items() if path not in before}, picture(share), "taken back")
        check(picture(share).keys() >= destroyed.keys(), destroyed.keys() - picture(share).keys())
        check(not list(Path(share).rglob(".hygie*")), list(Path(share).rglob(".hygie*")))
    print(f"{kind}: nested subvolumes")


def full_disk(mount, kind):
    """Nothing is claimed that was not done, and the room that is missing is said."""
    share, filler = os.path.join(mount, "share"), os.path.join(mount, "filler")
    furnish(share)
    before = picture(share)
    with guarded(mount) as guard:
        since = now()
        subprocess.run(["dd", "if=/dev/zero", "of=" + filler, "bs=64k"], stderr=subprocess.DEVNULL, check=False)
        time.sleep(0.2)
        for base, _, files in os.walk(share):
            for name in files:
                try:
                    with open(os.path.join(base, name), "r+b") as file:
                        file.write(b"chiffre")
                except OSError:
                    continue
        run = subprocess.run([os.environ["HYGIE"], "--lang", "en", "files", "restore", "--state", guard.state, "--since",
                              since, "--yes"], capture_output=True, text=True, timeout=120)
        if picture(share) != before:
            check(run.returncode == 1 and "bytes must be freed" in run.stderr, f"{run.returncode} {run.stderr}")
        os.unlink(filler)
        hygie("files", "restore", "--state", guard.state, "--since", since, "--yes")
        compare(before, picture(share), f"{kind} after a full disk")
    print(f"{kind}: a full disk is said")


def kept_once(mount, kind):
    """What a restore brings back is kept already: a guard at work gives those bytes a second name, and they stand for it."""
    share = os.path.join(mount, "share")
    for i in range(FILES):
        Path(share, f"scan {i}.bin").write_bytes(os.urandom(100000 + i))
    before = picture(share)
    with guarded(mount) as guard:
        since = now()
        for path in Path(share).glob("scan*"):
            path.write_bytes(b"chiffre" + os.urandom(30000))
        settle(guard)
        restored(guard, share, before, since, f"{kind} for the first time")
        settle(guard)
        staged = [path.stat().st_nlink for path in Path(guard.state).glob("stage0/*/*.c")]
        check(staged.count(2) == 2 * FILES, f"{kind}: {staged}")
        # Their bytes as they were brought back, when nothing else has them any more.
        Path(share, "scan 0.bin").write_bytes(b"mieux" + os.urandom(40000))
        settle(guard)
        before, since = picture(share), now()
        for path in Path(share).glob("scan*"):
            path.unlink()
        settle(guard)
        restored(guard, share, before, since, f"{kind} once more")
    print(f"{kind}: what comes back is kept once")


def second_names(mount, kind, *options):
    """A file with two names is one file again, whichever of them went, and a guard at work goes on from there."""
    share = os.path.join(mount, "share")
    furnish(share)
    first, second = Path(share, "Bilans", "lettre 0.txt"), Path(share, "Bilans", "second nom.txt")
    before = picture(share)
    with guarded(mount, *options) as guard:
        for what in ("second removed", "first removed", "second replaced", "written over", "both removed", "second removed"):
            # What the restore before has put back is told first: it bears the time of the file's last change, or of its telling.
            settle(guard)
            since, was = now(), first.stat().st_ino
            if "second" in what or "both" in what:
                second.unlink()
            if "first" in what or "both" in what:
                first.unlink()
            if "replaced" in what or "written" in what:
                second.write_bytes(b"chiffre" + os.urandom(30000))
            settle(guard)
            result = restored(guard, share, before, since, f"{kind} {what}")
            check(first.samefile(second), f"{kind} {what}: two files of one")
            check(first.stat().st_ino == was or what in ("written over", "both removed"), f"{kind} {what}: another file")
            names = sum(path.stat().st_ino == first.stat().st_ino for path in Path(share).rglob("*.txt"))
            check(names == 2, f"{kind} {what}: {names} names")
            check(hygie("files", "report", "--state", guard.state, result["restore"])["signed_here"], result)
        settle(guard)
        shown = subprocess.run([os.environ["HYGIE"], "files", "log", "--state", guard.state, second], capture_output=True,
                               text=True, check=True, timeout=120, env={"TZ": "IST-5:30"}).stdout.splitlines()
        told = hygie("files", "log", "--state", guard.state, str(second))
        for line, one in zip(shown, told, strict=True):
            check(line.split()[0].endswith("+05:30"), line)
            check(datetime.fromisoformat(line.split()[0]) == datetime.fromisoformat(one["time"].replace("Z", "+00:00")), line)
        since = now()
        second.write_bytes(b"mieux" + os.urandom(30000))
        settle(guard)
        restored(guard, share, before, since, f"{kind} after all that")
        check(first.samefile(second), f"{kind} after all that: two files of one")
    print(f"{kind} {' '.join(options)}: two names of one file")


def told_late(mount, kind):
    """A guard that a load keeps from the processor hears late of what was done: a restore goes by when it was done."""
    share = os.path.join(mount, "share")
    furnish(share)
    bills, open_one = Path(share, "Bilans"), Path(share, "Courriers", "lettre 1.txt")
    with guarded(mount) as guard, open(open_one, "r+b") as file:
        # From here on nobody asks before it is closed.
        file.write(b"juste")
        file.flush()
        os.kill(guard.process.pid, signal.SIGSTOP)
        while Path(f"/proc/{guard.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "T":
            time.sleep(0.001)
        file.write(b"ment corrige")
        file.close()
        (bills / "lettre 1.txt").unlink()
        (bills / "lettre 2.txt").rename(bills / "lettre deux.txt")
        (bills / "lettre 3.txt").rename(bills / "lettre 4.txt")
        (bills / "lettre 5.txt").chmod(0o600)
        shutil.rmtree(os.path.join(share, "Courriers", "2026"))
        time.sleep(0.02)
        since = now()
        time.sleep(0.5)
        os.kill(guard.process.pid, signal.SIGCONT)
        before = picture(share)
        settle(guard)
        planned = hygie("files", "plan", "--state", guard.state, "--since", since)["items"]
        check(not planned, f"{kind}: done before and taken back: {[item['path'] for item in planned]}")
        for path in [open_one, *sorted(bills.iterdir())[:5]]:
            path.write_bytes(b"chiffre" + os.urandom(30000))
        settle(guard)
        restored(guard, share, before, since, f"{kind} as of what was told late")
        # Right after a restore, whose own names may not be told yet.
        time.sleep(0.02)
        since = now()
        for path in [open_one, *sorted(bills.iterdir())[5:8]]:
            path.unlink()
        settle(guard)
        restored(guard, share, before, since, f"{kind} right after a restore")
    print(f"{kind}: what is told late is dated by when it was done")


def mounted_elsewhere(mount, kind):
    """A disk that is mounted elsewhere: nothing is written where it was, and all comes back where it is."""
    share, there = os.path.join(mount, "share"), mount + " ailleurs"
    furnish(share)
    with guarded(mount) as guard:
        since = now()
        for path in Path(share, "Bilans").iterdir():
            path.write_bytes(b"chiffre")
        shutil.rmtree(os.path.join(share, "Courriers"))
        settle(guard)
    os.makedirs(there)
    subprocess.run(["umount", mount], check=True)
    subprocess.run(["mount", "-o", "loop", mount + ".img", there], check=True)
    words = ["files", "restore", "--state", os.path.join(there, "state"), "--since", since, "--yes"]
    try:
        for language in ("fr", "en"):
            run = subprocess.run([os.environ["HYGIE"], "--lang", language, *words], capture_output=True, text=True, timeout=120)
            check(run.returncode != 0 and "--to" in run.stderr and share in run.stderr, f"{run.returncode} {run.stderr}")
        check(not os.listdir(mount), f"written where nothing is mounted: {os.listdir(mount)}")
        result = hygie(*words, "--to", os.path.join(there, "share"))
        check(result["failed"] == 0 and not result["problems"], result)
        found = {path for path in Path(there, "share").rglob("*.txt") if path.read_bytes() != b"chiffre"}
        check(len(found) == 3 * FILES + 1, f"{len(found)} of {3 * FILES + 1} came back")
        check(not os.listdir(mount), f"written where nothing is mounted: {os.listdir(mount)}")
    finally:
        subprocess.run(["umount", "-l", there], check=False)
    print(f"{kind}: what is mounted elsewhere comes back there alone")


def other_device(mount, kind):
    """A disk that has another device number after a start, as disks do that were found in another order."""
    share, img, spare = os.path.join(mount, "share"), mount + ".img", mount + ".spare"
    furnish(share)
    before, device = picture(share), os.stat(share).st_dev
    with guarded(mount) as guard:
        since = now()
        Path(share, "Bilans", "lettre 1.txt").write_bytes(b"chiffre")
        settle(guard)
    subprocess.run(["umount", mount], check=True)
    # Another disk takes the number that is free now.
    subprocess.run(["cp", "--sparse=always", img, spare], check=True)
    taken = subprocess.run(["losetup", "-f", "--show", spare], check=True, capture_output=True, text=True).stdout.strip()
    try:
        subprocess.run(["mount", "-o", "loop", img, mount], check=True)
        check(os.stat(share).st_dev != device or kind == "btrfs", "the disk has the number that it had")
        with guarded(mount) as guard:
            Path(share, "Bilans", "lettre 2.txt").write_bytes(b"chiffre")
            settle(guard)
            volumes = Path(guard.state, "volumes").read_text().splitlines()
            check(len(volumes) == 1, f"{kind}: one disk is {len(volumes)}: {volumes}")
            restored(guard, share, before, since, f"{kind} under another device number")
    finally:
        subprocess.run(["losetup", "-d", taken], check=False)
        os.unlink(spare)
    print(f"{kind}: a disk is known under another device number")


def power_cut(mount, kind):
    """What a signed report says came back is there if the power goes at once: the image as the disk has it then."""
    share, cut = os.path.join(mount, "share"), mount + ".cut"
    furnish(share)
    for i in range(FILES):
        Path(share, "Bilans", f"courte {i}.txt").write_bytes(os.urandom(3000 + i))
        Path(share, "Bilans", f"longue {i}.bin").write_bytes(os.urandom(400000 + i))
    os.symlink("courte 1.txt", os.path.join(share, "Bilans", "lien"))
    before = picture(share)
    with guarded(mount) as guard:
        os.sync()
        since = now()
        shutil.rmtree(os.path.join(share, "Courriers"))
        for path in Path(share, "Bilans").glob("*.*"):
            path.write_bytes(b"chiffre" + os.urandom(30000))
        os.unlink(os.path.join(share, "Bilans", "lien"))
        settle(guard)
        restored(guard, share, before, since, f"{kind} before the power is cut")
        subprocess.run(["cp", "--sparse=always", mount + ".img", cut], check=True)
    subprocess.run(["umount", "-l", mount], check=True)
    subprocess.run(["mount", "-o", "loop", cut, mount], check=True)
    compare(before, picture(share), f"{kind} after the power was cut")
    os.unlink(cut)
    print(f"{kind}: what was restored outlives a power cut")


WRITER = """import os, struct, sys, time
file = os.open(sys.argv[1], os.O_RDWR)
while True:
    os.pwrite(file, struct.pack(">Q", time.time_ns() // 1000), 0)
"""
# As much as the image has room for, since each version is kept.
FLOOD = """import os, sys
data = os.urandom(40000)
for i in range(2000):
    with open(os.path.join(sys.argv[1], str(i % 500)), "wb") as file:
        file.write(data)
"""
# The kernel's clock for files is that coarse.
TICK_US = 10000


def two_writers(mount, kind, *options):
    """What one writes while another closes the same file is never dated before it was written, however busy the guard is."""
    share, flood = os.path.join(mount, "share"), os.path.join(mount, "share", "flux")
    path = os.path.join(share, "registre.bin")
    os.mkdir(flood)
    Path(path).write_bytes(bytes(40000))
    with guarded(mount, *options) as guard:
        writers = [subprocess.Popen([sys.executable, "-c", *words]) for words in ((WRITER, path), (FLOOD, flood))]
        try:
            for i in range(30):
                time.sleep(0.02)
                with open(path, "r+b", buffering=0) as file:
                    os.pwrite(file.fileno(), b"x", 20000 + i)
        finally:
            for writer in writers:
                writer.kill()
                writer.wait()
        settle(guard)
        dates = [line["time"] for line in hygie("files", "log", "--state", guard.state, path) if line["why"] == "commit"]
        check(dates, "nothing was kept")
        for date in dates:
            hygie("files", "restore", "--state", guard.state, "--path", path, "--at", date, "--yes")
            with open(path, "rb") as file:
                written = int.from_bytes(file.read(8), "big") - TICK_US
            asked = datetime.fromisoformat(date.replace("Z", "+00:00"))
            check(datetime.fromtimestamp(written / 1e6, timezone.utc) <= asked, f"{kind}: {date} has bytes of {written}")
    print(f"{kind} {' '.join(options)}: nothing is dated before it was written")


def main():
    if os.geteuid() != 0:
        skip("needs root")
    for tool in ("mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "chattr", "dd"):
        if not shutil.which(tool):
            skip("needs " + tool)
    work = tempfile.mkdtemp(prefix="hygie-restore-")

    def on(kind, scene, *options):
        with image(kind, work) as mount:
            scene(mount, kind, *options)
        shutil.rmtree(os.path.join(work, kind), ignore_errors=True)

    try:
        for kind in sys.argv[1:] or MAKE:
            on(kind, left_the_share)
            on(kind, held_and_owned)
            on(kind, full_disk)
            on(kind, second_names)
            on(kind, told_late)
            on(kind, two_writers)
            on(kind, two_writers, "--events", "permission")
            on(kind, power_cut)
            on(kind, mounted_elsewhere)
            on(kind, other_device)
            if kind == "btrfs":
                on(kind, given_flags)
                on(kind, subvolumes)
            if kind != "ext4":
                on(kind, kept_once)
        on("ext4", left_the_share, "--events", "permission")
        on("ext4", second_names, "--events", "permission")
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
