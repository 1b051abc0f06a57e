#!/usr/bin/env python3
"""`hygie user …` beside a running service: arrivals, proofs, departures; each effective at once, and in the ledger."""

import json
import subprocess
import unittest
import urllib.parse

from house import HYGIE, Browser, House, hidden_fields, otp, secret_of

TABLE = """identifiant;nom;role;personne;profession;parrain;fin
zoe.roy;Zoé Roy;care;Practitioner/9;60;;
paul.petit;Paul Petit;desk;;;zoe.roy;
"""


class Users(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = House()
        cls.addClassCleanup(cls.house.remove)
        cls.house.start()
        cls.password = cls.house.add_person("anne.martin", "Anne Martin", "operations")
        cls.house.add_program()

    def token(self, login, password, code=""):
        return Browser(self.house).token(login, password, code)

    def test_everybody_is_a_person_with_a_sponsor_and_an_end(self):
        for login, name in (("accueil", "Anne Autre"), ("secretariat", "Secrétariat Médical"), ("test", "Test Test"),
                            ("admin", "Admin Admin"), ("b.autre", "Accueil Urgences")):
            refused = self.house.user("add", login, "--name", name, "--role", "desk", "--sponsor", "anne.martin", code=1)
            self.assertIn("generic", str(refused), login)
        self.house.user("add", "b.autre", "--name", "Bea Autre", "--role", "desk", code=1)
        self.house.user("add", "b.autre", "--name", "Bea Autre", "--role", "desk", "--sponsor", "anne.martin", "--for", "800d",
                        code=1)
        self.assertEqual({"anne.martin", "logiciel-cabinet"} & {a["login"] for a in self.house.user("list")["accounts"]},
                         {"anne.martin", "logiciel-cabinet"})

    def test_a_table_is_tried_before_it_is_taken(self):
        table = self.house.dir / "arrivees.csv"
        table.write_text(TABLE + "accueil;Accueil;desk;;;;\nmia.roy;Mia Roy;boss;;;;\nanne.martin;Anne Martin;desk;;;;\n")
        told = self.house.user("import", table, "--apply", code=1)
        self.assertEqual([4, 5, 6], [issue["line"] for issue in told["issues"]])
        table.write_text(TABLE)
        told = self.house.user("import", table)
        self.assertEqual((False, ["zoe.roy", "paul.petit"], []), (told["applied"], told["accounts"], told["issues"]))
        self.house.user("show", "zoe.roy", code=1)
        self.assertTrue(self.house.user("import", table, "--apply")["applied"])
        self.assertEqual("zoe.roy", self.house.user("show", "paul.petit")["sponsor"])
        self.assertEqual(["added"], self.house.changes_of("zoe.roy"))
        self.assertEqual(1, len(self.house.user("import", table, "--apply", code=1)["issues"][:1]))

    def test_a_second_factor_is_asked_for_from_then_on(self):
        password = self.house.add_person("carl.otp", "Carl Otp")
        self.token("carl.otp", password)
        told = self.house.user("otp", "carl.otp")
        secret = secret_of(told["otpauth"])
        self.assertEqual(403, Browser(self.house).sign_in("carl.otp", password))
        self.assertEqual(403, Browser(self.house).sign_in("carl.otp", password, "000000"))
        code = otp(secret)
        self.token("carl.otp", password, code)
        self.assertEqual(403, Browser(self.house).sign_in("carl.otp", password, code), "a code serves once")
        recovery = told["recovery_codes"][0]
        self.token("carl.otp", password, recovery.upper())
        self.assertEqual(403, Browser(self.house).sign_in("carl.otp", password, recovery), "and so does a recovery code")
        self.assertEqual(9, self.house.user("show", "carl.otp")["recovery_codes"])
        fresh = self.house.user("recovery", "carl.otp")["recovery_codes"]
        self.assertEqual(10, len(set(fresh)))
        self.assertEqual(403, Browser(self.house).sign_in("carl.otp", password, told["recovery_codes"][1]))
        self.token("carl.otp", password, fresh[0])
        self.house.user("otp", "carl.otp", "--remove")
        self.token("carl.otp", password)
        self.assertEqual(["added", "second factor", "recovery codes", "second factor removed"],
                         self.house.changes_of("carl.otp"))

    def test_what_ends_ends_at_the_next_question(self):
        password = self.house.add_person("dina.fin", "Dina Fin")
        for verb, undo in (("disable", "enable"), ("close", "renew"), ("sign-out", None), ("password", None)):
            token = self.token("dina.fin", password)
            self.assertEqual(200, self.house.reads(token))
            told = self.house.user(verb, "dina.fin")
            self.assertEqual(401, self.house.reads(token), verb)
            if verb in ("disable", "close"):
                self.assertEqual(403, Browser(self.house).sign_in("dina.fin", password))
            if undo:
                self.house.user(undo, "dina.fin")
                self.assertEqual(401, self.house.reads(token), "it does not come back")
            password = told.get("password", password)
        self.assertEqual(["added", "disabled", "enabled", "closed", "renewed", "signed out", "password"],
                         self.house.changes_of("dina.fin"))

    def test_one_session_is_cut_and_the_others_stay(self):
        password = self.house.add_person("ines.coupe", "Ines Coupe")
        lost, kept = self.token("ines.coupe", password), self.token("ines.coupe", password)
        told = self.house.run("ledger", "query", self.house.state / "ledger", "--actor", "ines.coupe", "--as", "test")
        events = [e.get("event", e) for e in map(json.loads, told if isinstance(told, list) else [json.dumps(told)])]
        session = [e["detail"]["session"] for e in events if "session" in e.get("detail", {})][0]
        self.house.user("sign-out", "anne.martin", "--session", session, code=1)
        self.assertEqual((200, 200), (self.house.reads(lost), self.house.reads(kept)), "it is another's")
        self.house.user("sign-out", "ines.coupe", "--session", session, "--why", "téléphone perdu")
        self.assertEqual((401, 200), (self.house.reads(lost), self.house.reads(kept)))
        self.assertEqual(["added", "session ended"], self.house.changes_of("ines.coupe"))

    def test_a_frozen_account_is_out_at_once_and_its_person_is_told(self):
        password = self.house.add_person("hugo.gel", "Hugo Gel")
        token = self.token("hugo.gel", password)
        self.assertEqual(200, self.house.reads(token))
        self.house.user("freeze", "hugo.gel", "--why", "court", code=1)
        told = self.house.user("freeze", "hugo.gel", "--why", "mot de passe saisi sur une fausse page")
        self.assertFalse(told["open"])
        self.assertIn("fausse page", told["frozen_why"])
        self.assertEqual(401, self.house.reads(token), "at once")
        page = self.page_of("hugo.gel", password)
        self.assertIn("Ce compte est gelé", page)
        self.assertIn("This account is frozen", page)
        self.assertNotIn("gelé", self.page_of("hugo.gel", "a wrong password"), "only who knows the password is told")
        self.house.user("enable", "hugo.gel")
        self.assertEqual(403, Browser(self.house).sign_in("hugo.gel", password), "another command does not lift it")
        self.assertIn("hugo.gel", self.house.user("review")["frozen"])
        self.house.user("thaw", "hugo.gel", "--why", "nouveau mot de passe, poste vérifié")
        self.assertEqual(401, self.house.reads(token), "former sessions do not come back")
        self.assertEqual(200, self.house.reads(self.token("hugo.gel", password)))
        self.assertEqual(["added", "frozen", "enabled", "thawed"], self.house.changes_of("hugo.gel"))

    def page_of(self, login, password):
        """What somebody reads whom the sign-in page refuses, in both languages."""
        browser = Browser(self.house)
        _, page, _ = browser.send("GET", "/oauth/authorize?" + urllib.parse.urlencode(browser.wish))
        form = hidden_fields(page) | {"login": login, "password": password, "code": ""}
        return browser.send("POST", "/oauth/authorize", form)[1]

    def test_the_list_and_the_review_say_what_to_look_at(self):
        self.house.add_person("eva.fin", "Eva Fin", "security", "--for", "20d")
        listed = {a["login"]: a for a in self.house.user("list")["accounts"]}
        self.assertTrue(listed["eva.fin"]["privileged"])
        self.assertFalse(listed["logiciel-cabinet"]["privileged"] or listed["eva.fin"]["dormant"])
        self.assertEqual({"anne.martin", "eva.fin"},
                         {a["login"] for a in self.house.user("list", "--privileged")["accounts"]})
        review = self.house.user("review")
        self.assertIn("eva.fin", review["ending"])
        self.assertLessEqual({"anne.martin", "eva.fin"}, set(review["privileged"]))
        self.assertIn("eva.fin", review["without_factor"])
        self.assertIn("anne.martin", review["orphans"])
        self.house.user("renew", "eva.fin", "--for", "300d")
        self.house.user("renew", "anne.martin", "--sponsor", "eva.fin")
        review = self.house.user("review")
        self.assertNotIn("eva.fin", review["ending"])
        self.assertNotIn("anne.martin", review["orphans"])
        self.assertEqual([], self.house.user("dormant")["accounts"], "nobody sleeps for 60 days in a minute")
        self.assertEqual([], self.house.user("dormant", "--close")["accounts"])

    def test_an_identity_belongs_to_one_person(self):
        self.house.add_person("gil.psc", "Gil Psc")
        identity = "https://psc.example 899700218896"
        self.assertEqual([identity], self.house.user("identity", "gil.psc", identity)["identities"])
        self.house.user("identity", "anne.martin", identity, code=1)
        self.assertEqual([], self.house.user("identity", "gil.psc", identity, "--remove")["identities"])


class Alone(unittest.TestCase):
    def test_accounts_need_no_service_and_a_person_sees_a_code_to_photograph(self):
        house = House()
        self.addCleanup(house.remove)
        house.start()
        house.stop()
        house.add_person("anne.martin", "Anne Martin", "operations")
        self.assertEqual(["added"], house.changes_of("anne.martin"))
        shown = subprocess.run([HYGIE, "--lang", "fr", "user", "otp", "anne.martin", "--state", str(house.state), "--as", "a"],
                               capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertIn("▀", shown)
        self.assertIn("otpauth://totp/Hygie:anne.martin?secret=", shown)
        self.assertEqual(10, sum(line.count("-") == 2 for line in shown.splitlines()))


if __name__ == "__main__":
    unittest.main()
