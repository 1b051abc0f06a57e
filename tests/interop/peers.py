"""What the tests of this folder share: the release binary, the Go peers, and ways to run them."""

import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from ports import free_port  # noqa: E402,F401  all of this folder take it from here

HYGIE = os.environ.get("HYGIE", str(ROOT / "build/release/hygie"))
PEERS = ROOT / "build/interop"
SKIPPED = 77
RUN_SECONDS_MAX = 300
SEEDS = itertools.count(1)


def need_go():
    """Builds the Go peers, or ends the whole test as skipped when this machine has no Go."""
    done = subprocess.run([HERE / "build", PEERS], capture_output=True, text=True)
    if done.returncode == SKIPPED:
        print("skipped:", done.stdout.strip())
        sys.exit(SKIPPED)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)


def run(*command, input=None, check=True, env=None):
    """Runs a program to its end; its output as text. Fails the test with everything it said, unless check is off."""
    done = subprocess.run([str(word) for word in command], input=input, capture_output=True, text=True,
                          timeout=RUN_SECONDS_MAX, env=env)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def hygie(*arguments, **options):
    return run(HYGIE, "--lang", "en", *arguments, **options)


def mklog(*arguments):
    return run(PEERS / "mklog", *arguments).stdout.strip()


def referee(*arguments, check=True):
    return run(PEERS / "referee", *arguments, check=check)


class Server:
    """A program that serves on a loopback port until the with-block ends; ended by its own pid."""

    def __init__(self, port, *command):
        self.port, self.command = port, [str(word) for word in command]

    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.process.kill()
        self.log.seek(0)
        raise AssertionError(f"{' '.join(self.command)} does not serve:\n{self.log.read()}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


class Core:
    """`hygie ledger serve`, writing, until the with-block ends; `ready` is what it announced."""

    def __init__(self, log, *options):
        self.command = [HYGIE, "--lang", "en", "ledger", "serve", str(log), "--listen", "127.0.0.1:0",
                        "--json", *map(str, options)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the core does not start: exit {self.process.wait(60)}")
        self.ready = json.loads(line)
        return self

    def kill(self):
        self.process.kill()
        self.process.wait(60)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            code = self.process.wait(60)
            self.process.stdout.close()
            if code != 0:
                raise AssertionError(f"the core ended with {code}")
        else:
            self.process.stdout.close()


class TestCase(unittest.TestCase):
    """A test with a folder of its own, removed afterwards."""

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="hygie-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def assertRefused(self, done, *words):
        said = done.stdout + done.stderr
        self.assertNotEqual(0, done.returncode, said)
        self.assertGreater(done.returncode, 0, f"died by a signal: {said}")
        for word in words:
            self.assertRegex(said, re.compile(word, re.I))
        return said


def make_ledger(directory, events, origin="hygie.example/test"):
    """A ledger with that many sampled events: its verifier key and the printed indexes."""
    vkey = next(word for word in hygie("ledger", "init", directory, "--origin", origin).stdout.split() if "+" in word)
    return vkey, append(directory, events)


def sample(events):
    """Events that no earlier call has given."""
    return hygie("ledger", "sample", events, "--seed", next(SEEDS)).stdout


def append(directory, events):
    return indexes(hygie("ledger", "append", directory, input=sample(events)).stdout)


def indexes(output):
    return [int(line) for line in output.splitlines() if line.strip().isdigit()]
