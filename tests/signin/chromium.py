"""A real browser without windows, driven through the Chrome DevTools Protocol over its own WebSocket (RFC 6455).
Standard library only."""

import base64
import hashlib
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS_MAX = 30


def program():
    return next((found for found in map(shutil.which, NAMES) if found), None)


def key_hash(pem_path):
    """base64 of SHA-256 of the public key of a certificate: what lets the browser take exactly this one."""
    key = subprocess.run(["openssl", "x509", "-in", pem_path, "-noout", "-pubkey"], capture_output=True, check=True).stdout
    der = ssl.PEM_cert_to_DER_cert(key.decode().replace("PUBLIC KEY", "CERTIFICATE"))
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class Chromium:
    """From the with to its end; stopped by its own pid."""

    def __init__(self, certificate):
        self.dir = tempfile.mkdtemp(prefix="hygie-chromium-")
        self.command = [program(), "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={self.dir}",
                        "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check",
                        "--disable-background-networking", "--disable-component-update", "--disable-sync",
                        f"--ignore-certificate-errors-spki-list={key_hash(certificate)}", "about:blank"]
        if os.geteuid() == 0:
            self.command.insert(1, "--no-sandbox")

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = Path(self.dir, "DevToolsActivePort")
        deadline = time.monotonic() + SECONDS_MAX
        while not (port_file.exists() and "\n" in port_file.read_text()):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError("the browser does not start")
            time.sleep(0.05)
        port = int(port_file.read_text().split("\n")[0])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=SECONDS_MAX) as listed:
            pages = json.load(listed)
        self.page = Page(next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page"))
        return self.page

    def __exit__(self, *_):
        self.page.close()
        self.process.terminate()
        self.process.wait(SECONDS_MAX)
        shutil.rmtree(self.dir, ignore_errors=True)


class Page:
    """One tab."""

    def __init__(self, address):
        at = urllib.parse.urlsplit(address)
        self.socket = socket.create_connection((at.hostname, at.port), SECONDS_MAX)
        nonce = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {at.path} HTTP/1.1\r\nHost: {at.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.stream = self.socket.makefile("rb")
        assert b" 101 " in self.stream.readline()
        while self.stream.readline() != b"\r\n":
            pass
        self.count = 0
        self.events = []
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def close(self):
        self.stream.close()
        self.socket.close()

    def call(self, method, **params):
        self.count += 1
        self.send(json.dumps({"id": self.count, "method": method, "params": params}).encode())
        while True:
            message = json.loads(self.receive())
            if message.get("id") != self.count:
                self.events.append(message)
                continue
            if "error" in message:
                raise AssertionError(f"{method}: {message['error']}")
            return message["result"]

    def send(self, payload):
        mask = os.urandom(4)
        size = len(payload)
        head = b"\x81" + (bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size) if size < 65536
                          else b"\xff" + struct.pack(">Q", size))
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def receive(self):
        payload = b""
        while True:
            first, second = self.stream.read(2)
            size = second & 0x7f
            if size == 126:
                size = struct.unpack(">H", self.stream.read(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.stream.read(8))[0]
            part = self.stream.read(size)
            if first & 0x0f in (0, 1):
                payload += part
                if first & 0x80:
                    return payload

    def run(self, script):
        """The value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in result:
            raise AssertionError(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    def wait_for(self, script, why):
        """Until an expression is true in whatever page is there."""
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                value = self.run(f"!!({script})")
            except AssertionError:  # the page is just changing
                value = None
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"{why}: {self.run('document.body.innerText')}")

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait_for(f"document.readyState === 'complete' && location.href !== 'about:blank'", "the page loads")
