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

    def test_traces_of_a_record_stay_as_long_as_it(self):
        patient = self.patients[3]
        ledger = self.practice.dir / "demo" / "ledger"

        def shred_traces():
            return subprocess.run([HYGIE, "--lang", "en", "ledger", "shred", ledger, "--patient", patient, "--reason", "essai"],
                                  capture_output=True, text=True, timeout=SECONDS_MAX)
        self.vault("hold", patient, "--reason", "essai")
        refused = shred_traces()
        self.assertEqual(1, refused.returncode, refused.stdout)
        self.assertIn("hygie vault shred", refused.stderr)
        self.assertEqual([], self.vault("verify")["rot"])
        self.vault("hold", patient, "--lift", "--reason", "essai")
        self.vault("shred", patient, "--reason", "essai")
        self.assertEqual(0, shred_traces().returncode)
        self.assertEqual([], self.vault("verify")["rot"], "erased traces are no fault")

    def test_records_whose_time_is_over_are_named(self):
        def made(body):
            status, text = self.ask("POST", body["resourceType"], body)
            self.assertEqual(201, status, text)
            return json.loads(text)["id"]
        old, held, recent = (made({"resourceType": "Patient", "name": [{"family": name}], "birthDate": "1950-01-01"})
                             for name in ("Ancien", "Retenu", "Actuel"))
        for patient, year in ((old, 1999), (held, 1999), (recent, 2020)):
            made({"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
                  "subject": {"reference": "Patient/" + patient}, "period": {"start": f"{year}-01-02", "end": f"{year}-01-02"}})
        self.vault("hold", held, "--reason", "essai")
        named = self.vault("expired")["patients"]
        self.assertEqual((True, False, False), (old in named, held in named, recent in named))

    def test_taking_over_still_asks_that_it_stops(self):
        with tempfile.NamedTemporaryFile(suffix=".ndjson", mode="w") as lines:
            lines.write(json.dumps(self.observation(self.patients[0])) + "\n")
            lines.flush()
            self.assertIn("$import", self.vault("import", lines.name, code=3))


if __name__ == "__main__":
    unittest.main()
