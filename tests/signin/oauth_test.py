#!/usr/bin/env python3
"""Signing in by password at a running `hygie serve`, as a browser and a program do: code flow with PKCE, second factor, guesses,
scopes as ceilings, introspection and revocation."""

import base64
import json
import secrets
import subprocess
import time
import unittest
import urllib.parse
import urllib.request

from house import Browser, House, otp, secret_of, sent_back


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class BackendKey:
    """A program's own key: RSA by the openssl program, RS384 by hand."""

    def __init__(self, directory):
        self.path = directory / "backend.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.path],
                       check=True, capture_output=True)
        text = subprocess.run(["openssl", "rsa", "-in", self.path, "-noout", "-modulus"], check=True, capture_output=True,
                              text=True).stdout
        modulus = b64(bytes.fromhex(text.strip().split("=")[1]))
        self.jwks = directory / "backend.json"
        self.jwks.write_text(json.dumps({"keys": [{"kty": "RSA", "kid": "1", "alg": "RS384", "n": modulus, "e": "AQAB"}]}))

    def assertion(self, login, audience):
        claims = {"iss": login, "sub": login, "aud": audience, "exp": int(time.time()) + 60, "jti": secrets.token_hex(8)}
        text = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": "RS384", "typ": "JWT", "kid": "1"}, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha384", "-sign", self.path], input=text.encode(), check=True,
                                   capture_output=True).stdout
        return text + "." + b64(signature)


class SignIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = House()
        cls.addClassCleanup(cls.house.remove)
        cls.house.start()
        cls.password = cls.house.add_person("anne.martin", "Anne Martin", "operations")
        cls.house.add_program()
        cls.key = BackendKey(cls.house.dir)
        cls.house.user("add", "logiciel-paie", "--name", "Logiciel de paie", "--role", "program", "--sponsor", "anne.martin",
                       "--scope", "system/Organization.rs", "--jwks", cls.key.jwks)

    def backend(self, scope, login="logiciel-paie"):
        form = {"grant_type": "client_credentials", "scope": scope,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self.key.assertion(login, self.house.url + "/oauth/token")}
        status, text, _ = self.house.ask("POST", "/oauth/token", form)
        return status, json.loads(text)

    def introspect(self, token, own):
        _, text, _ = self.house.ask("POST", "/oauth/introspect", {"token": token}, {"Authorization": "Bearer " + own})
        return json.loads(text)

    def test_a_password_a_code_and_the_right_verifier_give_a_token(self):
        browser = Browser(self.house)
        back = browser.sign_in("anne.martin", self.password)
        self.assertEqual((browser.wish["state"], self.house.url), (back["state"], back["iss"]))
        status, answer = browser.redeem(back["code"], code_verifier=secrets.token_urlsafe(48))
        self.assertEqual((400, "invalid_grant"), (status, answer["error"]), "another's verifier")
        self.assertEqual(400, browser.redeem(back["code"])[0], "and the code is spent")
        browser = Browser(self.house)
        code = browser.sign_in("anne.martin", self.password)["code"]
        status, answer = browser.redeem(code)
        self.assertEqual((200, "openid fhirUser user/*.rs"), (status, answer["scope"]))
        self.assertEqual(200, self.house.reads(answer["access_token"]))
        self.assertEqual(400, browser.redeem(code)[0], "a code serves once")
        self.assertEqual(401, self.house.reads(answer["access_token"]), "two held it: neither keeps anything")

    def test_a_code_without_pkce_is_never_given(self):
        for change in ({"code_challenge_method": "plain"}, {"code_challenge": ""}):
            browser = Browser(self.house)
            browser.wish |= change
            self.assertEqual("invalid_request", browser.sign_in("anne.martin", self.password)["error"])

    def test_the_second_factor_is_not_left_out(self):
        password = self.house.add_person("carl.otp", "Carl Otp")
        secret = secret_of(self.house.user("otp", "carl.otp")["otpauth"])
        self.assertEqual(403, Browser(self.house).sign_in("carl.otp", password))
        self.assertEqual(403, Browser(self.house).sign_in("carl.otp", password, otp(secret, time.time() - 300)), "an old code")
        browser = Browser(self.house)
        status, _ = browser.redeem(browser.sign_in("carl.otp", password, otp(secret))["code"])
        self.assertEqual(200, status)

    def test_scopes_are_ceilings_and_searches_no_resource_can_be_judged_by_are_refused(self):
        def scope_of(scope):
            browser = Browser(self.house, scope=scope)
            status, page, headers = browser.send("GET", "/oauth/authorize?" + urllib.parse.urlencode(browser.wish))
            return "asked" if status == 200 else sent_back(headers)["error"]
        self.assertEqual("asked", scope_of("user/Organization.rs"))
        self.assertEqual("asked", scope_of("user/Observation.rs?category=laboratory"))
        self.assertEqual("invalid_scope", scope_of("user/*.rs?category=laboratory"))
        self.assertEqual("invalid_scope", scope_of("user/Organization.rs user/Observation.cruds?category=laboratory"))
        self.assertEqual("invalid_scope", scope_of("system/*.rs"))
        self.assertEqual("invalid_scope", self.backend("system/Organization.rs?_sort=name")[1]["error"])
        status, answer = self.backend("system/*.cruds")
        self.assertEqual((200, "system/Organization.rs"), (status, answer["scope"]), "no more than its ceiling")
        self.assertEqual(200, self.house.reads(answer["access_token"]))
        told = self.house.ask("GET", "/fhir/Practitioner?_count=1",
                              headers={"Authorization": "Bearer " + answer["access_token"]})
        self.assertNotIn('"entry"', told[1])
        self.house.user("add", "logiciel-labo", "--name", "Logiciel", "--role", "program", "--sponsor", "anne.martin", "--scope",
                        "user/Observation.rs?_has:Provenance:target:agent=1", "--redirect", "https://labo.example/", code=1)

    def test_a_search_in_a_scope_leaves_what_matches_and_nothing_else(self):
        keeper = {"Authorization": "Bearer " + Browser(self.house, scope="user/*.cruds").token("anne.martin", self.password),
                  "Content-Type": "application/fhir+json"}
        made = {}
        for active in (True, False):
            request = urllib.request.Request(self.house.fhir + "/Organization", json.dumps(
                {"resourceType": "Organization", "name": "Labo", "active": active}).encode(), keeper, method="POST")
            with urllib.request.urlopen(request, context=self.house.tls) as answer:
                made[active] = json.loads(answer.read())["id"]
        self.house.user("add", "logiciel-annuaire", "--name", "Logiciel d'annuaire", "--role", "program", "--sponsor",
                        "anne.martin", "--scope", "system/Organization.rs?active=true", "--jwks", self.key.jwks)
        status, answer = self.backend("system/*.rs", "logiciel-annuaire")
        self.assertEqual((200, "system/Organization.rs?active=true"), (status, answer["scope"]))
        ask = lambda path: self.house.ask("GET", "/fhir/" + path, headers={"Authorization": "Bearer " + answer["access_token"]})
        found = json.loads(ask("Organization")[1])
        self.assertEqual([made[True]], [entry["resource"]["id"] for entry in found["entry"]])
        self.assertEqual(1, found["total"])
        self.assertEqual(200, ask("Organization/" + made[True])[0])
        hidden, absent = ask("Organization/" + made[False]), ask("Organization/nowhere")
        self.assertEqual((404, absent[1]), (hidden[0], hidden[1]), "hidden and absent look the same")
        self.assertEqual(0, json.loads(ask("Organization?active=false")[1])["total"])
        status, answer = self.backend("system/Organization.rs?name=Labo", "logiciel-annuaire")
        self.assertEqual((200, "system/Organization.rs?name=Labo&active=true"), (status, answer["scope"]), "both hold")

    def test_a_narrow_token_stays_narrow(self):
        browser = Browser(self.house, scope="user/Practitioner.rs")
        token = browser.token("anne.martin", self.password)
        refused = self.house.ask("GET", "/fhir/Organization?_count=1", headers={"Authorization": "Bearer " + token})
        self.assertNotIn('"fullUrl"', refused[1])
        self.assertEqual(200, self.house.ask("GET", "/fhir/Practitioner?_count=1",
                                             headers={"Authorization": "Bearer " + token})[0])

    def test_who_signs_in_reads_what_is_asked_for_and_gives_less_or_nothing(self):
        browser = Browser(self.house, scope="openid user/Organization.rs user/Practitioner.rs")
        page = browser.send("GET", "/oauth/authorize?" + urllib.parse.urlencode(browser.wish))[1]
        for said in ("lire\u00a0: annuaire (Practitioner)", "read: directory (Practitioner)", "Refuser", "Refuse"):
            self.assertIn(said, page)

        def untick(form):
            for name in [n for n, value in form.items() if n.startswith("allow-") and value == "user/Practitioner.rs"]:
                del form[name]
        back = browser.sign_in("anne.martin", self.password, edit=untick)
        self.assertEqual("openid user/Organization.rs", browser.redeem(back["code"])[1]["scope"])
        back = Browser(self.house).sign_in("", "", edit=lambda form: form.update(refuse="1"))
        self.assertEqual("access_denied", back["error"])
        self.assertNotIn("code", back)

    def test_a_refresh_token_serves_once_and_a_stolen_one_ends_everything(self):
        self.house.add_program("logiciel-durable", ("openid", "user/*.rs", "offline_access"))
        self.assertIn("permission-offline", json.loads(self.house.ask(
            "GET", "/.well-known/smart-configuration")[1])["capabilities"])

        def refresh(token, client="logiciel-durable"):
            status, text, _ = self.house.ask("POST", "/oauth/token", {
                "grant_type": "refresh_token", "refresh_token": token, "client_id": client})
            return status, json.loads(text)
        browser = Browser(self.house, "logiciel-durable", "openid user/*.rs offline_access")
        first = browser.redeem(browser.sign_in("anne.martin", self.password)["code"])[1]
        status, second = refresh(first["refresh_token"])
        self.assertEqual((200, 401, 200), (status, self.house.reads(first["access_token"]),
                                           self.house.reads(second["access_token"])))
        self.house.stop()
        self.house.start()
        status, third = refresh(second["refresh_token"])
        self.assertEqual(200, status, "a restart forgets none")
        self.assertEqual((400, "invalid_grant"), (refresh(second["refresh_token"])[0],
                                                  refresh(third["refresh_token"])[1]["error"]))
        self.assertEqual(401, self.house.reads(third["access_token"]), "two held it: neither keeps anything")
        browser = Browser(self.house, "logiciel-durable", "openid user/*.rs offline_access")
        held = browser.redeem(browser.sign_in("anne.martin", self.password)["code"])[1]
        self.house.user("sign-out", "anne.martin")
        self.assertEqual(400, refresh(held["refresh_token"])[0], "who was signed out does not come back by it")

    def test_what_is_revoked_is_worth_nothing_at_the_next_question(self):
        own = self.backend("system/Organization.rs")[1]["access_token"]
        token = Browser(self.house).token("anne.martin", self.password)
        told = self.introspect(token, own)
        self.assertEqual((True, "anne.martin", "logiciel-cabinet"), (told["active"], told["sub"], told["client_id"]))
        people = {"Authorization": "Bearer " + token}
        self.assertEqual(401, self.house.ask("POST", "/oauth/introspect", {"token": token}, people)[0])
        self.assertEqual(200, self.house.ask("POST", "/oauth/revoke", {"token": token})[0])
        self.assertEqual({"active": False}, self.introspect(token, own))
        self.assertEqual(401, self.house.reads(token))
        # The same from another process: the command returns, and the very next question is refused.
        token = Browser(self.house).token("anne.martin", self.password)
        self.house.user("sign-out", "anne.martin")
        self.assertEqual({"active": False}, self.introspect(token, own))
        self.house.user("disable", "logiciel-paie")
        self.assertEqual(401, self.house.reads(own), "programs too")
        self.assertEqual("invalid_client", self.backend("system/Organization.rs")[1]["error"])
        self.house.user("enable", "logiciel-paie")


