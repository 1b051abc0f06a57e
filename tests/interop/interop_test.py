#!/usr/bin/env python3
"""Hygie's ledger before judges who share no code with it, and Hygie as a judge of logs that it did not write.

Other people's programs join in when they are in PATH: tessera-fsck (Tessera's cmd/fsck)."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import forge
import peers
from peers import Server, free_port, hygie, mklog, referee, run

EVENTS = 100_000


class Ledger(peers.TestCase):
    """One ledger of a hundred thousand sampled events, made once."""

    @classmethod
    def setUpClass(cls):
        cls.home = Path(tempfile.mkdtemp(prefix="hygie-"))
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        cls.log = cls.home / "ledger"
        cls.vkey, cls.printed = peers.make_ledger(cls.log, EVENTS)
        cls.policy = cls.home / "policy"
        cls.policy.write_text(f"log {cls.vkey}\nquorum none\n")

    def copy(self, name):
        """What a third party receives: the served part alone."""
        served = self.dir / name
        served.mkdir()
        shutil.copy(self.log / "checkpoint", served)
        shutil.copytree(self.log / "tile", served / "tile")
        return served

    def test_every_line_got_its_index(self):
        self.assertEqual(EVENTS, len(self.printed))
        self.assertEqual(sorted(set(self.printed)), self.printed)

    def test_the_referee_accepts(self):
        self.assertIn("VERIFIED", referee("-vkey", self.vkey, self.log).stdout)

    def test_hygie_accepts(self):
        hygie("ledger", "verify", self.log)

    def test_a_third_party_reads_every_entry(self):
        said = run(peers.HERE / "decode_entry.py", self.log).stdout
        self.assertIn("every one in its only spelling", said)

    def test_the_log_served_over_http_is_the_same(self):
        port = free_port()
        with Server(port, peers.HYGIE, "ledger", "serve", self.log, "--listen", f"127.0.0.1:{port}"):
            said = referee("-vkey", self.vkey, f"http://127.0.0.1:{port}").stdout
            hygie("ledger", "verify", f"http://127.0.0.1:{port}")
        self.assertIn("VERIFIED", said)

    def test_nothing_private_is_served(self):
        port = free_port()
        with Server(port, peers.HYGIE, "ledger", "serve", self.log, "--listen", f"127.0.0.1:{port}"):
            for path in ("/private/root.hyk", "/tile/../private/root.hyk", "/%2e%2e/", "/private/", "/"):
                done = run("python3", "-c", GET, port, path)
                self.assertNotIn("200", done.stdout.split()[:1], path)

    def test_exhibits_go_both_ways(self):
        proof = self.dir / "p.tlog-proof"
        for index in (self.printed[0], self.printed[12345], self.printed[-1]):
            hygie("ledger", "prove", self.log, index, "-o", proof)
            referee("-vkey", self.vkey, "-proof", proof)
            hygie("ledger", "check-proof", proof, "--policy", self.policy)
        lines = proof.read_text(encoding="utf-8").split("\n")
        at = next(i for i, line in enumerate(lines) if line.startswith("index "))
        lines[at] = f"index {self.printed[0]}"
        proof.write_text("\n".join(lines), encoding="utf-8")
        self.assertRefused(referee("-vkey", self.vkey, "-proof", proof, check=False))
        self.assertRefused(hygie("ledger", "check-proof", proof, "--policy", self.policy, check=False))

    def test_every_forgery_is_refused_by_both(self):
        for kind in forge.KINDS:
            with self.subTest(kind.__name__):
                log = self.copy(kind.__name__)
                kind(log)
                self.assertRefused(referee("-vkey", self.vkey, log, check=False), "REFUSED")
                self.assertRefused(hygie("ledger", "verify", log, "--policy", self.policy, check=False))
                shutil.rmtree(log)

    @unittest.skipUnless(shutil.which("tessera-fsck"), "tessera-fsck is not in PATH")
    def test_tessera_fsck_accepts(self):
        key = self.dir / "log.vkey"
        key.write_text(self.vkey + "\n")
        done = subprocess.run(["tessera-fsck", "--ui=false", f"--storage_url=file://{self.copy('served')}/",
                               f"--public_key={key}"], capture_output=True, text=True, timeout=120)
        # Its exit code says nothing; its words do.
        self.assertIn("Successfully fsck'd", done.stdout + done.stderr)


GET = """
import http.client, sys
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
c.putrequest("GET", sys.argv[2]); c.endheaders()
r = c.getresponse(); print(r.status, len(r.read()))
"""


class Judge(peers.TestCase):
    """`hygie ledger verify` on logs written by Go: honest ones, and those of a thief who holds the log's key."""

    def setUp(self):
        super().setUp()
        self.key = self.dir / "log.key"
        self.vkey = mklog("keygen", "log.example/a", "log", self.key)
        self.witnesses = [self.dir / f"w{i}.key" for i in range(3)]
        names = [mklog("keygen", f"witness.example/{i}", "witness", key) for i, key in enumerate(self.witnesses)]
        self.policy = self.dir / "policy"
        self.policy.write_text(f"log {self.vkey}\n" + "".join(f"witness w{i} {name}\n" for i, name in enumerate(names)) +
                               "group practices 2 w0 w1 w2\nquorum practices\n")

    def write(self, name, *how, size=3000, witnesses=()):
        log = self.dir / name
        mklog("write", "-key", self.key, "-n", size, *how, log)
        for key, ago in witnesses:
            mklog("cosign", "-key", key, "-ago", ago, log / "checkpoint")
        return log

    def verify(self, log, *more, check=False):
        return hygie("ledger", "verify", log, "--opaque", "--policy", self.policy, *more, check=check)

    def test_honest_logs_of_awkward_sizes(self):
        for size in (1, 255, 256, 257, 65536, 65537):
            log = self.write(str(size), size=size, witnesses=[(key, "0s") for key in self.witnesses[:2]])
            self.verify(log, check=True)

    def test_a_quorum_is_two_different_witnesses(self):
        one = self.write("one", witnesses=[(self.witnesses[0], "0s")])
        self.assertRefused(self.verify(one))
        self.assertRefused(self.verify(self.write("none")))

    def test_old_cosignatures_do_not_count_under_a_max_age(self):
        log = self.write("old", witnesses=[(key, "2h") for key in self.witnesses])
        self.assertRefused(self.verify(log, "--max-age", "1h"))
        self.verify(log, "--max-age", "3h", check=True)

    def test_a_stolen_log_key_does_not_help(self):
        pin = self.dir / "pin"
        honest = self.write("honest", size=2000, witnesses=[(key, "0s") for key in self.witnesses[:2]])
        self.verify(honest, "--pin", pin, check=True)
        for change in (["-change", 100], ["-drop", 100], ["-swap", 100]):
            with self.subTest(change[0]):
                self.assertRefused(self.verify(self.write("thief" + change[0], *change)))
                # Even with every witness fooled, whoever saw the honest log before refuses this one.
                fooled = self.write("fooled" + change[0], *change, witnesses=[(key, "0s") for key in self.witnesses])
                self.assertRefused(self.verify(fooled, "--pin", pin))

    def test_a_rollback_is_refused_by_the_pin(self):
        pin = self.dir / "pin"
        both = [(key, "0s") for key in self.witnesses[:2]]
        self.verify(self.write("new", size=3000, witnesses=both), "--pin", pin, check=True)
        self.assertRefused(self.verify(self.write("old", size=2000, witnesses=both), "--pin", pin))

    def test_a_log_signed_by_another_key_is_refused(self):
        mklog("keygen", "log.example/a", "log", self.key)
        log = self.write("other", witnesses=[(key, "0s") for key in self.witnesses])
        self.assertRefused(self.verify(log))


if __name__ == "__main__":
    peers.need_go()
    unittest.main()
