#!/usr/bin/env python3
"""What the mail guard does by policy at the door of a real Postfix: suspicious mail is delivered harmless with its original
sealed, malicious mail is refused, people report a message or take one back by writing to the guard, each gets a digest,
the house's memory survives, and the quarantine forgets when the policy says so. Everything runs on loopback."""
import email
import email.policy
import json
import pathlib
import re
import signal
import smtplib
import time

from milter_test import BOX, ENVELOPE, Guard, Postfix
from practice import crlf, free_port, practice_mail, run, start, wait_for

DESK = "hygie@cabinet.example"


def texts_of(message):
    got = email.message_from_bytes(message, policy=email.policy.default)
    return [part.get_content() for part in got.walk()
            if part.get_content_type() in ("text/plain", "text/html") and not part.is_attachment()]


def links_of(message):
    return [text for text in texts_of(message) if re.search(r"https?://", text)]


def leads(message):
    """A reader can follow it somewhere: the address of a picture alone is cut out and leaves nothing to show."""
    return any(re.search(r"https?://", re.sub(r"<img[^>]*>", "", text)) for text in texts_of(message))


def listed(state, *words):
    return [json.loads(line) for line in
            run("--json", "mail", "quarantine", "list", "--state", state, *words).splitlines()]


def one_letter(postfix, what):
    (path,) = wait_for(what, postfix.delivered)
    message = path.read_bytes()
    path.unlink()
    return message


def check_harmless(postfix, state, message):
    postfix.send(postfix.watched, message)
    shown = one_letter(postfix, "the harmless copy")
    assert not links_of(shown) and "hxxp" in "".join(texts_of(shown)), texts_of(shown)
    assert all("Message suspect." in text for text in texts_of(shown)[:1]), texts_of(shown)
    (entry,) = listed(state, "--which", "neutralised")
    original = run("mail", "quarantine", "show", entry["id"], "--original", "--state", state).encode()
    assert re.sub(rb"\s+", b"", message) in re.sub(rb"\s+", b"", original), "the original is not whole"
    return entry["id"]


def check_refused(postfix, state, message):
    try:
        postfix.send(postfix.watched, message)
        raise AssertionError("a malicious message was taken")
    except smtplib.SMTPDataError as error:
        assert error.smtp_code == 550, error
    (entry,) = listed(state, "--which", "rejected")
    subject = email.message_from_bytes(message, policy=email.policy.default)["Subject"]
    for words, count in ((("--subject", subject.upper()[:20]), 1), (("--subject", "introuvable xyz"), 0),
                         (("--from", entry["from"]), 1), (("--to", "anne"), 2), (("--since", "1h"), 2)):
        assert len(listed(state, *words)) >= count and (count or not listed(state, *words)), (words, count)
    return entry["id"]


def report(inner):
    return (b"From: anne@cabinet.example\r\nTo: hygie@cabinet.example\r\nSubject: Fwd: bizarre\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\nContent-Type: text/plain\r\n\r\nVoyez.\r\n"
            b"--bb\r\nContent-Type: message/rfc822\r\n\r\n" + crlf(inner) + b"\r\n--bb--\r\n")


def to_desk(postfix, message, sender=BOX):
    with smtplib.SMTP("127.0.0.1", postfix.watched, timeout=60) as smtp:
        smtp.sendmail(sender, [DESK], message)


def check_report(postfix, state, message):
    to_desk(postfix, report(message))
    answer = "".join(texts_of(one_letter(postfix, "the answer to a report")))
    assert "Merci. Ce message est une attaque." in answer and "→" in answer and "Thank you." in answer, answer
    (entry,) = listed(state, "--which", "reported")
    assert entry["id"] in answer and entry["rcpt_to"] == [BOX], entry
    to_desk(postfix, b"From: anne@cabinet.example\r\nSubject: Fwd: bizarre\r\n\r\nVoyez.\r\n")
    half = "".join(texts_of(one_letter(postfix, "the answer to words without a sender")))
    assert "en pièce jointe" in half and "as an attachment" in half and "rien de suspect" not in half, half
    wait_for("the lesson", (pathlib.Path(state) / "learned.hyl").exists)


def ask(number, person=BOX):
    return f"From: {person}\r\nTo: {DESK}\r\nSubject: {number}\r\n\r\nsvp\r\n".encode()


