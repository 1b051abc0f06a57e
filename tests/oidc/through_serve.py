"""Signs in at a real OpenID provider through a real `hygie serve`, set by its configuration file: to the provider's page, back,
and out with a token that works; the claims of Pro Santé Connect become the person's profession. Run by oidc_test."""

import html
import json
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "signin"))

from house import Browser, House, hidden_fields, sent_back  # noqa: E402

CONFIG = """[serve]
listen = "127.0.0.1:{port}"
[sign_in]
issuer = "{issuer}"
client = "hygie"
secret = "{secret}"
auth = "psc"
button_fr = "S'identifier avec Pro Santé Connect"
button_en = "Sign in with Pro Santé Connect"
"""


def same(expected, found, what):
    if expected != found:
        raise AssertionError(f"{what}: {found!r}, not {expected!r}")


def arrive(house, browse):
    """What the program gets back when the person goes by the provider."""
    browser = Browser(house)
    status, page, headers = browser.send("GET", "/oauth/authorize?" + urllib.parse.urlencode(browser.wish))
    same(200, status, "page")
    same(True, "Sign in with Pro Santé Connect" in html.unescape(page), "button")
    same(True, sys.argv[1] in headers["Content-Security-Policy"], "the policy lets the form lead there")
    status, _, headers = browser.send("POST", "/oauth/upstream", hidden_fields(page))
    same(303, status, "to the provider")
    callback = house.url + "/oauth/callback"
    back = subprocess.run(["node", browse, headers["Location"], callback], capture_output=True, text=True, check=True,
                          timeout=60).stdout
    stranger = house.ask("GET", back)[0]
    same(403, stranger, "another browser brings the answer")
    status, page, headers = browser.send("GET", back)
    return browser, sent_back(headers) if status == 303 else (status, page)


def hospital(house, token):
    """The id of the place that the provider will name, kept in the records."""
    made = {"resourceType": "Organization", "name": "Hôpital",
            "identifier": [{"system": "https://finess.esante.gouv.fr", "value": "750000001"}]}
    request = urllib.request.Request(house.fhir + "/Organization", json.dumps(made).encode(),
                                     {"Content-Type": "application/fhir+json", "Authorization": "Bearer " + token})
    with urllib.request.urlopen(request, context=house.tls, timeout=60) as answer:
        return json.load(answer)["id"]


def main():
    issuer, port, browse = sys.argv[1:4]
    house = House("# below\n")
    try:
        secret = house.dir / "secret"
        secret.write_text("a-secret-of-the-test\n")
        house.config.write_text(CONFIG.format(issuer=issuer, port=port, secret=secret))
        same(True, house.run("config", "check", house.config)["ok"], "config check")
        house.start(listen="")
        same(f"https://127.0.0.1:{port}", house.url, "address")
        password = house.add_person("anne.martin", "Anne Martin", "care", "--profession", "60", "--person", "Practitioner/1")
        house.add_program()
        place = hospital(house, Browser(house, scope="user/*.cruds").token("anne.martin", password))
        _, answer = arrive(house, browse)
        same(403, answer[0], "an identity that no account bears")
        house.user("identity", "anne.martin", f"{issuer} 899700218896")
        browser, back = arrive(house, browse)
        status, answer = browser.redeem(back["code"])
        same(200, status, answer)
        same(200, house.reads(answer["access_token"]), "the token works")
        same("10", house.user("show", "anne.martin")["profession"], "the profession is the national directory's")
        same(f"Organization/{place}", house.user("show", "anne.martin")["organisation"], "and so is where she works today")
        traces = json.dumps(house.run("ledger", "query", house.state / "ledger", "--actor", "anne.martin", "--as", "test"))
        same(True, "psc" in traces, "the trace says how")
        house.user("freeze", "anne.martin", "--why", "mot de passe saisi sur une fausse page")
        same(401, house.reads(answer["access_token"]), "a frozen account")
        status, page = arrive(house, browse)[1]
        same((403, True, True), (status, "votre compte est gelé" in html.unescape(page), "account is frozen" in page),
             "whom the provider knows is told of the freeze")
        house.user("thaw", "anne.martin", "--why", "nouveau mot de passe")
        browser, back = arrive(house, browse)
        status, answer = browser.redeem(back["code"])
        same(200, house.reads(answer["access_token"]), "thawed, it opens again")
        house.user("disable", "anne.martin")
        same(401, house.reads(answer["access_token"]), "a closed account")
        same(403, arrive(house, browse)[1][0], "stays out by this door too")
    finally:
        house.remove()


main()
