#!/usr/bin/env python3
"""The file guard beside a real NFS server (nfs-ganesha, NFSv4 on a high port of loopback) and real clients (libnfs): one
infected user is refused, the others work, the server never stands still, and nothing is lost.

Needs root and loop devices: all in a throw-away folder, all ended by process id."""

import contextlib
import ctypes
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from scenes import run_scenes  # noqa: E402
from stop_test import HYGIE, WAIT, check, guarded, is_noise, is_standing_still, stopped, wait_for  # noqa: E402

PORT = 20490
WRITE_MAX = 2048  # libnfs 4.0 encodes no more in one call
GANESHA = shutil.which("ganesha.nfsd")
# Two accounts that every Debian has. The server believes the numbers its clients name (AUTH_SYS).
INFECTED, OTHER = "games", "news"

CONF = """NFS_CORE_PARAM {{
  Protocols = 4; NFS_Port = {port}; Bind_addr = 127.0.0.1;
  Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false;
}}
NFSV4 {{ Graceless = true; RecoveryBackend = fs; RecoveryRoot = {dir}/recovery; Only_Numeric_Owners = true; }}
EXPORT {{
  Export_Id = 1; Path = {share}; Pseudo = /share; Access_Type = RW; Squash = Root_Squash; Protocols = 4;
  Transports = TCP; SecType = sys; PrivilegedPort = false;
  FSAL {{ Name = VFS; }}
}}
"""


class Client:
    """A workstation, by the few calls of libnfs (nfsc/libnfs.h) that it takes."""

    class Url(ctypes.Structure):
        _fields_ = [("server", ctypes.c_char_p), ("path", ctypes.c_char_p), ("file", ctypes.c_char_p)]

    def __init__(self, user):
        self.lib = ctypes.CDLL("libnfs.so.13")
        self.lib.nfs_init_context.restype = ctypes.c_void_p
        self.lib.nfs_parse_url_dir.restype = ctypes.POINTER(self.Url)
        self.lib.nfs_get_error.restype = ctypes.c_char_p
        self.context = ctypes.c_void_p(self.lib.nfs_init_context())
        # Its own name tells process and second alone: two of them would be one for the server.
        self.lib.nfs4_set_client_name(self.context, f"{user} {id(self)}".encode())
        uid = pwd.getpwnam(user).pw_uid
        url = f"nfs://127.0.0.1/share?version=4&nfsport={PORT}&uid={uid}&gid={uid}"
        parsed = self.lib.nfs_parse_url_dir(self.context, url.encode()).contents
        self.call("mount", parsed.server, parsed.path)

    def call(self, name, *args):
        done = getattr(self.lib, f"nfs_{name}")(self.context, *args)
        if done < 0:
            raise OSError(-done, f"{name}: {self.lib.nfs_get_error(self.context).decode()}")
        return done

    def close(self):
        self.lib.nfs_destroy_context(self.context)

    @contextlib.contextmanager
    def opened(self, path, flags):
        handle = ctypes.c_void_p()
        self.call("open2", os.fsencode(path), flags, 0o666, ctypes.byref(handle))
        try:
            yield handle
        finally:
            self.call("close", handle)

    def read(self, path):
        with self.opened(path, os.O_RDONLY) as handle:
            data = ctypes.create_string_buffer(1 << 20)
            got = self.call("pread", handle, ctypes.c_uint64(0), ctypes.c_uint64(len(data)), data)
            return data.raw[:got]

    def write(self, path, data, flags=os.O_RDWR):
        with self.opened(path, flags) as handle:
            for at in range(0, len(data), WRITE_MAX):
                part = data[at:at + WRITE_MAX]
                self.call("pwrite", handle, ctypes.c_uint64(at), ctypes.c_uint64(len(part)), part)

    def create(self, path, data):
        self.write(path, data, os.O_RDWR | os.O_CREAT)

    def truncate(self, path, size):
        self.call("truncate", os.fsencode(path), ctypes.c_uint64(size))

    def unlink(self, path):
        self.call("unlink", os.fsencode(path))

    def rename(self, old, new):
        self.call("rename", os.fsencode(old), os.fsencode(new))


