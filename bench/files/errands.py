#!/usr/bin/env python3
"""Honest work by a hand that had not read the guard: beside workloads.py and chores.py, whose commands these are too, and
whose work is listed here as well.

    errands.py list                 the names, one a line; "-" and a reason where a tool is missing
    errands.py prepare NAME DIR     makes what the work starts from, in a throw-away folder
    errands.py run NAME DIR         does the work; fails when anything it does is refused
"""

import contextlib
import os
import random
import shutil
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import chores  # noqa: F401  its work is listed here too
import workloads
from workloads import every, text, tool, work


def shell(script, d):
    tool("bash", "-c", script, cwd=d / "share")


@contextlib.contextmanager
def other_disk():
    with tempfile.TemporaryDirectory(dir="/dev/shm") as there:
        yield Path(there)


def named(d, *endings):
    return [path for path in every(d / "share") if path.suffix in endings]


@work()
def letters_with_lock_and_passing_name(d):
    """As LibreOffice saves: a lock beside, a passing name, renamed over."""
    for path in named(d, ".docx"):
        lock, passing = path.with_name(f".~lock.{path.name}#"), path.with_name("lu4711.tmp")
        lock.write_text(",secretaire,accueil,27.11.2026 09:00,file:///home;")
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(passing, "w", zipfile.ZIP_DEFLATED) as new:
            for part in old.namelist():
                new.writestr(part, old.read(part).replace(b"patient", b"malade"))
        passing.rename(path)
        lock.unlink()


@work()
def old_texts_become_pdf(d):
    """Each text is printed, and deleted."""
    r = random.Random(51)
    for path in named(d, ".txt"):
        path.with_suffix(".pdf").write_bytes(workloads.pdf(r, len(path.read_bytes().splitlines())))
        path.unlink()


@work("shred")
def three_letters_erased_for_good(d):
    """As a patient may ask."""
    tool("shred", "-u", *named(d, ".docx")[:3])


@work("gzip")
def exports_compressed_in_place(d):
    tool("gzip", "-9", *named(d, ".csv", ".txt"))


@work("zip")
def old_year_into_a_plain_archive(d):
    shell("zip -q -r -m 2019.zip Patients/NOM_0*", d)


@work()
def folders_moved_to_another_disk(d):
    """Copied, compared, deleted here."""
    with other_disk() as there:
        shutil.copytree(d / "share/Patients", there, dirs_exist_ok=True)
        for path in every(there):
            assert path.read_bytes() == (d / "share/Patients" / path.relative_to(there)).read_bytes()
        shutil.rmtree(d / "share/Patients")


@work()
def folders_moved_and_new_ones_begun(d):
    """The old ones go to another disk, new reports come into the same folders."""
    r = random.Random(52)
    with other_disk() as there:
        for i, path in enumerate(every(d / "share/Patients")):
            shutil.move(path, there / path.name)
            (path.parent / f"compte rendu {i}.pdf").write_bytes(workloads.pdf(r, 200))


@work("zip")
def letters_for_patients(d):
    """Five, each in an archive with a password; the archives are sent and deleted, the letters stay."""
    for path in named(d, ".docx")[:5]:
        tool("zip", "-q", "-j", "-P", "01011960", f"{path}.zip", path)
        time.sleep(0.3)
    for path in named(d, ".zip"):
        path.unlink()


@work("gpg")
def sealed_backup_in_the_share(d):
    """All goes into one sealed archive, nothing is deleted."""
    shell("mkdir Sauvegarde; export GNUPGHOME=$(mktemp -d); tar cz Patients | gpg --batch -q --pinentry-mode loopback "
          "--passphrase x -c > Sauvegarde/2026.tgz.gpg; gpgconf --kill all; rm -r $GNUPGHOME", d)


@work("setfacl")
def rights_given_to_all(d):
    shell("chmod -R g+rwX,o-rwx . && chown -R 1000:1000 . && setfacl -R -m u:1001:rX . && touch -d 2020-01-01 Patients/*/*", d)


@work()
def mail_read_moved_and_expunged(d):
    r = random.Random(53)
    new, cur = d / "share/Maildir/new", d / "share/Maildir/cur"
    new.mkdir(parents=True), cur.mkdir()
    for i in range(60):
        (new / f"{i}.M{i}P1.host").write_bytes(b"Subject: %d\n\n" % i + text(r, 30))
    for path in every(new):
        path.rename(cur / f"{path.name}:2,S")
    for path in every(cur)[::2]:
        path.rename(f"{path}T").unlink()


@work("git")
def history_merged_and_wound_back(d):
    shell("git init -q . && git config user.email a@example.org && git config user.name a && git add -A && git commit -qm a && "
          "git checkout -qb other && sed -i s/1/2/g Patients/*/*.csv && git commit -qam b && git checkout -q - && "
          "git merge -q other && git gc -q && git rm -qr Patients/NOM_0* && git commit -qm c && git reset -q --hard HEAD~1", d)


@work("hardlink")
def twins_become_links(d):
    shell("cp -a Patients Copie && hardlink -c .", d)


@work()
def end_of_retention(d):
    for path in every(d / "share"):
        if len(path.name) % 2 == 0:
            path.unlink()


@work()
def conflicts_of_a_sync_client(d):
    """Hidden passing names, renamed over; now and then the old one stays as a copy in conflict."""
    for i, path in enumerate(named(d, ".csv", ".txt", ".docx")):
        passing = path.with_name(f".syncthing.{path.name}.tmp")
        passing.write_bytes(path.read_bytes() + (b"\n" if path.suffix != ".docx" else b""))
        if i % 9 == 0:
            path.rename(path.with_name(f"{path.stem}.sync-conflict{path.suffix}"))
        os.replace(passing, path)


@work("sqlite3")
def database_dumped_and_read_back(d):
    shell("sqlite3 base.db 'create table visit(note); with recursive n(i) as (select 1 union all select i + 1 from n limit "
          "20000) insert into visit select hex(randomblob(20)) from n'; sqlite3 base.db .dump > base.sql; rm base.db; "
          "sqlite3 base.db < base.sql; sqlite3 base.db 'update visit set note = note || 1; vacuum'", d)


if __name__ == "__main__":
    sys.exit(workloads.main())
