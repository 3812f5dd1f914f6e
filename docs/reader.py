#!/usr/bin/env python3
"""Reads one Jedel archive as docs/EVIDENCE.md describes it. Standard library only.

usage: reader.py DIR    prints leaves, root, and for each stream its packets and a hash over them;
                        exits 1 where a block cannot be read or a head has another root.
"""
import base64, hashlib, json, os, struct, sys
from collections import OrderedDict


def crc32c(data, table=[]):
    if not table:
        for n in range(256):
            for _ in range(8):
                n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
            table.append(n)
    crc = 0xFFFFFFFF
    for b in data:
        crc = crc >> 8 ^ table[(crc ^ b) & 0xFF]
    return crc ^ 0xFFFFFFFF


def uvarint(b, at):
    value = shift = 0
    while True:
        value |= (b[at] & 0x7F) << shift
        at += 1
        if b[at - 1] < 0x80:
            return value, at
        shift += 7


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:k]) + root(leaves[k:])).digest()


def segment(data, end):
    """Yields (header, None, raw) once, then (None, block header, raw) for each block up to end."""
    magic, size, crc = struct.unpack_from("<4sII", data)
    raw = data[12:12 + size]
    assert magic == b"EVR1" and crc32c(raw) == crc, "segment header"
    yield json.loads(raw), None, data[:12 + size]
    at = 12 + size
    while at < end:
        magic, size, crc = struct.unpack_from("<4sII", data, at)
        raw = data[at:at + 40 + size]
        assert magic == b"EVB1" and len(raw) == 40 + size and crc32c(raw[12:]) == crc, "block at %d" % at
        yield None, struct.unpack_from("<BBHQQII", raw, 12), raw
        at += 40 + size


def main(folder):
    files = {n: open(os.path.join(folder, n), "rb").read() for n in os.listdir(folder) if n.endswith(".evr")}
    headers = {n: next(segment(d, 0))[0] for n, d in files.items() if d}
    name, end, chain = max(headers), None, []
    while name:  # from the last segment back to the first; each says what of the one before counts
        chain.insert(0, (name, len(files[name]) if end is None else end))
        name, end = headers[name]["prev"], headers[name]["prev_bytes"]
    leaves, streams = [], OrderedDict()
    for name, end in chain:
        for header, block, raw in segment(files[name], end):
            first = header["first_leaf"] if header else block[3]
            assert first == len(leaves), "leaf %d at the place of %d" % (first, len(leaves))
            leaves.append(hashlib.sha256(b"\0" + raw).digest())
            if header or block[1] & 1:  # header, or encrypted
                continue
            at = 40
            while at < len(raw):
                kind = raw[at]
                dt, at = uvarint(raw, at + 1)
                size, at = uvarint(raw, at)
                if kind in (1, 2):
                    s = streams.setdefault(block[2], [0, hashlib.sha256()])
                    s[0] += 1
                    s[1].update(raw[at:at + size])
                at += size
    for note in open(os.path.join(folder, "heads"), "rb").read().split(b"\n\n\xe2\x80\x94 ")[:-1]:
        lines = note.split(b"\n\n")[-1].split(b"\n")
        assert base64.b64decode(lines[2]) == root(leaves[:int(lines[1])]), "head of %s leaves" % lines[1]
    print("leaves", len(leaves))
    print("root", base64.b64encode(root(leaves)).decode())
    for number, (count, digest) in sorted(streams.items()):
        print("stream", number, count, digest.hexdigest())


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (AssertionError, struct.error, ValueError, KeyError, IndexError) as e:
        sys.exit("reader.py: %s" % e)
