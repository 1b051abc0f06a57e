#!/usr/bin/env python3
"""`hygie vault` beside the running service: the service carries out what an operator asks."""

import json
import os
import subprocess
import tempfile
import threading
import unittest
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

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


class DaysBesideTheService(unittest.TestCase):
    """A command beside the service counts days as the service does. A whole day lies between these two zones and more:
    one of them has another date than Paris."""

    def opened(self, folder, zone, patient):
        config = folder / "zone.toml"
        config.write_text(f'[records]\ntime_zone = "{zone}"\n')
        service = subprocess.Popen([HYGIE, "serve", "--state", folder / "demo", "--config", config, "--listen", "127.0.0.1:0"],
                                   stdout=subprocess.PIPE, text=True)
        try:
            self.assertTrue(service.stdout.readline(), "it serves")
            command = [HYGIE, "access", "opened", patient, "--state", folder / "demo"]
            for more in ([], ["--json"]):
                done = subprocess.run(command + more, capture_output=True, text=True, timeout=SECONDS_MAX)
                self.assertEqual(0, done.returncode, done.stderr)
                yield done.stdout
        finally:
            service.terminate()
            service.wait(SECONDS_MAX)
            service.stdout.close()

    def test_days_are_those_of_the_practice(self):
        practice = Practice()
        try:
            patient = practice.ready["patients"][0]
            practice.line.request("GET", "/fhir/Patient/" + patient,
                                  headers={"Authorization": "Bearer " + practice.token["program"]})
            self.assertEqual(200, practice.line.getresponse().status)
            practice.line.close()
            practice.process.terminate()
            practice.process.wait(SECONDS_MAX)
            for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
                people, programs = self.opened(practice.dir, zone, patient)
                times = [datetime.fromisoformat(one["last"].replace("Z", "+00:00")) for one in json.loads(programs)["openings"]]
                self.assertTrue(times)
                self.assertEqual([str(time.astimezone(ZoneInfo(zone)).date()) for time in times],
                                 [line.split()[0] for line in people.splitlines()], zone)
        finally:
            practice.close()


if __name__ == "__main__":
    unittest.main()
