"""Ten and more ways to change a log behind its owner's back, with nothing but write access to its directory.
Used by interop_test; each function gets the directory and may use `size`, `bundles` and `tiles` below."""

import base64
from pathlib import Path

from decode_entry import bundle_path


def size_of(log):
    return int((log / "checkpoint").read_text(encoding="utf-8").split("\n")[1])


def tile_path(log, level, n, width):
    path = bundle_path(log, n, width)
    return log / "tile" / str(level) / path.relative_to(log / "tile/entries")


def flip(path, at, bit=1):
    data = bytearray(path.read_bytes())
    data[at] ^= bit
    path.write_bytes(data)


def split(bundle):
    entries = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        entries.append(bundle[:2 + length])
        bundle = bundle[2 + length:]
    return entries


def edit_line(log, line, new):
    lines = (log / "checkpoint").read_text(encoding="utf-8").split("\n")
    lines[line] = new(lines[line])
    (log / "checkpoint").write_text("\n".join(lines), encoding="utf-8")


def entry_bit(log):
    flip(bundle_path(log, 1, 256), 40)


def leaf_tile_bit(log):
    flip(tile_path(log, 0, 2, 256), 77)


def upper_tile_bit(log):
    flip(tile_path(log, 1, 0, min(256, size_of(log) // 256)), 5)


def last_partial_bit(log):
    flip(tile_path(log, 0, size_of(log) // 256, size_of(log) % 256), 0)


def checkpoint_size(log):
    edit_line(log, 1, lambda size: str(int(size) - 1))


def checkpoint_root(log):
    edit_line(log, 2, lambda root: base64.b64encode(bytes(32)).decode())


def checkpoint_origin(log):
    edit_line(log, 0, lambda origin: origin + ".evil.example")


def checkpoint_signature(log):
    def bend(line):
        head, blob = line.rsplit(" ", 1)
        raw = bytearray(base64.b64decode(blob))
        raw[-1] ^= 1
        return head + " " + base64.b64encode(raw).decode()
    edit_line(log, 4, bend)


def checkpoint_extension(log):
    edit_line(log, 2, lambda root: root + "\nsmuggled line")


def checkpoint_gone(log):
    (log / "checkpoint").unlink()


def bundle_cut(log):
    path = bundle_path(log, 3, 256)
    path.write_bytes(path.read_bytes()[:-5])


def bundle_gone(log):
    bundle_path(log, 2, 256).unlink()


def bundle_empty(log):
    bundle_path(log, 2, 256).write_bytes(b"")


def bundles_swapped(log):
    one, two = bundle_path(log, 1, 256), bundle_path(log, 2, 256)
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def last_partial_gone(log):
    bundle_path(log, size_of(log) // 256, size_of(log) % 256).unlink()


def entries_swapped_with_tile(log):
    bundle, tile = bundle_path(log, 1, 256), tile_path(log, 0, 1, 256)
    entries, leaves = split(bundle.read_bytes()), tile.read_bytes()
    entries[3], entries[4] = entries[4], entries[3]
    bundle.write_bytes(b"".join(entries))
    tile.write_bytes(leaves[:96] + leaves[128:160] + leaves[96:128] + leaves[160:])


def entry_injected_at_bundle_end(log):
    path = bundle_path(log, 1, 256)
    path.write_bytes(path.read_bytes() + (5).to_bytes(2, "big") + b"extra")


def entry_duplicated(log):
    path = bundle_path(log, 1, 256)
    entries = split(path.read_bytes())
    entries[10] = entries[9]
    path.write_bytes(b"".join(entries))


def sector_zeroed(log):
    path = bundle_path(log, 2, 256)
    data = bytearray(path.read_bytes())
    data[512:1024] = bytes(512)
    path.write_bytes(data)


def tile_of_another_level(log):
    tile_path(log, 0, 1, 256).write_bytes(tile_path(log, 0, 0, 256).read_bytes())


KINDS = [entry_bit, leaf_tile_bit, upper_tile_bit, last_partial_bit, checkpoint_size, checkpoint_root, checkpoint_origin,
         checkpoint_signature, checkpoint_extension, checkpoint_gone, bundle_cut, bundle_gone, bundle_empty,
         bundles_swapped, last_partial_gone, entries_swapped_with_tile, entry_injected_at_bundle_end, entry_duplicated,
         sector_zeroed, tile_of_another_level]
