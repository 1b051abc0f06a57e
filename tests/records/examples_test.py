#!/usr/bin/env python3
"""Every official example of R4 is stored by `hygie demo` over HTTP, but for those that break R4 themselves.

One after the other, in the order of their names: many refer to what comes later, or never. Skips where npm or its registry is
missing.
"""

import collections
import json
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

from practice import Practice

PACKAGE = "hl7.fhir.r4.examples@4.0.1"

# Refused, and why: what each breaks was read in the example and in R4, one by one.
BROKEN = {
    "txt-2: a narrative without a word": (
        "ActivityDefinition-blood-tubes-supply", "ActivityDefinition-heart-valve-replacement", "EventDefinition-example",
        "Questionnaire-zika-virus-exposure-assessment"),
    "bdl-7: one fullUrl three times": ("Bundle-dataelements",),
    "a reference to a type that the element does not allow": (
        "DeviceMetric-example", "DeviceUseStatement-example", "MedicationRequest-medrx0301", "Observation-clinical-gender"),
    "no name, no status": ("ImplementationGuide-fhir", "ig-r4"),
    "items without linkId": ("Questionnaire-qs1",),
    "no base": tuple(f"SearchParameter-{of.lower()}-extensions-{of}-{code}" for of in ("CodeSystem", "ValueSet")
                     for code in ("author", "effective", "end", "keyword", "workflow")),
    "an id of 71 characters": (
        "SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject",),
    "sdf-4: neither abstract nor derived": tuple(
        "StructureDefinition-" + name for name in ("Definition", "Event", "FiveWs", "Request")),
}


def brought(folder):
    """The examples, by name; nothing when npm cannot bring them."""
    try:
        done = subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, capture_output=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    if done.returncode != 0:
        return {}
    with tarfile.open(next(Path(folder).glob("*.tgz"))) as package:
        return {Path(one.name).stem: package.extractfile(one).read() for one in package
                if one.name.endswith(".json") and Path(one.name).name != "package.json"}


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.practice = Practice()
        cls.addClassCleanup(cls.practice.close)

    def ask(self, method, path, body=None):
        self.practice.line.request(method, "/fhir/" + path, body, {
            "Content-Type": "application/fhir+json", "Authorization": "Bearer " + self.practice.token["program"],
            "Prefer": "return=OperationOutcome"})
        answer = self.practice.line.getresponse()
        return answer.status, json.loads(answer.read() or b"null")

    def test_each_is_stored_unless_it_breaks_r4(self):
        examples = brought(self.practice.dir)
        if not examples:
            raise unittest.SkipTest("npm could not bring " + PACKAGE)
        self.assertEqual(5306, len(examples))
        broken = {name for names in BROKEN.values() for name in names}
        self.assertEqual(set(), broken - set(examples))
        seen = collections.Counter()
        for name, body in sorted(examples.items()):
            resource = json.loads(body)
            kind, key = resource["resourceType"], resource["id"]
            status, told = self.ask("PUT", f"{kind}/{key}", body)
            # Traces are written by the ledger alone.
            wanted = (405,) if kind == "AuditEvent" else (400, 404) if name in broken else (200, 201, 428)
            self.assertIn(status, wanted, f"{name}: {told}")
            seen[status] += 1
            warned = [issue["code"] for issue in (told or {}).get("issue", []) if issue["severity"] == "warning"]
            seen["leads nowhere"] += status == 201 and "not-found" in warned
        self.assertEqual(9, seen[405])
        self.assertEqual(len(broken), seen[400] + seen[404])
        self.assertGreater(seen["leads nowhere"], 400)
        _, kept = self.ask("GET", "Observation/f001")
        self.assertEqual(json.loads(examples["Observation-f001"])["valueQuantity"], kept["valueQuantity"])


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=1)
    skipped = program.result.skipped
    if skipped and program.result.wasSuccessful():
        print("skipped: " + skipped[0][1])
        sys.exit(77)
    sys.exit(not program.result.wasSuccessful())
