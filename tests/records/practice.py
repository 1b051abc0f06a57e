"""The invented practice that tests of the records door ask: `hygie demo` in a throw-away folder, and one connection to it."""

import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
HYGIE = os.environ.get("HYGIE", str(ROOT / "build/release/hygie"))
SECONDS_MAX = 120


class PracticeTest(unittest.TestCase):
    """Asks one invented practice, which opens with the first test and closes behind the last."""

    @classmethod
    def setUpClass(cls):
        practice = Practice()
        cls.addClassCleanup(practice.close)
        cls.ready, cls.token, cls.line = practice.ready, practice.token, practice.line
        cls.patient = cls.ready["patients"][0]


class Practice:
    def __init__(self, *options):
        self.dir = Path(tempfile.mkdtemp(prefix="hygie-records-"))
        self.process = subprocess.Popen([HYGIE, "demo", "--json", "--state", self.dir / "demo", "--events", "43", *options],
                                        stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        # Of each role, its first account.
        self.token = {account["role"]: account["token"] for account in reversed(self.ready["accounts"])}
        tls = ssl.create_default_context(cafile=self.ready["ca_file"])
        self.line = http.client.HTTPSConnection("127.0.0.1", urlsplit(self.ready["url"]).port, context=tls, timeout=60)

    def close(self):
        self.line.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(SECONDS_MAX)
        self.process.stdout.close()
        shutil.rmtree(self.dir, ignore_errors=True)
