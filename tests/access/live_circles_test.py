#!/usr/bin/env python3
"""Circles on a running server: break-glass from the act to its review, across a restart; rules signed and put in force; habits
that slow, ask and cut; wards, proxies and desks as the records say; and "who opened my record?" in a browser's words."""

import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HYGIE = os.environ.get("HYGIE", str(ROOT / "build/release/hygie"))
SECONDS_MAX = 60
MOTIVE = {"resourceType": "Parameters", "parameter": [
    {"name": "motive", "valueCode": "emergency"},
    {"name": "reason", "valueString": "Patient inconscient aux urgences"}]}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Served:
    """`hygie demo` over a directory that outlives it; stopped by its own pid."""

    def __init__(self, state):
        self.state = state
        self.process = subprocess.Popen([HYGIE, "demo", "--json", "--state", state, "--events", "50",
                                         "--every", "0"],  # nobody else acts while habits are counted
                                        stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.tls = ssl.create_default_context(cafile=self.ready["ca_file"])
        self.url = self.ready["fhir"].removesuffix("/fhir")

    def stop(self):
        self.process.terminate()
        self.process.wait(SECONDS_MAX)
        self.process.stdout.close()

    def account(self, role, circle=None):
        return next(a for a in self.ready["accounts"] if a["role"] == role and circle in (None, a["circle"]))

    def ask(self, token, path, method="GET", body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            headers["Authorization"] = "Bearer " + token
        data = body
        if isinstance(body, dict):
            data = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/fhir+json")
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=self.tls), NoRedirect)
        try:
            answer = opener.open(request, timeout=SECONDS_MAX)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            return answer.status, answer.read().decode(), answer.headers

    def json(self, token, path, method="GET", body=None, **headers):
        status, text, _ = self.ask(token, path, method, body, **headers)
        return status, json.loads(text or "null")


def hygie(*arguments, code=0):
    run = subprocess.run([HYGIE, "--lang", "en", *map(str, arguments)], capture_output=True, text=True,
                         timeout=SECONDS_MAX, check=False)
    assert run.returncode == code, f"{arguments}: {run.returncode}\n{run.stdout}{run.stderr}"
    return run.stdout


