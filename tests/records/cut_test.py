#!/usr/bin/env python3
"""The record server is killed at random moments of its work (SIGKILL: nothing is finished, nothing is flushed) and started
again. Then: every acknowledged write is there as it was acknowledged, and everything a client received about a patient has
its entry in the ledger. Both are held against what the clients saw, not against what the server says of itself."""

import http.client
import json
import os
import random
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HYGIE = os.environ.get("HYGIE", str(ROOT / "build/release/hygie"))
LIVES = int(os.environ.get("HYGIE_CUTS", "6"))
WRITERS, READERS = 4, 4
SECONDS_MAX = 120
CUT = (OSError, http.client.HTTPException, ValueError)  # what a client sees of the end, in the middle of an answer too


def observation(patient, number):
    return {"resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/" + patient},
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}, "effectiveDateTime": "2026-11-20",
            "valueQuantity": {"value": number, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}}


class Life:
    """One run of the service, from its announcement to its violent end."""

    def __init__(self, state):
        self.process = subprocess.Popen([HYGIE, "demo", "--json", "--state", str(state), "--events", "43"],
                                        stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.port = int(self.ready["url"].rsplit(":", 1)[1])
        self.tls = ssl.create_default_context(cafile=self.ready["ca_file"])
        self.token = {a["role"]: a["token"] for a in reversed(self.ready["accounts"])}

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(SECONDS_MAX)
        self.process.stdout.close()


class Client:
    """A kept-alive connection. Every request carries an id, which the ledger keeps beside what it answered."""

    def __init__(self, life, role):
        self.line = http.client.HTTPSConnection("127.0.0.1", life.port, context=life.tls, timeout=30)
        self.token = life.token[role]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.line.close()

    def ask(self, method, path, body=None, **headers):
        """Status, id of the request and the whole answer; an exception when not all of it arrived."""
        request = str(uuid.uuid4())
        headers |= {"Authorization": "Bearer " + self.token, "X-Request-Id": request, "Content-Type": "application/fhir+json"}
        self.line.request(method, "/fhir/" + path, None if body is None else json.dumps(body),
                          {name.replace("_", "-"): value for name, value in headers.items()})
        answer = self.line.getresponse()
        return answer.status, request, json.loads(answer.read() or "null")


class Seen:
    """What clients received, from all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.written = {}    # "Observation/id" → the newest version acknowledged
        self.in_doubt = set()  # where a later write was sent, and its answer never came
        self.refused = []
        self.disclosed = {}  # id of a request → its path, for what was answered about a patient


def write(client, seen, stop, patient, dice):
    mine = []
    while not stop.is_set():
        again = dice.choice(mine) if mine and dice.random() < 0.4 else None
        try:
            if again is None:
                status, request, body = client.ask("POST", "Observation", observation(patient, dice.randint(1, 200)))
            else:
                with seen.lock:
                    before = seen.written[again]
                    seen.in_doubt.add(again)
                changed = observation(patient, dice.randint(1, 200)) | {"id": before["id"]}
                status, request, body = client.ask("PUT", again, changed, If_Match=f'W/"{before["meta"]["versionId"]}"')
        except CUT:
            return
        with seen.lock:
            if status not in (200, 201):
                seen.refused.append((status, body))
                continue
            name = "Observation/" + body["id"]
            seen.written[name] = body
            seen.in_doubt.discard(name)
            seen.disclosed[request] = "write " + name
        if again is None:
            mine.append(name)


def read(client, seen, stop, patients, dice):
    while not stop.is_set():
        patient = dice.choice(patients)
        path = dice.choice([f"Patient/{patient}", f"Observation?subject=Patient/{patient}&_count=3",
                            f"Patient/{patient}/$everything?_count=5", f"Patient?_id={patient}"])
        try:
            status, request, body = client.ask("GET", path)
        except CUT:
            return
        with seen.lock:
            if status == 200:
                seen.disclosed[request] = path
            else:
                seen.refused.append((status, body))


def work(life, role, what, *arguments):
    with Client(life, role) as client:
        what(client, *arguments)


class Cut(unittest.TestCase):
    def setUp(self):
        self.state = Path(tempfile.mkdtemp(prefix="hygie-cut-"))
        self.addCleanup(shutil.rmtree, self.state, ignore_errors=True)
        self.seed = int(os.environ.get("HYGIE_SEED", random.SystemRandom().randrange(1 << 32)))
        self.dice = random.Random(self.seed)
        self.seen = Seen()

    def live(self, life):
        """Work from many sides, cut in the middle."""
        stop = threading.Event()
        patients = life.ready["patients"][:4]
        dice = lambda: random.Random(self.dice.random())
        threads = [threading.Thread(target=work, args=(life, "program", write, self.seen, stop, patients[i % 4], dice()))
                   for i in range(WRITERS)]
        threads += [threading.Thread(target=work, args=(life, "care", read, self.seen, stop, patients, dice()))
                    for _ in range(READERS)]
        for thread in threads:
            thread.start()
        time.sleep(self.dice.uniform(0.05, 1.5))
        life.end(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join(SECONDS_MAX)

    def check_written(self, life):
        with Client(life, "program") as client:
            self.check_each(client)

    def check_each(self, client):
        for name, acknowledged in self.seen.written.items():
            status, _, found = client.ask("GET", name)
            told = f"seed {self.seed}: {name}"
            self.assertEqual(200, status, told)
            if name not in self.seen.in_doubt:
                self.assertEqual(acknowledged, found, told)
                continue
            # The write under way may have happened, or not; what was acknowledged is there in either case.
            version = acknowledged["meta"]["versionId"]
            self.assertIn(int(found["meta"]["versionId"]) - int(version), (0, 1), told)
            status, _, older = client.ask("GET", f"{name}/_history/{version}")
            self.assertEqual((200, acknowledged), (status, older), told)
            self.seen.written[name] = found
        self.seen.in_doubt.clear()

    def hygie(self, *arguments):
        done = subprocess.run([HYGIE, "--json", *map(str, arguments)], capture_output=True, text=True, timeout=SECONDS_MAX,
                              check=False)
        self.assertEqual(0, done.returncode, f"seed {self.seed}: {arguments}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def test_nothing_acknowledged_is_lost_and_nothing_untraced_was_shown(self):
        for _ in range(LIVES):
            life = Life(self.state)
            try:
                self.check_written(life)
                self.live(life)
            finally:
                if life.process.poll() is None:
                    life.end(signal.SIGKILL)
        life = Life(self.state)
        try:
            self.check_written(life)
        finally:
            life.end(signal.SIGTERM)
        self.assertEqual([], self.seen.refused, f"seed {self.seed}")
        self.assertGreater(len(self.seen.written), LIVES, f"seed {self.seed}: there was work")
        verified = json.loads(self.hygie("vault", "verify", "--state", self.state))
        self.assertEqual([], verified["rot"], f"seed {self.seed}")
        self.hygie("ledger", "export", self.state / "ledger", "-o", self.state / "entries.ndjson")
        traced = set()
        with open(self.state / "entries.ndjson", encoding="utf-8") as entries:
            for line in entries:
                traced.add(json.loads(line).get("request_id"))
        untraced = {request: path for request, path in self.seen.disclosed.items() if request not in traced}
        self.assertEqual({}, untraced, f"seed {self.seed}: of {len(self.seen.disclosed)} answers")


if __name__ == "__main__":
    unittest.main()
