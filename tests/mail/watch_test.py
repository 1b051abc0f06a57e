#!/usr/bin/env python3
"""Hosted mailboxes watched over IMAP at a real Dovecot: clean mail is left where it is, suspicious mail is marked or gets
a banner, malicious mail moves to a folder apart and comes back for good when a person takes it back; the guard goes on
after its death and after the server's. Everything runs on loopback, in one temporary folder."""
import collections
import email
import email.policy
import json
import queue
import re
import shutil
import signal
import socketserver
import subprocess
import threading
import time

from dovecot import Dovecot
from practice import HYGIE, WAIT_S, free_port, practice_mail, run, start, wait_for, write_mailboxes

CHECKED, SUSPICIOUS, HELD, RELEASED = "$HygieChecked", "$HygieSuspicious", "$HygieHeld", "$HygieReleased"


class Watch:
    def __init__(self, state, mailboxes, memory, *options):
        self.words = [HYGIE, "--json", "mail", "watch", "--state", str(state), "--mailboxes", str(mailboxes),
                      "--history", str(memory), *options]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, text=True)
        self.lines = collections.defaultdict(queue.Queue)
        threading.Thread(target=self.read, args=(self.process.stdout,), daemon=True).start()

    def read(self, out):
        for line in out:
            act = json.loads(line)
            self.lines[act["mailbox"]].put(act)

    def next(self, act, mailbox):
        """The next act of that kind at that mailbox."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            try:
                line = self.lines[mailbox].get(timeout=1)
            except queue.Empty:
                assert self.process.poll() is None, "the watch ended"
                continue
            if line["act"] == act:
                return line
        raise AssertionError(f"not within {WAIT_S} s: {act} at {mailbox}")

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(timeout=60)


def held_at(server, user):
    return server.messages(user, "Hygie &AOk-cart&AOk-")


def check_verdicts(server, watch, mail):
    server.put("anne", mail["clean"])
    watch.next("clean", "anne")
    server.put("anne", mail["suspicious"])
    watch.next("tagged", "anne")
    server.put("anne", mail["malicious"])
    watch.next("held", "anne")
    clean, suspicious = server.messages("anne")
    assert CHECKED in clean[1] and "\\Seen" not in clean[1] and clean[2] == mail["clean"], clean[1]
    assert {SUSPICIOUS, "\\Flagged"} <= set(suspicious[1]) and suspicious[2] == mail["suspicious"], suspicious[1]
    (held,) = held_at(server, "anne")
    assert HELD in held[1] and held[2] == mail["malicious"], held[1]


def check_banner(server, watch, mail):
    server.put("paul", mail["suspicious"])
    watch.next("bannered", "paul")
    (shown,) = server.messages("paul")
    got = email.message_from_bytes(shown[2], policy=email.policy.default)
    texts = [part.get_content() for part in got.walk()
             if part.get_content_type() in ("text/plain", "text/html") and not part.is_attachment()]
    assert texts and all("Message suspect." in text and "Suspicious message." in text for text in texts), texts
    (original,) = held_at(server, "paul")
    assert original[2] == mail["suspicious"], "the original is not whole"


def check_taken_back(server, watch, mail, state):
    """To put a held message back is to release it: nobody touches it again, and the guard learns."""
    assert not (state / "learned.hyl").exists()
    (held,) = held_at(server, "anne")
    server.move("anne", held[0], "Hygie &AOk-cart&AOk-", "INBOX")
    watch.next("released", "anne")
    back = server.messages("anne")[-1]
    assert RELEASED in back[1] and HELD not in back[1] and back[2] == mail["malicious"], back[1]
    assert (state / "learned.hyl").exists(), "the release taught nothing"


def check_killed(server, watch, mail):
    """What comes while the guard is dead is judged when it is back, and nothing twice."""
    watch.end(signal.SIGKILL)
    before = len(server.messages("anne"))
    for name in ("clean", "malicious", "clean"):
        server.put("anne", mail[name])
    watch.start()
    watch.next("held", "anne")
    wait_for("the last one", lambda: CHECKED in server.messages("anne")[-1][1])
    assert len(server.messages("anne")) == before + 2
    assert len(held_at(server, "anne")) == 1


def check_server_lost(server, watch, mail):
    server.stop()
    lost = watch.next("lost", "anne")
    assert lost["error"]["fr"] and lost["error"]["en"], lost
    server.start(server.port)
    watch.next("watching", "anne")
    server.put("anne", mail["malicious"])
    watch.next("held", "anne")


class Post:
    """A mail server that takes one letter after the other, and remembers them."""

    def __init__(self):
        self.letters = queue.Queue()
        self.server = socketserver.TCPServer(("127.0.0.1", 0), self.handler())
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handler(self):
        letters = self.letters

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b"220 post\r\n")
                for line in self.rfile:
                    word = line.strip().upper()
                    if word.startswith(b"DATA"):
                        self.wfile.write(b"354 go on\r\n")
                        letters.put(b"".join(iter(self.rfile.readline, b".\r\n")))
                    self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                    if word == b"QUIT":
                        return
        return Handler


def check_desk(server, watch, post, memory, mail):
    """A letter of one of ours, proven by our own server, is a report; anybody else's is not."""
    own = json.loads(memory.read_text())["organisations"][0]["own_domains"][0]
    for proof, act in ((b"dmarc=fail", None), (b"dmarc=pass", "reported")):
        server.put("desk", b"Authentication-Results: mx.cabinet.example; " + proof + b"\r\nFrom: anne@" + own.encode()
                   + b"\r\nSubject: Fwd: bizarre\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"
                   + mail["malicious"])
        if act:
            watch.next(act, "desk")
            answer = email.message_from_bytes(post.letters.get(timeout=WAIT_S), policy=email.policy.default)
            assert "est une attaque" in answer.get_content() and f"anne@{own}" in answer["To"], answer
        else:
            wait_for("the forged report", lambda: watch.lines["desk"].qsize() >= 1)
            assert watch.lines["desk"].get()["act"] != "reported" and post.letters.empty()


