#!/usr/bin/env python3
"""`hygie ledger witness serve` before a client written from the specification alone."""

import unittest

import peers
from peers import Server, free_port, hygie, mklog, run


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


if __name__ == "__main__":
    peers.need_go()
    unittest.main()
