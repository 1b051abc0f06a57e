#!/usr/bin/env python3
"""A simulated hospital, its honest accesses by cause and its snoops, before `hygie access`.

The simulation knows nothing of Hygie's rules: it draws a hospital (wards with beds, an emergency room, outpatient clinics,
a laboratory, a pharmacy, secretaries, a delegation, a teleconsultation), writes it as a hospital's software would, and lets
people work. Honest accesses must be explained, snoops must not.
"""

import datetime as dt
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HYGIE = os.environ.get("HYGIE", str(Path(__file__).resolve().parents[2] / "build/release/hygie"))
START = dt.datetime(2026, 11, 1, tzinfo=dt.timezone.utc)
DAYS = 20
SEED = 4


def iso(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def ref(kind, number):
    return {"reference": f"{kind}/{number}"}


class Hospital:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.resources, self.accesses, self.next = [], [], 0
        self.staff, self.patients = {}, []
        self.ties = {}  # patient -> actors who ever had to do with them
        self.build()
        for patient in self.patients:
            self.live(patient)
        self.snoop(400)

    def add(self, kind, **fields):
        self.next += 1
        name = fields.pop("id", f"{kind.lower()}-{self.next}")
        self.resources.append({"resourceType": kind, "id": name, **fields})
        return name

    def build(self):
        self.add("Organization", id="hospital", type=[{"coding": [{"code": "prov"}]}], name="CHU")
        self.wards = [f"ward{i}" for i in range(8)]
        for ward in self.wards:
            self.add("Location", id=ward, physicalType={"coding": [{"code": "wa"}]},
                     managingOrganization=ref("Organization", "hospital"))
            for bed in range(6):
                self.add("Location", id=f"{ward}-bed{bed}", physicalType={"coding": [{"code": "bd"}]},
                         partOf=ref("Location", ward))
            self.hire(ward, "doctor", "10", 3, location=ward)
            self.hire(ward, "nurse", "60", 6, location=ward)
        self.hire("er", "doctor", "10", 4)
        self.hire("lab", "technician", "86", 4, text="Technicien de laboratoire")
        self.hire("pharmacy", "pharmacist", "21", 3, text="Pharmacien hospitalier")
        self.hire("clinic", "doctor", "10", 8)
        self.hire("remote", "doctor", "10", 3)
        self.hire("desk", "secretary", None, 5, text="Secrétaire médicale")
        self.locum = self.staff["clinic", "doctor"][1]
        self.add("Task", status="in-progress", intent="order", code={"text": "Remplacement"},
                 requester=ref("Practitioner", self.staff["clinic", "doctor"][0]),
                 owner=ref("Practitioner", self.locum),
                 executionPeriod={"start": iso(START), "end": iso(START + dt.timedelta(days=DAYS))})
        for number in range(400):
            gp = self.random.choice(self.staff["clinic", "doctor"])
            birth = f"{self.random.randint(1940, 2020)}-05-12"
            patient = self.add("Patient", id=f"p{number}", birthDate=birth,
                               generalPractitioner=[ref("Practitioner", gp)] if number % 3 == 0 else None)
            if number % 3:
                del self.resources[-1]["generalPractitioner"]
            self.patients.append(patient)
            self.ties[patient] = {gp} if number % 3 == 0 else set()

    def hire(self, where, what, code, count, location=None, text=None):
        names = []
        for number in range(count):
            name = f"{where}-{what}{number}"
            self.add("Practitioner", id=name, name=[{"family": name}])
            role = {"practitioner": ref("Practitioner", name), "organization": ref("Organization", "hospital"),
                    "code": [{"text": text or what}]}
            if code:
                role["code"].append({"coding": [{"system": "https://mos.esante.gouv.fr/NOS/TRE_G15", "code": code}]})
            if location:
                role["location"] = [ref("Location", location)]
            self.add("PractitionerRole", **role)
            names.append(name)
        self.staff[where, what] = names

    def open(self, actor, patient, when, cause, resource="Patient"):
        self.next += 1
        entity = [{"what": ref("Patient", patient)}]
        if resource != "Patient":
            entity.append({"what": ref(resource, f"x{self.next}")})
        self.ties[patient].add(actor)
        self.accesses.append({"resourceType": "AuditEvent", "id": f"a{self.next}", "recorded": iso(when), "action": "R",
                              "agent": [{"who": ref("Practitioner", actor), "requestor": True}], "entity": entity,
                              "x-cause": cause})

    def live(self, patient):
        draw, hours = self.random, lambda low, high: dt.timedelta(hours=self.random.uniform(low, high))
        begin = START + hours(0, 24 * (DAYS - 8))
        {0: self.stay, 1: self.stay, 2: self.visit, 3: self.emergency, 4: self.remote}[draw.randrange(5)](patient, begin, hours)

    def stay(self, patient, begin, hours):
        ward = self.random.choice(self.wards)
        end = begin + hours(24, 24 * 6)
        doctor = self.random.choice(self.staff[ward, "doctor"])
        self.add("Encounter", status="finished", **{"class": {"code": "IMP"}}, subject=ref("Patient", patient),
                 period={"start": iso(begin), "end": iso(end)}, serviceProvider=ref("Organization", "hospital"),
                 participant=[{"individual": ref("Practitioner", doctor)}],
                 location=[{"location": ref("Location", f"{ward}-bed{self.random.randrange(6)}"),
                            "period": {"start": iso(begin), "end": iso(end)}}])
        self.add("ServiceRequest", status="active", intent="order", subject=ref("Patient", patient),
                 authoredOn=iso(begin), requester=ref("Practitioner", doctor),
                 category=[{"coding": [{"system": "http://snomed.info/sct", "code": "108252007"}]}])
        self.add("MedicationRequest", status="active", intent="order", subject=ref("Patient", patient),
                 authoredOn=iso(begin), requester=ref("Practitioner", doctor))
        for _ in range(4):
            self.open(self.random.choice(self.staff[ward, "nurse"]), patient, begin + (end - begin) * self.random.random(),
                      "ward care", "Observation")
        self.open(doctor, patient, end + hours(1, 200), "discharge letter", "DocumentReference")
        self.open(self.random.choice(self.staff["lab", "technician"]), patient, begin + hours(1, 20), "analysis",
                  "DiagnosticReport")
        self.open(self.random.choice(self.staff["pharmacy", "pharmacist"]), patient, begin + hours(1, 20),
                  "pharmaceutical check", "MedicationRequest")
        self.open(self.random.choice(self.staff["desk", "secretary"]), patient, begin + hours(-1, 10), "admission")

    def visit(self, patient, begin, hours):
        doctor = self.random.choice(self.staff["clinic", "doctor"])
        self.add("Appointment", status="fulfilled", start=iso(begin), end=iso(begin + hours(0.3, 0.6)),
                 participant=[{"actor": ref("Patient", patient), "status": "accepted"},
                              {"actor": ref("Practitioner", doctor), "status": "accepted"}])
        self.open(doctor, patient, begin - hours(1, 20), "preparation", "Condition")
        self.open(doctor, patient, begin + hours(0, 1), "consultation", "Observation")
        self.open(self.random.choice(self.staff["desk", "secretary"]), patient, begin - hours(0, 24), "reception",
                  "Appointment")
        if doctor == self.staff["clinic", "doctor"][0]:
            self.open(self.locum, patient, begin + hours(0, 1), "replacement", "Observation")

    def emergency(self, patient, begin, hours):
        doctor = self.random.choice(self.staff["er", "doctor"])
        self.add("Encounter", status="finished", **{"class": {"code": "EMER"}}, subject=ref("Patient", patient),
                 period={"start": iso(begin), "end": iso(begin + hours(2, 9))},
                 participant=[{"individual": ref("Practitioner", doctor)}])
        self.open(doctor, patient, begin + hours(0, 2), "emergency", "AllergyIntolerance")
        other = self.random.choice(self.staff["clinic", "doctor"])
        self.add("ServiceRequest", status="active", intent="order", subject=ref("Patient", patient),
                 authoredOn=iso(begin + dt.timedelta(hours=1)), requester=ref("Practitioner", doctor),
                 performer=[ref("Practitioner", other)])
        self.open(other, patient, begin + hours(2, 100), "opinion asked", "Condition")

    def remote(self, patient, begin, hours):
        doctor = self.random.choice(self.staff["remote", "doctor"])
        end = begin + dt.timedelta(minutes=20)
        self.add("Encounter", status="finished", **{"class": {"code": "VR"}}, subject=ref("Patient", patient),
                 period={"start": iso(begin), "end": iso(end)}, participant=[{"individual": ref("Practitioner", doctor)}])
        self.open(doctor, patient, begin + dt.timedelta(minutes=5), "teleconsultation", "Condition")
        self.open_as_snoop(doctor, patient, end + dt.timedelta(hours=30))

    def open_as_snoop(self, actor, patient, when):
        self.open(actor, patient, when, "SNOOP", "Condition")

    def snoop(self, count):
        people = sorted(name for (where, what), names in self.staff.items() for name in names if what != "secretary")
        for _ in range(count):
            patient, actor = self.random.choice(self.patients), self.random.choice(people)
            if actor in self.ties[patient] or actor == self.locum:
                continue
            # Colleagues of the ward where the patient lay, and the laboratory, could have an honest reason.
            if any(actor.split("-")[0] == tie.split("-")[0] for tie in self.ties[patient]):
                continue
            self.open_as_snoop(actor, patient, START + dt.timedelta(days=self.random.uniform(0, DAYS)))


class Circles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        root = Path(cls.folder.name)
        cls.hospital = Hospital(SEED)
        (root / "world").mkdir()
        half = len(cls.hospital.resources) // 2
        bundle = {"resourceType": "Bundle", "type": "collection",
                  "entry": [{"fullUrl": f"https://chu.example/fhir/{r['resourceType']}/{r['id']}", "resource": r}
                            for r in cls.hospital.resources[:half]]}
        (root / "world/first.json").write_text(json.dumps(bundle))
        (root / "world/second.ndjson").write_text("\n".join(map(json.dumps, cls.hospital.resources[half:])))
        cls.causes = {a["id"]: a.pop("x-cause") for a in cls.hospital.accesses}
        (root / "accesses.ndjson").write_text("\n".join(map(json.dumps, cls.hospital.accesses)))
        cls.world, cls.journal = str(root / "world"), str(root / "accesses.ndjson")

    def hygie(self, *args, code=0):
        done = subprocess.run([HYGIE, "access", *args], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout

    def lines(self, *args):
        return [json.loads(line) for line in self.hygie(*args, "--json").splitlines()]

    def test_honest_accesses_are_explained_and_snoops_are_not(self):
        lines = self.lines("unexplained", "--world", self.world, "--accesses", self.journal, "--all")
        summary = lines.pop()["summary"]
        self.assertEqual(summary["accesses"], len(self.causes))
        honest, missed, caught, snoops = {}, {}, 0, 0
        for line in lines:
            cause = self.causes[line["id"]]
            if cause == "SNOOP":
                snoops += 1
                caught += not line["explained"]
                continue
            honest[cause] = honest.get(cause, 0) + 1
            missed[cause] = missed.get(cause, 0) + (not line["explained"])
            if line["explained"] and line["rule"] == 18:
                self.assertTrue(line["proof"])
                self.assertTrue(all(step["evidence"] for step in line["proof"]))
        share = 1 - sum(missed.values()) / sum(honest.values())
        self.assertGreaterEqual(share, 0.97, missed)
        self.assertGreater(snoops, 200)
        self.assertGreaterEqual(caught / snoops, 0.95)

    def test_an_explanation_stands_on_resources_of_the_world(self):
        access = next(a for a in self.hospital.accesses if self.causes[a["id"]] == "ward care")
        actor, patient = access["agent"][0]["who"]["reference"], access["entity"][0]["what"]["reference"]
        [told] = self.lines("explain", actor, patient, "--world", self.world, "--at", access["recorded"])
        self.assertTrue(told["permitted"])
        known = {f"{r['resourceType']}/{r['id']}" for r in self.hospital.resources}
        for step in told["proof"]:
            self.assertIn(step["evidence"], known)
        who = {line["actor"] for line in self.lines("who-can", patient, "--world", self.world, "--at", access["recorded"])}
        self.assertIn(actor, who)
        self.assertLess(len(who), 30)

    def test_changing_the_rules_says_who_gains_and_loses_before(self):
        pack = json.loads(self.hygie("policy", "show", "default"))
        row = next(r for r in pack["rows"] if r["row"] == "nurse")
        row["read"].remove("Summary"), row["write"].remove("Summary")
        changed = Path(self.folder.name) / "changed.json"
        changed.write_text(json.dumps(pack))
        lines = self.lines("diff", "default", str(changed), "--world", self.world, "--at", iso(START + dt.timedelta(days=9)))
        self.assertIn({"code": "60", "class": "Summary", "writing": False, "change": "loses"}, lines)
        losers = [line["actor"] for line in lines if "actor" in line]
        self.assertTrue(losers)
        self.assertTrue(all("nurse" in name for name in losers))

    def test_a_pack_is_trusted_by_its_signature_alone(self):
        root = Path(self.folder.name)
        pack = root / "pack.json"
        pack.write_text(self.hygie("policy", "show", "default"))
        public = self.hygie("policy", "key", str(root / "officer.key")).strip()
        other = self.hygie("policy", "key", str(root / "other.key")).strip()
        self.hygie("policy", "sign", str(pack), "--key", str(root / "officer.key"))
        self.hygie("policy", "check", str(pack), "--trust", public)
        self.hygie("policy", "check", str(pack), "--trust", other, code=1)
        pack.write_text(pack.read_text().replace('"version": 1', '"version": 2'))
        self.hygie("policy", "check", str(pack), "--trust", public, code=1)

    def test_a_patient_reads_who_opened_the_record(self):
        access = next(a for a in self.hospital.accesses if self.causes[a["id"]] == "ward care")
        patient = access["entity"][0]["what"]["reference"]
        [told] = self.lines("opened", patient, "--world", self.world, "--accesses", self.journal)
        wanted = sum(a["entity"][0]["what"]["reference"] == patient for a in self.hospital.accesses)
        self.assertEqual(sum(one["times"] for one in told["openings"]), wanted)
        self.assertTrue(all(one["fr"] and one["en"] for one in told["openings"]))
        sheet = self.hygie("opened", patient, "--world", self.world, "--accesses", self.journal, "--html", "--lang", "en")
        self.assertIn("<h1>Who opened my record?</h1>", sheet)


if __name__ == "__main__":
    if not Path(HYGIE).exists():
        print(f"no program at {HYGIE}", file=sys.stderr)
        sys.exit(1)
    unittest.main()
