#!/usr/bin/env python3
"""Passkeys in a real Chromium with its virtual authenticator: registered and used at the real pages of `hygie serve`, over TLS
on loopback; and what a thief with a copy of the key, or without the person, gets."""

import re
import sys
import unittest
import urllib.parse
from pathlib import Path

import chromium
from house import Browser, House

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from ports import free_port  # noqa: E402

SKIPPED = 77


class Passkeys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = House()
        cls.addClassCleanup(cls.house.remove)
        port = free_port()
        cls.house.start("--name", "localhost", "--url", f"https://localhost:{port}", listen=f"127.0.0.1:{port}")
        cls.password = cls.house.add_person("anne.martin", "Anne Martin", "operations")
        cls.house.add_program()
        cls.page = cls.enterClassContext(chromium.Chromium(cls.house.state / "tls" / "server.pem"))
        cls.page.call("WebAuthn.enable")

    def setUp(self):
        self.plug_in(transport="internal", hasUserVerification=True, isUserVerified=True)
        self.addCleanup(self.unplug)

    def plug_in(self, **options):
        options |= {"protocol": "ctap2", "hasResidentKey": True, "automaticPresenceSimulation": True}
        self.key = self.page.call("WebAuthn.addVirtualAuthenticator", options=options)["authenticatorId"]

    def unplug(self):
        self.page.call("WebAuthn.removeVirtualAuthenticator", authenticatorId=self.key)

    def person(self, login, name):
        return self.house.add_person(login, name)

    def fill(self, login, password):
        self.page.run(f"document.getElementById('login').value = {login!r};"
                      f"document.getElementById('password').value = {password!r}")

    def press(self, selector):
        self.page.run(f"document.querySelector({selector!r}).click()")

    def register(self, login, password):
        """From password to registered passkey; the recovery codes that the page showed."""
        self.page.open(self.house.url + "/oauth/passkeys")
        self.fill(login, password)
        self.press("form#passkey button:not([id])")
        self.page.wait_for("document.querySelector('form[action=\"/oauth/passkeys/add\"] #ask:not([hidden])')", "no button")
        self.press("#ask")
        self.page.wait_for("document.title.includes('Passkey registered')", "not registered")
        return re.findall(r"\w{4}-\w{4}-\w{4}", self.page.run("document.body.innerText"))

    def passkey_sign_in(self, login="", password="", scope="openid user/*.rs"):
        """What the program gets back, or the notice of the page."""
        browser = Browser(self.house, scope=scope)
        self.page.open(self.house.url + "/oauth/authorize?" + urllib.parse.urlencode(browser.wish))
        self.page.run("window.old = true")
        self.page.events.clear()
        self.fill(login, password)
        self.press("#ask")
        self.page.wait_for("!window.old || location.protocol === 'chrome-error:'", "nothing was sent")
        for event in self.page.events:  # the address of the program does not exist: the browser was sent there
            asked = event.get("params", {}).get("request", {}).get("url", "")
            if asked.startswith("https://logiciel.example/"):
                return browser, dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(asked).query))
        return browser, self.page.run("(document.querySelector('.notice') || {}).innerText")

    def test_a_passkey_signs_in_without_a_password(self):
        password = self.person("zoe.roy", "Zoé Roy")
        codes = self.register("zoe.roy", password)
        self.assertEqual(10, len(codes), "who loses the only key comes back by paper")
        self.assertEqual(1, self.house.user("show", "zoe.roy")["passkeys"])
        self.assertEqual(["added", "passkey added"], self.house.changes_of("zoe.roy"))
        browser, back = self.passkey_sign_in()
        status, answer = browser.redeem(back["code"])
        self.assertEqual(200, status, answer)
        self.assertEqual(200, self.house.reads(answer["access_token"]))
        # From now on a password is half of it; a recovery code is the other half, once.
        self.assertEqual(403, Browser(self.house).sign_in("zoe.roy", password))
        self.assertIn("code", Browser(self.house).sign_in("zoe.roy", password, codes[0]))
        self.house.user("disable", "zoe.roy")
        self.assertEqual(401, self.house.reads(answer["access_token"]))
        self.assertNotIsInstance(self.passkey_sign_in()[1], dict)

    def test_a_copied_key_is_seen_by_its_counter(self):
        self.register("anne.martin", self.password)
        self.assertIsInstance(self.passkey_sign_in()[1], dict)
        credential = self.page.call("WebAuthn.getCredentials", authenticatorId=self.key)["credentials"][0]
        self.assertIsInstance(self.passkey_sign_in()[1], dict)
        # The thief's copy counts on from the moment of the theft.
        self.page.call("WebAuthn.clearCredentials", authenticatorId=self.key)
        self.page.call("WebAuthn.addCredential", authenticatorId=self.key, credential=credential)
        _, notice = self.passkey_sign_in()
        self.assertIn("This passkey is not accepted", notice)

    def test_a_key_in_another_hand_signs_nothing(self):
        self.register("paul.petit", self.person("paul.petit", "Paul Petit"))
        self.page.call("WebAuthn.setUserVerified", authenticatorId=self.key, isUserVerified=False)
        browser = Browser(self.house)
        self.page.open(self.house.url + "/oauth/authorize?" + urllib.parse.urlencode(browser.wish))
        self.page.run("document.getElementById('login').focus()")
        self.press("#ask")
        self.page.wait_for("document.activeElement.id === 'ask'", "the script gives up and the page stays")
        self.assertIn("/oauth/authorize", self.page.run("location.pathname"))

    def test_a_person_takes_a_passkey_away(self):
        password = self.person("mia.roy", "Mia Roy")
        self.register("mia.roy", password)
        self.page.open(self.house.url + "/oauth/passkeys")
        self.press("#ask")
        self.page.wait_for("document.querySelector('form[action=\"/oauth/passkeys/remove\"]')", "not listed")
        self.press("form[action='/oauth/passkeys/remove'] button")
        self.page.wait_for("document.title.includes('Passkey removed')", "not removed")
        self.assertEqual(0, self.house.user("show", "mia.roy")["passkeys"])
        self.assertIn("code", Browser(self.house).sign_in("mia.roy", password))

    def test_an_administrator_takes_a_lost_passkey_away(self):
        password = self.person("gil.perdu", "Gil Perdu")
        self.register("gil.perdu", password)
        known = self.house.user("passkeys", "gil.perdu")["passkeys"]
        self.assertEqual(1, len(known))
        self.house.user("passkeys", "gil.perdu", "--remove", "AAAA", code=1)
        self.assertEqual([], self.house.user("passkeys", "gil.perdu", "--remove", known[0]["id"])["passkeys"])
        self.assertNotIsInstance(self.passkey_sign_in()[1], dict)

    def test_the_policy_lets_no_other_script_run(self):
        self.page.open(self.house.url + "/oauth/passkeys")
        self.page.run("document.body.append(Object.assign(document.createElement('script'), {text: 'window.evil = 1'}))")
        self.assertIsNone(self.page.run("window.evil"))


if __name__ == "__main__":
    if not chromium.program():
        print("skipped: no chromium")
        sys.exit(SKIPPED)
    unittest.main()
