#!/usr/bin/env python3
"""Harmless imitations of what destroys files, for throw-away folders only. Standard library only.

Each behaviour is a function of one file: it destroys or changes it in one of the ways seen in ransomware, wipers and
accidents. `random` bytes stand for encryption: nothing here can bring a file back, so whoever restores it kept it.

    behaviours.py make DIR PER        a folder per behaviour, PER victims in each
    behaviours.py attack DIR [NAME…]  every behaviour on its folder
"""

import base64
import ctypes
import ctypes.util
import mmap
import os
import random
import shutil
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from io import BytesIO

LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
SYS_RENAMEAT2 = 316
RENAME_EXCHANGE = 2
KEEP_SIZE, PUNCH_HOLE, COLLAPSE, ZERO_RANGE = 1, 2, 8, 16
FICLONE = 0x40049409
BEHAVIOURS = {}
PROGRAMS = set()
# What runs before the guard starts: an attacker who was there first.
EARLY = {}


def behaviour(function):
    BEHAVIOURS[function.__name__] = function
    return function


def needing(tool):
    """A behaviour of a program that is not everywhere, and takes its time."""
    def note(function):
        if shutil.which(tool):
            PROGRAMS.add(behaviour(function).__name__)
        return function
    return note


def noise(size):
    return os.urandom(size)


def whole(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data, mode="wb"):
    with open(path, mode) as file:
        file.write(data)


def poke(path, offset, data):
    fd = os.open(path, os.O_RDWR)
    try:
        os.pwrite(fd, data, offset)
    finally:
        os.close(fd)


def fallocate(path, mode, offset, size):
    fd = os.open(path, os.O_RDWR)
    try:
        return LIBC.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(size)) == 0
    finally:
        os.close(fd)


# In place

@behaviour
def overwrite_in_place(path):
    poke(path, 0, noise(os.path.getsize(path)))


@behaviour
def read_then_write_back(path):
    data = whole(path)
    with open(path, "r+b") as file:
        file.write(noise(len(data)))


@behaviour
def truncate_and_rewrite(path):
    write(path, noise(len(whole(path))))


@behaviour
def many_small_writes(path):
    fd = os.open(path, os.O_WRONLY)
    for offset in range(0, os.fstat(fd).st_size, 512):
        os.pwrite(fd, noise(512), offset)
    os.close(fd)


@behaviour
def intermittent_4k_of_64k(path):
    fd = os.open(path, os.O_RDWR)
    size = os.fstat(fd).st_size
    for offset in range(0, size, 65536):
        os.pwrite(fd, noise(min(4096, size - offset)), offset)
    os.close(fd)


@behaviour
def sixteen_bytes_here_and_there(path):
    size = os.path.getsize(path)
    fd = os.open(path, os.O_RDWR)
    for offset in range(0, size - 16, 512):
        os.pwrite(fd, noise(16), offset)
    os.close(fd)


@behaviour
def head_only(path):
    poke(path, 0, noise(1024))


@behaviour
def header_preserved(path):
    size = os.path.getsize(path)
    poke(path, min(1024, size - 1), noise(max(1, size - 1024)))


@behaviour
def base64_of_noise(path):
    write(path, base64.b64encode(noise(os.path.getsize(path))))


