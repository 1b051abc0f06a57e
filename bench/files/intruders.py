#!/usr/bin/env python3
"""Whole attacks on a throw-away folder, each by the tools that somebody else would have chosen.

behaviours.py is one way to destroy one file; an intruder walks a folder itself, in its own order, with its own
processes, and tells nobody how far it got. Harmless all the same: nothing outside the folder it is given is touched.

    intruders.py list                 the names, one a line; "-" and a reason where a tool is missing
    intruders.py build DIR            compiles what needs compiling into DIR
    intruders.py run NAME DIR TOOLS   attacks the files of DIR with the tools built in TOOLS
"""

import base64
import hashlib
import mmap
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

INTRUDERS = {}
KEY = b"not much of a key"


def intruder(*needs):
    def register(function):
        INTRUDERS[function.__name__] = (function, needs)
        return function
    return register


def wait_for_the_guard():
    print("ready", flush=True)
    sys.stdin.readline()


def victims(folder):
    """In the order of the folder, as a program meets them."""
    return [Path(where) / name for where, folders, names in os.walk(folder) for name in names]


def shell(script, folder, *argv):
    subprocess.run(["bash", "-c", script, "x", folder, *argv], check=False, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def stream(size, seed=b""):
    """What a stream cipher gives: AES would be no more random."""
    return b"".join(hashlib.sha256(KEY + seed + i.to_bytes(8, "big")).digest() for i in range(size // 32 + 1))[:size]


def xor(data, key):
    key = (key * (len(data) // len(key) + 1))[:len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(len(data), "big")


def cipher(data, path):
    return xor(data, stream(len(data), os.fsencode(path))) if data else b""


# Shells and what every system has

@intruder("openssl", "find", "shred")
def find_exec_openssl_then_shred(folder, tools):
    shell('find "$1" -type f -exec sh -c \'openssl enc -aes-256-ctr -pbkdf2 -iter 1 -k p -in "$1" -out "$1.lck" && '
          "shred -u -n 1 \"$1\"' x {} \\;", folder)


@intruder("openssl", "xargs")
def eight_at_a_time(folder, tools):
    shell('find "$1" -type f -print0 | xargs -0 -P 8 -n 1 sh -c \'openssl enc -chacha20 -pbkdf2 -iter 1 -k p -in "$0" '
          '-out "$0.c20" && rm -f "$0"\'', folder)


@intruder("openssl")
def openssl_back_into_the_file(folder, tools):
    shell('find "$1" -type f | while read -r f; do openssl enc -aes-128-cbc -pbkdf2 -iter 1 -k p -in "$f" '
          '-out "$f.t" && cat "$f.t" >"$f"; rm -f "$f.t"; done', folder)


@intruder("openssl", "dd")
def dd_of_the_first_blocks(folder, tools):
    shell('find "$1" -type f | while read -r f; do head -c 8192 "$f" | openssl enc -aes-256-ctr -nosalt -pbkdf2 '
          '-iter 1 -k p | dd of="$f" conv=notrunc bs=4k status=none; mv "$f" "$f.part"; done', folder)


@intruder("openssl", "tar")
def one_sealed_archive_then_rm(folder, tools):
    shell('tar -C "$1" -cf - . | openssl enc -aes-256-cbc -pbkdf2 -iter 1 -k p -out "$1/../taken.bin" && '
          'find "$1" -type f -delete', folder)


@intruder("openssl", "tar")
def one_sealed_archive_then_rm_rf(folder, tools):
    shell('tar -C "$1" -cf - . | openssl enc -aes-256-ctr -pbkdf2 -iter 1 -k p >"$1/../all.enc"; rm -rf "$1"/*', folder)


@intruder("openssl")
def appended_to_a_container(folder, tools):
    shell('find "$1" -type f | while read -r f; do openssl enc -aes-256-ctr -pbkdf2 -iter 1 -k p -in "$f" '
          '>>"$1/../volume.img" && shred -u -n 1 "$f"; done', folder)


@intruder("openssl")
def sealed_now_deleted_later(folder, tools):
    shell('find "$1" -type f ! -name "*.sealed" | while read -r f; do openssl enc -aes-256-ctr -pbkdf2 -iter 1 -k p '
          '-in "$f" -out "$f.sealed"; done', folder)
    time.sleep(1)
    shell('find "$1" -type f ! -name "*.sealed" -exec rm -f {} +', folder)


@intruder("base64", "tr")
def letters_shifted_and_spelled(folder, tools):
    shell('find "$1" -type f | while read -r f; do base64 "$f" | tr "A-Za-z0-9" "n-zA-Z0-9a-m" >"$f.b" && '
          'mv "$f.b" "$f"; done', folder)


@intruder("gzip", "openssl")
def dressed_as_gzip(folder, tools):
    shell('find "$1" -type f | while read -r f; do { printf "\\037\\213\\010\\0"; gzip -c "$f" | openssl enc '
          '-aes-256-ctr -pbkdf2 -iter 1 -k p; } >"$f.gz" && rm "$f"; done', folder)


@intruder("7z")
def sevenzip_takes_and_deletes(folder, tools):
    shell('for d in "$1"/*/; do 7z a -bso0 -mx1 -psecret -mhe=on -sdel "$d/all.7z" "$d"/*; done', folder)


@intruder("7z")
def sevenzip_deletes_all_at_once(folder, tools):
    shell('7z a -bso0 -mx1 -psecret -mhe=on -sdel "$1/../all.7z" "$1"/*', folder)


@intruder("zip")
def zip_moves_with_a_password(folder, tools):
    shell('find "$1" -type f | while read -r f; do zip -q -j -m -P secret "$f.zip" "$f"; done', folder)


@intruder("gpg")
def gpg_many_for_a_key(folder, tools):
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o700)
        gpg = f"gpg --homedir {home} --batch --quiet --trust-model always"
        shell(f'{gpg} --passphrase "" --quick-gen-key a@example.org rsa2048 encr never; '
              f'{gpg} -r a@example.org --multifile --encrypt "$1"/*/*; '
              f'for f in "$1"/*/*.gpg; do rm -f "${{f%.gpg}}"; done; gpgconf --homedir {home} --kill all', folder)


@intruder("ccrypt")
def ccrypt_recursively(folder, tools):
    shell('ccrypt -e -q -r -K secret "$1"', folder)


@intruder("rsync")
def rsync_brings_other_content(folder, tools):
    with tempfile.TemporaryDirectory() as other:
        for path in victims(folder):
            copy = Path(other) / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(cipher(path.read_bytes(), path))
        shell('rsync -a --ignore-times "$2/" "$1/"', folder, other)


# Perl

PERL_XOR = """
use File::Find; use Fcntl;
find({no_chdir => 1, wanted => sub {
    return unless -f $_ && -s _;
    sysopen(my $f, $_, O_RDWR) or return;
    sysread($f, my $d, -s $f);
    my $k = substr('sixteen byte key' x (length($d) / 16 + 1), 0, length $d);
    sysseek($f, 0, 0); syswrite($f, $d ^ $k); close $f;
}}, $ARGV[0]);
"""

PERL_BLOCKS = """
use File::Find; use Fcntl;
open(my $r, '<:raw', '/dev/urandom');
find({no_chdir => 1, wanted => sub {
    return unless -f $_;
    my $size = -s _;
    sysopen(my $f, $_, O_RDWR) or return;
    for (my $at = 0; $at < $size; $at += 65536) {
        my $n = $size - $at < 4096 ? $size - $at : 4096;
        sysread($r, my $d, $n); sysseek($f, $at, 0); syswrite($f, $d);
    }
    close $f; rename $_, "$_." . int(rand(1e9));
}}, $ARGV[0]);
"""


@intruder("perl")
def perl_xor_with_a_short_key(folder, tools):
    subprocess.run(["perl", "-e", PERL_XOR, folder], check=False, stderr=subprocess.DEVNULL)


@intruder("perl")
def perl_every_sixteenth_block(folder, tools):
    subprocess.run(["perl", "-e", PERL_BLOCKS, folder], check=False, stderr=subprocess.DEVNULL)


# Python

@intruder()
def pages_in_random_order(folder, tools):
    for path in victims(folder):
        with open(path, "r+b") as file:
            data = cipher(file.read(), path)
            pages = list(range(0, len(data), 4096))
            random.shuffle(pages)
            for at in pages:
                os.pwrite(file.fileno(), data[at:at + 4096], at)


@intruder()
def random_names_in_another_folder(folder, tools):
    store = Path(folder) / ".cache"
    store.mkdir(exist_ok=True)
    for path in victims(folder):
        (store / os.urandom(8).hex()).write_bytes(cipher(path.read_bytes(), path))
        path.unlink()


@intruder()
def renamed_first_all_of_them(folder, tools):
    moved = []
    for path in victims(folder):
        target = path.with_name(os.urandom(8).hex())
        path.rename(target)
        moved.append(target)
    for path in moved:
        path.write_bytes(cipher(path.read_bytes(), path))


@intruder()
def with_long_pauses(folder, tools):
    for path in victims(folder)[:12]:
        with open(path, "r+b") as file:
            data = cipher(file.read(), path)
            file.seek(0)
            file.write(data)
        time.sleep(1.5)


@intruder()
def letters_into_a_new_file(folder, tools):
    for path in victims(folder):
        path.with_name(path.name + ".txt").write_bytes(base64.b64encode(cipher(path.read_bytes(), path)))
        path.unlink()


@intruder()
def honest_between_two_crimes(folder, tools):
    for i, path in enumerate(victims(folder)):
        for n in range(3):
            (path.parent / f"notes {i} {n}.txt").write_text("note du jour, rien de particulier\n" * 40)
        path.write_bytes(cipher(path.read_bytes(), path))


@intruder()
def largest_first_from_the_middle(folder, tools):
    for path in sorted(victims(folder), key=lambda p: -p.stat().st_size):
        with open(path, "r+b") as file:
            data = file.read()
            start = len(data) // 4
            file.seek(start)
            file.write(cipher(data[start:3 * start], path))


@intruder()
def descriptors_from_before(folder, tools):
    files = [(os.open(path, os.O_RDWR), cipher(path.read_bytes(), path)) for path in victims(folder)]
    wait_for_the_guard()
    for fd, data in files:
        os.pwrite(fd, data, 0)
    time.sleep(5)


@intruder()
def mappings_from_before(folder, tools):
    files = []
    for path in victims(folder):
        with open(path, "r+b") as file:
            files.append((mmap.mmap(file.fileno(), 0), cipher(path.read_bytes(), path)))
    wait_for_the_guard()
    for memory, data in files:
        memory[:] = data
    time.sleep(5)


@intruder()
def one_child_for_each_folder(folder, tools):
    children = []
    for part in sorted(Path(folder).iterdir()):
        if os.fork() == 0:
            os.setsid()
            for path in victims(part):
                path.write_bytes(cipher(path.read_bytes(), path))
            os._exit(0)
        children.append(part)
    for _ in children:
        os.wait()


# Compiled

C_MAPPED = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
static uint64_t state = 88172645463325252ULL;
static uint64_t next(void) { state ^= state << 13; state ^= state >> 7; return state ^= state << 17; }
static int each(const char* path, const struct stat* info, int type, struct FTW* walk) {
    (void)walk;
    if (type != FTW_F || info->st_size < 8) return 0;
    int fd = open(path, O_RDWR);
    if (fd < 0) return 0;
    uint64_t* memory = mmap(0, info->st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) return 0;
    for (off_t i = 0; i < info->st_size / 8; ++i) memory[i] ^= next();
    munmap(memory, info->st_size);
    return 0;
}
int main(int argc, char** argv) { return argc < 2 ? 2 : nftw(argv[1], each, 16, FTW_PHYS); }
"""

C_REPLACED = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
static int each(const char* path, const struct stat* info, int type, struct FTW* walk) {
    if (type != FTW_F) return 0;
    char beside[4096], data[4096];
    snprintf(beside, sizeof beside, "%.*s%08x.dat", walk->base, path, rand());
    int in = open(path, O_RDONLY), out = open(beside, O_WRONLY | O_CREAT | O_EXCL, 0600);
    int noise = open("/dev/urandom", O_RDONLY);
    (void)info;
    for (ssize_t n; in >= 0 && out >= 0 && (n = read(in, data, sizeof data)) > 0;)
        if (read(noise, data, n) != n || write(out, data, n) != n) break;
    close(in), close(out), close(noise);
    unlink(path);
    return 0;
}
int main(int argc, char** argv) { return argc < 2 ? 2 : nftw(argv[1], each, 16, FTW_PHYS); }
"""

SOURCES = {"mapped": C_MAPPED, "replaced": C_REPLACED}


@intruder("gcc")
def compiled_through_mappings(folder, tools):
    subprocess.run([os.path.join(tools, "mapped"), folder], check=False)


@intruder("gcc")
def compiled_under_other_names(folder, tools):
    subprocess.run([os.path.join(tools, "replaced"), folder], check=False)


def build(tools):
    for name, source in SOURCES.items():
        target = os.path.join(tools, name)
        subprocess.run(["gcc", "-O1", "-x", "c", "-", "-o", target], input=source.encode(), check=True)


def missing(name):
    return next((tool for tool in INTRUDERS[name][1] if not shutil.which(tool)), None)


def names():
    return [name for name in INTRUDERS if not missing(name)]


def main():
    verb, rest = (sys.argv + [""])[1], sys.argv[2:]
    if verb == "list":
        for name in INTRUDERS:
            print(f"- {name}: {missing(name)} is not installed" if missing(name) else name)
    elif verb == "build" and len(rest) == 1:
        build(rest[0])
    elif verb == "run" and len(rest) == 3 and rest[0] in INTRUDERS:
        INTRUDERS[rest[0]][0](rest[1], rest[2])
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