def check_taken_back(postfix, state, harmless, refused, message):
    to_desk(postfix, ask(harmless, "paul@cabinet.example"), "paul@cabinet.example")
    assert "Aucun message" in texts_of(one_letter(postfix, "the answer to a stranger"))[0]
    to_desk(postfix, ask(refused))
    assert "est une attaque" in texts_of(one_letter(postfix, "the answer about an attack"))[0]
    learned = pathlib.Path(state) / "learned.hyl"
    before = learned.read_bytes()
    to_desk(postfix, ask(harmless))
    back = one_letter(postfix, "the original, taken back")
    assert crlf(message).split(b"\r\n\r\n", 1)[1].strip() == crlf(back).split(b"\r\n\r\n", 1)[1].strip()
    (entry,) = listed(state, "--which", "released")
    assert entry["id"] == harmless, entry
    told = pathlib.Path(state) / "quarantine" / "released" / f"{harmless}.hyr"
    wait_for("the guard to trace the release", told.exists)
    assert learned.read_bytes() != before, "the release taught nothing"


def check_digest(postfix, state, refused):
    # The day is that of Paris: near midnight it is tomorrow's already.
    for hours in (0, 2):
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 3600 * hours))
        words = ["--json", "mail", "digest", "--state", state, "--day", day, "--domain", "cabinet.example",
                 "--report-address", DESK, "--from", DESK]
        if shown := [json.loads(line) for line in run(*words).splitlines()]:
            break
    assert shown == [{"person": BOX, "count": 1, "sent": False}], shown
    assert not postfix.delivered()
    run(*words, "--send", "--smtp", f"127.0.0.1:{postfix.behind}")
    letter = texts_of(one_letter(postfix, "the digest"))[0]
    assert refused in letter and "Courrier retenu" in letter and "Mail held" in letter, letter
    assert "mailto:" not in letter, "the digest offers what the desk refuses"
    assert f"mailto:{DESK}?subject={refused}" in run(*[word for word in words if word != "--json"], "--user-release", "all")


def check_memory(postfix, guard, state, message):
    postfix.send(postfix.watched, message)
    one_letter(postfix, "a clean message")
    guard.end(signal.SIGTERM)
    guard.start()
    known = json.loads(run("--json", "mail", "memory", "--state", state))
    assert [one["address"] for one in known["known_correspondents"]] == [BOX], known
    assert len(known["sent_or_received_message_ids"]) == 1, known
    for path in pathlib.Path(state).rglob("*.hym"):
        assert b"cabinet.example" not in path.read_bytes(), f"{path} is not sealed"


def check_forgotten(guard, state):
    assert listed(state)
    guard.end(signal.SIGTERM)
    guard.words += ["--keep", "1s"]
    guard.start()
    wait_for("the quarantine to forget", lambda: not listed(state))


def main(home):
    home.chmod(0o755)
    state = home / "state"
    state.mkdir(mode=0o700)
    run("key", "create", str(state / "root.hyk"), "--seal", "key-file", "--key-file", str(state / "opener"))
    mail, memory = practice_mail(home, ENVELOPE, leads)
    port = free_port()
    postfix = Postfix(home, port)
    guard = Guard(state, port, "--history", str(memory), "--suspicious", "neutralise", "--malicious", "reject",
                  "--report-address", DESK, "--smtp", f"127.0.0.1:{postfix.behind}", "--inside", "127.0.0.1")
    postfix.order("start")
    try:
        harmless = check_harmless(postfix, str(state), mail["suspicious"])
        refused = check_refused(postfix, str(state), mail["malicious"])
        check_report(postfix, str(state), mail["malicious"])
        check_taken_back(postfix, str(state), harmless, refused, mail["suspicious"])
        check_digest(postfix, str(state), refused)
        check_memory(postfix, guard, str(state), mail["clean"])
        check_forgotten(guard, str(state))
    except BaseException:
        print((home / "maillog").read_text()[-4000:])
        raise
    finally:
        postfix.order("stop")
        guard.end(signal.SIGTERM)
    assert guard.process.returncode == 0, guard.process.returncode
    print("ok")


if __name__ == "__main__":
    start(main, "postfix")
