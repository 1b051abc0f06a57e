#!/usr/bin/env python3
"""Erasing one patient with the real binary: nothing readable was there, nothing can be opened afterwards, and every
proof given before still holds, before the referee too."""

import collections
import json
import unittest

import peers
from peers import hygie, indexes, referee


class Erase(peers.TestCase):
    def setUp(self):
        super().setUp()
        self.log = self.dir / "ledger"
        self.vkey, _ = peers.make_ledger(self.log, 10)
        lines = peers.sample(3000).splitlines()
        self.printed = indexes(hygie("ledger", "append", self.log, input="\n".join(lines) + "\n").stdout)
        self.events = [json.loads(line) for line in lines]
        self.assertEqual(len(self.events), len(self.printed))
        patients = collections.Counter(event["patient"] for event in self.events if event.get("patient"))
        (self.patient, _), (self.other, _) = patients.most_common(2)

    def of(self, patient):
        return [index for index, event in zip(self.printed, self.events) if event.get("patient") == patient]

    def bytes_on_disk(self):
        return b"\0".join(path.read_bytes() for path in sorted(self.log.rglob("*")) if path.is_file())

    def test_nothing_readable_lies_on_the_disk(self):
        stored = self.bytes_on_disk()
        said = {event[name] for event in self.events for name in ("patient", "object", "query") if event.get(name)}
        said |= {event["actor"]["id"] for event in self.events if event.get("actor")}
        # Shorter texts turn up in random bytes by chance.
        found = [text for text in said if len(text) >= 6 and text.encode() in stored]
        self.assertEqual([], found)

    def test_one_patient_goes_and_every_proof_stays(self):
        proof, gone, kept = self.dir / "before.tlog-proof", self.of(self.patient), self.of(self.other)
        hygie("ledger", "prove", self.log, gone[0], "-o", proof)
        self.assertIn(self.patient, hygie("ledger", "show", self.log, gone[0]).stdout)

        hygie("ledger", "shred", self.log, "--patient", self.patient, "--reason", "end of retention")

        for index in gone[:10]:
            self.assertNotIn(self.patient, hygie("ledger", "show", self.log, index, check=False).stdout)
        self.assertIn(self.other, hygie("ledger", "show", self.log, kept[0]).stdout)
        hygie("ledger", "verify", self.log)
        referee("-vkey", self.vkey, self.log)
        referee("-vkey", self.vkey, "-proof", proof)
        self.assertNotIn(self.patient.encode(), self.bytes_on_disk())


if __name__ == "__main__":
    peers.need_go()
    unittest.main()
