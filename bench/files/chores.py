#!/usr/bin/env python3
"""More honest work on files, done by the programs that people really use for it. Beside workloads.py, whose commands these
are too, and whose work is listed here as well.

    chores.py list                 the names, one a line; "-" and a reason where a tool is missing
    chores.py prepare NAME DIR     makes what the work starts from, in a throw-away folder
    chores.py run NAME DIR         does the work; fails when anything it does is refused
"""

import gzip
import os
import random
import shutil
import sqlite3
import sys

import workloads
from workloads import every, text, tool, work

PICTURES = 60


def picture(r, side):
    """A photograph as cjpeg takes it: smooth, with some noise."""
    rows = bytes((x * 3 + y * 5 + r.randrange(16)) & 255 for y in range(side) for x in range(side) for _ in range(3))
    return b"P6 %d %d 255\n" % (side, side) + rows


def photographs(d):
    r = random.Random(31)
    folder = d / "share/Photos"
    folder.mkdir()
    for i in range(PICTURES):
        raw = d / "raw.ppm"
        raw.write_bytes(picture(r, 60 + r.randrange(60)))
        tool("cjpeg", "-quality", "90", "-outfile", folder / f"IMG_{i:04d}.jpg", raw)
    raw.unlink()


@work("cjpeg", photographs)
def photographs_exported(d):
    (d / "share/Export").mkdir()
    for path in every(d / "share/Photos"):
        tool("/usr/bin/convert", path, "-resize", "50%", d / "share/Export" / (path.stem + ".png"))


@work("cjpeg", photographs)
def photographs_turned_in_place(d):
    tool("mogrify", "-rotate", "90", *every(d / "share/Photos"))


@work("cjpeg", photographs)
def photographs_turned_without_loss(d):
    for path in every(d / "share/Photos"):
        beside = path.with_suffix(".tmp")
        tool("jpegtran", "-rotate", "180", "-outfile", beside, path)
        os.replace(beside, path)


@work("cjpeg", photographs)
def photographs_changed_of_kind(d):
    """To another format, the old ones deleted."""
    tool("mogrify", "-format", "png", *every(d / "share/Photos"))
    for path in every(d / "share/Photos", "*.jpg"):
        path.unlink()


@work("exiftool", photographs)
def metadata_stripped(d):
    tool("exiftool", "-q", "-overwrite_original", "-Artist=cabinet", d / "share/Photos")
    tool("exiftool", "-q", "-overwrite_original", "-all=", d / "share/Photos")


def real_pdfs(d):
    """With a table of objects that a strict program follows."""
    r = random.Random(39)
    for path in every(d / "share", "*.pdf"):
        page = b"BT /F1 9 Tf 40 800 Td (" + text(r, 40).replace(b"\n", b") Tj 0 -11 Td (") + b") Tj ET"
        bodies = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
                  b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
                  b"<</Length %d>>\nstream\n%s\nendstream" % (len(page), page),
                  b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
        out, offsets = b"%PDF-1.5\n", []
        for number, body in enumerate(bodies, 1):
            offsets.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        path.write_bytes(out + b"xref\n0 6\n0000000000 65535 f \n" + table +
                         b"trailer\n<</Root 1 0 R/Size 6>>\nstartxref\n%d\n%%%%EOF\n" % len(out))


@work("qpdf", real_pdfs)
def pdf_saved_again(d):
    for path in every(d / "share", "*.pdf"):
        tool("qpdf", "--linearize", "--object-streams=generate", "--replace-input", path)
    for path in every(d / "share", "*.pdf"):
        tool("qpdf", "--qdf", "--replace-input", path)


@work("gs")
def pdf_printed_anew(d):
    for path in every(d / "share", "*.txt")[:12]:
        beside = path.with_suffix(".new.pdf")
        tool("gs", "-q", "-dNOSAFER", "-sDEVICE=pdfwrite", "-o", beside, "-c",
             "/Helvetica 10 selectfont 50 700 moveto (compte rendu) show showpage")
        os.replace(beside, path.with_suffix(".scan.pdf"))


@work("qpdf", real_pdfs)
def three_pdf_locked_for_patients(d):
    for path in every(d / "share", "*.pdf")[:3]:
        tool("qpdf", "--encrypt", "patient", "cabinet", "256", "--", path, path.with_suffix(".envoi.pdf"))