def check_wrong_password(home, state, server, memory):
    """A server that does not let us in is said clearly, and no secret with it."""
    path = write_mailboxes(home, server, ["anne"])
    (home / "secret").write_text("faux secret\n")
    other = home / "other"
    other.mkdir(mode=0o700)
    shutil.copy(state / "root.hyk", other)
    watch = Watch(other, path, memory)
    try:
        lost = watch.next("lost", "anne")
        assert "refuse" in lost["error"]["fr"] and "faux secret" not in json.dumps(lost), lost
    finally:
        watch.end(signal.SIGTERM)
    assert watch.process.returncode == 0


def check_sealed(state, mail):
    subject = re.search(rb"(?mi)^from: .*<([^>]+)>", mail["malicious"])[1]
    for path in state.rglob("*"):
        if path.is_file():
            found = path.read_bytes()
            assert b"anne" not in found and b"localhost" not in found and subject not in found, f"{path} is not sealed"


def main(home):
    home.chmod(0o755)
    state = home / "state"
    state.mkdir(mode=0o700)
    run("key", "create", str(state / "root.hyk"), "--seal", "key-file", "--key-file", str(state / "opener"))
    mail, memory = practice_mail(home)
    users = ["anne", "paul", "desk"]
    post = Post()
    server = Dovecot(home / "dovecot", users)
    server.start(free_port())
    watch = Watch(state, write_mailboxes(home, server, users), memory, "--trust-results", "mx.cabinet.example",
                  "--report-address", "desk@cabinet.example", "--smtp", f"127.0.0.1:{post.port}")
    try:
        for user in users:
            watch.next("watching", user)
        check_verdicts(server, watch, mail)
        check_banner(server, watch, mail)
        check_taken_back(server, watch, mail, state)
        check_desk(server, watch, post, memory, mail)
        check_killed(server, watch, mail)
        check_server_lost(server, watch, mail)
        watch.end(signal.SIGTERM)
        assert watch.process.returncode == 0, watch.process.returncode
        check_sealed(state, mail)
        check_wrong_password(home, state, server, memory)
    except BaseException:
        print(server.log())
        raise
    finally:
        if watch.process.poll() is None:
            watch.end(signal.SIGKILL)
        server.stop()
    print("ok")


if __name__ == "__main__":
    start(main, "dovecot")
