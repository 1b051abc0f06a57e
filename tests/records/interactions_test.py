#!/usr/bin/env python3
"""What a practice-management program asks of a FHIR R4 server, one request after the other, of `hygie demo`."""

import json
import time
import unittest
from urllib.parse import quote, urlsplit

from practice import SECONDS_MAX, PracticeTest

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
LOINC = "http://loinc.org|29463-7"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.json = json.loads(body) if body else None

    def ids(self):
        return [entry["resource"]["id"] for entry in self.json.get("entry", [])]

    def link(self, relation):
        return next((link["url"] for link in self.json.get("link", []) if link["relation"] == relation), None)


class Interactions(PracticeTest):
    def ask(self, method, path, body=None, headers=None, role="program"):
        if path.startswith("https:"):
            parts = urlsplit(path)
            path = parts.path + ("?" + parts.query if parts.query else "")
        else:
            path = "/fhir/" + quote(path, safe="/?=&$:,%*")
        sent = {"Content-Type": "application/fhir+json", "Authorization": "Bearer " + self.token[role]} | (headers or {})
        text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        self.line.request(method, path, text, sent)
        answer = self.line.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def want(self, status, *request, **more):
        answer = self.ask(*request, **more)
        self.assertEqual(status, answer.status, f"{request[:2]} {answer.body[:500]}")
        return answer

    def observation(self, key, **more):
        return {"resourceType": "Observation", "status": "final", "identifier": [{"system": "urn:essai", "value": key}],
                "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
                "subject": {"reference": "Patient/" + self.patient}, "effectiveDateTime": "2026-11-20",
                "valueQuantity": {"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}} | more

    def test_read_write_and_versions(self):
        made = self.want(201, "POST", "Observation", self.observation("life"))
        name = "Observation/" + made.json["id"]
        self.assertTrue(made.headers["Location"].endswith(name + "/_history/1"))
        read = self.want(200, "GET", name)
        self.assertEqual(('W/"1"', made.json), (read.headers["ETag"], read.json))
        self.want(304, "GET", name, headers={"If-None-Match": 'W/"1"'})
        self.want(304, "GET", name, headers={"If-Modified-Since": read.headers["Last-Modified"]})
        head = self.want(200, "HEAD", name)
        self.assertEqual((str(len(read.body)), b""), (head.headers["Content-Length"], head.body))
        changed = self.observation("life", id=made.json["id"], status="amended")
        self.want(428, "PUT", name, changed)
        self.want(200, "PUT", name, changed, {"If-Match": 'W/"1"'})
        self.want(412, "PUT", name, changed, {"If-Match": 'W/"1"'})
        self.want(200, "PATCH", name, [{"op": "replace", "path": "/status", "value": "corrected"}], JSON_PATCH)
        replace = [{"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Observation.status"},
                   {"name": "value", "valueCode": "final"}]
        self.want(200, "PATCH", name, {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": replace}]})
        self.assertEqual("amended", self.want(200, "GET", name + "/_history/2").json["status"])
        self.assertEqual(4, self.want(200, "GET", name + "/_history").json["total"])
        for wide in ("Observation/_history?_count=2", "_history?_count=2"):
            page = self.want(200, "GET", wide)
            self.assertEqual(2, len(page.json["entry"]))
            self.want(200, "GET", page.link("next"))
        self.want(204, "DELETE", name)
        self.want(410, "GET", name)
        self.want(404, "GET", "Observation/nothing-there")
        self.want(406, "GET", "Patient/" + self.patient, headers={"Accept": "application/fhir+xml"})
        self.want(406, "GET", f"Patient/{self.patient}?_format=xml")

    def test_what_comes_back_of_a_write(self):
        self.assertEqual(b"", self.want(201, "POST", "Observation", self.observation("m"), {"Prefer": "return=minimal"}).body)
        told = self.want(201, "POST", "Observation", self.observation("o"), {"Prefer": "return=OperationOutcome"})
        self.assertEqual("OperationOutcome", told.json["resourceType"])

    def test_conditions(self):
        none = {"If-None-Exist": "identifier=urn:essai|c1"}
        made = self.want(201, "POST", "Observation", self.observation("c1"), none)
        self.assertEqual(made.json["id"], self.want(200, "POST", "Observation", self.observation("c1"), none).json["id"])
        by_key = "Observation?identifier=urn:essai|c1"
        put = self.want(200, "PUT", by_key, self.observation("c1", status="amended"))
        self.assertEqual("2", put.json["meta"]["versionId"])
        self.want(201, "PUT", "Observation?identifier=urn:essai|c2", self.observation("c2"))
        self.want(200, "PATCH", by_key, [{"op": "replace", "path": "/status", "value": "final"}], JSON_PATCH)
        self.want(412, "DELETE", f"Observation?patient={self.patient}&code={LOINC}")
        self.want(204, "DELETE", by_key)
        self.want(201, "PUT", "Observation/an-id-of-theirs", self.observation("c3", id="an-id-of-theirs"))

    def test_bundles(self):
        entry = lambda method, url, **more: {"request": {"method": method, "url": url}} | more
        link = "urn:uuid:6f2f4b9a-1f5d-4c1a-9c7a-0d6d3a0b5c01"
        patient = {"resourceType": "Patient", "name": [{"family": "Essai", "given": ["Zoé"]}], "gender": "female",
                   "birthDate": "1980-01-01"}
        together = {"resourceType": "Bundle", "type": "transaction", "entry": [
            entry("POST", "Patient", fullUrl=link, resource=patient),
            entry("POST", "Observation", resource=self.observation("t1", subject={"reference": link})),
            entry("POST", "Observation", resource=self.observation("t2", subject={"reference": "Patient?_id=" + self.patient}))]}
        once = {"Idempotency-Key": "interactions-test-1"}
        done = self.want(200, "POST", "", together, once).json["entry"]
        self.assertEqual(done, self.want(200, "POST", "", together, once).json["entry"])
        whose = done[0]["response"]["location"].split("/")[1]
        self.assertEqual(1, self.want(200, "GET", "Observation?subject=" + whose).json["total"])
        apart = {"resourceType": "Bundle", "type": "batch", "entry": [
            entry("GET", "Patient/nobody"), entry("GET", "Patient/" + self.patient),
            entry("POST", "Observation", resource={"resourceType": "Observation"})]}
        answers = self.want(200, "POST", "", apart).json["entry"]
        self.assertEqual(["404", "200", "400"], [one["response"]["status"][:3] for one in answers])

    def test_searches(self):
        here = f"Observation?patient={self.patient}"
        every = self.want(200, "GET", here + "&_summary=count").json["total"]
        self.assertGreater(every, 50)
        for query, some in (("code=" + LOINC, True), ("date=ge2020-01-01&date=lt2027", True), ("date=sa2100", False),
                            ("value-quantity=gt50||kg", True), ("code-value-quantity=" + LOINC + "$gt50", True),
                            ("code:not=" + LOINC, True), ("value-quantity:missing=true", True), ("_tag=none", False),
                            ("_lastUpdated=ge2020-01-01", True), ("category=vital-signs", True), ("code:text=body", True),
                            ("_has:DiagnosticReport:result:status=final", True), ("_profile=http://nowhere", False),
                            ("patient.family=Moreau", True), ("subject:Patient.birthdate=ge2100", False)):
            found = self.want(200, "GET", here + "&_count=3&" + query).json["total"]
            self.assertEqual(some, 0 < found <= every, query)
        for query in ("unheard-of=1", "_sort=unheard-of", "code:unheard-of=1", "_include=unheard-of"):
            self.want(400, "GET", here + "&" + query)
        self.want(200, "GET", here + "&unheard-of=1&_count=1", headers={"Prefer": "handling=lenient"})
        ids = []
        page = self.want(200, "GET", here + "&_sort=-date&_count=40")
        while page:
            ids += page.ids()
            page = page.link("next") and self.want(200, "GET", page.link("next"))
        self.assertEqual((every, every), (len(ids), len(set(ids))))
        posted = self.want(200, "POST", "Observation/_search", f"patient={self.patient}&_count=1", FORM)
        self.assertEqual(every, posted.json["total"])
        self.assertEqual(every, self.want(200, "GET", f"Patient/{self.patient}/Observation").json["total"])
        part = self.want(200, "GET", here + "&_elements=status&_count=1").json["entry"][0]["resource"]
        self.assertEqual({"resourceType", "id", "meta", "status", "code"}, set(part))

    def test_what_goes_along(self):
        modes = lambda answer: [entry["search"]["mode"] for entry in answer.json["entry"]]
        self.assertEqual(["match", "include"], modes(self.want(
            200, "GET", f"Observation?patient={self.patient}&_include=Observation:subject&_count=1")))
        self.assertIn("include", modes(self.want(200, "GET", f"Observation?patient={self.patient}&_include=*&_count=1")))
        self.assertGreater(len(modes(self.want(
            200, "GET", f"Patient?_id={self.patient}&_revinclude=Observation:subject"))), 50)

    def test_a_program_finds_without_a_circle(self):
        self.assertEqual(len(self.ready["patients"]),
                         len(set(self.want(200, "GET", "Patient?gender=male,female&_count=200").ids())
                             & set(self.ready["patients"])))

    def test_operations(self):
        whole = self.want(200, "GET", f"Patient/{self.patient}/$everything?_count=10")
        self.want(200, "GET", whole.link("next"))
        judged = self.want(200, "POST", "Observation/$validate", self.observation("v"))
        self.assertEqual("OperationOutcome", judged.json["resourceType"])
        value_set = "http://hl7.org/fhir/ValueSet/administrative-gender"
        self.assertEqual(4, self.want(200, "GET", "ValueSet/$expand?url=" + value_set).json["expansion"]["total"])
        self.want(200, "GET", "CodeSystem/$lookup?system=http://hl7.org/fhir/administrative-gender&code=male")
        started = self.want(202, "GET", "$export?_type=Patient", headers={"Prefer": "respond-async"})
        until = time.monotonic() + SECONDS_MAX
        status = self.ask("GET", started.headers["Content-Location"])
        while status.status == 202 and time.monotonic() < until:
            time.sleep(0.1)
            status = self.ask("GET", started.headers["Content-Location"])
        self.assertGreaterEqual(sum(part["count"] for part in status.json["output"]), len(self.ready["patients"]))

    def test_traces_are_read_and_never_written(self):
        traces = self.want(200, "GET", f"AuditEvent?patient={self.patient}&_count=2", role="security")
        self.assertEqual(2, len(traces.json["entry"]))
        self.want(405, "POST", "AuditEvent", {"resourceType": "AuditEvent"})

    def test_traces_are_asked_for_one_at_a_time_and_never_silently_otherwise(self):
        self.want(200, "GET", f"Patient/{self.patient}")
        base = self.ready["fhir"].rstrip("/")
        for named in (self.patient, f"Patient/{self.patient}", f"{base}/Patient/{self.patient}"):
            found = self.want(200, "GET", f"AuditEvent?patient={named}&_count=1", role="security")
            self.assertEqual(1, len(found.ids()), named)
        other = self.ready["patients"][1]
        for asked in (f"patient={self.patient},{other}", f"patient={self.patient}&patient={other}", "patient=", "entity=",
                      f"entity=Patient/{self.patient},Patient/{other}", "_count=many", "_count=-1", "_total=some"):
            self.want(400, "GET", "AuditEvent?" + asked, role="security")
        counted = self.want(200, "GET", f"AuditEvent?patient={self.patient}&_count=0", role="security").json
        self.assertNotIn("entry", counted)
        self.assertGreater(counted["total"], 0)

    def test_traces_are_cut_down_and_leave_out_what_they_do_not_know(self):
        self.want(200, "GET", f"Patient/{self.patient}")
        page = self.want(200, "GET", "AuditEvent?_count=1&_elements=recorded,outcome", role="security")
        part = page.json["entry"][0]["resource"]
        self.assertNotIn("entity", part)
        self.assertIn("outcome", part)
        self.assertIn("SUBSETTED", str(part["meta"]))
        one = self.want(200, "GET", f"AuditEvent/{part['id']}?_elements=outcome", role="security").json
        self.assertEqual({"resourceType", "id", "meta", "type", "recorded", "outcome", "agent", "source"}, set(one))
        self.want(400, "GET", f"AuditEvent/{part['id']}?unheard-of=1", role="security")
        lenient = {"Prefer": "handling=lenient"}
        for odd in ("unheard-of=1", "_sort=date"):
            self.want(400, "GET", "AuditEvent?_count=1&" + odd, role="security")
            page = self.want(200, "GET", "AuditEvent?_count=1&" + odd, headers=lenient, role="security")
            self.assertEqual(["match", "outcome"], [entry["search"]["mode"] for entry in page.json["entry"]])
            self.assertTrue(page.link("self").endswith("AuditEvent?_count=1"), page.link("self"))
            self.want(200, "GET", page.link("next"), role="security")

    def test_a_rare_trace_is_found_behind_many_others(self):
        made = self.want(201, "POST", "Observation", self.observation("rare"))
        self.want(204, "DELETE", "Observation/" + made.json["id"])
        for _ in range(25):
            self.want(200, "GET", f"Patient/{self.patient}")
        found = self.want(200, "GET", "AuditEvent?action=D&_count=1", role="security").json["entry"]
        self.assertEqual(["D"], [one["resource"]["action"] for one in found])

    def test_traces_of_a_closed_patient_are_as_those_of_nobody(self):
        for _ in range(25):
            self.want(200, "GET", f"Patient/{self.patient}")
        for closed, absent in ((f"patient={self.patient}", "patient=absent"),
                               (f"entity=Patient/{self.patient}", "entity=Patient/absent")):
            for count in ("", "&_count=1"):
                seen, nothing = (self.want(200, "GET", f"AuditEvent?{asked}{count}", role="operations").json
                                 for asked in (closed, absent))
                for answer in (seen, nothing):
                    self.assertEqual(["self"], [link["relation"] for link in answer["link"]])
                    self.assertNotIn("entry", answer)

    def test_a_patient_learns_who_asked_and_not_what_else_was_asked(self):
        own = next(a for a in self.ready["accounts"] if a["role"] == "patient")["person"].split("/")[1]
        self.want(200, "GET", f"Patient?_id={own},{self.ready['patients'][-1]}")
        answer = self.want(200, "GET", f"AuditEvent?patient={own}&_count=5", role="patient")
        self.assertTrue(answer.json["entry"])
        self.assertNotIn('"query"', answer.body.decode())
        self.assertIn('"query"', self.want(200, "GET", f"AuditEvent?patient={own}&_count=5", role="security").body.decode())

    def test_a_subscription_without_a_topic_says_that_nothing_is_sent(self):
        kept = self.want(201, "POST", "Subscription", {
            "resourceType": "Subscription", "status": "requested", "reason": "essai", "criteria": "Observation?code=1",
            "channel": {"type": "rest-hook", "endpoint": "https://127.0.0.1:1/"}})
        self.assertEqual("error", kept.json["status"])

    def test_one_person_has_one_identity(self):
        number = "285052B99012338"
        patient = {"resourceType": "Patient", "name": [{"use": "official", "family": "Essai", "given": ["Ana"]}],
                   "gender": "female", "birthDate": "1985-05-03",
                   "identifier": [{"use": "official", "system": "urn:oid:1.2.250.1.213.1.4.10", "value": number}]}
        self.want(201, "POST", "Patient", patient)
        again = self.want(422, "POST", "Patient", patient)
        self.assertIn("$merge", again.body.decode())
        self.want(400, "POST", "Patient", patient | {"identifier": [patient["identifier"][0] | {"value": "285052B99012339"}]})

    def test_small_rules_of_the_protocol(self):
        name = "Patient/" + self.patient
        self.want(406, "GET", name, headers={"Accept": "application/fhir+json; fhirVersion=5.0"})
        self.want(304, "GET", name, headers={"If-None-Match": 'W/"7", W/"1"'})
        self.want(400, "PUT", "Observation/" + "a" * 65, self.observation("long", id="a" * 65))
        self.want(200, "GET", f"?_type=Patient,Observation&_id={self.patient}")
        self.want(400, "GET", name + "/$everything?_type=Nothing")
        cared = self.want(200, "GET", name + "/$everything?start=2015-01-01&end=2016-12-31&_type=Observation")
        self.assertTrue(all(one["resource"]["effectiveDateTime"][:4] in ("2015", "2016") for one in cared.json["entry"]))
        self.assertEqual(1, len(self.want(200, "GET", name + "/_history?_at=2026").json["entry"]))
        self.want(200, "POST", "$validate", self.observation("v"))
        self.want(200, "GET", name + "/$validate")
        made = self.want(201, "POST", "ValueSet", {
            "resourceType": "ValueSet", "status": "active", "url": "urn:essai:vs", "compose": {"include": [
                {"system": "urn:essai:cs", "concept": [{"code": "a", "display": "Alpha"}]}]}})
        named = self.want(200, "GET", "ValueSet/$expand?url=urn:essai:vs").json["expansion"]["contains"]
        self.assertEqual([{"system": "urn:essai:cs", "code": "a", "display": "Alpha"}], named)
        self.want(200, "GET", f"ValueSet/{made.json['id']}/$validate-code?system=urn:essai:cs&code=a")
        self.want(400, "GET", "ValueSet/$expand")
        traces = self.want(200, "GET", "AuditEvent?action=C&outcome=0&_count=3", role="security")
        self.assertEqual({"C"}, {one["resource"]["action"] for one in traces.json["entry"]})


if __name__ == "__main__":
    unittest.main()