@behaviour
def half_noise_half_text(path):
    size = os.path.getsize(path)
    data = bytearray(b"dose du matin " * (size // 14 + 1))[:size]
    for at in range(0, size, 64):
        data[at:at + 32] = noise(min(32, size - at))
    write(path, data)


@behaviour
def bytes_reversed(path):
    data = whole(path)[::-1]
    with open(path, "r+b") as file:
        file.write(data)


@behaviour
def key_appended(path):
    poke(path, 0, noise(os.path.getsize(path)))
    write(path, b"KEY" + noise(256), "ab")


@behaviour
def through_a_mapping(path):
    fd = os.open(path, os.O_RDWR)
    with mmap.mmap(fd, 0) as memory:
        memory[:] = noise(len(memory))
    os.close(fd)


@behaviour
def through_a_mapping_after_close(path):
    fd = os.open(path, os.O_RDWR)
    memory = mmap.mmap(fd, 0)
    os.close(fd)
    memory[:] = noise(len(memory))
    memory.close()


@behaviour
def direct_io(path):
    size = os.path.getsize(path) // 4096 * 4096
    try:
        fd = os.open(path, os.O_RDWR | os.O_DIRECT)
    except OSError:
        return overwrite_in_place(path)
    block = mmap.mmap(-1, 4096)
    block[:] = noise(4096)
    for offset in range(0, size, 4096):
        os.lseek(fd, offset, os.SEEK_SET)
        os.write(fd, block)
    os.close(fd)
    if size == 0:
        overwrite_in_place(path)
    return None


@behaviour
def vectored_write(path):
    fd = os.open(path, os.O_RDWR)
    size = os.fstat(fd).st_size
    os.pwritev(fd, [noise(size // 2), noise(size - size // 2)], 0)
    os.close(fd)


@behaviour
def copy_file_range_over(path):
    other = path + ".r"
    write(other, noise(os.path.getsize(path)))
    source, target = os.open(other, os.O_RDONLY), os.open(path, os.O_WRONLY)
    os.copy_file_range(source, target, os.path.getsize(other), 0, 0)
    os.close(source)
    os.close(target)
    os.unlink(other)


@behaviour
def clone_over(path):
    import fcntl
    other = path + ".r"
    write(other, noise(os.path.getsize(path)))
    source, target = os.open(other, os.O_RDONLY), os.open(path, os.O_WRONLY)
    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError:
        os.sendfile(target, source, 0, os.path.getsize(other))
    os.close(source)
    os.close(target)
    os.unlink(other)


@behaviour
def splice_over(path):
    size = os.path.getsize(path)
    read_end, write_end = os.pipe()
    fd = os.open(path, os.O_WRONLY)
    done = 0
    while done < size:
        os.write(write_end, noise(min(4096, size - done)))
        done += os.splice(read_end, fd, 4096, offset_dst=done) if hasattr(os, "splice") else size
    for each in (fd, read_end, write_end):
        os.close(each)
    if not hasattr(os, "splice"):
        overwrite_in_place(path)


@behaviour
def dd_without_truncation(path):
    subprocess.run(["dd", "if=/dev/urandom", "of=" + path, "bs=4k", "count=4", "conv=notrunc", "status=none"],
                   check=True)


# Cut

@behaviour
def truncate_by_path(path):
    os.truncate(path, 0)


@behaviour
def truncate_to_half_by_path(path):
    os.truncate(path, os.path.getsize(path) // 2)


@behaviour
def ftruncate(path):
    fd = os.open(path, os.O_RDWR)
    os.ftruncate(fd, 0)
    os.close(fd)


@behaviour
def cut_and_grown_again(path):
    size = os.path.getsize(path)
    fd = os.open(path, os.O_RDWR)
    os.ftruncate(fd, 0)
    os.ftruncate(fd, size)
    os.close(fd)


@behaviour
def punch_hole(path):
    fallocate(path, PUNCH_HOLE | KEEP_SIZE, 0, os.path.getsize(path))


@behaviour
def zero_range(path):
    if not fallocate(path, ZERO_RANGE, 0, os.path.getsize(path)):
        poke(path, 0, bytes(os.path.getsize(path)))


@behaviour
def collapse_range(path):
    if not fallocate(path, COLLAPSE, 0, 4096):
        poke(path, 0, b"Z" * 4096)


# Names

@behaviour
def new_file_then_unlink(path):
    write(path + ".locked", noise(len(whole(path))))
    os.unlink(path)


@behaviour
def new_file_renamed_over(path):
    write(path + ".tmp", noise(len(whole(path))))
    os.rename(path + ".tmp", path)


@behaviour
def renamed_then_overwritten(path):
    os.rename(path, path + ".enc")
    overwrite_in_place(path + ".enc")


@behaviour
def overwritten_then_renamed(path):
    overwrite_in_place(path)
    os.rename(path, path + ".enc")


@behaviour
def exchanged_then_unlinked(path):
    other = path + ".x"
    write(other, noise(64))
    if LIBC.syscall(SYS_RENAMEAT2, AT_FDCWD, os.fsencode(path), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) != 0:
        raise OSError("renameat2")
    os.unlink(other)


@behaviour
def wiped(path):
    os.unlink(path)


@behaviour
def overwritten_then_unlinked(path):
    overwrite_in_place(path)
    os.unlink(path)


@behaviour
def replaced_by_a_link(path):
    os.unlink(path)
    os.symlink("/dev/null", path)


@behaviour
def through_a_hard_link(path):
    os.link(path, path + ".alias")
    overwrite_in_place(path + ".alias")
    os.unlink(path + ".alias")


@behaviour
def through_a_symbolic_link(path):
    os.symlink(path, path + ".sym")
    write(path + ".sym", noise(100))
    os.unlink(path + ".sym")


@behaviour
def unlinked_while_open(path):
    fd = os.open(path, os.O_RDWR)
    os.unlink(path)
    os.pwrite(fd, noise(os.fstat(fd).st_size), 0)
    os.close(fd)


@behaviour
def in_a_renamed_folder(path):
    folder = os.path.dirname(path)
    other = folder + ".moved"
    os.rename(folder, other)
    overwrite_in_place(os.path.join(other, os.path.basename(path)))
    os.rename(other, folder)


@behaviour
def stashed_in_an_attribute(path):
    os.setxattr(path, "user.key", b"k" * 64)
    write(path + ".stream", noise(len(whole(path))))
    os.unlink(path)


@behaviour
def rights_changed_then_overwritten(path):
    os.chmod(path, 0o600)
    overwrite_in_place(path)
    os.utime(path, ns=(0, 0))


@behaviour
def time_set_then_overwritten(path):
    os.utime(path, (5e8, 5e8))
    poke(path, 0, noise(os.path.getsize(path)))


@behaviour
def time_set_then_unlinked(path):
    os.utime(path, (5e8, 5e8))
    os.unlink(path)


@behaviour
def inode_used_again(path):
    size = os.path.getsize(path)
    os.unlink(path)
    write(path, noise(size))


# Processes and programs

@behaviour
def one_process_per_file(path):
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            overwrite_in_place(path)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


@behaviour
def double_fork(path):
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            try:
                overwrite_in_place(path)
            finally:
                os._exit(0)
        os.wait()
        os._exit(0)
    os.waitpid(child, 0)


@behaviour
def split_over_18_processes(path):
    size = os.path.getsize(path)
    part = size // 18 + 1
    children = []
    for i in range(18):
        child = os.fork()
        if child == 0:
            try:
                poke(path, i * part, noise(min(part, max(0, size - i * part))))
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


# A process in a session of its own that overwrites what it is told to, until nobody tells it any more.
WORKER = """
import os
while path := os.read(0, 4096):
    fd = os.open(path, os.O_RDWR)
    os.pwrite(fd, os.urandom(os.fstat(fd).st_size), 0)
    os.close(fd)
    os.write(1, b".")
"""
WORKERS = []


@behaviour
def files_dealt_to_18_processes(path):
    while len(WORKERS) < 18:
        WORKERS.append(subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, bufsize=0, start_new_session=True))
    worker = WORKERS.pop(0)
    worker.stdin.write(os.fsencode(path))
    if not worker.stdout.read(1):
        raise PermissionError(path)
    WORKERS.append(worker)


@behaviour
def orphans(path):
    """A process per file, in a session of its own, whose parent is gone before it begins."""
    reports, report = os.pipe()
    child = os.fork()
    if child == 0:
        middle = os.getpid()
        if os.fork() == 0:
            try:
                os.setsid()
                while os.getppid() == middle:
                    time.sleep(0.0005)
                overwrite_in_place(path)
                os.write(report, b".")
            finally:
                os._exit(0)
        os._exit(0)
    os.waitpid(child, 0)
    os.close(report)
    done = os.read(reports, 1)
    os.close(reports)
    if not done:
        raise PermissionError(path)


@behaviour
def slowly(path):
    time.sleep(0.05)
    overwrite_in_place(path)


@behaviour
def openssl_and_rm(path):
    subprocess.run(["sh", "-c", 'openssl enc -aes-256-cbc -pbkdf2 -iter 1 -k x -in "$1" -out "$1.enc" && rm "$1"', "x",
                    path], check=False)


def shell(script, path):
    """As one types it: "$1" is the file."""
    subprocess.run(["sh", "-c", script, "x", path], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# After the tests of Atomic Red Team for Linux, T1486, T1485 and T1560: what they only add, these also take away.

@needing("gpg")
def gpg_and_rm(path):
    shell('h=$(mktemp -d) && gpg --homedir "$h" --batch --pinentry-mode loopback --passphrase x --s2k-count 1024 -c '
          '<"$1" >"$1.gpg" && rm "$1"; gpgconf --homedir "$h" --kill all; rm -r "$h"', path)


@needing("7z")
def sevenzip_with_password_and_rm(path):
    shell('7z a -si -pinfected -mx1 "$1.7z" <"$1" && rm "$1"', path)


@needing("zip")
def zip_with_password_and_rm(path):
    shell('zip -q -P infected - - <"$1" >"$1.zip" && rm "$1"', path)


@needing("ccrypt")
def ccrypt_in_place(path):
    shell('ccrypt -e -q -K infected "$1"', path)


@needing("openssl")
def openssl_in_letters_and_rm(path):
    shell('openssl enc -aes-256-cbc -a -pbkdf2 -iter 1 -k x <"$1" >"$1.txt" && rm "$1"', path)


@needing("shred")
def shredded(path):
    shell('shred -n 1 "$1"', path)


@behaviour
def dd_of_zeros(path):
    shell('dd if=/dev/zero of="$1" bs=64k count=1 conv=notrunc', path)


@behaviour
def emptied_by_the_shell(path):
    shell(': >"$1"', path)


@behaviour
def flooding_the_store(path):
    for _ in range(8):
        overwrite_in_place(path)


@behaviour
def opened_by_handle(path):
    class Handle(ctypes.Structure):
        _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]
    handle, mount = Handle(128), ctypes.c_int()
    if LIBC.name_to_handle_at(AT_FDCWD, os.fsencode(path), ctypes.byref(handle), ctypes.byref(mount), 0) != 0:
        raise OSError("name_to_handle_at")
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    fd = LIBC.open_by_handle_at(folder, ctypes.byref(handle), os.O_WRONLY | os.O_TRUNC)
    if fd < 0:
        raise OSError("open_by_handle_at")
    os.write(fd, noise(100))
    os.close(fd)
    os.close(folder)


# There before the guard

@behaviour
def descriptor_from_before(path):
    fd = EARLY[path]
    os.pwrite(fd, noise(os.fstat(fd).st_size), 0)
    os.close(fd)


@behaviour
def mapping_from_before(path):
    memory = EARLY[path]
    memory[:] = noise(len(memory))
    memory.close()


def prepare(root):
    """What an attacker does who was there before the guard."""
    for path in victims(root, "descriptor_from_before"):
        EARLY[path] = os.open(path, os.O_RDWR)
    for path in victims(root, "mapping_from_before"):
        fd = os.open(path, os.O_RDWR)
        EARLY[path] = mmap.mmap(fd, 0)
        os.close(fd)


# Victims

def document(kind, chance):
    size = max(9000, min(int(chance.lognormvariate(10.0, 0.8)), 400_000))
    words = "patient dose sang rapport gauche droite mg IRM ordonnance".split()
    if kind == 0:
        return " ".join(chance.choice(words) for _ in range(size // 7)).encode()
    if kind == 1:
        return b"%PDF-1.7\n" + zlib.compress(chance.randbytes(size // 2)) + b"\n%%EOF\n"
    if kind == 2:
        return b"\xff\xd8\xff\xe0\0\x10JFIF" + chance.randbytes(size)
    if kind == 3:
        return b"\0" * 128 + b"DICM" + bytes(i % 251 for i in range(size))
    if kind == 4:
        archive = BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("word/document.xml", "<w>" + " ".join(chance.choice(words) for _ in range(size // 3)))
        return archive.getvalue()
    return struct.pack("<I", 7) * (size // 4)


NAMES = [b"lettre {}.txt", "dossier é {}.pdf".encode(), b"scan\xff\xfe {}.jpg", b"etude {}.dcm", b"-rf {}.docx",
         b"ligne\nbrisee {}.bin"]


def make(root, per, seed=5):
    """A folder of victims for each behaviour; every name and kind, rights and dates of their own."""
    chance = random.Random(seed)
    for name in BEHAVIOURS:
        folder = os.path.join(os.fsencode(root), name.encode())
        os.makedirs(folder, exist_ok=True)
        for i in range(per):
            kind = chance.randrange(len(NAMES))
            path = os.path.join(folder, NAMES[kind].replace(b"{}", b"%04d" % i))
            with open(path, "wb") as file:
                file.write(document(kind, chance))
            os.chmod(path, chance.choice([0o644, 0o640, 0o600, 0o660]))
            try:
                os.setxattr(path, "user.hygie.test", b"%d" % i)
            except OSError:
                pass
            then = 1_600_000_000_000_000_000 + chance.randrange(10**17)
            os.utime(path, ns=(then, then))


def victims(root, name):
    folder = os.path.join(root, name)
    return sorted(os.path.join(folder, file) for file in os.listdir(folder) if ".hygie" not in file)


def attack(root, names=None):
    """Runs behaviours on their victims; the errors met, by behaviour (a guard may refuse)."""
    errors = {}
    for name in names or BEHAVIOURS:
        for path in victims(root, name):
            try:
                BEHAVIOURS[name](path)
            except OSError as error:
                errors.setdefault(name, []).append(str(error))
    return errors


def main():
    verb, root, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    if verb == "make":
        make(root, int(rest[0]))
    elif verb == "attack":
        EARLY.clear()
        names = rest or [name for name in BEHAVIOURS if not name.endswith("_from_before")]
        for name, met in attack(root, names).items():
            print(name, len(met), met[0])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
