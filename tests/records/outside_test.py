#!/usr/bin/env python3
"""What an outside practice-management vendor found on `hygie demo`, and expects to stay mended: who is named in traces, days
of the practice, records of one person, what patients share, and measures of the machine."""

import json
import os
import subprocess
import unittest

from practice import HYGIE, PracticeTest


class Outside(PracticeTest):
    def ask(self, path, role="program", method="GET", body=None, **headers):
        head = {"Content-Type": "application/fhir+json", "Authorization": "Bearer " + self.token[role], **headers}
        self.line.request(method, path, None if body is None else json.dumps(body), head)
        answer = self.line.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text.startswith(b"{") else text

    def made(self, resource):
        status, body = self.ask("/fhir/" + resource["resourceType"], method="POST", body=resource)
        self.assertEqual(201, status, body)
        return f"{resource['resourceType']}/{body['id']}"

    def person(self, given="Ginette", **more):
        return {"resourceType": "Patient", "name": [{"family": "Outside", "given": [given]}], "birthDate": "1948-02-29",
                "gender": "female", **more}

    def test_a_day_is_one_of_the_practice(self):
        patient = self.made(self.person("Jour"))
        exam = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": patient},
                "effectiveDateTime": "2026-01-03T00:30:00+01:00"}
        self.made(exam)
        found = {day: self.ask(f"/fhir/Observation?patient={patient}&date={day}")[1]["total"]
                 for day in ("2026-01-02", "2026-01-03", "2026-01-02T23:30Z")}
        self.assertEqual({"2026-01-02": 0, "2026-01-03": 1, "2026-01-02T23:30Z": 1}, found)

    def test_traces_name_who_acted_and_are_counted(self):
        for _ in range(3):
            self.assertEqual(200, self.ask(f"/fhir/Patient/{self.patient}", "care")[0])
        path = f"/fhir/AuditEvent?patient={self.patient}"
        status, counted = self.ask(path + "&_summary=count", "security")
        self.assertEqual(200, status)
        self.assertNotIn("entry", counted)
        self.assertGreaterEqual(counted["total"], 3)
        status, page = self.ask(path + "&agent-role=10&_count=50", "security")
        agents = [agent for entry in page["entry"] for agent in entry["resource"]["agent"] if agent.get("name")]
        self.assertTrue(agents)
        who = agents[0]["who"]
        self.assertTrue(who["reference"].startswith("Practitioner/"))
        self.assertTrue(who["identifier"]["system"])
        by_person = self.ask(f"{path}&agent={who['reference']}", "security")[1]
        self.assertTrue(by_person.get("entry"))
        name = agents[0]["name"].split()[-1]
        self.assertTrue(self.ask(f"{path}&agent-name:contains={name}", "security")[1].get("entry"))
        self.assertEqual(0, self.ask(path + "&agent-role=nobody&_summary=count", "security")[1]["total"])

    def test_a_person_gets_no_second_record_in_silence(self):
        first = self.made(self.person())
        status, told = self.ask("/fhir/Patient", method="POST", body=self.person(), Prefer="return=OperationOutcome")
        self.assertEqual(201, status)
        self.assertIn("duplicate", [issue["code"] for issue in told["issue"]])
        status, found = self.ask("/fhir/Patient/$match", method="POST", body={
            "resourceType": "Parameters", "parameter": [{"name": "resource", "resource": self.person("Ginete")}]})
        self.assertEqual(200, status)
        grades = {entry["resource"]["id"]: entry["search"]["extension"][0]["valueCode"] for entry in found["entry"]}
        self.assertEqual("probable", grades[first.split("/")[1]])

    def test_what_patients_share_outlives_the_erasure_of_one(self):
        gone, stays = self.made(self.person("Part")), self.made(self.person("Reste", birthDate="1990-01-01"))
        both = [{"actor": {"reference": one, "display": "Nom " + one}, "status": "accepted"} for one in (gone, stays)]
        meet = {"resourceType": "Appointment", "status": "booked", "start": "2027-01-05T09:00:00+01:00",
                "end": "2027-01-05T09:30:00+01:00", "participant": both}
        shared = self.made(meet)
        for one in (gone, stays):
            self.assertEqual(1, self.ask(f"/fhir/{one}/Appointment")[1]["total"])
        done = subprocess.run([HYGIE, "vault", "shred", gone.split("/")[1], "--state", self.state(), "--reason", "demande"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(404, self.ask("/fhir/" + gone)[0])
        status, left = self.ask("/fhir/" + shared)
        self.assertEqual(200, status)
        self.assertNotIn(gone, json.dumps(left))
        self.assertIn(stays, json.dumps(left))
        self.assertNotIn(gone, json.dumps(self.ask(f"/fhir/{shared}/_history")[1]))
        self.assertEqual(404, self.ask(f"/fhir/{shared}/_history/1")[0])
        self.assertEqual(1, self.ask(f"/fhir/{stays}/Appointment")[1]["total"])

    def state(self):
        return os.path.dirname(os.path.dirname(self.ready["ca_file"]))

    def test_measures_are_for_this_machine(self):
        self.assertEqual(200, self.ask("/metrics", "care")[0])
        self.assertEqual(401, self.ask("/metrics", "care", **{"X-Forwarded-For": "192.0.2.1"})[0])
        self.assertEqual(200, self.ask("/metrics", "operations", **{"X-Forwarded-For": "192.0.2.1"})[0])

    def test_limits_say_which_one_it_was(self):
        many = "&".join(f"name=a{number}" for number in range(300))
        status, told = self.ask("/fhir/Patient?" + many)
        self.assertEqual(413, status)
        self.assertIn("200", told["issue"][0]["details"]["text"])
        status, told = self.ask("/fhir/Patient?_id=" + "a" * 20000)
        self.assertEqual((431, "OperationOutcome"), (status, told["resourceType"]))


if __name__ == "__main__":
    unittest.main()
