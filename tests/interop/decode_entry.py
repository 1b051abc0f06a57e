#!/usr/bin/env python3
"""Reads the entries of a ledger the way a third party would: from src/ledger/FORMAT.md and src/event/FORMAT.md alone,
with nothing but Python's standard library and no key.

    decode_entry.py DIR [FIRST [COUNT]]   prints entries as JSON lines, then checks every entry of the log:
                                          one deterministic spelling, its own index, gap-free counters per source

Exits with 1 and one line that says what is wrong and where.
"""

import json
import sys
from pathlib import Path

HEADER = ["version", "type", "time_us", "sequence", "node", "source", "counter", "retention", "actor", "run", "key_ref",
          "payload"]
SIZES = {"actor": 8, "key_ref": 8}
SOURCE_GAP = 3
BODY = {1: "id", 2: "actor.id", 3: "actor.role", 4: "actor.auth", 5: "actor.on_behalf_of", 6: "actor.organisation",
        7: "patient", 8: "object", 9: "purpose", 10: "network.address", 11: "network.device", 12: "request_id",
        13: "basis", 14: "query", 15: "action", 16: "outcome", 17: "break_glass", 18: "verdict", 19: "detail"}


class Malformed(Exception):
    pass


class Cbor:
    """RFC 8949 §4.2.1 and nothing else: definite lengths, shortest heads, ascending keys; no floats, tags or null."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Malformed("ends inside an item")
        self.at += count
        return self.data[self.at - count:self.at]

    def head(self):
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        if info < 24:
            return major, info
        if info > 27:
            raise Malformed(f"head 0x{first:02x} is not in the subset")
        width = 1 << (info - 24)
        value = int.from_bytes(self.take(width), "big")
        if value < (24 if width == 1 else 1 << (4 * width)):
            raise Malformed("a number that is not in its shortest spelling")
        return major, value

    def item(self):
        if self.at < len(self.data) and self.data[self.at] in (0xF4, 0xF5):
            return self.take(1)[0] == 0xF5
        major, value = self.head()
        if major == 0:
            return value
        if major == 2:
            return bytes(self.take(value))
        if major == 3:
            return self.take(value).decode("utf-8")
        if major == 4:
            return [self.item() for _ in range(value)]
        if major == 5:
            return self.map(value)
        raise Malformed(f"major type {major} is not in the subset")

    def map(self, pairs):
        result, last = {}, b""
        for _ in range(pairs):
            start = self.at
            key = self.item()
            spelled = bytes(self.data[start:self.at])
            if spelled <= last:
                raise Malformed("keys of a map out of order")
            last, result[key] = spelled, self.item()
        return result


def decode(entry):
    """One entry as a dictionary; bytes as hexadecimal."""
    cbor = Cbor(entry)
    values = cbor.item()
    if cbor.at != len(entry):
        raise Malformed("bytes after the end")
    if not isinstance(values, list) or len(values) != len(HEADER):
        raise Malformed("not an array of twelve")
    fields = dict(zip(HEADER, values))
    for name, value in fields.items():
        if name in SIZES:
            if not isinstance(value, bytes) or len(value) != SIZES[name]:
                raise Malformed(f"{name} is not {SIZES[name]} bytes")
        elif name != "payload" and (isinstance(value, bool) or not isinstance(value, int)):
            raise Malformed(f"{name} is not a number")
    if fields["version"] != 1:
        raise Malformed(f"version {fields['version']}")
    payload = fields["payload"]
    if isinstance(payload, dict):
        fields["payload"] = {BODY.get(key, key): value for key, value in payload.items()}
    elif not isinstance(payload, bytes):
        raise Malformed("payload is neither sealed bytes nor a map")
    return fields


def printable(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): printable(item) for key, item in value.items()}
    return [printable(item) for item in value] if isinstance(value, list) else value


def bundle_path(log, n, width):
    groups = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03d}")
    return log / "tile/entries" / ("/".join(groups) + ("" if width == 256 else f".p/{width}"))


def entries_of(log):
    """(index, entry) of everything the checkpoint covers; pruned bundles are passed over."""
    size = int((log / "checkpoint").read_text(encoding="utf-8").split("\n")[1])
    pruned = int((log / "pruned").read_text()) if (log / "pruned").exists() else 0
    for start in range(0, size, 256):
        width = min(256, size - start)
        path = bundle_path(log, start // 256, width)
        if start + width <= pruned and not path.exists():
            continue
        bundle, at = path.read_bytes(), 0
        for index in range(start, start + width):
            length = int.from_bytes(bundle[at:at + 2], "big")
            entry = bundle[at + 2:at + 2 + length]
            at += 2 + length
            if at > len(bundle) or (index == start + width - 1 and at != len(bundle)):
                raise Malformed(f"bundle {path} is not exactly {width} entries")
            yield index, entry


def count_on(counters, fields, started_late):
    """A source counts from 1 without a gap, except over what a gap entry has declared before."""
    source, counter = fields["source"], fields["counter"]
    last = counters.get(source, counter - 1 if started_late else 0)
    if counter != last + 1:
        raise Malformed(f"source {source} jumps from {last} to {counter}")
    counters[source] = counter
    if fields["type"] == SOURCE_GAP:
        gap = fields["payload"]["detail"]
        counters[int(gap["source"])] = int(gap["last"])


def check(log, first, count):
    counters, total, sealed = {}, 0, 0
    for index, entry in entries_of(log):
        try:
            fields = decode(entry)
            if fields["sequence"] != index:
                raise Malformed(f"says it is entry {fields['sequence']}")
            count_on(counters, fields, started_late=index != total)
        except (Malformed, UnicodeDecodeError) as error:
            raise Malformed(f"entry {index}: {error}") from error
        total += 1
        sealed += isinstance(fields["payload"], bytes)
        if first <= index < first + count:
            print(json.dumps(printable(fields), ensure_ascii=False))
    print(f"{total} entries, {sealed} sealed, {len(counters)} sources, every one in its only spelling")


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        print(__doc__)
        return 2
    first = int(arguments[1]) if len(arguments) > 1 else 0
    count = int(arguments[2]) if len(arguments) > 2 else (1 if len(arguments) > 1 else 0)
    try:
        check(Path(arguments[0]), first, count)
    except (Malformed, OSError) as error:
        print(f"REFUSED: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
