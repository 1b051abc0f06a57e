#!/usr/bin/env python3
"""Honest work on files, by name: what a guard of files must never stop.

    workloads.py list                 the names, one a line; "-" and a reason where a tool is missing
    workloads.py prepare NAME DIR     makes what the work starts from, in a throw-away folder
    workloads.py run NAME DIR         does the work; fails when anything it does is refused

Same seed, same files. Nothing outside DIR is touched. Documents are made here, and valid: texts, tables, PDF, PNG,
Word, DICOM, films.
"""

import io
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

FILES = 120
WORDS = "patient tension mg matin soir droite gauche bilan douleur examen normal contrôle dose compte rendu".split()
WORK = {}


def work(needs="", before=None):
    """`needs`: a program; `before`: makes what the work starts from, beside the share."""
    def register(function):
        WORK[function.__name__] = (function, needs, before)
        return function
    return register


def tool(*argv, cwd=None, stdin=None):
    subprocess.run(argv, cwd=cwd, input=stdin, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# Documents

def text(r, lines):
    return "".join(" ".join(r.choice(WORDS) for _ in range(10)) + f" {r.randrange(1000)}\n" for _ in range(lines)).encode()


def table(r, lines):
    def row():
        return b"2026-%02d-%02d;N%d;%d\n" % (r.randrange(1, 13), r.randrange(1, 29), r.randrange(99), r.randrange(9999))
    return b"date;nom;montant\n" + b"".join(row() for _ in range(lines))


def pdf(r, lines, level=6):
    body = zlib.compress(text(r, lines), level)
    parts = [b"%PDF-1.5\n", b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n",
             b"2 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n",
             b"3 0 obj\n<</Filter/FlateDecode/Length %d>>\nstream\n" % len(body) + body + b"\nendstream\nendobj\n"]
    offset = sum(map(len, parts))
    return b"".join(parts) + b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Root 1 0 R/Size 4>>\nstartxref\n%d\n%%%%EOF\n" % offset


def png(r, side, level=6):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes((x * y // 7 + r.randrange(8)) & 255 for x in range(side)) for y in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows, level)) + chunk(b"IEND", b""))


def word(r, lines):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"<w:document>" + text(r, lines) + b"</w:document>")
    return out.getvalue()


def dicom(r, transfer_syntax, pixels):
    def element(group, number, kind, value):
        value += b"\0" * (len(value) % 2)
        if kind in (b"OB", b"OW"):
            return struct.pack("<HH", group, number) + kind + b"\0\0" + struct.pack("<I", len(value)) + value
        return struct.pack("<HH", group, number) + kind + struct.pack("<H", len(value)) + value
    return (b"\0" * 128 + b"DICM" + element(2, 0x10, b"UI", transfer_syntax) + element(8, 0x60, b"CS", b"CT") +
            element(0x10, 0x10, b"PN", b"NOM^PRENOM") + element(0x7FE0, 0x10, b"OB", pixels))


def film(r, size):
    body = r.randbytes(size)
    return struct.pack(">I", 16) + b"ftypisom\0\0\0\1" + struct.pack(">I", size + 8) + b"mdat" + body


def document(r, i):
    lines = r.randrange(40, 400)
    kind = i % 6
    return [(".txt", text), (".csv", table), (".pdf", pdf), (".docx", word)][kind] if kind < 4 else (
        (".png", lambda r, n: png(r, 32 + n // 4)) if kind == 4 else
        (".dcm", lambda r, n: dicom(r, b"1.2.840.10008.1.2.1", bytes(x % 199 for x in range(n * 60)))))


def make_share(top, files=FILES, seed=7):
    r = random.Random(seed)
    for i in range(files):
        folder = top / f"Patients/NOM_{i % 15:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        ending, make = document(r, i)
        (folder / f"document {i:04d}{ending}").write_bytes(make(r, r.randrange(40, 400)))


def every(top, pattern="*"):
    return sorted(p for p in top.rglob(pattern) if p.is_file() and not p.is_symlink())


def save(path, data):
    """As editors do: beside, synced, renamed over."""
    beside = path.with_name(f".~{path.name}.tmp")
    with open(beside, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    os.replace(beside, path)


def again(path, r):
    """Another valid version of the same kind."""
    make = {".txt": lambda: path.read_bytes() + text(r, 3), ".csv": lambda: path.read_bytes() + b"2026-01-02;N;1\n",
            ".pdf": lambda: pdf(r, 300), ".docx": lambda: word(r, 300), ".png": lambda: png(r, 90),
            ".dcm": lambda: dicom(r, b"1.2.840.10008.1.2.1", bytes(x % 191 for x in range(9000)))}
    return make[path.suffix]()


# The work. Each function takes the folder; `prepare` filled DIR/share.

def into_a_tar(d):
    tool("tar", "-cf", d / "share.tar", "-C", d, "share")
    shutil.rmtree(d / "share")


@work("tar", into_a_tar)
def untar(d):
    tool("tar", "-xf", d / "share.tar", "-C", d)


@work()
def copy_tree(d):
    shutil.copytree(d / "share", d / "copy")


@work()
def hash_tree(d):
    import hashlib
    for path in every(d / "share"):
        hashlib.sha256(path.read_bytes()).hexdigest()


@work("rsync")
def rsync_first(d):
    tool("rsync", "-a", f"{d}/share/", f"{d}/mirror/")


@work("rsync")
def rsync_update(d):
    rsync_first(d)
    r = random.Random(2)
    for path in every(d / "share")[::3]:
        path.write_bytes(again(path, r))
    tool("rsync", "-a", "--ignore-times", f"{d}/share/", f"{d}/mirror/")


@work("rsync")
def rsync_delete(d):
    rsync_first(d)
    for path in every(d / "share")[::4]:
        path.unlink()
    tool("rsync", "-a", "--delete", f"{d}/share/", f"{d}/mirror/")


def git(d, *argv):
    tool("git", "-c", "user.name=n", "-c", "user.email=n@example.org", "-C", d / "share", *argv)


@work("git")
def git_commit(d):
    git(d, "init", "-q")
    git(d, "add", ".")
    git(d, "commit", "-qm", "first")
    for path in every(d / "share/Patients", "*.txt"):
        path.write_bytes(path.read_bytes() + b"suite\n")
    git(d, "commit", "-qam", "second")


@work("git")
def git_gc(d):
    git_commit(d)
    git(d, "gc", "-q", "--prune=now")


@work("git")
def git_clone_and_checkout(d):
    git_commit(d)
    tool("git", "clone", "-q", d / "share", d / "clone")
    tool("git", "-C", d / "clone", "checkout", "-q", "HEAD~1")


@work("gzip")
def gzip_tree(d):
    tool("gzip", "-r", d / "share")


@work("zstd")
def zstd_tree(d):
    tool("zstd", "-q", "-r", "--rm", d / "share")


@work("xz")
def xz_tree(d):
    tool("xz", "-1", *every(d / "share")[:40])


@work("7z")
def sevenzip_archive(d):
    tool("7z", "a", "-mx1", d / "share.7z", d / "share")


@work("7z")
def sevenzip_and_delete(d):
    tool("7z", "a", "-mx1", "-sdel", d / "old.7z", d / "share/Patients/NOM_03")


@work("zip")
def zip_and_move(d):
    tool("zip", "-qrm", d / "moved.zip", "Patients/NOM_05", cwd=d / "share")


@work("zip")
def zip_with_password(d):
    tool("zip", "-qP", "secret", d / "three.zip", *every(d / "share")[:3])


@work()
def office_saves(d):
    r = random.Random(3)
    paths = every(d / "share")
    for i in range(300):
        path = paths[i % len(paths)]
        save(path, again(path, r))


@work()
def office_saves_with_copy(d):
    """Rename the old one away, write the new one, delete the old one."""
    r = random.Random(4)
    for path in every(d / "share", "*.docx"):
        data = again(path, r)
        aside = path.with_name("~WRL" + path.name + ".tmp")
        os.rename(path, aside)
        path.write_bytes(data)
        aside.unlink()


@work()
def pdf_stamp(d):
    """An incremental update: appended, as signing and annotating do."""
    for path in every(d / "share", "*.pdf"):
        start = path.stat().st_size
        with open(path, "ab") as out:
            out.write(b"9 0 obj\n<</Annot true>>\nendobj\nxref\n0 0\ntrailer\n<</Root 1 0 R>>\n"
                      b"startxref\n%d\n%%%%EOF\n" % (start + 35))


@work()
def pdf_merge(d):
    r = random.Random(5)
    for folder in sorted((d / "share/Patients").iterdir()):
        pdfs = every(folder, "*.pdf")
        if len(pdfs) > 1:
            (folder / "dossier.pdf").write_bytes(pdf(r, 900))
            pdfs[0].unlink()


@work()
def photo_reencode(d):
    r = random.Random(6)
    for path in every(d / "share", "*.png"):
        path.write_bytes(png(r, 80, 9))


@work()
def photo_rename(d):
    for i, path in enumerate(every(d / "share", "*.png")):
        path.rename(path.with_name(f"2026-11-{i:03d}.png"))


@work()
def dicom_transcode(d):
    r = random.Random(8)
    for path in every(d / "share", "*.dcm"):
        save(path, dicom(r, b"1.2.840.10008.1.2.4.90", r.randbytes(8000)))


@work()
def pacs_purge(d):
    for path in every(d / "share", "*.dcm"):
        path.unlink()


@work()
def csv_import(d):
    r = random.Random(9)
    for i in range(80):
        (d / f"share/export {i}.csv").write_bytes(table(r, 200))
    for path in every(d / "share", "*.csv"):
        path.write_bytes(table(r, 250))


def database(d):
    return sqlite3.connect(d / "share/agenda.db")


@work()
def sqlite_load(d):
    base = database(d)
    base.execute("create table if not exists t(a integer primary key, b text, c blob)")
    r = random.Random(10)
    for i in range(400):
        with base:
            base.execute("insert into t(b, c) values(?, ?)", (text(r, 3).decode(), r.randbytes(200)))
    base.close()


@work()
def sqlite_vacuum(d):
    sqlite_load(d)
    base = database(d)
    with base:
        base.execute("delete from t where a % 3 = 0")
    base.execute("vacuum")
    base.close()


@work()
def mail_spool(d):
    r = random.Random(11)
    for part in ("tmp", "new", "cur"):
        (d / "share/Maildir" / part).mkdir(parents=True, exist_ok=True)
    for i in range(150):
        message = b"From: a@example.org\nSubject: %d\n\n" % i + text(r, 20)
        (d / f"share/Maildir/tmp/{i}").write_bytes(message)
        os.rename(d / f"share/Maildir/tmp/{i}", d / f"share/Maildir/new/{i}")
        os.rename(d / f"share/Maildir/new/{i}", d / f"share/Maildir/cur/{i}:2,S")
        with open(d / "share/mbox", "ab") as out:
            out.write(b"From x\n" + message)


def restic(d, *argv):
    tool("restic", "-r", d / "repository", "--password-file", d / "pw", *argv)


@work("restic")
def restic_backup_and_prune(d):
    (d / "pw").write_bytes(b"pw\n")
    restic(d, "init")
    for i in range(2):
        restic(d, "backup", d / "share")
        for path in every(d / "share", "*.txt"):
            path.write_bytes(path.read_bytes() + b"plus\n")
    restic(d, "forget", "--keep-last", "1", "--prune")


@work("restic")
def restic_restore(d):
    (d / "pw").write_bytes(b"pw\n")
    restic(d, "init")
    restic(d, "backup", d / "share")
    r = random.Random(12)
    for path in every(d / "share", "*.txt"):
        path.write_bytes(text(r, 9))
    restic(d, "restore", "latest", "--target", "/")


@work("tar")
def tar_backup(d):
    for i in range(3):
        tool("tar", "-czf", d / "backup.tar.gz.new", "-C", d, "share")
        os.replace(d / "backup.tar.gz.new", d / "backup.tar.gz")


@work()
def antivirus_scan(d):
    for _ in range(3):
        for path in every(d / "share"):
            path.read_bytes()


@work()
def indexer(d):
    base = sqlite3.connect(d / "share/index.db")
    base.execute("create table i(path text, words integer)")
    with base:
        for path in every(d / "share/Patients"):
            base.execute("insert into i values(?, ?)", (str(path), len(path.read_bytes().split())))
    base.close()


@work()
def remove_project(d):
    shutil.rmtree(d / "share/Patients")


@work()
def thumbnailer(d):
    r = random.Random(13)
    for path in every(d / "share", "*.png"):
        path.read_bytes()
        (path.parent / ".thumbs").mkdir(exist_ok=True)
        (path.parent / ".thumbs" / path.name).write_bytes(png(r, 24))


@work("gpg")
def gpg_folder(d):
    """Encrypted copies beside the originals, which stay."""
    home = d / "gpg"
    home.mkdir(mode=0o700)
    for path in every(d / "share/Patients/NOM_01"):
        tool("gpg", "--homedir", home, "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "pw", "-c", path)


@work("sed")
def sed_in_place(d):
    tool("sed", "-i", "s/patient/patiente/g", *every(d / "share", "*.txt"), *every(d / "share", "*.csv"))


@work()
def film_transcode(d):
    r = random.Random(14)
    for i in range(8):
        (d / f"share/film {i}.mp4").write_bytes(film(r, 300_000))
    for i in range(8):
        (d / f"share/film {i}.small.mp4").write_bytes(film(r, 120_000))
        (d / f"share/film {i}.mp4").unlink()


@work("gzip")
def log_rotate(d):
    r = random.Random(15)
    for i in range(12):
        log = d / f"share/service{i}.log"
        log.write_bytes(text(r, 300))
        if i % 2:  # copied, then emptied, as for programs that keep it open
            shutil.copy(log, d / f"share/service{i}.log.1")
            os.truncate(log, 0)
        else:
            os.rename(log, d / f"share/service{i}.log.1")
            log.write_bytes(b"")
        tool("gzip", d / f"share/service{i}.log.1")


@work()
def machine_image(d):
    r = random.Random(16)
    with open(d / "share/machine.img", "wb") as out:
        out.truncate(32 << 20)
        for _ in range(300):
            out.seek(r.randrange(32 << 20) // 4096 * 4096)
            out.write(r.randbytes(4096))


@work()
def browser_profile(d):
    r = random.Random(17)
    cache = d / "share/profile/cache"
    cache.mkdir(parents=True)
    for i in range(200):
        (cache / f"{r.getrandbits(64):016x}").write_bytes(r.randbytes(4000))
        if i > 100:
            min(cache.iterdir()).unlink()
    base = sqlite3.connect(d / "share/profile/history.db")
    base.execute("create table h(u text)")
    for i in range(60):
        with base:
            base.execute("insert into h values(?)", (f"https://example.org/{i}",))
    base.close()


@work()
def sync_client(d):
    """As Nextcloud and Syncthing do: a part file, then renamed over."""
    r = random.Random(18)
    for path in every(d / "share")[::2]:
        part = path.with_name("." + path.name + ".part")
        part.write_bytes(again(path, r))
        os.replace(part, path)


@work("gcc")
def compile_sources(d):
    for i in range(6):
        (d / f"share/source{i}.c").write_text(f"int f{i}(int a){{return a*{i};}}\n")
    for _ in range(2):
        for i in range(6):
            tool("gcc", "-c", f"source{i}.c", "-o", f"source{i}.o", cwd=d / "share")


@work()
def download(d):
    r = random.Random(19)
    for i in range(5):
        with open(d / f"share/file{i}.mp4.part", "wb") as out:
            out.write(film(r, 1_500_000))
        os.rename(d / f"share/file{i}.mp4.part", d / f"share/file{i}.mp4")


@work()
def package_upgrade(d):
    """As dpkg does: beside, synced, the old one kept aside, renamed over, the old one deleted."""
    r = random.Random(20)
    for path in every(d / "share")[::2]:
        beside = path.with_name(path.name + ".dpkg-new")
        beside.write_bytes(again(path, r))
        aside = path.with_name(path.name + ".dpkg-tmp")
        os.link(path, aside)
        os.replace(beside, path)
        aside.unlink()


@work()
def append_log(d):
    with open(d / "share/journal.log", "ab", buffering=0) as out:
        for i in range(2000):
            out.write(b"2026-11-25 ligne %d du journal\n" % i)


@work()
def settings_rewrite(d):
    """Programs that rewrite their small settings whole, in place, again and again."""
    r = random.Random(21)
    for i in range(20):
        (d / f"share/reglage{i}.json").write_text('{"a": 1}')
    for n in range(200):
        (d / f"share/reglage{n % 20}.json").write_text('{"a": %d, "b": "%s"}' % (n, r.choice(WORDS)))


def prepare(name, d):
    d.mkdir(parents=True, exist_ok=True)
    make_share(d / "share")
    before = WORK[name][2]
    if before:
        before(d)


def main():
    if sys.argv[1:] == ["list"]:
        for name, (_, needs, _) in WORK.items():
            missing = needs and not shutil.which(needs)
            print(f"- {name}: {needs} is not installed" if missing else name)
        return 0
    if len(sys.argv) != 4 or sys.argv[1] not in ("prepare", "run") or sys.argv[2] not in WORK:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(sys.argv[3])
    if sys.argv[1] == "prepare":
        prepare(sys.argv[2], folder)
    else:
        WORK[sys.argv[2]][0](folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
