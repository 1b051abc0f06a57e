#!/usr/bin/env python3
"""The practice over HTTP/2, asked by curl: many requests on one connection, large bodies."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from practice import PracticeTest

REQUESTS = 200
PARALLEL = 32
NAMES = 2_000


class Http2(PracticeTest):
    def curl(self, *arguments, body=None):
        return subprocess.run(["curl", "--silent", "--show-error", "--http2", "--cacert", self.ready["ca_file"],
                               "-H", "Authorization: Bearer " + self.token["program"], *arguments],
                              input=body, capture_output=True, text=True, timeout=60)

    def test_many_requests_share_a_connection(self):
        url = f"{self.ready['url']}/fhir/Patient/{self.patient}"
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder) / "wanted"
            wanted.write_text("".join(f'url = "{url}"\noutput = "/dev/null"\n' for _ in range(REQUESTS)))
            asked = self.curl("--parallel", "--parallel-max", str(PARALLEL), "--config", str(wanted),
                              "--write-out", "%{http_version} %{http_code} %{num_connects}\n")
        lines = [line.split() for line in asked.stdout.splitlines()]
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.assertEqual([line[:2] for line in lines], [["2", "200"]] * REQUESTS)
        self.assertLess(sum(int(line[2]) for line in lines), PARALLEL / 4)

    def test_large_bodies_go_both_ways(self):
        resource = {"resourceType": "Basic", "code": {"text": "liste"},
                    "identifier": [{"value": f"{n:0100}"} for n in range(NAMES)]}
        url = f"{self.ready['url']}/fhir/Basic"
        made = self.curl("-X", "POST", "-H", "Content-Type: application/fhir+json", "-H", "Prefer: return=representation",
                         "--data-binary", "@-", "--write-out", "\n%{http_version} %{http_code}", url, body=json.dumps(resource))
        answer, status = made.stdout.rsplit("\n", 1)
        self.assertEqual(status, "2 201", made.stderr)
        self.assertEqual(len(json.loads(answer)["identifier"]), NAMES)

    def test_without_a_token_nothing_is_told(self):
        asked = subprocess.run(["curl", "--silent", "--http2", "--cacert", self.ready["ca_file"], "--output", "/dev/null",
                                "--write-out", "%{http_version} %{http_code}",
                                f"{self.ready['url']}/fhir/Patient/{self.patient}"],
                               capture_output=True, text=True, timeout=60)
        self.assertEqual(asked.stdout, "2 401")

    def test_who_speaks_only_http_1_is_answered(self):
        asked = self.curl("--http1.1", "--output", "/dev/null", "--write-out", "%{http_version} %{http_code}",
                          f"{self.ready['url']}/fhir/Patient/{self.patient}")
        self.assertEqual(asked.stdout, "1.1 200")


if __name__ == "__main__":
    unittest.main()
