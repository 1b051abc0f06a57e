#!/usr/bin/env python3
"""`hygie demo`, what ./run starts: every command it prints is given to a shell, as a person would, and works."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HYGIE = os.environ.get("HYGIE", str(ROOT / "build/release/hygie"))
SKIPPED = 77
SECONDS_MAX = 120


class Demo:
    """A demonstration, from its announcement to the end of the with-block; stopped by its own pid."""

    def __init__(self, *arguments):
        self.command = [HYGIE, "demo", "--json", *map(str, arguments)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(SECONDS_MAX)
        self.process.stdout.close()

    def shell(self, line):
        done = subprocess.run(line, shell=True, cwd="/", capture_output=True, text=True, timeout=SECONDS_MAX)
        if done.returncode != 0:
            raise AssertionError(f"{line}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


class Printed(unittest.TestCase):
    def setUp(self):
        # A name that a shell splits unless it is quoted.
        self.dir = Path(tempfile.mkdtemp(prefix="hygie d'essai "))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def test_every_command_works_as_written(self):
        with Demo("--state", self.dir / "state") as demo:
            verify, prove, checkpoint = demo.ready["commands"]
            self.assertIn("demo.hygie.example/journal", demo.shell(verify))
            self.assertIn("42", demo.shell(prove))
            origin, size, _ = demo.shell(checkpoint).split("\n", 2)
            self.assertEqual("demo.hygie.example/journal", origin)
            self.assertGreaterEqual(int(size), 2000)
        self.assertEqual(0, demo.process.returncode)

    def test_nothing_stays_without_state(self):
        with Demo("--events", 100) as demo:
            state = Path(demo.ready["state"])
            self.assertTrue(state.is_dir())
            self.assertEqual(0, state.stat().st_mode & 0o077)
        self.assertEqual(0, demo.process.returncode)
        self.assertFalse(state.exists())

    def test_it_grows_while_it_runs(self):
        with Demo("--events", 100) as demo:
            size = lambda: int(demo.shell(demo.ready["commands"][2]).split("\n")[1])
            first = size()
            demo.shell(f"for i in $(seq 600); do curl -s {demo.ready['url']}/checkpoint | sed -n 2p | "
                       f"{{ read -r size; [ \"$size\" -gt {first} ]; }} && exit 0; sleep 0.1; done; exit 1")
            self.assertGreater(size(), first)


if __name__ == "__main__":
    if shutil.which("curl") is None:
        print("skipped: no curl")
        sys.exit(SKIPPED)
    unittest.main()