class Guesses(unittest.TestCase):
    """Apart: whoever guesses slows everybody unknown at the same address."""

    def test_they_are_slowed_while_the_honest_person_comes_in(self):
        house = House()
        self.addCleanup(house.remove)
        house.start()
        password = house.add_person("anne.martin", "Anne Martin", "operations")
        house.add_program()
        honest = Browser(house)
        self.assertIn("code", honest.sign_in("anne.martin", password), "her device is known from then on")
        failures = waits = 0
        answer = None
        while failures < 8:  # the wait is then of 8 s: longer than what follows
            before, answer = answer, Browser(house).sign_in("anne.martin", f"guess number {failures} of many")
            self.assertIn(answer, (403, 429))
            failures += answer == 403
            waits += answer == 429 and before == 403
            if answer == 429:
                time.sleep(0.3)
        self.assertEqual(2, waits, "after the sixth and the seventh")
        self.assertEqual(429, Browser(house).sign_in("anne.martin", password), "from a device nobody knows: wait")
        self.assertIn("code", honest.sign_in("anne.martin", password))
        self.assertEqual(429, Browser(house).sign_in("who.knows", "guess at a name"), "nor do names show by their wait")
        traces = "".join(house.run("ledger", "query", house.state / "ledger", "--actor", "anne.martin", "--as", "test"))
        self.assertEqual(8 + 3, traces.count("session.refuse"), "each guess, and each wait once")


if __name__ == "__main__":
    unittest.main()
