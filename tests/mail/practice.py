"""What the tests of the mail guard share: one command, one wait, one practice with its mail."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from ports import free_port  # noqa: E402,F401  all of this folder take it from here

HYGIE = os.environ.get("HYGIE", "build/release/hygie")
WAIT_S = 90


def run(*words, code=0):
    done = subprocess.run([HYGIE, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == code, f"hygie {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def wait_for(what, condition):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if (found := condition()):
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {WAIT_S} s: {what}")


def start(main, *programs):
    """Runs a test in a folder of its own; skips it where a real peer cannot be started."""
    if not pathlib.Path(HYGIE).exists():
        print(f"skipped: {HYGIE} is not built")
        sys.exit(77)
    missing = [one for one in programs if not shutil.which(one)]
    if missing or (programs and os.geteuid() != 0):
        print(f"skipped: real peers are started by root; missing here: {' '.join(missing) or 'root'}")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        main(pathlib.Path(name))


def crlf(message):
    return re.sub(rb"\r?\n", b"\r\n", message)


def has_text(message):
    """Signed mail gets no banner: the samples that show one are those with a text."""
    return b"\ncontent-type: text/" in message.lower()


def practice_mail(home, envelope=None, shows=has_text):
    """One message of each verdict, as the guard will see it, and the memory it is judged with. Without an envelope nobody
    vouches for the mail; the suspicious one is one that `shows` what the test looks for."""
    run("mail", "sample", "800", "--seed", "11", "--out", str(home / "sample"))
    (home / "bare").mkdir()
    gone = rb"return-path" if envelope else rb"return-path|authentication-results"
    for path in (home / "sample").glob("*.eml"):
        bare = re.sub(rb"(?mi)^(" + gone + rb"):.*\n([ \t].*\n)*", b"", path.read_bytes())
        (home / "bare" / path.name).write_bytes(bare)
    memory = home / "sample" / "history.json"
    words = ["--history", str(memory)]
    if envelope:
        (home / "envelope").write_text(json.dumps(envelope))
        words += ["--envelope", str(home / "envelope")]
    chosen = {}
    for line in run("--json", "mail", "judge", str(home / "bare"), *words).splitlines():
        found = json.loads(line)
        message = pathlib.Path(found["file"]).read_bytes()
        if found["verdict"] != "suspicious" or shows(message):
            chosen.setdefault(found["verdict"], crlf(message))
    assert set(chosen) == {"clean", "suspicious", "malicious"}, set(chosen)
    return chosen, memory


def write_mailboxes(home, server, users, hold_folder="Hygie écarté"):
    secret = home / "secret"
    secret.write_text(server.password + "\n")
    secret.chmod(0o600)
    boxes = [{"name": user, "server": f"imaps://localhost:{server.port}", "user": user, "password_file": str(secret),
              "ca_file": server.certificate, "hold_folder": hold_folder,
              "suspicious": "banner" if user == "paul" else "tag"} for user in users]
    for box in boxes:
        if box["user"] == "desk":
            box["role"] = "report"
    path = home / "mailboxes.json"
    path.write_text(json.dumps({"mailboxes": boxes}))
    return path
