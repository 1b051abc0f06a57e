#!/usr/bin/env python3
"""The learned side of the mail guard, by the program alone: practice messages, measuring, learning
from clicks, training that gives the same bytes twice."""
import filecmp
import json
import pathlib

from practice import run, start

LETTERS = "3000"  # of 300 some 70 are honest ones of the hard kinds: three of them would be too many


def main(home):
    one, two = home / "one", home / "two"
    run("mail", "sample", LETTERS, "--seed", "31", "--out", str(one))
    run("mail", "sample", LETTERS, "--seed", "31", "--out", str(two))
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in two.iterdir())
    assert filecmp.cmpfiles(one, two, names, shallow=False)[0] == names, "the same seed, other bytes"

    bench = json.loads(run("--json", "mail", "bench", str(one), "--counterfactuals", "40"))
    assert bench["recall"]["value"] > 0.9, bench["recall"]
    assert bench["false_hard"]["value"] < 0.03 and bench["false_mixed"]["value"] < 0.05, bench["wronged"]
    assert bench["twins_right"]["value"] > 0.85, bench["twins_right"]
    assert bench["reasons_exist"]["value"] > 0.98, bench["reasons_exist"]

    run("key", "create", str(home / "root.hyk"), "--seal", "key-file", "--key-file", str(home / "opener"))
    letter = str(one / bench["missed"][0]) if bench["missed"] else str(one / "000001.eml")
    first = json.loads(run("--json", "mail", "learn", "--report", letter, "--state", str(home)))
    again = json.loads(run("--json", "mail", "learn", "--report", letter, "--state", str(home)))
    assert first["new"] and not again["new"] and again["lessons"] == 1, (first, again)
    assert 0 <= first["adjustment"] <= 3, first

    # What was reported counts from then on, where the house's own lessons are asked for.
    before = json.loads(run("--json", "mail", "judge", letter))
    after = json.loads(run("--json", "mail", "judge", letter, "--learned", str(home)))
    assert after["score"] >= before["score"], (before, after)

    # Several at once: a line of JSON each; one that cannot be read ends with 1 and stops no other.
    lines = run("--json", "mail", "judge", letter, str(one / "000002.eml"), str(home / "absent.eml"), code=1).splitlines()
    assert [json.loads(line)["file"] for line in lines] == [letter, str(one / "000002.eml")], lines

    for model in ("a.hym", "b.hym"):
        run("mail", "train", "--twins", "400", "--seed", "5", "--out", str(home / model))
    assert (home / "a.hym").read_bytes() == (home / "b.hym").read_bytes(), "training is not repeatable"
    print("ok")


if __name__ == "__main__":
    start(main)
