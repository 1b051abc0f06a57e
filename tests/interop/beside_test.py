#!/usr/bin/env python3
"""Commands beside a running core: it carries them out, nobody is told "busy", and what is read is logged first."""

import json
import os
import signal
import socket
import stat
import struct
import subprocess
import unittest

import peers
from peers import Core, hygie, make_ledger, sample


class Beside(peers.TestCase):
    def setUp(self):
        super().setUp()
        self.log = self.dir / "ledger"
        make_ledger(self.log, 400)
        self.control = self.log / "private" / "control"

    def entries(self, *question):
        return [json.loads(line) for line in hygie("ledger", *question, "--json").stdout.splitlines()]

    def last(self, count=1):
        return self.entries("tail", self.log, "-n", count)

    def test_every_command(self):
        with Core(self.log, "--write"):
            self.assertEqual(0o600, stat.S_IMODE(self.control.stat().st_mode))
            first = peers.append(self.log, 700)
            self.assertEqual(list(range(first[0], first[0] + 700)), first)
            some = next(entry for entry in self.entries("tail", self.log, "-n", 600)
                        if entry["event"].get("patient") and entry["event"].get("actor"))
            whole = json.loads(hygie("ledger", "show", self.log, some["index"]).stdout)
            self.assertEqual(some["event"], whole)
            actor, patient = some["event"]["actor"]["id"], some["event"]["patient"]

            proof = self.dir / "actor.proof"
            answers = self.entries("query", self.log, "--actor", actor, "--proof", proof)
            self.assertIn(some["index"], [entry["index"] for entry in answers])
            self.assertGreater(proof.stat().st_size, 0)
            one = self.entries("query", self.log, "--actor", actor, "--limit", "1")
            self.assertEqual(answers[:1], one)
            exported = hygie("ledger", "export", self.log, "--patient", patient).stdout.splitlines()
            self.assertIn(some["event"]["id"], [json.loads(line)["id"] for line in exported])

            shredded = json.loads(hygie("ledger", "shred", self.log, "--patient", patient, "--reason", "art. 17",
                                        "--json").stdout)
            self.assertGreater(shredded["keys_destroyed"], 0)
            self.assertEqual([], self.entries("query", self.log, "--patient", patient))
            self.assertTrue(self.entries("show", self.log, some["index"])[0]["erased"])
            self.assertTrue(json.loads(hygie("ledger", "prune", self.log, "--dry-run", "--json").stdout)["dry_run"])
            self.assertGreater(json.loads(hygie("ledger", "rewrap", self.log, "--json").stdout)["keys"], 0)
            before = hygie("ledger", "key", self.log).stdout
            rotated = hygie("ledger", "rotate", self.log).stdout
            self.assertNotEqual(before, rotated)
            self.assertEqual(rotated, hygie("ledger", "key", self.log).stdout)
            hygie("ledger", "verify", self.log)
        self.assertFalse(self.control.exists())
        hygie("ledger", "verify", self.log)

    def test_answers_are_the_same_as_alone(self):
        questions = [("tail", self.log, "-n", 300), ("query", self.log, "--since", "2026-01-05T00:00:20Z"),
                     ("export", self.log, "--until", "2026-01-05T00:00:10Z")]

        def stored(found):
            events = [entry.get("event", entry) for entry in found]
            return [event for event in events if not event["type"].startswith("ledger.")]

        alone = [stored(self.entries(*question)) for question in questions]
        with Core(self.log, "--write"):
            beside = [stored(self.entries(*question)) for question in questions]
        self.assertEqual(alone[1:], beside[1:])
        self.assertEqual(alone[0][-100:], beside[0][-100:])
        self.assertGreater(len(alone[1]), 0)

    def test_reading_is_logged_as_who_and_what(self):
        with Core(self.log, "--write"):
            hygie("ledger", "query", self.log, "--patient", "1234567", "--as", "auditor-7")
            trace = self.last()[0]["event"]
        self.assertEqual(("ledger.read", "auditor-7", "query --patient 1234567"),
                         (trace["type"], trace["actor"]["id"], trace["query"]))

    def test_a_refused_line_keeps_those_before(self):
        with Core(self.log, "--write"):
            done = hygie("ledger", "append", self.log, input=sample(3) + "nonsense\n", check=False)
            self.assertRefused(done, "line 4", "resume at line 4")
            self.assertEqual(3, len(peers.indexes(done.stdout)))

    def test_many_at_once(self):
        with Core(self.log, "--write"):
            batches = [sample(500) for _ in range(6)]
            writers = [subprocess.Popen([peers.HYGIE, "ledger", "append", str(self.log)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True) for _ in batches]
            found = []
            for writer, batch in zip(writers, batches):
                found += peers.indexes(writer.communicate(batch)[0])
                self.assertEqual(0, writer.returncode)
            self.assertEqual(3000, len(set(found)))
        hygie("ledger", "verify", self.log)

    def test_a_killed_core_leaves_nothing_in_the_way(self):
        with Core(self.log, "--write") as core:
            indexes = peers.append(self.log, 100)
            core.kill()
        self.assertTrue(self.control.exists(), "the socket of a killed core stays until the next command")
        found = [entry["index"] for entry in self.last(101)]
        self.assertLessEqual(set(indexes[10:]), set(found))
        self.assertFalse(self.control.exists())
        with Core(self.log, "--write"):
            self.assertEqual(1, len(self.last()))

    def test_another_command_is_still_waited_for(self):
        with subprocess.Popen([peers.HYGIE, "ledger", "append", str(self.log)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as writer:
            writer.stdin.write(sample(1))
            writer.stdin.flush()
            writer.stdout.readline()
            self.assertRefused(hygie("ledger", "tail", self.log, check=False), "another hygie")

    def test_a_stranger_hears_nothing(self):
        with Core(self.log, "--write"):
            self.last()  # its trace names a source that the ledger did not know
            size = len(self.last(10_000))
            for said in (b"\xff" * 64, struct.pack(">I", 1 << 30), struct.pack(">I", 3) + b"\x82\x04\x80", b"GET / HTTP/1.1\r\n"):
                with socket.socket(socket.AF_UNIX) as stranger:
                    stranger.settimeout(60)
                    stranger.connect(str(self.control))
                    challenge = stranger.recv(4096)
                    self.assertLess(len(challenge), 64)
                    stranger.sendall(said)
                    heard = b""
                    while part := stranger.recv(4096):
                        heard += part
                    self.assertLess(len(heard), 1000)
            self.assertEqual(size + 1, len(self.last(10_000)))

    @unittest.skipIf(os.geteuid() != 0, "only root can be somebody else")
    def test_another_user_is_turned_away(self):
        with Core(self.log, "--write"):
            for folder in (self.dir, self.log, self.control.parent):
                folder.chmod(0o711)
            self.control.chmod(0o666)
            child = os.fork()
            if child == 0:
                os.setuid(65534)
                with socket.socket(socket.AF_UNIX) as stranger:
                    stranger.settimeout(60)
                    stranger.connect(str(self.control))
                    try:
                        heard = stranger.recv(4096)
                    except ConnectionError:
                        heard = b""
                    os._exit(0 if heard == b"" else 1)
            self.assertEqual(0, os.waitpid(child, 0)[1])

    def test_the_demonstration_too(self):
        state = self.dir / "demo"
        with subprocess.Popen([peers.HYGIE, "demo", "--json", "--state", str(state), "--events", "300"],
                              stdout=subprocess.PIPE, text=True) as demo:
            demo.stdout.readline()
            self.assertEqual(5, len(self.entries("tail", state / "ledger", "-n", 5)))
            demo.send_signal(signal.SIGINT)
            self.assertEqual(0, demo.wait(60))

    def test_a_ledger_far_down(self):
        deep = self.dir / ("a" * 60) / ("b" * 60) / "ledger"
        deep.parent.mkdir(parents=True)
        make_ledger(deep, 10)
        with Core(deep, "--write"):
            self.assertEqual(3, len(self.entries("tail", deep, "-n", 3)))


if __name__ == "__main__":
    unittest.main()
