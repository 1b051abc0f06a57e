#!/usr/bin/env python3
"""The mail guard checks SPF, DKIM and DMARC itself, at a real Postfix, by asking a real name server (unbound) for what
dkimsign signed: good mail is proven, a changed letter and a foreign sender are not, and a name server that is away delays
nobody. Everything runs on loopback, in one temporary folder."""
import contextlib
import os
import re
import signal
import subprocess
import time

from milter_test import Guard, Postfix
from practice import crlf, free_port, run, start, wait_for

CONF = """server:
  directory: "{home}"
  chroot: ""
  username: ""
  pidfile: "{home}/unbound.pid"
  use-syslog: no
  logfile: "{home}/unbound.log"
  interface: 127.0.0.1@{port}
  do-daemonize: no
  local-zone: "example." static
  local-data: 'dehors.example. TXT "v=spf1 ip4:127.0.0.1 -all"'
  local-data: 'ailleurs.example. TXT "v=spf1 ip4:192.0.2.1 -all"'
  local-data: '_dmarc.dehors.example. TXT "v=DMARC1; p=reject; aspf=s"'
  local-data: '_dmarc.ailleurs.example. TXT "v=DMARC1; p=reject"'
  local-data: 'cle._domainkey.ailleurs.example. TXT "v=DKIM1; k=rsa; p={first}" "{second}"'
remote-control:
  control-enable: no
"""


def key_pair(home):
    key = home / "dkim.pem"
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", str(key), "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", str(key), "-pubout"], check=True, capture_output=True, text=True)
    return key, "".join(public.stdout.splitlines()[1:-1])


class Names:
    def __init__(self, home, port, public):
        self.home = home
        home.mkdir()
        conf = home / "unbound.conf"
        conf.write_text(CONF.format(home=home, port=port, first=public[:200], second=public[200:]))
        self.process = subprocess.Popen(["unbound", "-c", str(conf)])

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)


def letter(author, subject="Bonjour"):
    return crlf(f"From: Labo <{author}>\nTo: anne@cabinet.example\nSubject: {subject}\nDate: Mon, 2 Mar 2026 10:00:00 +0000\n"
                f"Message-ID: <{time.time_ns()}@x.example>\n\nVoici les résultats.\n".encode())


def signed(key, message):
    done = subprocess.run(["dkimsign", "cle", "ailleurs.example", str(key)], input=message, check=True,
                          capture_output=True)
    return crlf(done.stdout)


def found(postfix, message, sender):
    postfix.send(postfix.watched, message, sender)
    (path,) = wait_for("the letter", postfix.delivered)
    mark = re.search(rb"(?m)^X-Hygie: (.*(?:\n[ \t].*)*)", path.read_bytes())[1].decode()
    path.unlink()
    return tuple(re.search(rf"{name}=(\w+)", mark)[1] for name in ("spf", "dkim", "dmarc"))


def check(postfix, key):
    ours = "a@dehors.example"
    assert found(postfix, letter(ours), ours) == ("pass", "none", "pass")
    # DMARC asks for the author's own domain: another's SPF is not enough.
    theirs = "b@ailleurs.example"
    assert found(postfix, letter(theirs), ours) == ("pass", "none", "fail")
    assert found(postfix, letter(theirs), theirs) == ("fail", "none", "fail")
    whole = signed(key, letter(theirs))
    assert found(postfix, whole, theirs) == ("fail", "pass", "pass")
    assert found(postfix, whole.replace("résultats".encode(), b"comptes"), theirs) == ("fail", "fail", "fail")
    assert found(postfix, letter("c@inconnu.example"), "c@inconnu.example") == ("none", "none", "none")
    return whole, theirs


def check_away(postfix, names, whole, theirs):
    """Stopped but listening: a server that never answers is the worst."""
    os.kill(names.process.pid, signal.SIGSTOP)
    # A name nobody asked for yet, so that nothing is remembered.
    results = found(postfix, letter("d@jamais.vu.example"), "d@jamais.vu.example")
    os.kill(names.process.pid, signal.SIGCONT)
    assert results == ("error", "none", "error"), results
    assert found(postfix, whole, theirs)[2] == "pass"


def main(home):
    home.chmod(0o755)
    state = home / "state"
    state.mkdir(mode=0o700)
    run("key", "create", str(state / "root.hyk"), "--seal", "key-file", "--key-file", str(state / "opener"))
    key, public = key_pair(home)
    dns_port, port = free_port(), free_port()
    with contextlib.ExitStack() as ends:
        names = Names(home / "names", dns_port, public)
        ends.callback(names.stop)
        postfix = Postfix(home, port)
        guard = Guard(state, port, "--dns", f"127.0.0.1@{dns_port}")
        ends.callback(guard.end, signal.SIGTERM)
        postfix.order("start")
        ends.callback(postfix.order, "stop")
        try:
            whole, theirs = check(postfix, key)
            check_away(postfix, names, whole, theirs)
        except BaseException:
            print((home / "maillog").read_text()[-4000:])
            raise
    assert guard.process.returncode == 0, guard.process.returncode
    print("ok")


if __name__ == "__main__":
    start(main, "postfix", "unbound", "dkimsign")
