#!/usr/bin/env python3
"""The mail guard's acts reach the ledger of a real core: whatever is killed, each message that a real Postfix delivered or
the guard holds has its entry, and the ledger verifies. Everything runs on loopback, in one temporary folder."""
import json
import re
import signal
import subprocess
import threading

from milter_test import ENVELOPE, Guard, Postfix, held
from practice import HYGIE, crlf, free_port, practice_mail, run, start, wait_for

STREAM = 16


class Core:
    def __init__(self, ledger, socket):
        self.words = [HYGIE, "--json", "ledger", "serve", str(ledger), "--listen", "127.0.0.1:0", "--link", str(socket)]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline(), "the core does not start"

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(timeout=60)
        self.process.stdout.close()


def entries(ledger):
    run("ledger", "verify", str(ledger))
    lines = run("--json", "ledger", "tail", str(ledger), "-n", "100000").splitlines()
    events = [json.loads(line).get("event", {}) for line in lines]
    return [event for event in events if event.get("source") == "mail"]


def objects(ledger, kind):
    return [event["object"] for event in entries(ledger) if event["type"] == kind]


def stream(postfix, clean, malicious):
    """Every fourth message is malicious. Some meet a guard that is dead: the mail server keeps those."""
    for number in range(STREAM):
        base = malicious if number % 4 == 0 else clean
        postfix.send(postfix.queued, b"X-Number: %d\r\n" % number + crlf(base))


def main(home):
    home.chmod(0o755)
    state, ledger, link = home / "state", home / "ledger", home / "link.sock"
    state.mkdir(mode=0o700)
    run("key", "create", str(state / "root.hyk"), "--seal", "key-file", "--key-file", str(state / "opener"))
    run("ledger", "init", str(ledger), "--origin", "hygie.example/mail", "--seal", "key-file", "--key-file",
        str(home / "ledger-opener"))
    mail, memory = practice_mail(home, ENVELOPE)
    port = free_port()
    postfix = Postfix(home, port)
    core = Core(ledger, link)
    guard = Guard(state, port, "--history", str(memory), "--core", str(link))
    postfix.order("start")
    try:
        sender = threading.Thread(target=stream, args=(postfix, mail["clean"], mail["malicious"]))
        sender.start()
        wait_for("the first messages", lambda: len(postfix.delivered()) >= 2)
        core.end(signal.SIGKILL)
        wait_for("messages without a core", lambda: len(postfix.delivered()) >= 5)
        guard.end(signal.SIGKILL)
        guard.start()
        sender.join(timeout=90)
        core.start()
        bad = len(range(0, STREAM, 4))
        wait_for("all that is clean", lambda: len(postfix.delivered()) == STREAM - bad)
        wait_for("all that is bad", lambda: len(held(str(state))) >= bad)
        marks = {"mail/" + re.search(rb"(?m)^X-Hygie: clean;(?:.|\n[ \t])*? id=([0-9a-f-]+)", path.read_bytes())[1].decode()
                 for path in postfix.delivered()}
        kept = {"mail/" + entry["id"] for entry in held(str(state))}
        wait_for("their traces", lambda: marks <= set(objects(ledger, "mail.judge")))
        wait_for("the traces of what is held", lambda: kept <= set(objects(ledger, "mail.hold")))
        run("mail", "quarantine", "release", min(kept)[5:], "--state", str(state), "-o", str(home / "back.eml"))
        wait_for("the trace of the release", lambda: objects(ledger, "mail.release") == [min(kept)])
        ids = [event["id"] for event in entries(ledger)]
        assert len(ids) == len(set(ids)), "an event arrived twice"
        text = b"".join(path.read_bytes() for path in ledger.rglob("*") if path.is_file())
        assert b"money." not in text and b"dehors.example" not in text, "the ledger is not sealed"
    except BaseException:
        print((home / "maillog").read_text()[-3000:])
        raise
    finally:
        postfix.order("stop")
        guard.end(signal.SIGTERM)
        core.end(signal.SIGTERM)
    assert guard.process.returncode == 0 and core.process.returncode == 0
    print("ok")


if __name__ == "__main__":
    start(main, "postfix")
