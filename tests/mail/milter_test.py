#!/usr/bin/env python3
"""The mail guard at the door of a real Postfix: clean mail passes unchanged but for one field, suspicious mail gets a
banner, malicious mail is held and given back byte for byte, and kill -9 in the middle loses nothing and lets nothing
through unjudged. Everything runs on loopback, in one temporary folder."""
import email
import email.policy
import json
import os
import pathlib
import pwd
import re
import signal
import smtplib
import subprocess
import threading
import time

from practice import HYGIE, WAIT_S, crlf, free_port, practice_mail, run, start, wait_for

SENDER, BOX = "ecrit@dehors.example", "anne@cabinet.example"
ENVELOPE = {"mail_from": SENDER, "rcpt_to": [BOX], "client_ip": "127.0.0.1", "helo": "x"}
STREAM = 30

MAIN_CF = """compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/maillog
maillog_file_prefixes = /
myhostname = outer.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
virtual_mailbox_domains = cabinet.example
virtual_mailbox_base = {home}/boxes
virtual_mailbox_maps = static:anne/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_recipient_restrictions = permit_mynetworks, reject
milter_default_action = tempfail
milter_connect_timeout = 5s
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
"""

# Through `watched` every message meets the guard. `queued` puts mail into the queue first and hands it to `watched`
# from there, as the mail server of a sender would; `behind` is for what a person released. The queue is looked through
# each second: a message that was still being put off when its turn came again would wait for the next look.
MASTER_CF = """127.0.0.1:{watched} inet n - n - - smtpd -o smtpd_milters=inet:127.0.0.1:{guard} -o myhostname=inner.example
127.0.0.1:{queued} inet n - n - - smtpd -o content_filter=smtp:[127.0.0.1]:{watched}
127.0.0.1:{behind} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - 4 smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    def __init__(self, home, guard_port):
        self.home, self.conf = home, home / "conf"
        self.watched, self.queued, self.behind = free_port(), free_port(), free_port()
        nobody = pwd.getpwnam("nobody")
        for name in ("conf", "queue", "data", "boxes"):
            (home / name).mkdir()
        os.chown(home / "data", pwd.getpwnam("postfix").pw_uid, -1)
        os.chown(home / "boxes", nobody.pw_uid, nobody.pw_gid)
        values = {"home": home, "uid": nobody.pw_uid, "gid": nobody.pw_gid, "watched": self.watched,
                  "queued": self.queued, "behind": self.behind, "guard": guard_port}
        (self.conf / "main.cf").write_text(MAIN_CF.format(**values))
        (self.conf / "master.cf").write_text(MASTER_CF.format(**values))

    def order(self, word):
        done = subprocess.run(["postfix", "-c", str(self.conf), word], capture_output=True, text=True, timeout=120)
        log = self.home / "maillog"
        assert done.returncode == 0, done.stderr + (log.read_text() if log.exists() else "")

    def send(self, port, message, sender=SENDER):
        with smtplib.SMTP("127.0.0.1", port, timeout=WAIT_S) as smtp:
            smtp.sendmail(sender, [BOX], message)

    def delivered(self):
        return sorted(self.home.glob("boxes/anne/new/*"))


class Guard:
    def __init__(self, state, port, *options):
        self.words = [HYGIE, "--json", "guard", "mail", "--state", str(state), "--socket", f"inet:{port}@127.0.0.1",
                      *options]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line and json.loads(line)["ready"], "the guard does not start"

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(timeout=60)
        self.process.stdout.close()


def check_clean(postfix, message):
    postfix.send(postfix.watched, message)
    (path,) = wait_for("the clean message", postfix.delivered)
    was = crlf(message)
    now = crlf(path.read_bytes())
    head, body = now.split(b"\r\n\r\n", 1)
    was_head, was_body = was.split(b"\r\n\r\n", 1)
    assert body.rstrip() == was_body.rstrip(), "a clean body was changed"
    assert was_head in head, "a clean header was changed"
    marks = re.findall(rb"(?m)^X-Hygie: (.*)\r$", head + b"\r\n")
    assert len(marks) == 1 and marks[0].startswith(b"clean; "), marks
    path.unlink()


def check_suspicious(postfix, message):
    forged = b"X-Hygie: clean; forged=1\r\nX-HYGIE: clean; forged=2\r\n" + crlf(message)
    postfix.send(postfix.watched, forged)
    (path,) = wait_for("the suspicious message", postfix.delivered)
    got = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert [mark.split(";")[0] for mark in got.get_all("X-Hygie")] == ["suspicious"], got.get_all("X-Hygie")
    assert got["Subject"].startswith("[Suspect]"), got["Subject"]
    texts = [part.get_content() for part in got.walk()
             if part.get_content_type() in ("text/plain", "text/html") and not part.is_attachment()]
    assert texts and all("Message suspect." in text and "Suspicious message." in text for text in texts), texts
    path.unlink()


def held(state):
    return [json.loads(line) for line in run("--json", "mail", "quarantine", "list", "--state", state).splitlines()]


def check_malicious(postfix, state, home, message):
    postfix.send(postfix.watched, message)
    (entry,) = held(state)
    assert entry["verdict"]["verdict"] == "malicious" and entry["rcpt_to"] == [BOX] and not entry["released"], entry
    assert not postfix.delivered(), "a malicious message came through"
    for path in pathlib.Path(state).rglob("*"):
        if path.is_file():
            assert message.splitlines()[0] not in path.read_bytes(), f"{path} is not sealed"
    back = home / "back.eml"
    run("mail", "quarantine", "release", entry["id"], "--state", state, "-o", str(back))
    assert back.read_bytes().rstrip() == crlf(message).rstrip(), "the released bytes are not those that came"
    run("mail", "quarantine", "release", entry["id"], "--state", state, "--smtp", f"127.0.0.1:{postfix.behind}")
    (path,) = wait_for("the released message", postfix.delivered)
    path.unlink()
    assert held(state)[0]["released"]
    told = pathlib.Path(state) / "quarantine" / "released" / f"{entry['id']}.hyr"
    wait_for("the guard to trace the release", told.exists)
    assert "malveillant" in run("--lang", "fr", "mail", "quarantine", "show", entry["id"], "--state", state)


def numbers_of(messages):
    return {int(number) for message in messages for number in re.findall(rb"(?m)^X-Number: (\d+)\r?$", message)}


def held_numbers(state, home):
    messages = []
    for entry in held(state)[1:]:
        run("mail", "quarantine", "release", entry["id"], "--state", state, "-o", str(home / "held.eml"))
        messages.append((home / "held.eml").read_bytes())
    return numbers_of(messages)


def check_killed(postfix, guard, state, home, clean, malicious):
    """Every third message of a stream is malicious; the guard dies in the middle of it."""
    bad = set(range(0, STREAM, 3))

    def stream():
        for number in range(STREAM):
            base = malicious if number in bad else clean
            postfix.send(postfix.queued, b"X-Number: %d\r\n" % number + crlf(base))

    sender = threading.Thread(target=stream)
    sender.start()
    wait_for("the first messages of the stream", lambda: len(postfix.delivered()) >= 3)
    guard.end(signal.SIGKILL)
    sender.join(timeout=WAIT_S)
    assert not sender.is_alive()
    before = len(postfix.delivered())
    time.sleep(2)
    assert len(postfix.delivered()) - before <= 4 and before < STREAM - len(bad), "delivered while nobody judged"
    guard.start()
    good = set(range(STREAM)) - bad
    wait_for("what waited", lambda: numbers_of(p.read_bytes() for p in postfix.delivered()) == good)
    # One may be held twice: the guard died after it had sealed it and before it could say so.
    wait_for("what had to be held", lambda: held_numbers(state, home) >= bad)
    assert held_numbers(state, home) == bad, "an honest letter is held"
    for path in postfix.delivered():
        assert b"\nX-Hygie: clean; " in path.read_bytes(), "delivered unjudged"


def main(home):
    home.chmod(0o755)
    state = home / "state"
    state.mkdir(mode=0o700)
    run("key", "create", str(state / "root.hyk"), "--seal", "key-file", "--key-file", str(state / "opener"))
    mail, memory = practice_mail(home, ENVELOPE)
    port = free_port()
    postfix = Postfix(home, port)
    guard = Guard(state, port, "--history", str(memory))
    postfix.order("start")
    try:
        check_clean(postfix, mail["clean"])
        check_suspicious(postfix, mail["suspicious"])
        check_malicious(postfix, str(state), home, mail["malicious"])
        check_killed(postfix, guard, str(state), home, mail["clean"], mail["malicious"])
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
