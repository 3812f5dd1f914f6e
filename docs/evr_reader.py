#!/usr/bin/env python3
"""Reads one Jedel archive as docs/EVIDENCE.md describes it. Standard library only; the package
cryptography is needed to open what is encrypted, and for nothing else.

usage: evr_reader.py DIR [KEYS]    prints leaves, root, and for each stream that opens its packets
                        and a hash over them; KEYS is a file of disclosed keys. Exits 1 where a
                        block cannot be read, a head has another root, or a key is not the right one.
"""
import base64, hashlib, hmac, json, os, struct, sys
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


def derive(secret, info, salt=b""):
    prk = hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\1", hashlib.sha256).digest()


def read_keys(name):
    keys = {}
    for line in open(name):
        d = json.loads(line)
        keys[d["call"], d["segment"], d["stream"], d["epoch"]] = base64.urlsafe_b64decode(d["key"] + "=")
    return keys


def epoch_key(keys, header, stream, epoch):
    """The key of ten seconds of a stream: disclosed itself, or derived from the stream's or the segment's."""
    at = header["call"], header["seg"]
    key = keys.get((*at, -1, -1))
    if key:
        salt = base64.b64decode(header["salt"])
        key = derive(key, b"evr1 stream" + header["call"].encode() + b"\0" + struct.pack("<H", stream), salt)
    key = key or keys.get((*at, stream, -1))
    return derive(key, b"evr1 epoch" + struct.pack("<I", epoch)) if key else keys.get((*at, stream, epoch))


def opened(key, leaf, raw):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    assert raw[40:72] == derive(key, b"evr1 commit"), "leaf %d: not the key it was sealed with" % leaf
    return AESGCM(derive(key, b"evr1 seal")).decrypt(bytes(4) + struct.pack("<Q", leaf), raw[72:], raw[12:40])


def main(folder, keys):
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
            if header:
                continue
            if block[1] & 1:
                key = epoch_key(keys, headers[name], block[2], block[5])
                if key is None:
                    continue
                raw = raw[:40] + opened(key, block[3], raw)
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
        main(sys.argv[1], read_keys(sys.argv[2]) if len(sys.argv) > 2 else {})
    except (AssertionError, struct.error, ValueError, KeyError, IndexError) as e:
        sys.exit("evr_reader.py: %s" % e)
