#!/usr/bin/env python3
"""Topic-based subscriptions of `hygie demo`: a listener that is posted to, and a WebSocket."""

import base64
import hashlib
import json
import os
import queue
import socket
import ssl
import struct
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from practice import SECONDS_MAX, Practice

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
TOPIC = "urn:hygie:topic:record-changed"
SOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING = 1, 8, 9


class Listener(ThreadingHTTPServer):
    """Answers what it is told to, and keeps what it was sent."""

    def __init__(self):
        self.arrived = queue.Queue()
        self.statuses = []
        super().__init__(("127.0.0.1", 0), Listening)
        self.url = f"http://127.0.0.1:{self.server_port}/in/"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def next(self):
        return self.arrived.get(timeout=SECONDS_MAX)


class Listening(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.arrived.put((self.path, self.headers, json.loads(body)))

    def log_message(self, *_):
        pass


class WebSocket:
    """As much of RFC 6455 as a client needs that sends short texts."""

    def __init__(self, url, ca_file):
        parts = urlsplit(url)
        raw = socket.create_connection((parts.hostname, parts.port), timeout=SECONDS_MAX)
        self.line = ssl.create_default_context(cafile=ca_file).wrap_socket(raw, server_hostname=parts.hostname)
        key = base64.b64encode(os.urandom(16)).decode()
        self.line.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
                          f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.left = b""
        head = self.until(b"\r\n\r\n").decode()
        accept = base64.b64encode(hashlib.sha1((key + SOCKET_GUID).encode()).digest()).decode()
        self.welcome = head.startswith("HTTP/1.1 101") and accept in head

    def until(self, end):
        while end not in self.left:
            self.left += self.more()
        head, self.left = self.left.split(end, 1)
        return head

    def more(self):
        got = self.line.recv(65536)
        if not got:
            raise EOFError
        return got

    def take(self, count):
        while len(self.left) < count:
            self.left += self.more()
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def send(self, text, code=TEXT):
        data, mask = text.encode(), os.urandom(4)
        assert len(data) < 126
        self.line.sendall(bytes([0x80 | code, 0x80 | len(data)]) + mask
                          + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def next(self):
        """The next text; none when the server closes."""
        while True:
            code, size = self.take(2)
            if size == 126:
                size = struct.unpack(">H", self.take(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.take(8))[0]
            data = self.take(size)
            if code & 0xF == CLOSE:
                return None
            if code & 0xF == TEXT:
                return json.loads(data)

    def close(self):
        self.line.close()


def status_of(bundle):
    """The parameters of a notification's status, by name."""
    told = {}
    for one in bundle["entry"][0]["resource"]["parameter"]:
        values = [value for name, value in one.items() if name.startswith("value")] or [one.get("part")]
        told.setdefault(one["name"], []).append(values[0])
    return told


def focus_of(bundle):
    return [part["valueReference"]["reference"] for event in status_of(bundle).get("notification-event", [])
            for part in event if part["name"] == "focus"]


class Subscriptions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.listener = Listener()
        cls.addClassCleanup(cls.listener.server_close)
        cls.addClassCleanup(cls.listener.shutdown)
        cls.practice = Practice("--notify", cls.listener.url)
        cls.addClassCleanup(cls.practice.close)
        cls.ready, cls.line = cls.practice.ready, cls.practice.line
        cls.patient = cls.ready["patients"][0]

    def ask(self, status, method, path, body=None, role="program", headers=None):
        sent = {"Content-Type": "application/fhir+json", "Authorization": "Bearer " + self.practice.token[role]}
        self.line.request(method, "/fhir/" + path, None if body is None else json.dumps(body), sent | (headers or {}))
        answer = self.line.getresponse()
        text = answer.read()
        self.assertEqual(status, answer.status, f"{method} {path} {text[:500]}")
        return json.loads(text) if text else None

    def subscription(self, channel, filters=(), content=None, **more):
        payload = {"_payload": {"extension": [{"url": BACKPORT + "backport-payload-content", "valueCode": content}]}}
        criteria = {"_criteria": {"extension": [{"url": BACKPORT + "backport-filter-criteria", "valueString": one}
                                                for one in filters]}} if filters else {}
        return {"resourceType": "Subscription", "status": "requested", "reason": "essai", "criteria": TOPIC} | criteria | {
                "channel": {"payload": "application/fhir+json"} | channel | (payload if content else {})} | more

    def observation(self, patient=None, key="x"):
        return {"resourceType": "Observation", "status": "final", "code": {"text": key},
                "subject": {"reference": "Patient/" + (patient or self.patient)}, "effectiveDateTime": "2026-11-20"}

    def until(self, name, status):
        end = time.monotonic() + SECONDS_MAX
        while time.monotonic() < end:
            kept = self.ask(200, "GET", name)
            if kept["status"] == status:
                return kept
            time.sleep(0.05)
        self.fail(f"{name} did not become {status}")

    def test_the_statement_says_so(self):
        stated = self.ask(200, "GET", "metadata")
        kept = next(one for one in stated["rest"][0]["resource"] if one["type"] == "Subscription")
        self.assertIn(TOPIC, [one.get("valueCanonical") for one in kept["extension"]])
        self.assertIn("events", [one["name"] for one in kept["operation"]])

    def test_a_listener_is_greeted_and_told_again_when_it_failed(self):
        self.listener.statuses[:] = [503, 200, 500]
        made = self.ask(201, "POST", "Subscription", self.subscription(
            {"type": "rest-hook", "endpoint": self.listener.url + "box", "header": ["X-Key: secret-of-the-test"]},
            [f"Observation?patient={self.patient}"]))
        self.assertNotIn("secret-of-the-test", json.dumps(made))
        for _ in range(2):
            path, headers, greeting = self.listener.next()
            self.assertEqual(("/in/box", "secret-of-the-test", "handshake"),
                             (path, headers["X-Key"], status_of(greeting)["type"][0]))
        name = "Subscription/" + made["id"]
        self.until(name, "active")
        other = self.ask(201, "POST", "Observation", self.observation(self.ready["patients"][1]))
        seen = self.ask(201, "POST", "Observation", self.observation())
        for _ in range(2):
            notice = self.listener.next()[2]
            self.assertEqual((["Observation/" + seen["id"]], ["1"]),
                             (focus_of(notice), status_of(notice)["events-since-subscription-start"]))
            self.assertNotIn("resource", notice["entry"][1])
            self.assertNotIn(other["id"], json.dumps(notice))
        told = self.ask(200, "GET", name + "/$events")
        self.assertEqual(["Observation/" + seen["id"]], focus_of(told))
        traces = self.ask(200, "GET", f"AuditEvent?entity=Observation/{seen['id']}", role="security")
        self.assertIn(name, json.dumps(traces))
        self.ask(204, "DELETE", name)

    def test_an_address_that_is_not_configured_is_never_written_to(self):
        for url in (self.listener.url.replace("/in/", "/out/"), "http://127.0.0.1:1/in/", "https://169.254.169.254/in/",
                    self.listener.url + "../out"):
            made = self.ask(201, "POST", "Subscription", self.subscription({"type": "rest-hook", "endpoint": url}))
            self.assertEqual("error", made["status"], url)

    def test_a_socket_hears_what_its_owner_may_see(self):
        mine = self.ask(200, "GET", "Patient?_count=1", role="care")["entry"][0]["resource"]["id"]
        stranger = self.ask(201, "POST", "Patient", {"resourceType": "Patient", "name": [{"family": "Essai"}]})["id"]
        self.ask(404, "GET", "Patient/" + stranger, role="care")
        made = self.ask(201, "POST", "Subscription", self.subscription({"type": "websocket"}, ["Observation?status=final"]),
                        role="care")
        token = {one["name"]: next(iter(v for k, v in one.items() if k != "name"))
                 for one in self.ask(200, "GET", f"Subscription/{made['id']}/$get-ws-binding-token", role="care")["parameter"]}
        line = WebSocket(token["websocket-url"], self.ready["ca_file"])
        self.addCleanup(line.close)
        self.assertTrue(line.welcome)
        line.send("bind-with-token: " + token["token"])
        self.assertEqual("handshake", status_of(line.next())["type"][0])
        self.ask(201, "POST", "Observation", self.observation(stranger))
        seen = self.ask(201, "POST", "Observation", self.observation(mine))
        self.assertEqual(["Observation/" + seen["id"]], focus_of(line.next()))
        again = WebSocket(token["websocket-url"], self.ready["ca_file"])
        self.addCleanup(again.close)
        again.send("bind-with-token: " + token["token"])
        self.assertIsNone(again.next(), "a token serves once")


if __name__ == "__main__":
    unittest.main()
