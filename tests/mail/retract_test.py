#!/usr/bin/env python3
"""A message taken back after it was delivered, from real mailboxes at a real Dovecot: it and the others of its campaign leave
every folder they reached, honest mail stays, one command puts all back, and a mailbox that cannot be reached does not
stop the others. Everything runs on loopback, in one temporary folder."""
import json
import subprocess

from dovecot import Dovecot
from practice import HYGIE, free_port, run, start, write_mailboxes

LINK = "https://remboursement-soins.example/dossier/1"
HELD, RELEASED = "$HygieHeld", "$HygieReleased"


def letter(number, sender, subject, text):
    return (f"From: Service <{sender}>\r\nTo: anne@cabinet.example\r\nSubject: {subject}\r\n"
            f"Message-ID: <m{number}@{sender.split('@')[1]}>\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n").encode()


FIRST = letter(1, "a@voleur.example", "Votre remboursement", f"Cliquez : {LINK}")
OTHER_SENDER = letter(2, "b@ailleurs.example", "Un autre objet", "Voyez https://remboursement-soins.example/autre")
SAME_SUBJECT = letter(3, "a@voleur.example", "Votre remboursement", "Avez-vous vu mon message ?")
HONEST = letter(4, "labo@laboratoire.example", "Résultats", "Voyez https://www.ameli.fr/assure")
SAME_SENDER_ONLY = letter(5, "a@voleur.example", "Tout autre chose", "Bonjour.")


def retract(home, *words, code=0):
    done = subprocess.run([HYGIE, "--json", "mail", "retract", "--state", str(home / "state"), "--mailboxes",
                           str(home / "mailboxes.json"), *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{words}: {done.returncode} {done.stdout}{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def everything(server):
    return {(user, folder): sorted(message[2] for message in server.messages(user, folder))
            for user in ("anne", "paul") for folder in ("INBOX", "Archives")}


def check_found(home, server):
    before = everything(server)
    *found, total = retract(home, "<m1@voleur.example>", "--dry-run")
    assert total == {"found": 5, "moved": 0}, total
    kinds = sorted((one["mailbox"], one["folder"], one["kin"]) for one in found)
    assert kinds == [("anne", "INBOX", "message_id"), ("anne", "INBOX", "sender"), ("paul", "Archives", "message_id"),
                     ("paul", "INBOX", "link"), ("paul", "INBOX", "message_id")], kinds
    assert len(retract(home, "m1@voleur.example", "--dry-run", "--exact")) == 4
    assert everything(server) == before, "a dry run moved something"


def check_retracted(home, server):
    """By a file, as a person reported it."""
    before = everything(server)
    report = home / "report.eml"
    report.write_bytes(FIRST)
    total = retract(home, "--report", str(report))[-1]
    assert (total["found"], total["moved"]) == (5, 5), total
    assert everything(server) == {("anne", "INBOX"): sorted([HONEST, SAME_SENDER_ONLY]), ("anne", "Archives"): [],
                                  ("paul", "INBOX"): [HONEST], ("paul", "Archives"): []}
    for user, kept in (("anne", 2), ("paul", 3)):
        held = server.messages(user, "Hygie")
        assert len(held) == kept and all(HELD in flags for _, flags, _ in held), held
    assert len(retract(home, "--report", str(report))) == 1, "what was moved is found again"
    assert retract(home, "--undo", total["retraction"]) == [{"moved_back": 5}]
    assert everything(server) == before, "not all came back"
    assert any(RELEASED in flags and HELD not in flags for _, flags, _ in server.messages("paul", "Archives"))
    assert retract(home, "--undo", total["retraction"]) == [{"moved_back": 0}]


def check_one_mailbox_away(home):
    path = home / "mailboxes.json"
    listed = json.loads(path.read_text())
    listed["mailboxes"][0]["server"] = f"imaps://localhost:{free_port()}"
    path.write_text(json.dumps(listed))
    *found, total = retract(home, "m1@voleur.example", code=3)
    assert {one["mailbox"] for one in found} == {"paul"} and total["moved"] == 3, (found, total)
    retract(home, "no-such@message.example", code=1)
    retract(home, "--undo", "00000000-0000-0000-0000-000000000000", code=1)


def check_sealed(state):
    for path in state.rglob("*"):
        if path.is_file():
            found = path.read_bytes()
            assert b"voleur" not in found and b"Archives" not in found, f"{path} is not sealed"


def main(home):
    home.chmod(0o755)
    state = home / "state"
    state.mkdir(mode=0o700)
    run("key", "create", str(state / "root.hyk"), "--seal", "key-file", "--key-file", str(state / "opener"))
    server = Dovecot(home / "dovecot", ["anne", "paul"])
    server.start(free_port())
    write_mailboxes(home, server, ["anne", "paul"], "Hygie")
    try:
        client = server.open("paul")
        client.create("Archives")
        client.logout()
        for user, folder, message in (("anne", "INBOX", FIRST), ("anne", "INBOX", SAME_SUBJECT),
                                      ("anne", "INBOX", HONEST), ("anne", "INBOX", SAME_SENDER_ONLY),
                                      ("paul", "INBOX", FIRST), ("paul", "Archives", FIRST),
                                      ("paul", "INBOX", OTHER_SENDER), ("paul", "INBOX", HONEST)):
            server.put(user, message, folder)
        check_found(home, server)
        check_retracted(home, server)
        check_one_mailbox_away(home)
        check_sealed(state)
    except BaseException:
        print(server.log())
        raise
    finally:
        server.stop()
    print("ok")


if __name__ == "__main__":
    start(main, "dovecot")
