#!/usr/bin/env python3
"""`hygie demo`, what ./run starts: every command it prints is given to a shell, as a person would, and works."""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HYGIE = os.environ.get("HYGIE", str(ROOT / "build/release/hygie"))
SKIPPED = 77
SECONDS_MAX = 120


class Demo:
    """A demonstration, from its announcement to the end of the with-block; stopped by its own pid."""

    def __init__(self, *arguments):
        self.command = [HYGIE, "demo", "--json", *map(str, arguments)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(SECONDS_MAX)
        self.process.stdout.close()

    def shell(self, line):
        done = subprocess.run(line, shell=True, cwd="/", capture_output=True, text=True, timeout=SECONDS_MAX)
        if done.returncode != 0:
            raise AssertionError(f"{line}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


class Printed(unittest.TestCase):
    def setUp(self):
        # A name that a shell splits unless it is quoted.
        self.dir = Path(tempfile.mkdtemp(prefix="hygie d'essai "))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def test_every_command_works_as_written(self):
        with Demo("--state", self.dir / "state") as demo:
            verify, prove, checkpoint = demo.ready["commands"]
            self.assertIn("demo.hygie.example/journal", demo.shell(verify))
            self.assertIn("42", demo.shell(prove))
            origin, size, _ = demo.shell(checkpoint).split("\n", 2)
            self.assertEqual("demo.hygie.example/journal", origin)
            self.assertGreaterEqual(int(size), 300)
            patients, observations, accesses = (json.loads(demo.shell(line)) for line in demo.ready["curl"])
            self.assertEqual(5, len(patients["entry"]))
            self.assertEqual(3, len(observations["entry"]))
            self.assertEqual({"AuditEvent"}, {e["resource"]["resourceType"] for e in accesses["entry"]})
        self.assertEqual(0, demo.process.returncode)

    def test_nothing_stays_without_state(self):
        with Demo("--events", 100) as demo:
            state = Path(demo.ready["state"])
            self.assertTrue(state.is_dir())
            self.assertEqual(0, state.stat().st_mode & 0o077)
        self.assertEqual(0, demo.process.returncode)
        self.assertFalse(state.exists())

    def test_it_grows_while_it_runs(self):
        with Demo("--events", 100) as demo:
            size = lambda: int(demo.shell(demo.ready["commands"][2]).split("\n")[1])
            first = size()
            demo.shell(f"for i in $(seq 600); do curl -s {demo.ready['ledger']}/checkpoint | sed -n 2p | "
                       f"{{ read -r size; [ \"$size\" -gt {first} ]; }} && exit 0; sleep 0.1; done; exit 1")
            self.assertGreater(size(), first)


class Figures(unittest.TestCase):
    def test_the_vault_is_measured_on_copies_of_the_practice_and_nothing_stays(self):
        with tempfile.TemporaryDirectory() as directory:
            run = subprocess.run([HYGIE, "--json", "--lang", "en", "vault", "bench", "--dir", directory, "--patients", "32",
                                  "--seconds", "1"], capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(run.returncode, 0, run.stderr)
            told = json.loads(run.stdout)
            self.assertEqual(told["refused"], 0, "every copy is stored, every read and search finds something")
            units = [figure["unit"] for figure in told["figures"] if figure["value"] > 0]
            self.assertEqual(units.count("req/s"), 9)
            self.assertIn("resources/s", units)
            self.assertEqual(os.listdir(directory), [])


class Client:
    """One account of the demonstration over HTTPS, with the standard library alone."""

    def __init__(self, demo, token):
        self.base, self.token = demo.ready["fhir"], token
        self.tls = ssl.create_default_context(cafile=demo.ready["ca_file"])

    def ask(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers.setdefault("Content-Type", "application/fhir+json")
        request = urllib.request.Request(f"{self.base}/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=SECONDS_MAX) as answer:
                return answer.status, json.loads(answer.read() or "null"), answer.headers
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read() or "null"), refused.headers

    def get(self, path):
        return self.ask("GET", path)


def heart_rate(patient, value):
    return {"resourceType": "Observation", "status": "final", "subject": {"reference": f"Patient/{patient}"},
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "effectiveDateTime": "2026-01-15T09:30:00+01:00",
            "valueQuantity": {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}}


class Records(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = Path(tempfile.mkdtemp(prefix="hygie-records-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        cls.demo = cls.enterClassContext(Demo("--state", cls.dir / "state", "--events", 100))

    def account(self, role, circle=None):
        return next(a for a in self.demo.ready["accounts"]
                    if a["role"] == role and circle in (None, a["circle"]))

    def client(self, role, circle=None):
        return Client(self.demo, self.account(role, circle)["token"])

    def test_nobody_gets_in_without_a_token(self):
        for token in (None, "A" * 43, "eyJhbGciOiJub25lIn0.e30."):
            status, body, headers = Client(self.demo, token).get("Patient")
            self.assertEqual(401, status)
            self.assertIn("Bearer", headers["WWW-Authenticate"])
            self.assertEqual("OperationOutcome", body["resourceType"])
        status, body, _ = Client(self.demo, None).get("metadata")
        self.assertEqual((200, "CapabilityStatement"), (status, body["resourceType"]))

    def test_a_physician_reads_searches_and_writes(self):
        doctor, patient = self.client("care", "team"), self.demo.ready["patients"][0]
        self.assertEqual(200, doctor.get(f"Patient/{patient}")[0])
        status, made, headers = doctor.ask("POST", "Observation", heart_rate(patient, 61))
        self.assertEqual(201, status)
        self.assertEqual('W/"1"', headers["ETag"])
        made["valueQuantity"]["value"] = 62
        self.assertEqual(428, doctor.ask("PUT", f"Observation/{made['id']}", made)[0])
        self.assertEqual(200, doctor.ask("PUT", f"Observation/{made['id']}", made, If_Match='W/"1"')[0])
        status, found, _ = doctor.get(f"Observation?patient={patient}&code=8867-4&_sort=-date&_count=1")
        self.assertEqual(made["id"], found["entry"][0]["resource"]["id"])
        self.assertEqual(62, found["entry"][0]["resource"]["valueQuantity"]["value"])
        everything = doctor.get(f"Patient/{patient}/$everything?_count=1000")[1]
        self.assertGreater(len(everything["entry"]), 50)
        self.assertEqual(400, doctor.ask("POST", "Observation", {**made, "status": "nonsense"})[0])
        self.assertEqual(204, doctor.ask("DELETE", f"Observation/{made['id']}")[0])
        self.assertEqual(410, doctor.get(f"Observation/{made['id']}")[0])

    def test_who_is_outside_the_circle_learns_nothing_and_is_traced(self):
        outsider, patient = self.account("care", "none"), self.demo.ready["patients"][0]
        other = Client(self.demo, outsider["token"])
        closed = other.get(f"Patient/{patient}")
        absent = other.get("Patient/b4cf2d7e-0000-4000-8000-000000000000")
        self.assertEqual(404, closed[0])
        self.assertEqual(closed[:2], absent[:2])
        self.assertEqual(0, other.get(f"Observation?patient={patient}")[1]["total"])
        self.assertEqual(0, other.get("Patient?_summary=count")[1]["total"])
        # The patient sees who tried.
        mine = self.client("patient").get(f"AuditEvent?patient={patient}&_count=50")[1]
        self.assertIn(outsider["user"], json.dumps(mine))
        security = self.client("security")
        self.assertIn(outsider["user"], json.dumps(security.get(f"AuditEvent?agent={outsider['user']}")[1]))
        self.assertEqual(404, security.get(f"Patient/{patient}")[0])
        self.assertEqual(404, self.client("desk").get(f"Patient/{patient}/_history/9")[0])
        self.assertEqual(200, self.client("desk").get(f"Patient/{patient}")[0])

    def test_nothing_of_anybody_lies_readable_on_the_disk(self):
        words = self.words_of_records()
        self.assertGreater(len(words), 1000)
        pattern = re.compile(b"|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
        searched = 0
        for path in (self.dir / "state").rglob("*"):
            if not path.is_file():
                continue
            data = path.read_bytes()
            searched += len(data)
            self.assertIsNone(pattern.search(data), path)
        self.assertGreater(searched, 1_000_000)

    def words_of_records(self):
        """Every id, name, number, address and text of the first patients, as they would lie on a disk."""
        words = set()

        def collect(value, key=""):
            if isinstance(value, dict):
                for name, inner in value.items():
                    collect(inner, name)
            elif isinstance(value, list):
                for inner in value:
                    collect(inner, key)
            elif isinstance(value, str) and key in ("id", "family", "given", "value", "text", "city", "line", "reference"):
                words.update(w.encode() for w in (value, value.split("/")[-1]) if len(w) >= 8)

        program = self.client("program")
        for patient in self.demo.ready["patients"][:4]:
            collect([e["resource"] for e in program.get(f"Patient/{patient}/$everything?_count=1000")[1]["entry"]])
        words.update(a[key].encode() for a in self.demo.ready["accounts"] for key in ("token", "password", "name") if a[key])
        return words


if __name__ == "__main__":
    if shutil.which("curl") is None:
        print("skipped: no curl")
        sys.exit(SKIPPED)
    unittest.main()
