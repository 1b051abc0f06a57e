#!/usr/bin/env python3
"""What the CapabilityStatement of `hygie demo` declares is there, and what it does not declare is refused: every search
parameter of every type, every operation, and the requests that the demo prints."""

import itertools
import json
import shlex
import subprocess
import unittest
from urllib.parse import urlencode

from practice import PracticeTest

FROM_LEDGER = {"AuditEvent"}  # a security officer's
# One value that each kind of parameter takes.
VALUES = {"number": "5", "date": "2026-11", "string": "abc", "token": "urn:x|abc", "quantity": "5|urn:x|kg", "uri": "urn:x",
          "reference": "Patient/nobody"}
# Booleans and telephone numbers have no system, and take none (R4 §3.1.1.4.10).
WITHOUT_SYSTEM = {"token": ["true"]}
COMPOSITES = ["$".join(parts) for count in (2, 3) for parts in itertools.product(VALUES.values(), repeat=count)]


class Declared(PracticeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        status, body = cls.ask(cls, "metadata")
        cls.rest = json.loads(body)["rest"][0]
        cls.types = {one["type"]: one for one in cls.rest["resource"]}

    def ask(self, path, role="program", method="GET", body=None):
        head = {"Content-Type": "application/fhir+json", "Authorization": "Bearer " + self.token[role]}
        self.line.request(method, "/fhir/" + path, body, head)
        answer = self.line.getresponse()
        return answer.status, answer.read()

    def role_for(self, name):
        return "security" if name in FROM_LEDGER else "program"

    def search(self, name, parameter, value):
        return self.ask(f"{name}?" + urlencode({parameter: value, "_count": 1}), self.role_for(name))

    def test_every_declared_search_parameter_is_understood(self):
        for name, declared in self.types.items():
            for param in declared["searchParam"]:
                kind = param["type"]
                values = COMPOSITES if kind == "composite" else [VALUES[kind], *WITHOUT_SYSTEM.get(kind, [])]
                answers = (self.search(name, param["name"], value) for value in values)
                status, body = next((one for one in answers if one[0] == 200), (None, b"none of the values"))
                self.assertEqual(200, status, f"{name}?{param['name']} {body[:300]}")

    def test_what_is_not_declared_is_refused(self):
        every = {param["name"] for one in self.types.values() for param in one["searchParam"]}
        for name, declared in self.types.items():
            own = {param["name"] for param in declared["searchParam"]}
            for foreign in sorted(every - own)[:: 40 if name != "Patient" else 1] + ["_text", "_content", "_query", "nonsense"]:
                status, body = self.search(name, foreign, "abc")
                self.assertEqual(400, status, f"{name}?{foreign} {body[:300]}")
                self.assertEqual("OperationOutcome", json.loads(body)["resourceType"])

    def test_every_declared_interaction_and_operation_has_an_answer(self):
        for name, declared in self.types.items():
            role = self.role_for(name)
            codes = {one["code"] for one in declared["interaction"]}
            self.assertIn("read", codes)
            self.assertEqual(404, self.ask(f"{name}/nobody", role)[0])
            for code, path in (("vread", f"{name}/nobody/_history/1"), ("history-instance", f"{name}/nobody/_history")):
                if code in codes:
                    self.assertEqual(404, self.ask(path, role)[0], path)
            if "history-type" in codes:
                self.assertEqual(200, self.ask(f"{name}/_history?_count=1", role)[0], name)
            if "create" in codes:
                self.assertEqual(400, self.ask(name, role, "POST", json.dumps({"resourceType": name, "nonsense": 1}))[0], name)
            for operation in declared.get("operation", []):
                at_instance = f"{name}/{self.patient if name == 'Patient' else 'nobody'}/${operation['name']}"
                answers = [self.ask(path, role, method, body) for path in (f"{name}/${operation['name']}", at_instance)
                           for method, body in (("GET", None), ("POST", "{}"))]
                self.assertTrue(all(status < 500 for status, _ in answers), at_instance)
                told = [(status, status >= 400 and json.loads(body)["issue"][0]["code"]) for status, body in answers]
                self.assertTrue(set(told) - {(404, "not-supported"), (405, "not-supported")}, at_instance)

    def test_every_declared_compartment_is_searched(self):
        for url in self.rest["compartment"]:
            name = url.rsplit("/", 1)[1]
            name = name[0].upper() + name[1:]
            status, body = self.ask(f"{name}/{self.patient}/Observation?_count=1")
            self.assertEqual(200, status, body[:300])

    def test_includes_are_taken_either_way(self):
        for name, declared in self.types.items():
            if "searchInclude" not in declared:
                continue
            for asked in ("_include=*", "_revinclude=*"):
                status, body = self.ask(f"{name}?_id=nobody&{asked}")
                self.assertEqual(200, status, f"{name} {asked} {body[:300]}")

    def test_the_printed_requests_work(self):
        for line in self.ready["curl"]:
            done = subprocess.run([*shlex.split(line), "--fail"], capture_output=True, timeout=60, check=False)
            self.assertEqual(0, done.returncode, line.split("Bearer")[0])
            json.loads(done.stdout)


if __name__ == "__main__":
    unittest.main()