@contextlib.contextmanager
def ganesha(work, share):
    folder = work / "ganesha"
    (folder / "recovery").mkdir(parents=True)
    (folder / "conf").write_text(CONF.format(port=PORT, dir=folder, share=share))
    server = subprocess.Popen([GANESHA, "-F", "-f", folder / "conf", "-L", folder / "log", "-p", folder / "pid"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    clients = []

    def connect(user):
        clients.append(Client(user))
        return clients[-1]

    def answers():
        with contextlib.suppress(OSError):
            return Client(OTHER)
        return None
    try:
        wait_for(lambda: server.poll() is not None or answers(), "the NFS server answers")
        check(server.poll() is None, (folder / "log").read_text() if (folder / "log").exists() else "no log")
        yield server, connect
    finally:
        for one in clients:
            one.close()
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(WAIT)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextlib.contextmanager
def scene(work):
    """A guarded share, served: its files as the clients name them, with what they held; who connects; the server."""
    with guarded(work) as (share, state), ganesha(work, share) as (server, connect):
        time.sleep(1.1)  # restore goes back to a second
        since = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        files = {"/" + str(path.relative_to(share)): path.read_bytes() for path in sorted(share.rglob("*.txt"))}
        yield share, state, files, connect, server, since


def attack(client, files, act):
    """Goes on with the next file when one is refused; how many calls were."""
    refused = 0
    for path, before in files.items():
        try:
            act(client, path, before)
        except OSError:
            refused += 1
    return refused


def changed(share, files):
    return [path for path, before in files.items()
            if not (share / path[1:]).exists() or (share / path[1:]).read_bytes() != before]


def restore(share, state, files, since):
    told = subprocess.run([HYGIE, "--json", "files", "restore", "--state", state, "--since", since, "--yes"],
                          capture_output=True, text=True)
    check(not changed(share, files), f"all is back: {told.stdout} {told.stderr} {changed(share, files)}")


def in_place(client, path, before):
    client.write(path, os.urandom(len(before)))


def new_and_deleted(client, path, before):
    client.create(path + ".locked", os.urandom(len(before)))
    client.unlink(path)


def new_and_renamed_over(client, path, before):
    client.create(path + ".tmp", os.urandom(len(before)))
    client.rename(path + ".tmp", path)


def renamed_and_in_place(client, path, before):
    client.rename(path, path + ".locked")
    client.write(path + ".locked", os.urandom(len(before)))


def emptied(client, path, _):
    client.truncate(path, 0)


def runs(server):
    return server.poll() is None and not is_standing_still(server.pid)


def test_one_infected_user_is_refused_and_the_other_works(work):
    for number, act in enumerate([in_place, new_and_renamed_over, new_and_deleted]):
        what = act.__name__
        folder = work / str(number)
        folder.mkdir()
        with scene(folder) as (share, state, files, connect, server, since):
            infected, other = connect(INFECTED), connect(OTHER)
            check(attack(infected, files, act) > 0, f"{what}: it is refused")
            lost = changed(share, files)
            check(0 < len(lost) <= 8, f"{what}: {len(lost)} files were changed")
            wait_for(lambda: stopped(state), f"{what}: the user is named")
            check([stop["actor"] for stop in stopped(state)] == [f"nfs:{INFECTED}"], f"{what}: {stopped(state)}")
            check(runs(server), f"{what}: the server goes on")
            mine = "/NOM_03/nouveau.txt"
            other.create(mine, b"ligne du m\xc3\xa9decin\n" * 50)
            check(other.read(mine).startswith(b"ligne du"), f"{what}: the other writes and reads")
            left = [path for path in files if path not in lost]
            check(infected.read(left[0]) == files[left[0]], f"{what}: reading goes on")
            again = connect(INFECTED)
            attack(again, {path: files[path] for path in left}, act)
            check(changed(share, files) == lost, f"{what}: by another mount it destroyed more")
            restore(share, state, files, since)
            subprocess.run([HYGIE, "files", "thaw", "--state", state, f"nfs:{INFECTED}"], check=True,
                           stdout=subprocess.DEVNULL)
            wait_for(lambda: not stopped(state), f"{what}: it is thawed")
            infected.write(left[0], files[left[0]] + b"ligne de plus\n")


def test_what_the_server_does_under_its_own_name_stops_its_writing_alone(work):
    with scene(work) as (share, state, files, connect, server, since):
        infected, other = connect(INFECTED), connect(OTHER)
        check(attack(infected, files, emptied) > 0, "cutting file after file is refused")
        lost = changed(share, files)
        check(0 < len(lost) <= 15, f"{len(lost)} files were cut")
        wait_for(lambda: stopped(state), "the server is named")
        check([stop["actor"] for stop in stopped(state)] == ["nfs:?"], stopped(state))
        check(runs(server), "the server goes on")
        left = next(path for path in files if path not in lost)
        check(other.read(left) == files[left], "reading goes on")
        check(attack(other, {left: files[left]}, in_place) == 1, "nobody writes by it")
        subprocess.run([HYGIE, "files", "thaw", "--state", state, "nfs:?"], check=True, stdout=subprocess.DEVNULL)
        wait_for(lambda: not stopped(state), "it is thawed")
        other.write(left, files[left] + b"ligne de plus\n")
        other.truncate(left, len(files[left]))
        restore(share, state, files, since)


def test_honest_work_stops_nobody(work):
    with scene(work) as (share, state, files, connect, server, _):
        people = [connect(INFECTED), connect(OTHER)]
        for turn, path in enumerate(list(files)[:20]):
            one, two = people[turn % 2], people[1 - turn % 2]
            text = files[path] + b"ligne de plus\n" * turn
            one.truncate(path, 0)  # as by an editor that saves in place …
            one.write(path, text)
            two.create(path + ".tmp", text + b"et une autre\n")  # … or beside it
            two.rename(path + ".tmp", path)
            check(two.read(path).endswith(b"et une autre\n"), path)
        for path in list(files)[20:]:
            people[0].unlink(path)
        time.sleep(1)
        check(not stopped(state), stopped(state))
        check(runs(server), "the server goes on")


def main():
    if tuple(int(part) for part in os.uname().release.split(".")[:2]) < (6, 14):
        print("skipped: before Linux 6.14 the server's users cannot be told apart")
        return 77
    if not GANESHA:
        print("skipped: nfs-ganesha is not installed")
        return 77
    return run_scenes(globals())


if __name__ == "__main__":
    sys.exit(main())
