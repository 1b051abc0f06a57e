"""A core as its operator runs it (`hygie serve` on throw-away state), and a browser without windows that signs in at it.
Standard library only."""

import base64
import hashlib
import hmac
import html
import http.cookies
import json
import os
import re
import secrets
import shutil
import ssl
import struct
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HYGIE = os.environ.get("HYGIE", str(ROOT / "build/release/hygie"))
SECONDS_MAX = 60
REDIRECT = "https://logiciel.example/retour"


class House:
    """One state folder, its commands, and the service over it from start() to stop()."""

    def __init__(self, config=""):
        self.dir = Path(tempfile.mkdtemp(prefix="hygie-signin-"))
        self.state = self.dir / "state"
        self.config = None
        if config:
            self.config = self.dir / "hygie.toml"
            self.config.write_text(config)
        self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self, *options, listen="127.0.0.1:0", pass_fds=(), preexec=None):
        command = [HYGIE, "--json", "serve", "--state", str(self.state), "--seal", "key-file", "--key-file",
                   str(self.dir / "root.key"), *options]
        if listen:
            command += ["--listen", listen]
        if self.config:
            command += ["--config", str(self.config)]
        with open(self.dir / "err", "ab") as err:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True, pass_fds=pass_fds,
                                            preexec_fn=preexec)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError((self.dir / "err").read_text())
        ready = json.loads(line)
        self.url, self.fhir = ready["url"], ready["fhir"]
        self.tls = ssl.create_default_context(cafile=ready["ca_file"] or None)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(SECONDS_MAX)
            self.process.stdout.close()
            self.process = None

    def run(self, *arguments, code=0):
        """A command line, in English; what it printed as JSON when it is that."""
        done = subprocess.run([HYGIE, "--json", "--lang", "en", *map(str, arguments)], capture_output=True, text=True,
                              timeout=SECONDS_MAX)
        if done.returncode != code:
            raise AssertionError(f"{arguments}\nexit {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        lines = done.stdout.splitlines()
        return json.loads(lines[0]) if len(lines) == 1 else lines or done.stderr

    def user(self, verb, *arguments, code=0, by="anne.martin"):
        return self.run("user", verb, *arguments, "--state", self.state, "--as", by, code=code)

    def add_person(self, login, name, role="desk", *options):
        sponsor = [] if login == "anne.martin" else ["--sponsor", "anne.martin"]
        return self.user("add", login, "--name", name, "--role", role, *sponsor, *options)["password"]

    def add_program(self, login="logiciel-cabinet", scopes=("openid", "fhirUser", "user/*.cruds"), redirect=REDIRECT):
        options = [part for scope in scopes for part in ("--scope", scope)]
        return self.user("add", login, "--name", "Logiciel du cabinet", "--role", "program", "--sponsor", "anne.martin",
                         "--redirect", redirect, *options)

    def changes_of(self, login):
        """What the ledger says was done to an account, oldest first."""
        told = self.run("ledger", "query", self.state / "ledger", "--object", f"account/{login}", "--as", "test")
        entries = told if isinstance(told, list) else [json.dumps(told)]
        events = [json.loads(line) for line in entries]
        return [e["detail"]["change"] for e in (x.get("event", x) for x in events) if "change" in e.get("detail", {})]

    def ask(self, method, path, form=None, headers=None, timeout=SECONDS_MAX):
        """Status, text, headers; redirects are not followed."""
        address = path if path.startswith("https:") else self.url + path
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(address, data, headers or {}, method=method)
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=self.tls), Stay())
        try:
            with opener.open(request, timeout=timeout) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as other:
            with other:
                return other.code, other.read().decode(), other.headers

    def reads(self, token):
        """The status of a question about records under a token."""
        return self.ask("GET", "/fhir/Organization?_count=1", headers={"Authorization": "Bearer " + token})[0]


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """Cookies and forms of one device."""

    def __init__(self, house, client="logiciel-cabinet", scope="openid fhirUser user/*.rs", redirect=REDIRECT):
        self.house, self.jar = house, {}
        self.verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.wish = {"response_type": "code", "client_id": client, "redirect_uri": redirect, "scope": scope,
                     "state": secrets.token_urlsafe(8), "aud": house.fhir,
                     "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="), "code_challenge_method": "S256"}

    def send(self, method, path, form=None):
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.jar.items())} if self.jar else {}
        if form is not None:
            headers["Origin"] = self.house.url
        status, text, headers = self.house.ask(method, path, form, headers)
        for line in headers.get_all("Set-Cookie", []):
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self.jar[name] = morsel.value
        return status, text, headers

    def sign_in(self, login, password, code="", edit=lambda form: None):
        """The fields that the program gets back, or the status of the page that refused. `edit` is what the person does to
        the boxes of the form."""
        status, page, headers = self.send("GET", "/oauth/authorize?" + urllib.parse.urlencode(self.wish))
        if status != 200:
            return sent_back(headers) if status == 303 else status
        form = hidden_fields(page) | {"login": login, "password": password, "code": code}
        edit(form)
        status, _, headers = self.send("POST", "/oauth/authorize", form)
        return sent_back(headers) if status == 303 else status

    def redeem(self, code, **changed):
        form = {"grant_type": "authorization_code", "code": code, "client_id": self.wish["client_id"],
                "redirect_uri": self.wish["redirect_uri"], "code_verifier": self.verifier} | changed
        status, text, _ = self.house.ask("POST", "/oauth/token", form)
        return status, json.loads(text)

    def token(self, login, password, code=""):
        """An access token, from password to redeemed code."""
        back = self.sign_in(login, password, code)
        if not isinstance(back, dict) or "code" not in back:
            raise AssertionError(back)
        status, answer = self.redeem(back["code"])
        assert status == 200, answer
        return answer["access_token"]


def hidden_fields(page):
    """What a browser sends without being told: what is hidden, and what is ticked already."""
    form = page[page.index('action="/oauth/authorize"'):]
    pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    pairs += re.findall(r'<input type="checkbox" name="([^"]*)" value="([^"]*)" checked>', form)
    return {name: html.unescape(value) for name, value in pairs}


def sent_back(headers):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(headers["Location"]).query))


def otp(secret_text, at=None):
    """RFC 6238, written apart from the program that is tested."""
    key = base64.b32decode(secret_text + "=" * (-len(secret_text) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time() if at is None else at) // 30), hashlib.sha1).digest()
    offset = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[offset:offset + 4])[0] & 0x7fffffff) % 1_000_000:06}"


def secret_of(otpauth):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(otpauth).query))["secret"]
