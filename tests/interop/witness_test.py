#!/usr/bin/env python3
"""`hygie ledger witness serve` before a client written from the specification alone, and Hygie's own ledger before
witnesses: ours, and litewitness (torchwood) when it is in PATH."""

import contextlib
import os
import re
import shutil
import subprocess
import unittest

import peers
from peers import Server, free_port, hygie, mklog, referee, run


class Witness(peers.TestCase):
    def setUp(self):
        super().setUp()
        self.home = self.dir / "witness"
        self.keys = [self.dir / "a.key", self.dir / "b.key"]
        self.logs = [mklog("keygen", f"log.example/{key.stem}", "log", key) for key in self.keys]
        said = hygie("ledger", "witness", "init", self.home, "--name", "witness.example/w").stdout
        self.vkey = next(word for word in said.split() if "+" in word)
        for log in self.logs:
            hygie("ledger", "witness", "trust", self.home, log)
        self.port = free_port()

    def serve(self):
        return Server(self.port, peers.HYGIE, "ledger", "witness", "serve", self.home, "--listen",
                      f"127.0.0.1:{self.port}")

    def ask(self, *more):
        return run(peers.PEERS / "witness_client", "-url", f"http://127.0.0.1:{self.port}", "-witness", self.vkey,
                   "-log", self.keys[0], "-log2", self.keys[1], *more)

    def test_every_answer_of_the_specification(self):
        with self.serve():
            self.ask()
        # What it has cosigned, it remembers when it comes back.
        with self.serve():
            self.ask("-expect", 900)

    def test_a_witness_killed_outright_remembers(self):
        with self.serve() as server:
            self.ask()
            server.process.kill()
            server.process.wait(60)
        with self.serve():
            self.ask("-expect", 900)


class Cosigned(peers.TestCase):
    """A practice's ledger, cosigned by the witnesses of a group while it appends."""

    def setUp(self):
        super().setUp()
        self.ledger = self.dir / "ledger"
        self.vkey, _ = peers.make_ledger(self.ledger, 300)

    def own_witness(self, name):
        home, port = self.dir / name, free_port()
        vkey = hygie("ledger", "witness", "init", home, "--name", f"witness.example/{name}").stdout.strip()
        hygie("ledger", "witness", "trust", home, self.vkey)
        server = Server(port, peers.HYGIE, "ledger", "witness", "serve", home, "--listen", f"127.0.0.1:{port}")
        return vkey, server

    def cosign(self, witnesses, quorum):
        """Appends under a policy of these witnesses; what the referee says of it."""
        lines = [f"witness w{i} {vkey} http://127.0.0.1:{server.port}\n" for i, (vkey, server) in enumerate(witnesses)]
        names = " ".join(f"w{i}" for i in range(len(witnesses)))
        policy = self.dir / "policy"
        policy.write_text(f"log {self.vkey}\n{''.join(lines)}group practices {quorum} {names}\nquorum practices\n")
        hygie("ledger", "append", self.ledger, "--policy", policy, input=peers.sample(500))
        hygie("ledger", "verify", self.ledger, "--policy", policy, "--max-age", "10m")
        flags = [word for vkey, _ in witnesses for word in ("-witness", vkey)]
        return referee("-vkey", self.vkey, *flags, "-quorum", quorum, "-max-age", "10m", self.ledger)

    def test_two_of_three_practices(self):
        witnesses = [self.own_witness(name) for name in "abc"]
        with contextlib.ExitStack() as running:
            for _, server in witnesses:
                running.enter_context(server)
            self.cosign(witnesses, 3)
        # One is away: two of three still make a quorum, and the third is told what it missed when it is back.
        with witnesses[0][1], witnesses[1][1]:
            self.cosign(witnesses, 2)
        with witnesses[0][1], witnesses[1][1], witnesses[2][1]:
            self.cosign(witnesses, 3)

    @unittest.skipUnless(shutil.which("litewitness") and shutil.which("ssh-agent"), "litewitness is not in PATH")
    def test_a_witness_that_nobody_here_wrote(self):
        key, socket, db, port = self.dir / "key", self.dir / "agent", self.dir / "witness.db", free_port()
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.terminate)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
        run("bash", "-c", 'until [[ -S $SSH_AUTH_SOCK ]]; do sleep 0.1; done; ssh-add -q "$0"', key,
            env={**os.environ, "SSH_AUTH_SOCK": str(socket)})
        fingerprint = run("ssh-keygen", "-lf", key).stdout.split()[1]
        origin = self.vkey.split("+")[0]
        run("witnessctl", "add-log", "-db", db, "-origin", origin)
        run("witnessctl", "add-key", "-db", db, "-origin", origin, "-key", self.vkey)
        server = Server(port, "litewitness", "-db", db, "-key", fingerprint, "-name", "lite.example/w", "-listen",
                        f"127.0.0.1:{port}", "-ssh-agent", socket)
        with server:
            server.log.seek(0)
            vkey = re.search(r"vkey=(\S+)", server.log.read()).group(1)
            self.cosign([(vkey, server)], 1)
            self.cosign([(vkey, server)], 1)


if __name__ == "__main__":
    peers.need_go()
    unittest.main()
