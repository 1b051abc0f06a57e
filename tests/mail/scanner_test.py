#!/usr/bin/env python3
"""Files that a list knows: YARA rules of the house, inside archives too, and a real clamd with a signature of our own. A rule
that is none stops the start; a scanner that is away or silent stops nothing. Nothing here harms: the marks are words."""
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from email.message import EmailMessage

from practice import HYGIE, run, start, wait_for

WORD = b"marque-interdite-42"
RULES = 'rule MarqueMaison { strings: $a = "marque-interdite-42" condition: $a }\n'
CLAMD = """Foreground yes
LocalSocket {home}/clamd.sock
LogFile {home}/clamd.log
DatabaseDirectory {home}/signatures
TemporaryDirectory {home}
"""


def zipped(content):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("notes/suite.bin", content)
    return inner.getvalue()


def letter(path, content, name):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Labo <a@labo.example>", "anne@cabinet.example", "Résultats"
    message.set_content("Bonjour,\nvoici le fichier.\n")
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    path.write_bytes(message.as_bytes())
    return str(path)


def judged(path, *options):
    return json.loads(run("--json", "mail", "judge", path, *options))


def check_rules(home):
    rules = home / "rules"
    rules.mkdir()
    (rules / "maison.yar").write_text(RULES)
    bad = letter(home / "bad.eml", zipped(b"avant " + WORD), "dossier.zip")
    good = letter(home / "good.eml", zipped(b"avant"), "dossier.zip")
    assert judged(bad)["verdict"] == "clean", "the letter must be clean without the rule"
    found = judged(bad, "--rules", str(rules))
    assert (found["verdict"], found["class"]) == ("malicious", "malware"), found
    first = found["reasons"][0]
    assert first["id"] == "files.rule" and "MarqueMaison" in first["fr"] and "MarqueMaison" in first["en"], first
    assert first["evidence"].startswith("dossier.zip"), first
    assert judged(good, "--rules", str(rules)) == judged(good)
    (rules / "cassee.yar").write_text("rule X { condition: ")
    done = subprocess.run([HYGIE, "mail", "judge", good, "--rules", str(rules)], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode != 0 and "YARA" in done.stderr, done
    return bad


class Clamd:
    def __init__(self, home, content):
        signatures = home / "signatures"
        signatures.mkdir()
        (signatures / "maison.hdb").write_text(f"{hashlib.md5(content).hexdigest()}:{len(content)}:Maison.Essai\n")
        conf = home / "clamd.conf"
        conf.write_text(CLAMD.format(home=home))
        self.socket = home / "clamd.sock"
        self.process = subprocess.Popen(["clamd", "-c", str(conf)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for("clamd", lambda: self.socket.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, (home / "clamd.log").read_text()

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def check_clamd(home):
    content = b"ceci n'est pas un virus, " + WORD
    bad = letter(home / "known.eml", content, "suite.bin")
    good = letter(home / "unknown.eml", content + b".", "suite.bin")
    clamd = Clamd(home, content)
    try:
        words = ("--clamd", str(clamd.socket))
        found = judged(bad, *words)
        assert (found["verdict"], found["reasons"][0]["id"]) == ("malicious", "files.scanner"), found
        assert "Maison.Essai" in found["reasons"][0]["fr"], found
        assert judged(good, *words)["verdict"] == "clean"
        os.kill(clamd.process.pid, signal.SIGSTOP)
        start = time.monotonic()
        assert judged(bad, *words)["verdict"] == "clean", "nobody said anything"
        assert time.monotonic() - start < 30
    finally:
        clamd.stop()
    assert judged(bad, *words)["verdict"] == "clean"


def main(home):
    check_rules(home)
    if not shutil.which("clamd"):
        print("the package clamav-daemon is needed for the other half")
        sys.exit(77)
    check_clamd(home)
    print("ok")


if __name__ == "__main__":
    start(main)