def windows_texts(d):
    for path in every(d / "share", "*.txt") + every(d / "share", "*.csv"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


@work("dos2unix", windows_texts)
def line_ends_changed(d):
    tool("dos2unix", "-q", *every(d / "share", "*.txt"), *every(d / "share", "*.csv"))


@work("iconv")
def character_sets_changed(d):
    for path in every(d / "share", "*.txt"):
        beside = path.with_name(path.name + ".utf16")
        tool("iconv", "-f", "utf-8", "-t", "utf-16le", "-o", beside, path)
        os.replace(beside, path)


def a_newer_tar(d):
    shutil.copytree(d / "share", d / "newer/share")
    r = random.Random(32)
    for path in every(d / "newer"):
        path.write_bytes(workloads.again(path, r))
    tool("tar", "-czf", d / "newer.tar.gz", "-C", d / "newer", "share")
    shutil.rmtree(d / "newer")


@work("tar", a_newer_tar)
def unpacked_over_what_is_there(d):
    tool("tar", "-xzf", d / "newer.tar.gz", "-C", d)


def a_package(d):
    tree = d / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text("Package: essai\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\n"
                                         "Description: essai\n")
    shutil.copytree(d / "share", tree / "share", dirs_exist_ok=True)
    r = random.Random(33)
    for path in every(tree / "share"):
        path.write_bytes(workloads.again(path, r))
    tool("dpkg-deb", "-b", tree, d / "essai.deb")
    shutil.rmtree(tree)


@work("dpkg-deb", a_package)
def package_unpacked(d):
    tool("dpkg-deb", "-x", d / "essai.deb", d)


@work("sqlite3")
def database_dumped_and_rotated(d):
    base = sqlite3.connect(d / "share/dossiers.db")
    with base:
        base.execute("create table p(n text)")
    r = random.Random(34)
    for day in range(12):
        with base:
            base.executemany("insert into p values(?)", [(text(r, 1).decode(),) for _ in range(300)])
        for old in range(6, 0, -1):
            path = d / f"share/dump.sql.gz.{old}"
            if path.exists():
                path.rename(d / f"share/dump.sql.gz.{old + 1}")
        if (d / "share/dump.sql.gz").exists():
            (d / "share/dump.sql.gz").rename(d / "share/dump.sql.gz.1")
        if (d / "share/dump.sql.gz.7").exists():
            (d / "share/dump.sql.gz.7").unlink()
        (d / "share/dump.sql.gz").write_bytes(gzip.compress("\n".join(base.iterdump()).encode()))
    base.close()


def many_logs(d):
    (d / "share/log").mkdir()
    (d / "rotate.conf").write_text(f"{d}/share/log/*.log {{\n  su root root\n  rotate 3\n  size 1\n  compress\n  missingok\n}}\n")


@work("logrotate", many_logs)
def logs_rotated_by_logrotate(d):
    r = random.Random(35)
    for _ in range(5):
        for i in range(20):
            with open(d / f"share/log/service{i}.log", "ab") as out:
                out.write(text(r, 120))
        tool("logrotate", "-f", "-s", d / "rotate.state", d / "rotate.conf")


@work("borg")
def borg_into_the_share(d):
    tool("env", f"HOME={d}", "BORG_PASSPHRASE=pw", f"BORG_BASE_DIR={d}", "sh", "-c",
         'borg init -e repokey "$1/share/borg" && for i in 1 2 3; do borg create "$1/share/borg::$i" "$1/share/Patients"; '
         'for f in "$1"/share/Patients/*/*.txt; do echo "suite $i" >>"$f"; done; done && '
         'borg prune --keep-last 1 "$1/share/borg" && borg compact "$1/share/borg"', "x", d)


@work()
def safe_of_passwords(d):
    """Encrypted by its program before and after each save."""
    r = random.Random(36)
    for _ in range(15):
        workloads.save(d / "share/mots de passe.kdbx", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5" + r.randbytes(40_000))


@work()
def encrypted_container(d):
    r = random.Random(37)
    path = d / "share/coffre.hc"
    path.write_bytes(r.randbytes(4 << 20))
    with open(path, "r+b") as out:
        for _ in range(200):
            out.seek(r.randrange(1000) * 4096)
            out.write(r.randbytes(4096))


@work()
def dicom_made_anonymous(d):
    for path in every(d / "share", "*.dcm"):
        with open(path, "r+b") as file:
            data = file.read()
            file.seek(data.index(b"NOM^PRENOM"))
            file.write(b"ANONYME^01")


@work()
def folders_put_in_order(d):
    """By kind, under other names: everything moves, nothing changes."""
    for i, path in enumerate(every(d / "share/Patients")):
        target = d / "share/Classement" / path.suffix[1:]
        target.mkdir(parents=True, exist_ok=True)
        path.rename(target / f"2026 {i:04d}{path.suffix}")


@work()
def tables_become_books(d):
    """Each .csv is saved as .xlsx, and deleted."""
    import io
    import zipfile
    for path in every(d / "share", "*.csv"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
            rows = "".join(f"<row>{line}</row>" for line in path.read_text().split("\n"))
            book.writestr("[Content_Types].xml", "<Types/>")
            book.writestr("xl/worksheets/sheet1.xml", f"<worksheet>{rows}</worksheet>")
        path.with_suffix(".xlsx").write_bytes(out.getvalue())
        path.unlink()


@work()
def mailbox_compacted(d):
    r = random.Random(38)
    for name in ("Inbox", "Sent", "Archive"):
        messages = [b"From - x\nSubject: %d\n\n" % i + text(r, 20) for i in range(60)]
        (d / f"share/{name}").write_bytes(b"\n".join(messages))
        beside = d / f"share/nstmp-{name}"
        beside.write_bytes(b"\n".join(messages[::2]))
        os.replace(beside, d / f"share/{name}")


@work("openssl")
def two_files_sealed_and_deleted(d):
    for path in every(d / "share", "*.docx")[:2]:
        tool("openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-k", "secret", "-in", path, "-out", f"{path}.enc")
        path.unlink()


if __name__ == "__main__":
    sys.exit(workloads.main())
