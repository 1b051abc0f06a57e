"""A real Dovecot on loopback, in one temporary folder: TLS with a certificate of its own, as many mailboxes as asked."""
import imaplib
import os
import pathlib
import pwd
import signal
import ssl
import subprocess
import time

CONF = """
base_dir = {home}/run
state_dir = {home}/run
log_path = {home}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
disable_plaintext_auth = yes
mail_location = maildir:{home}/boxes/%n
first_valid_uid = 1
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
mail_plugins =
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
passdb {{
  driver = passwd-file
  args = {home}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}/boxes/%n
}}
"""


class Dovecot:
    def __init__(self, home, users, password="mot de passe"):
        self.home, self.password = pathlib.Path(home), password
        self.home.mkdir()
        self.home.chmod(0o755)
        nobody = pwd.getpwnam("nobody")
        (self.home / "boxes").mkdir()
        os.chown(self.home / "boxes", nobody.pw_uid, nobody.pw_gid)
        (self.home / "users").write_text("".join(f"{user}:{{PLAIN}}{password}::::::\n" for user in users))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", str(self.home / "key.pem"), "-out", str(self.home / "cert.pem"), "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        self.process = None

    @property
    def certificate(self):
        return str(self.home / "cert.pem")

    def start(self, port):
        self.port = port
        conf = self.home / "dovecot.conf"
        conf.write_text(CONF.format(home=self.home, port=port, user="nobody", group="nogroup"))
        self.process = subprocess.Popen(["dovecot", "-F", "-c", str(conf)])
        end = time.monotonic() + 30
        while True:
            try:
                self.open("nobody", "wrong")
            except imaplib.IMAP4.error:
                return
            except OSError:
                assert time.monotonic() < end and self.process.poll() is None, self.log()
                time.sleep(0.1)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)
        self.process = None

    def log(self):
        path = self.home / "dovecot.log"
        return path.read_text()[-3000:] if path.exists() else ""

    def open(self, user, password=None):
        context = ssl.create_default_context(cafile=self.certificate)
        client = imaplib.IMAP4_SSL("localhost", self.port, ssl_context=context, timeout=30)
        client.login(user, password or self.password)
        return client

    def put(self, user, message, folder="INBOX"):
        client = self.open(user)
        answer, text = client.append(folder, None, None, message)
        assert answer == "OK", text
        client.logout()

    def messages(self, user, folder="INBOX"):
        """[(uid, flags, bytes)] of a folder; none when it is not there."""
        client = self.open(user)
        found = []
        if client.select(f'"{folder}"', readonly=True)[0] == "OK":
            for answer in client.uid("fetch", "1:*", "(FLAGS BODY.PEEK[])")[1]:
                if isinstance(answer, tuple):
                    head = answer[0].decode()
                    flags = head[head.index("FLAGS (") + 7:].split(")")[0].split()
                    uid = int(head.split("UID ")[1].split()[0])
                    found.append((uid, flags, answer[1]))
        client.logout()
        return found

    def move(self, user, uid, source, target):
        client = self.open(user)
        client.select(f'"{source}"')
        answer, text = client.uid("move", str(uid), f'"{target}"')
        assert answer == "OK", text
        client.logout()
