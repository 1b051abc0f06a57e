#!/usr/bin/env python3
"""What the world does to a ledger: kill -9, two writers, a read-only directory, a full disk, lines of nonsense.
Each time a clear error with its remedy, nothing acknowledged lost, and the log goes on."""

import os
import resource
import subprocess
import unittest

import peers
from peers import append, hygie, indexes, make_ledger, referee, run, sample


def can_mount():
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0


class Abuse(peers.TestCase):
    def setUp(self):
        super().setUp()
        self.log = self.dir / "ledger"

    def test_kill_in_the_middle_of_appends(self):
        vkey, _ = make_ledger(self.log, 10)
        acknowledged = []
        events = self.dir / "events"
        for turn in range(5):
            events.write_text(sample(10_000))
            with events.open() as lines, subprocess.Popen([peers.HYGIE, "ledger", "append", self.log], stdin=lines,
                                                          stdout=subprocess.PIPE, text=True) as writer:
                # So many acknowledgements have come, the rest is being written now.
                said = [writer.stdout.readline() for _ in range(1 + 500 * turn)]
                writer.kill()
                acknowledged += indexes("".join(said) + writer.stdout.read())
        hygie("ledger", "append", self.log, input=sample(1))
        self.assertEqual(len(set(acknowledged)), len(acknowledged))
        hygie("ledger", "verify", self.log)
        said = referee("-vkey", vkey, self.log).stdout
        size = int(said.split(" entries")[0].split()[-1])
        self.assertLess(max(acknowledged), size)
        for index in acknowledged[:: max(1, len(acknowledged) // 20)]:
            self.assertTrue(hygie("ledger", "show", self.log, index).stdout.strip())

    def test_two_writers(self):
        make_ledger(self.log, 10)
        with subprocess.Popen([peers.HYGIE, "ledger", "append", self.log], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as first:
            first.stdin.write(sample(1))
            first.stdin.flush()
            first.stdout.readline()
            second = hygie("ledger", "append", self.log, input=sample(1), check=False)
            self.assertRefused(second, "other hygie|writ")
            first.stdin.close()
            self.assertEqual(0, first.wait(60))
        self.assertEqual(1, len(append(self.log, 1)))

    def test_nonsense_on_input(self):
        make_ledger(self.log, 10)
        good = sample(1)
        for nonsense in ("not json\n", "[]\n", "{}\n", "{\"type\":\"no.such.type\"}\n", "\x00\xff\n",
                         "{\"a\":" * 5000 + "\n", good.rstrip("\n")[:-1] + ",\"query\":\"" + "x" * 70_000 + "\"}\n"):
            with self.subTest(nonsense[:30]):
                self.assertRefused(hygie("ledger", "append", self.log, input=nonsense, check=False))
        self.assertEqual(1, len(append(self.log, 1)))
        hygie("ledger", "verify", self.log)

    def test_init_twice(self):
        make_ledger(self.log, 10)
        self.assertRefused(hygie("ledger", "init", self.log, "--origin", "again.example", check=False))
        hygie("ledger", "verify", self.log)

    def test_a_disk_that_takes_nothing_ends_a_service_at_once_with_its_reason(self):
        make_ledger(self.log, 10)
        for command in (["ledger", "serve", self.log, "--write", "--heartbeat", "1s", "--listen", "127.0.0.1:0"],
                        ["demo", "--state", self.dir / "demo", "--events", "100"]):
            # A write beyond the limit is an error, since Python ignores the signal and hands that down.
            with subprocess.Popen([peers.HYGIE, "--lang", "en", *map(str, command)], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, restore_signals=False) as service:
                service.stdout.readline()
                resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (0, 0))
                _, said = service.communicate(timeout=60)
                self.assertEqual(3, service.returncode)
                self.assertRegex(said, "File too large")
        hygie("ledger", "verify", self.log)
        self.assertEqual(1, len(append(self.log, 1)))

    @unittest.skipUnless(can_mount(), "mounting needs root")
    def test_read_only_directory(self):
        make_ledger(self.log, 10)
        events = self.dir / "events"
        events.write_text(sample(10))
        frozen = run("unshare", "-m", "sh", "-c",
                     'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" --lang en ledger append "$1" <"$3"',
                     "sh", self.log, peers.HYGIE, events, check=False)
        self.assertRefused(frozen, "read-only|permission|writ")
        self.assertEqual(1, len(append(self.log, 1)))
        hygie("ledger", "verify", self.log)

    @unittest.skipUnless(can_mount(), "mounting needs root")
    def test_full_disk(self):
        self.log.mkdir()
        said = run("unshare", "-m", "bash", "-c", FULL_DISK, "bash", self.log, peers.HYGIE).stdout
        refused, after = said.split("--- more room ---")
        self.assertRegex(refused, r"(?i)full|space|room")
        self.assertRegex(refused, r"exit [1-9]\d?\n")
        self.assertEqual(1, len(indexes(after)))


# A file system of 24 MB fills up, then grows: the log must then go on and verify.
FULL_DISK = r"""
set -u
dir=$1 hygie="$2 --lang en"
mount -t tmpfs -o size=24m none "$dir" || exit 1
log=$dir/ledger
$hygie ledger init "$log" --origin full.example >/dev/null || exit 1
$hygie ledger sample 200000 | $hygie ledger append "$log" 2>&1 >"$dir.printed"
echo "exit ${PIPESTATUS[1]}"
echo "--- more room ---"
mount -o remount,size=256m "$dir" || exit 1
$hygie ledger sample 1 --seed 2 | $hygie ledger append "$log" || exit 1
$hygie ledger verify "$log" >&2 || exit 1
last=$(tail -n 1 "$dir.printed")
rm -f "$dir.printed"
[[ -z $last ]] || $hygie ledger show "$log" "$last" >&2
"""

if __name__ == "__main__":
    peers.need_go()
    unittest.main()
