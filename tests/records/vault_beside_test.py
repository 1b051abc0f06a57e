#!/usr/bin/env python3
"""`hygie vault` beside the running service: the service carries out what an operator asks."""

import json
import os
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from practice import HYGIE, SECONDS_MAX, Practice


class BesideTheService(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.practice = Practice()
        cls.addClassCleanup(cls.practice.close)
        cls.patients = cls.practice.ready["patients"]

    def vault(self, *arguments, code=0):
        done = subprocess.run([HYGIE, "vault", *arguments, "--json", "--state", self.practice.dir / "demo"],
                              capture_output=True, text=True, timeout=SECONDS_MAX)
        self.assertEqual(code, done.returncode, done.stderr)
        return json.loads(done.stdout) if code == 0 else done.stderr

    def ask(self, method, path, body=None, role="program"):
        self.practice.line.request(method, "/fhir/" + path, None if body is None else json.dumps(body), {
            "Content-Type": "application/fhir+json", "Authorization": "Bearer " + self.practice.token[role]})
        answer = self.practice.line.getresponse()
        return answer.status, answer.read()

    def observation(self, patient):
        return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "effectiveDateTime": "2026-11-20",
                "subject": {"reference": "Patient/" + patient}}

    def test_counts_and_verification_while_it_writes(self):
        before = self.vault("status")
        self.assertGreater(before["records"], 0)
        stop = threading.Event()
        written = []

        def write():
            while not stop.is_set():
                status, _ = self.ask("POST", "Observation", self.observation(self.patients[0]))
                written.append(status)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            verified = [self.vault("verify") for _ in range(3)]
        finally:
            stop.set()
            writer.join()
        self.assertEqual({201}, set(written))
        for one in verified:
            self.assertEqual([], one["rot"])
            self.assertGreaterEqual(one["versions"], before["versions"])

    def test_a_record_is_handed_over_held_and_erased(self):
        patient = self.patients[2]
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            given = self.vault("export", patient, "-o", out)
            self.assertEqual(given["files"], len(os.listdir(out)))
            kept = json.loads((out / "Patient.ndjson").read_text())
            self.assertEqual(patient, kept["id"])
        self.vault("hold", patient, "--reason", "essai")
        self.assertIn("gel", self.vault("shred", patient, "--reason", "essai", code=1))
        self.assertEqual(200, self.ask("GET", "Patient/" + patient)[0])
        self.vault("hold", patient, "--lift", "--reason", "essai")
        self.vault("shred", patient, "--reason", "essai")
        self.assertEqual(404, self.ask("GET", "Patient/" + patient)[0])
        self.assertEqual([], self.vault("verify")["rot"])
        status, body = self.ask("GET", "AuditEvent?subtype=ledger.shred", role="security")
        self.assertEqual((200, 1), (status, len(json.loads(body)["entry"])))

    def test_taking_over_still_asks_that_it_stops(self):
        with tempfile.NamedTemporaryFile(suffix=".ndjson", mode="w") as lines:
            lines.write(json.dumps(self.observation(self.patients[0])) + "\n")
            lines.flush()
            self.assertIn("$import", self.vault("import", lines.name, code=3))


if __name__ == "__main__":
    unittest.main()
