"""What the tests of the mail guard share: one command, one free port, one wait, one practice with its mail."""
import json
import os
import pathlib
import re
import socket
import subprocess
import time

HYGIE = os.environ.get("HYGIE", "build/release/hygie")
WAIT_S = 60


def run(*words):
    done = subprocess.run([HYGIE, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"hygie {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        return holder.getsockname()[1]


def wait_for(what, condition):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if (found := condition()):
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {WAIT_S} s: {what}")


def practice_mail(home):
    """One message of each verdict, as the guard will see it, and the memory it is judged with."""
    run("mail", "sample", "800", "--seed", "11", "--out", str(home / "sample"))
    (home / "bare").mkdir()
    for path in (home / "sample").glob("*.eml"):
        # Nobody vouches for these: no results of other servers, no envelope.
        bare = re.sub(rb"(?mi)^(return-path|authentication-results):.*\n([ \t].*\n)*", b"", path.read_bytes())
        (home / "bare" / path.name).write_bytes(bare)
    memory = home / "sample" / "history.json"
    chosen = {}
    for line in run("--json", "mail", "judge", str(home / "bare"), "--history", str(memory)).splitlines():
        found = json.loads(line)
        message = pathlib.Path(found["file"]).read_bytes()
        if found["verdict"] == "suspicious" and b"\ncontent-type: text/" not in message.lower():
            continue
        chosen.setdefault(found["verdict"], re.sub(rb"\r?\n", b"\r\n", message))
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