class Live(unittest.TestCase):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="hygie-circles-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.state = self.dir / "state"
        self.start()
        self.addCleanup(lambda: self.served.stop())
        self.patient = self.served.ready["patients"][0]

    def start(self):
        self.served = Served(self.state)

    @property
    def stranger(self):
        return self.served.account("care", "none")

    @property
    def doctor(self):
        return self.served.account("care", "team")

    def restart(self):
        """Another process over the same directory, with other passwords and tokens."""
        self.served.stop()
        self.start()

    def token(self, role, circle=None):
        return self.served.account(role, circle)["token"]

    def test_break_glass_from_the_act_to_its_review(self):
        stranger, patient = self.stranger["token"], self.patient
        self.assertEqual(404, self.served.ask(stranger, f"/fhir/Patient/{patient}")[0])
        status, opened = self.served.json(stranger, f"/fhir/Patient/{patient}/$break-glass", "POST", MOTIVE)
        self.assertEqual(200, status, opened)
        self.assertEqual(200, self.served.ask(stranger, f"/fhir/Patient/{patient}")[0])
        self.restart()
        stranger = self.stranger["token"]
        self.assertEqual(200, self.served.ask(stranger, f"/fhir/Patient/{patient}")[0], "it survives a restart")
        # The patient is told, in words.
        status, told = self.served.json(self.token("patient"), "/circles/opened")
        self.assertEqual(200, status, told)
        self.assertEqual(patient, told["patient"])
        notice = told["notices"][0]
        self.assertEqual(("emergency", None), (notice["motive"], notice["review"]))
        self.assertTrue(any(o["break_glass"] and self.stranger["name"] in o["fr"] for o in told["openings"]), told)
        self.assertEqual(403, self.served.ask(stranger, f"/circles/opened?patient={patient}")[0],
                         "others learn nothing of who opened it")
        # The officer is told, by the command beside the service and by the service itself.
        listed = json.loads(hygie("access", "worklist", "--state", self.state, "--json"))
        self.assertEqual(1, listed["open"], listed)
        duty = listed["duties"][0]
        self.assertEqual(("break_glass", patient, False), (duty["kind"], duty["patient"], duty["late"]))
        officer = self.token("security")
        self.assertEqual(listed, self.served.json(officer, "/circles/worklist")[1])
        self.assertEqual(403, self.served.ask(stranger, "/circles/worklist")[0])
        close = urllib.parse.urlencode({"event": duty["event"], "finding": "justified"}).encode()
        self.assertEqual(400, self.served.ask(officer, "/circles/worklist", "POST", close)[0], "no grounds")
        close += b"&words=" + urllib.parse.quote("Vérifié avec les urgences").encode()
        self.assertEqual(200, self.served.ask(officer, "/circles/worklist", "POST", close)[0])
        self.assertEqual(409, self.served.ask(officer, "/circles/worklist", "POST", close)[0])
        self.assertIn("Nothing to review", hygie("access", "worklist", "--state", self.state))
        told = self.served.json(self.token("patient"), "/circles/opened")[1]
        self.assertEqual("justified", told["notices"][0]["review"])
        # Stopped, the command says the same from the directory alone.
        self.served.stop()
        closed = json.loads(hygie("access", "worklist", "--all", "--state", self.state, "--json"))
        self.assertEqual("justified", closed["duties"][0]["review"]["finding"])
        sheet = hygie("access", "opened", f"Patient/{patient}", "--state", self.state, "--html")
        self.assertIn(self.stranger["name"], sheet)
        self.start()

    def test_rules_are_signed_in_force_at_once_and_traced(self):
        doctor = self.doctor["token"]
        self.assertEqual(200, self.served.ask(doctor, f"/fhir/Patient/{self.patient}")[0])
        public = hygie("access", "policy", "key", self.dir / "officer.key").strip()
        pack = json.loads(hygie("access", "policy", "show", "default"))
        pack.update(name="maison", version=2, rates={**pack["rates"], "floor": 1, "slow": 1, "justify": 2, "cut": 4})
        path = self.dir / "pack.json"
        path.write_text(json.dumps(pack), encoding="utf-8")
        hygie("access", "policy", "activate", path, "--state", self.state, "--trust", public, code=1)
        hygie("access", "policy", "sign", path, "--key", self.dir / "officer.key")
        hygie("access", "policy", "activate", path, "--state", self.state, code=1)
        hygie("access", "policy", "activate", path, "--state", self.state, "--trust", public)
        self.assertEqual("maison", json.loads(hygie("access", "policy", "active", "--json", "--state", self.state))["name"])
        trail = hygie("ledger", "query", self.state / "ledger", "--as", "test", "--since",
                      time.strftime("%Y-%m-%d"), "--json")
        self.assertIn("ledger.policy", trail)
        self.habits()
        pack["version"] = 1
        path.write_text(json.dumps(pack), encoding="utf-8")
        hygie("access", "policy", "sign", path, "--key", self.dir / "officer.key")
        hygie("access", "policy", "activate", path, "--state", self.state, code=1)

    def habits(self):
        """Slow, then a motive, then the end of the session: each in the ledger and on the work list."""
        patients = self.served.ready["patients"]
        get = lambda patient: self.served.json(self.doctor["token"], f"/fhir/Patient/{patient}")
        self.assertEqual(200, get(patients[0])[0])
        before = time.monotonic()
        self.assertEqual(200, get(patients[1])[0])
        self.assertGreater(time.monotonic() - before, 0.9)
        status, outcome = get(patients[2])
        self.assertEqual(403, status)
        self.assertIn("$justify", json.dumps(outcome))
        self.restart()
        self.assertEqual(403, get(patients[2])[0], "a restart is no way around")
        self.assertEqual(200, self.served.ask(self.doctor["token"], "/fhir/$justify", "POST", MOTIVE)[0])
        self.assertEqual(200, get(patients[2])[0])
        self.assertEqual(200, get(patients[3])[0])
        self.assertEqual(403, get(patients[4])[0])
        self.assertEqual(401, get(patients[0])[0], "the session is cut")
        kinds = {d["kind"] for d in json.loads(hygie("access", "worklist", "--json", "--state", self.state))["duties"]}
        self.assertEqual({"motive", "cut"}, kinds)

    def test_the_records_say_who_belongs_where(self):
        program, stranger = self.token("program"), self.stranger
        person = stranger["person"]
        made = self.create_house(program, person)
        self.assertTrue(all(status in (200, 201) for status, _ in made), made)
        ask = lambda: self.served.ask(stranger["token"], f"/fhir/Patient/{self.patient}")[0]
        self.assertEqual(404, ask())
        stay = {"resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"},
                "subject": {"reference": f"Patient/{self.patient}"},
                "location": [{"location": {"reference": self.bed}}]}
        status, stay = self.served.json(program, "/fhir/Encounter", "POST", stay)
        self.assertEqual(201, status, stay)
        self.assertEqual(200, ask())
        why = hygie("access", "explain", stranger["user"], f"Patient/{self.patient}", "--state", self.state)
        self.assertIn("Permitted by unit", why)
        self.assertIn(person, hygie("access", "who-can", self.patient, "--state", self.state))
        stay["status"] = "cancelled"
        self.assertEqual(200, self.served.json(program, f"/fhir/Encounter/{stay['id']}", "PUT", stay,
                                               If_Match='W/"1"')[0])
        self.assertEqual(404, ask(), "at once")
        self.assertEqual(403, self.served.ask(stranger["token"], "/fhir/PractitionerRole", "POST", {
            "resourceType": "PractitionerRole", "active": True, "practitioner": {"reference": person},
            "location": [{"reference": self.elsewhere}]})[0], "nobody assigns oneself")
        found = hygie("access", "unexplained", "--state", self.state, "--json").splitlines()
        self.assertIn("summary", json.loads(found[-1]))
        self.assertEqual(200, self.served.ask(self.token("security"), "/circles/unexplained")[0])
        self.unexplained_goes_to_the_work_list(stranger["user"])

    def unexplained_goes_to_the_work_list(self, actor):
        """The stay by which somebody came in was taken back: nothing explains that access any more."""
        hygie("access", "unexplained", "--state", self.state, "--to-worklist")
        mine = lambda told: [d for d in told["duties"] if (d["kind"], d["actor"]) == ("unexplained", actor)]
        duty, = mine(json.loads(hygie("access", "worklist", "--state", self.state, "--json")))
        self.assertEqual(self.patient, duty["patient"])
        self.assertIn("nothing tied", duty["signs"][0]["en"])
        self.assertIn("0 more", hygie("access", "unexplained", "--state", self.state, "--to-worklist"), "told once")
        officer = self.token("security")
        self.assertIn("Access that nothing explains", self.served.ask(officer, "/circles/home")[1])
        close = urllib.parse.urlencode({"event": duty["event"], "finding": "justified",
                                        "words": "séjour annulé par erreur, vérifié"}).encode()
        self.assertEqual(200, self.served.ask(officer, "/circles/worklist", "POST", close)[0])
        closed, = mine(self.served.json(officer, "/circles/worklist")[1])
        self.assertEqual("justified", closed["review"]["finding"])

    def create_house(self, program, person):
        """Servers give ids: the same house, by them."""
        post = lambda kind, **fields: self.served.json(program, f"/fhir/{kind}", "POST", {"resourceType": kind, **fields})
        ward = post("Location", physicalType={"coding": [{"code": "wa"}]})
        bed = post("Location", partOf={"reference": "Location/" + ward[1]["id"]})
        self.bed = "Location/" + bed[1]["id"]
        self.elsewhere = "Location/" + post("Location", physicalType={"coding": [{"code": "wa"}]})[1]["id"]
        return [ward, bed, post("PractitionerRole", active=True, practitioner={"reference": person},
                                location=[{"reference": "Location/" + ward[1]["id"]}])]

    def test_a_unit_that_an_incident_holds(self):
        program, doctor = self.token("program"), self.doctor
        self.assertTrue(all(status in (200, 201) for status, _ in self.create_house(program, doctor["person"])))
        ask = lambda: self.served.json(doctor["token"], f"/fhir/Patient/{self.patient}")
        self.assertEqual(200, ask()[0])
        ward = self.served.json(program, "/fhir/" + self.bed)[1]["partOf"]["reference"]
        hygie("access", "contain", ward, "--state", self.state, "--why", "trop court", code=1)
        hygie("access", "contain", ward, "--state", self.state, "--why", "Postes du service chiffrés")
        status, outcome = ask()
        self.assertEqual(403, status, "at once, in the other process")
        self.assertIn("$break-glass", json.dumps(outcome))
        held, = [json.loads(line) for line in hygie("access", "held", "--state", self.state, "--json").splitlines()]
        self.assertEqual(ward, held["unit"])
        why = hygie("access", "explain", doctor["user"], f"Patient/{self.patient}", "--state", self.state)
        self.assertIn("an open incident holds this person's unit", why)
        self.assertIn(held["evidence"], why)
        self.restart()
        doctor = self.doctor
        self.assertEqual(403, self.served.ask(doctor["token"], f"/fhir/Patient/{self.patient}")[0], "a restart frees nobody")
        opened = self.served.json(doctor["token"], f"/fhir/Patient/{self.patient}/$break-glass", "POST", MOTIVE)
        self.assertEqual(200, opened[0], opened)
        self.assertEqual(200, self.served.ask(doctor["token"], f"/fhir/Patient/{self.patient}")[0])
        other = self.served.ready["patients"][1]
        self.assertEqual(403, self.served.ask(doctor["token"], f"/fhir/Patient/{other}")[0], "one patient at a time")
        hygie("access", "release", ward, "--state", self.state, "--why", "Postes réinstallés et vérifiés")
        self.assertEqual(200, self.served.ask(doctor["token"], f"/fhir/Patient/{other}")[0])
        trail = hygie("ledger", "query", self.state / "ledger", "--as", "test", "--since", time.strftime("%Y-%m-%d"),
                      "--json")
        self.assertEqual(2, trail.count("order.done"))

    def test_leave_for_a_purpose_shows_nobody(self):
        stranger = self.stranger
        ask = lambda: self.served.ask(stranger["token"], f"/fhir/Patient/{self.patient}", X_Purpose_Of_Use="research")
        self.assertEqual(403, ask()[0])
        leave = ("access", "grant", stranger["user"], "research", "--state", self.state, "--why", "Étude approuvée n° 7")
        hygie(*leave, "--as", stranger["user"], code=1)
        hygie(*leave, "--as", self.doctor["user"])
        status, body, _ = ask()
        self.assertEqual(200, status, body)
        patient = json.loads(body)
        self.assertEqual(set(), {"name", "identifier", "telecom", "address", "text"} & set(patient))
        self.assertEqual(404, self.served.ask(stranger["token"], f"/fhir/Patient/{self.patient}")[0])
        told = self.served.json(self.token("patient"), "/circles/opened")[1]
        self.assertTrue(any("without what identifies you" in o["en"] for o in told["openings"]), told)
        found = [json.loads(line) for line in hygie("access", "unexplained", "--state", self.state, "--json").splitlines()]
        self.assertFalse(any(f.get("actor") == stranger["person"] for f in found), "its leave explains it")
        hygie("access", "revoke", stranger["user"], "research", "--state", self.state, "--why", "L'étude est finie",
              "--as", self.doctor["user"])
        self.assertEqual(403, ask()[0])

    def test_a_parent_a_desk_and_a_browser(self):
        program = self.token("program")
        status, child = self.served.json(program, "/fhir/Patient", "POST", {
            "resourceType": "Patient", "birthDate": "2019-04-02", "name": [{"family": "Petit", "given": ["Zoé"]}]})
        self.assertEqual(201, status, child)
        status, kin = self.served.json(program, "/fhir/RelatedPerson", "POST", {
            "resourceType": "RelatedPerson", "patient": {"reference": "Patient/" + child["id"]},
            "relationship": [{"coding": [{"code": "MTH"}]}]})
        self.assertEqual(201, status, kin)
        made = json.loads(hygie("user", "add", "nina.petit", "--name", "Nina Petit", "--role", "patient", "--person",
                                "RelatedPerson/" + kin["id"], "--sponsor", self.doctor["user"], "--json",
                                "--state", self.state))
        page = self.sign_in("nina.petit", made["password"])
        self.assertIn("Who opened my record?", page)
        self.assertIn(self.served.account("program")["name"] + " added something to your record", page)
        desk = self.token("desk")
        self.assertEqual(200, self.served.ask(desk, f"/fhir/Patient/{self.patient}")[0])
        observations = self.served.json(desk, f"/fhir/Observation?patient={self.patient}")[1]
        self.assertEqual(0, observations.get("total", 0))
        found = hygie("access", "unexplained", "--state", self.state, "--json").splitlines()
        self.assertNotIn("", [json.loads(line).get("actor") for line in found], "everybody has a name")
        self.assertNotIn("unknown_actor", [json.loads(line).get("finding") for line in found],
                         "reception by role alone is nobody unknown")

    def test_a_password_alone_opens_no_work_list(self):
        officer = self.served.account("security")
        go = self.browser(officer["user"], officer["password"])
        status, page, _ = go("/my")
        self.assertEqual(403, status)
        self.assertIn("two factors", page)
        self.assertNotIn("to review within", page)

    def sign_in(self, login, password):
        """A patient from /my to the way out; returns the page."""
        go = self.browser(login, password)
        status, page, _ = go("/my")
        self.assertEqual(200, status, page)
        self.assertEqual(200, go("/my/sheet")[0])
        self.assertEqual(200, go("/my/out", {})[0])
        self.assertEqual(303, go("/my")[0], "signed out")
        return page

    def browser(self, login, password):
        """What a browser does from /my, by hand, until somebody is signed in."""
        jar = {}

        def go(path, body=None):
            headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in jar.items())}
            if body is not None:
                headers |= {"Content_Type": "application/x-www-form-urlencoded", "Origin": self.served.url}
            status, text, got = self.served.ask(None, path, "GET" if body is None else "POST",
                                                None if body is None else urllib.parse.urlencode(body).encode(), **headers)
            for line in got.get_all("Set-Cookie") or []:
                name, value = line.split(";")[0].split("=", 1)
                jar[name] = value
            return status, text, (got["Location"] or "").removeprefix(self.served.url)

        status, _, way = go("/my")
        self.assertEqual(303, status)
        status, form, _ = go(way)
        self.assertEqual(200, status)
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
        fields = {name: value.replace("&amp;", "&") for name, value in fields.items()}
        status, text, back = go("/oauth/authorize", {**fields, "login": login, "password": password})
        self.assertEqual(303, status, text)
        status, text, home = go(back)
        self.assertEqual((303, "/my"), (status, home), text)
        return go


if __name__ == "__main__":
    unittest.main()
