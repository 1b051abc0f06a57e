#!/usr/bin/env python3
"""`hygie serve` as a service manager runs it: its configuration file, its own certificate renewed under it, and a socket that is
handed from one process to the next without a connection refused."""

import os
import socket
import ssl
import subprocess
import threading
import time
import unittest

from house import Browser, House

SECONDS_MAX = 30


def certify(directory, name):
    """A certificate of its own for localhost, as another authority would give."""
    cert, key = directory / "serve.crt", directory / "serve.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", f"{key}.new",
                    "-out", f"{cert}.new"], check=True, capture_output=True)
    os.replace(f"{key}.new", key)
    os.replace(f"{cert}.new", cert)
    return cert, key


class Configured(unittest.TestCase):
    def setUp(self):
        self.house = House("# replaced below\n")
        self.addCleanup(self.house.remove)

    def shown(self):
        """The certificate that a new connection is shown."""
        host, port = self.house.url.removeprefix("https://").split(":")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((host, int(port)), SECONDS_MAX) as plain, context.wrap_socket(plain) as tls:
            return tls.getpeercert(binary_form=True)

    def test_its_own_certificate_is_shown_and_the_renewed_one_soon_after(self):
        cert, key = certify(self.house.dir, "first")
        self.house.config.write_text(f'[serve]\ncert = "{cert}"\nkey = "{key}"\n')
        self.house.run("config", "check", self.house.config)
        self.house.start()
        first = ssl.PEM_cert_to_DER_cert(cert.read_text())
        self.assertEqual(first, self.shown())
        key.write_text("torn")  # half of a renewal: the one before stays
        time.sleep(2.5)
        self.assertEqual(first, self.shown())
        certify(self.house.dir, "second")
        second = ssl.PEM_cert_to_DER_cert(cert.read_text())
        deadline = time.monotonic() + SECONDS_MAX
        while self.shown() != second:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)

    def test_a_configuration_that_is_wrong_stops_the_start(self):
        self.house.config.write_text('[sign_in]\nissuer = "https://idp.example"\n')
        told = self.house.run("config", "check", self.house.config, code=1)
        self.assertIn("sign_in.issuer without client or secret", told["issues"][0]["what"])
        with self.assertRaises(AssertionError) as refused:
            self.house.start()
        self.house.process.wait(SECONDS_MAX)
        self.assertIn("sign_in.issuer", str(refused.exception))


class Handed(unittest.TestCase):
    """What systemd does with hygie-serve.socket."""

    def test_a_restart_refuses_no_connection_and_ends_no_session(self):
        house = House()
        self.addCleanup(house.remove)
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def start():
            def hand_over():
                os.dup2(listener.fileno(), 3)
                os.environ["LISTEN_PID"] = str(os.getpid())  # the child's own, as systemd sets it between fork and exec
                os.environ["LISTEN_FDS"] = "1"
            house.start(preexec=hand_over, pass_fds=(3,))

        start()
        self.assertEqual(f"https://127.0.0.1:{listener.getsockname()[1]}", house.url)
        password = house.add_person("anne.martin", "Anne Martin", "operations")
        house.add_program()
        token = Browser(house).token("anne.martin", password)
        answers, over = [], threading.Event()

        def keep_asking():
            while not over.is_set():
                answers.append(house.reads(token))

        asker = threading.Thread(target=keep_asking)
        asker.start()
        for _ in range(2):
            time.sleep(0.3)
            house.stop()
            start()
        time.sleep(0.3)
        over.set()
        asker.join(SECONDS_MAX)
        self.assertGreater(len(answers), 5)
        self.assertEqual({200}, set(answers))


if __name__ == "__main__":
    unittest.main()
