#!/usr/bin/env python3
"""The referee itself is judged first: honest logs pass, every forgery is refused. No program of Hygie takes part."""

import shutil
import unittest

import forge
import peers
from peers import mklog, referee


class Referee(peers.TestCase):
    def setUp(self):
        super().setUp()
        self.key = self.dir / "log.key"
        self.vkey = mklog("keygen", "log.example/a", "log", self.key)
        self.log = self.dir / "log"
        mklog("write", "-key", self.key, "-n", 3000, self.log)

    def test_honest_logs_of_every_awkward_size(self):
        for size in (0, 1, 2, 255, 256, 257, 65536, 65537):
            log = self.dir / str(size)
            mklog("write", "-key", self.key, "-n", size, log)
            referee("-vkey", self.vkey, log)

    def test_every_forgery_is_refused(self):
        for kind in forge.KINDS:
            with self.subTest(kind.__name__):
                copy = self.dir / kind.__name__
                shutil.copytree(self.log, copy)
                kind(copy)
                self.assertRefused(referee("-vkey", self.vkey, copy, check=False), "REFUSED")

    def test_another_key_or_origin_is_refused(self):
        other = mklog("keygen", "log.example/a", "log", self.dir / "other.key")
        self.assertRefused(referee("-vkey", other, self.log, check=False))
        self.assertRefused(referee("-vkey", self.vkey, "-origin", "log.example/b", self.log, check=False))

    def test_a_stolen_key_needs_pin_or_witnesses_to_be_seen(self):
        pin = self.dir / "pin"
        mklog("write", "-key", self.key, "-n", 2000, pin)
        for change in (["-change", 100], ["-drop", 100], ["-swap", 100]):
            forged = self.dir / ("forged" + change[0])
            mklog("write", "-key", self.key, "-n", 3000, *change, forged)
            referee("-vkey", self.vkey, forged)
            said = self.assertRefused(
                referee("-vkey", self.vkey, "-pin", pin / "checkpoint", forged, check=False))
            self.assertIn("forked", said)

    def test_quorum_distinct_keys_and_freshness(self):
        keys, flags = [], []
        for i in range(3):
            keys.append(self.dir / f"w{i}.key")
            flags += ["-witness", mklog("keygen", f"witness.example/{i}", "witness", keys[-1])]
        ask = ["-vkey", self.vkey, *flags, "-quorum", 2, "-max-age", "1h"]
        checkpoint = self.log / "checkpoint"
        mklog("cosign", "-key", keys[0], checkpoint)
        self.assertRefused(referee(*ask, self.log, check=False), "1 fresh cosignatures")
        self.assertRefused(referee(*ask, *flags[:2], self.log, check=False), "REFUSED")
        mklog("cosign", "-key", keys[1], "-ago", "2h", checkpoint)
        self.assertRefused(referee(*ask, self.log, check=False), "1 fresh cosignatures")
        mklog("cosign", "-key", keys[2], checkpoint)
        referee(*ask, self.log)

    def test_proofs(self):
        proof = self.dir / "p.tlog-proof"
        for index in (0, 1, 255, 256, 2816, 2999):
            proof.write_text(referee("-vkey", self.vkey, "-prove", index, self.log).stdout, encoding="utf-8")
            referee("-vkey", self.vkey, "-proof", proof)
            for old, new in ((f"index {index}\n", f"index {index ^ 1}\n"), ("extra ", "extra AAAA"), ("@v1", "@v2")):
                bent = self.dir / "bent"
                bent.write_text(proof.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
                self.assertRefused(referee("-vkey", self.vkey, "-proof", bent, check=False))


if __name__ == "__main__":
    peers.need_go()
    unittest.main()
