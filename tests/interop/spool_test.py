#!/usr/bin/env python3
"""Guards that write to the ledger through the link: every event arrives exactly once, in order, whatever is killed."""

import json
import os
import subprocess
import unittest

import peers
from peers import Core, hygie, make_ledger, run, sample


class Link(peers.TestCase):
    def setUp(self):
        super().setUp()
        self.log, self.spool, self.socket = self.dir / "ledger", self.dir / "spool", self.dir / "link.sock"
        make_ledger(self.log, 0)

    def send(self, events, to=None, *options, spool=None, check=True):
        return hygie("link", "send", "--spool", spool or self.spool, "--to", to or self.socket, "--source", "mail",
                     "--node", "node-1", *options, input=events, check=check)

    def status(self):
        return json.loads(hygie("link", "status", "--spool", self.spool, "--json").stdout)

    def arrived(self, source="mail"):
        """What the ledger holds of a source, in order. The ledger must verify, which proves counters gap-free."""
        hygie("ledger", "verify", self.log)
        lines = hygie("ledger", "tail", self.log, "-n", 1_000_000, "--json").stdout.splitlines()
        events = [json.loads(line).get("event", {}) for line in lines]
        return [event for event in events if event.get("source") == source]

    def assertArrived(self, sent):
        """Exactly these lines of `ledger sample`, once each, in this order."""
        found = self.arrived()
        self.assertEqual([json.loads(line)["id"] for line in sent.splitlines()], [event["id"] for event in found])

    def test_events_arrive(self):
        events = sample(2000)
        with Core(self.log, "--link", self.socket) as core:
            self.assertEqual(str(self.socket), core.ready["link"])
            self.assertEqual(0o600, self.socket.stat().st_mode & 0o777)
            sent = self.send(events)
        self.assertEqual(list(range(1, 2001)), [int(line) for line in sent.stdout.splitlines()])
        self.assertEqual("", sent.stderr)
        self.assertArrived(events)
        status = self.status()
        self.assertEqual((2000, 2000, 0), (status["last"], status["delivered"], status["waiting"]))
        self.assertEqual(0o600, (self.spool / "key").stat().st_mode & 0o777)
        self.assertEqual(0o700, self.spool.stat().st_mode & 0o777)

    def test_kill_the_core_in_the_middle(self):
        sent = sample(1000)
        with Core(self.log, "--link", self.socket):
            self.send(sent)
        for _ in range(3):
            part = sample(6000)
            half = part.index("\n", len(part) // 2) + 1
            with Core(self.log, "--link", self.socket) as core:
                with subprocess.Popen([peers.HYGIE, "link", "send", "--spool", self.spool, "--to", self.socket,
                                       "--wait", "0s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True) as sender:
                    sender.stdin.write(part[:half])
                    sender.stdin.flush()
                    # The first counter has come: the rest is on its way to the core now.
                    sender.stdout.readline()
                    core.kill()
                    sender.communicate(part[half:])
                    self.assertEqual(0, sender.returncode)
            sent += part
        last = sample(10)
        with Core(self.log, "--link", self.socket):
            self.send(last, None, "--wait", "2m")
        self.assertEqual(0, self.status()["waiting"])
        self.assertArrived(sent + last)

    def test_the_core_comes_back_while_a_sender_waits(self):
        events = sample(500)
        with subprocess.Popen([peers.HYGIE, "link", "send", "--spool", self.spool, "--to", self.socket, "--source",
                               "mail", "--wait", "2m"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sender:
            sender.stdin.write(events)
            sender.stdin.close()
            sender.stdout.readline()
            with Core(self.log, "--link", self.socket):
                self.assertEqual(0, sender.wait(120))
        self.assertArrived(events)

    def test_core_away(self):
        events = sample(300)
        sent = self.send(events, None, "--wait", "0s")
        self.assertEqual(list(range(1, 301)), peers.indexes(sent.stdout))
        self.assertRegex(sent.stderr, r"300 event\(s\) wait in the spool")
        french = run(peers.HYGIE, "--lang", "fr", "link", "send", "--spool", self.spool, "--to", self.socket, "--wait",
                     "0s", input="")
        self.assertRegex(french.stderr, r"300 événement\(s\) attendent")
        self.assertEqual(300, self.status()["waiting"])
        for name in os.listdir(self.spool):
            self.assertNotIn(json.loads(events.splitlines()[0])["actor"]["id"].encode(), (self.spool / name).read_bytes())
        with Core(self.log, "--link", self.socket):
            self.send("")
        self.assertEqual(0, self.status()["waiting"])
        self.assertArrived(events)

    def test_a_refused_line_keeps_those_before(self):
        good = sample(3)
        with Core(self.log, "--link", self.socket):
            self.assertRefused(self.send(good + "nonsense\n" + good, check=False), "line 4", "resume at line 4")
        self.assertArrived(good)

    def test_another_name_or_key_is_refused(self):
        events = sample(5)
        with Core(self.log, "--link", self.socket):
            self.send(events)
            renamed = hygie("link", "send", "--spool", self.spool, "--to", self.socket, "--source", "files", input="",
                            check=False)
            self.assertRefused(renamed, "another source")
        # A spool of its own with a key of its own, under the name that another key has; the core has restarted.
        with Core(self.log, "--link", self.socket):
            self.assertRefused(self.send(sample(1), spool=self.dir / "impostor", check=False), "under another key")
        self.assertArrived(events)

    def test_a_lost_spool_is_declared(self):
        with Core(self.log, "--link", self.socket):
            self.send(sample(10))
            for segment in self.spool.glob("*.spool"):
                segment.unlink()
            self.assertRefused(self.send(sample(1), check=False), "went back", "counter 11", "--start-after")
            # What the refused sender took is in its spool, which is given up too.
            for segment in self.spool.glob("*.spool"):
                segment.unlink()
            self.assertEqual("12\n", self.send(sample(1), None, "--start-after", 11).stdout)
            self.assertRefused(self.send(sample(1), None, "--start-after", 20, check=False), "holds a spool already")
        hygie("ledger", "verify", self.log)
        lines = [json.loads(line) for line in hygie("ledger", "tail", self.log, "-n", 100, "--json").stdout.splitlines()]
        gaps = [line["event"]["detail"] for line in lines if line.get("event", line)["type"] == "ledger.gap"]
        self.assertEqual([("11", "11")], [(gap["first"], gap["last"]) for gap in gaps])

    def test_a_full_spool_refuses_and_keeps(self):
        small = 8 << 20
        done = self.send(sample(60_000), None, "--wait", "0s", "--max-bytes", small, check=False)
        self.assertRefused(done, "spool full")
        taken = len(peers.indexes(done.stdout))
        self.assertEqual(taken, self.status()["waiting"])
        self.assertLessEqual(sum(segment.stat().st_size for segment in self.spool.glob("*.spool")), small)
        self.assertRefused(self.send("", None, "--max-bytes", small - 1, check=False), "max-bytes")
        with Core(self.log, "--link", self.socket):
            self.send("", None, "--wait", "2m")
        self.assertEqual(taken, len(self.arrived()))

    def test_status_makes_nothing(self):
        self.assertRefused(hygie("link", "status", "--spool", self.spool, check=False), "no spool")
        self.assertFalse(self.spool.exists())

    def certificate(self, name, ca, *names):
        """A certificate of that authority (made when new) for these names: the options that present it."""
        if not (self.dir / f"{ca}.pem").exists():
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 1,
                "-subj", f"/CN={ca}", "-keyout", self.dir / f"{ca}.key", "-out", self.dir / f"{ca}.pem")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 1,
            "-subj", f"/CN={name}", "-CA", self.dir / f"{ca}.pem", "-CAkey", self.dir / f"{ca}.key",
            "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=" + ",".join(names),
            "-keyout", self.dir / f"{name}.key", "-out", self.dir / f"{name}.pem")
        return self.dir / f"{name}.pem", self.dir / f"{name}.key"

    def test_mutual_tls(self):
        core_pem, core_key = self.certificate("core", "ca", "IP:127.0.0.1", "DNS:core.example")
        with Core(self.log, "--link-listen", "127.0.0.1:0", "--link-ca", self.dir / "ca.pem", "--link-cert", core_pem,
                  "--link-key", core_key) as core:
            to = f"127.0.0.1:{core.ready['link_port']}"

            def send(events, certificate, *options, spool=None, ca="ca"):
                return self.send(events, to, "--ca", self.dir / f"{ca}.pem", "--cert", certificate[0], "--key",
                                 certificate[1], *options, spool=spool, check=False)

            node = self.certificate("node", "ca", "DNS:node-1")
            events = sample(100)
            self.assertEqual("", send(events, node).stderr)
            more = sample(5)
            self.assertEqual("", send(more, node, "--peer-name", "core.example").stderr)

            stranger = self.certificate("stranger", "other-ca", "DNS:node-1")
            another = {"spool": self.dir / "another", "ca": "ca"}
            self.assertRefused(send(sample(1), stranger, **another), "certificate")
            self.assertRefused(send(sample(1), node, spool=self.dir / "third", ca="other-ca"), "certificate")
            self.assertRefused(send("", node, "--peer-name", "elsewhere.example"), "certificate")
            other_node = self.certificate("other-node", "ca", "DNS:node-2")
            self.assertRefused(send("", other_node), "certificate|name")
            self.assertRefused(self.send("", to, check=False), "--ca is missing")
        self.assertArrived(events + more)


if __name__ == "__main__":
    unittest.main()
