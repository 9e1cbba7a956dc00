"""A mutator that knows structures: boxes, elements, packets, chunks; models; prompt files.

The one in :mod:`.mutations` damages bytes. This one writes whole files that say something else: it
parses a container into its parts and changes what they claim.
"""

from __future__ import annotations

import copy
import json
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from .codec_clips import Clip, encode, picture, whole_clips

BOXES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta")
NUMBERS = (0, 1, 2, 255, 4096, 2**16 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


def mutated(count: int, seed: int = 0) -> Iterator[Clip]:
    """Yield `count` files, the kinds in turn."""
    rng = random.Random(seed)
    by_suffix: dict[str, list[Clip]] = {}
    for clip in whole_clips():
        by_suffix.setdefault(clip.suffix, []).append(clip)
    pictures = {kind: picture(kind) for kind in ("PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG")}
    for i in range(count):
        name, (suffixes, mutate) = list(MUTATIONS.items())[i % len(MUTATIONS)]
        suffix = rng.choice(suffixes)
        if suffix in by_suffix:
            data = rng.choice(by_suffix[suffix]).data
        else:
            data = pictures[suffix.upper()]
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            data = mutate(data, rng)
        yield Clip(f"{name}-{i}.{suffix}", suffix, data)


# ISO base media: a tree of boxes

Box = tuple[bytes, Any]


def _boxes(data: bytes) -> list[Box]:
    """Parse boxes; of those that hold others, the content is a list again."""
    found: list[Box] = []
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        size = len(data) - at if size == 0 else size
        if size < 8 or at + size > len(data):
            break
        body = data[at + 8 : at + size]
        found.append((kind, _boxes(body) if kind in BOXES else body))
        at += size
    return found


def _joined(boxes: list[Box]) -> bytes:
    parts = []
    for kind, body in boxes:
        content = _joined(body) if isinstance(body, list) else body
        parts.append(struct.pack(">I4s", (8 + len(content)) & 0xFFFFFFFF, kind) + content)
    return b"".join(parts)


def _places(boxes: list[Box]) -> list[tuple[list[Box], int]]:
    places = []
    for i, (_, body) in enumerate(boxes):
        places.append((boxes, i))
        if isinstance(body, list):
            places += _places(body)
    return places


def box_edits(data: bytes, rng: random.Random) -> bytes:
    """Drop, double, move, empty or rename a box; sizes stay right."""
    tree = _boxes(data)
    if not tree:
        return data
    parent, i = rng.choice(_places(tree))
    other, j = rng.choice(_places(tree))
    kind, body = parent[i]
    edit = rng.randrange(6)
    if edit == 0:
        del parent[i]
    elif edit == 1:
        parent[i:i] = [copy.deepcopy(parent[i])] * rng.choice((1, 3, 40))
    elif edit == 2 and not isinstance(body, list):
        other.insert(j, parent[i])
    elif edit == 3:
        parent[i] = (kind, b"")
    elif edit == 4:
        parent[i] = (rng.choice((*BOXES, b"free", b"meta", b"moof", b"stsd", b"elst")), body)
    else:
        parent[i], other[j] = other[j], parent[i]
    try:
        return _joined(tree)
    except RecursionError:  # a box that was put into itself
        return data


def box_numbers(data: bytes, rng: random.Random) -> bytes:
    """Write another number into the body of a box of the index."""
    tree = _boxes(data)
    leaves = [
        (boxes, i)
        for boxes, i in _places(tree)
        if not isinstance(boxes[i][1], list) and boxes[i][0] != b"mdat" and len(boxes[i][1]) >= 8
    ]
    if not leaves:
        return data
    boxes, i = rng.choice(leaves)
    kind, body = boxes[i]
    at = 4 * rng.randrange(len(body) // 4)
    number = rng.choice((*NUMBERS, rng.randrange(2**32)))
    boxes[i] = (kind, body[:at] + struct.pack(">I", number) + body[at + 4 :])
    return _joined(tree)


# Matroska: elements with sizes of variable length


def ebml_sizes(data: bytes, rng: random.Random) -> bytes:
    """Change the size of an element, or its first bytes."""
    ids = (b"\x16\x54\xae\x6b", b"\x15\x49\xa9\x66", b"\x1f\x43\xb6\x75", b"\xe0", b"\xb0")
    ids += (b"\xba", b"\x2a\xd7\xb1", b"\x44\x89", b"\xa3", b"\x23\xe3\x83", b"\x54\xb0")
    wanted = rng.choice(ids)
    places = [i for i in range(len(data) - 12) if data.startswith(wanted, i)]
    if not places:
        return data
    at = rng.choice(places) + len(wanted)
    new = rng.choice(
        (b"\xff", b"\x80", b"\x01\xff\xff\xff\xff\xff\xff\xff", b"\x08\x7f\xff\xff\xff", b"\x84")
    )
    if rng.random() < 0.5:  # in place of what is there, or pushing it on
        return data[:at] + new + data[at + len(new) :]
    return data[:at] + new + rng.randbytes(rng.randrange(9)) + data[at + 1 :]


# MPEG transport stream: packets of 188 bytes


def ts_packets(data: bytes, rng: random.Random) -> bytes:
    """Give packets other numbers, an order of their own, or a second program."""
    packets = [bytearray(data[i : i + 188]) for i in range(0, len(data) - 187, 188)]
    if len(packets) < 4:
        return data
    edit = rng.randrange(5)
    if edit == 0:
        old = rng.choice(packets)[1:3]
        new = bytes((rng.randrange(32), rng.randrange(256)))
        for packet in packets:
            if packet[1:3] == old:
                packet[1:3] = new
    elif edit == 1:
        i, j = sorted(rng.sample(range(len(packets)), 2))
        packets[i:j] = rng.sample(packets[i:j], j - i)
    elif edit == 2:
        packets = [p for p in packets if rng.random() > 0.15]
    elif edit == 3:  # the table says that there are two programs
        for packet in packets:
            if packet[1] & 0x1F == 0 and packet[2] == 0:
                table = bytearray(packet[5:24])
                table[2] += 4
                section = bytes(table[:12]) + b"\0\2\xe1\0"
                crc = _mpeg_crc(section)
                packet[5 : 5 + len(section) + 4] = section + struct.pack(">I", crc)
    else:
        packets += packets[rng.randrange(len(packets)) :] * rng.choice((1, 5))
    return b"".join(map(bytes, packets))


def _mpeg_crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


# Pictures: chunks and canvases


def png_chunks(data: bytes, rng: random.Random) -> bytes:
    """Change, double or drop chunks; their checksums are right."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        if at + 12 + size > len(data):
            break
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    edit = rng.randrange(5)
    if not chunks:
        return data
    i = rng.randrange(len(chunks))
    if edit == 0 and len(chunks[0][1]) == 13:
        head = bytearray(chunks[0][1])
        head[:8] = struct.pack(">II", rng.choice((1, 64, 7000, 2**31 - 1)), rng.choice(NUMBERS))
        chunks[0] = (b"IHDR", bytes(head))
    elif edit == 1:
        count = struct.pack(">II", rng.choice(NUMBERS), 0)
        control = struct.pack(">IIIIIHHBB", 0, 64, 64, 0, 0, 1, rng.choice((0, 10)), 0, 0)
        chunks[1:1] = [(b"acTL", count), (b"fcTL", control)]
    elif edit == 2:
        chunks.insert(i, chunks[i])
    elif edit == 3:
        del chunks[i]
    else:
        chunks.insert(1, (b"zTXt", b"a\0\0" + zlib.compress(bytes(rng.choice((10, 10**7))))))
    parts = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    ]
    return data[:8] + b"".join(parts)


def canvases(data: bytes, rng: random.Random) -> bytes:
    """Lie about width and height where GIF, WebP, BMP, TIFF and JPEG say so."""
    changed = bytearray(data)
    width, height = (rng.choice((0, 1, 16, 5000, 16383, 65535)) for _ in range(2))
    if data[:3] == b"GIF":
        changed[6:10] = struct.pack("<HH", width, height)
    elif data[:2] == b"BM" and len(data) > 26:
        changed[18:26] = struct.pack("<ii", width * rng.choice((1, -1)), height)
    elif data[8:12] == b"WEBP" and len(data) > 30:
        changed[26:30] = struct.pack("<HH", width & 0x3FFF, height & 0x3FFF)
    elif data[:2] in (b"II", b"MM"):
        at = rng.randrange(8, len(changed) - 4)
        changed[at : at + 2] = struct.pack("<H", width)
    else:
        at = data.find(b"\xff\xc0")
        if at > 0:
            changed[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(changed)


# Whole files in other ways


def other_sizes(data: bytes, rng: random.Random) -> bytes:
    """Go on with pictures of another size, and come back."""
    side = rng.choice((16, 128, 320, 640))
    codec = rng.choice(("mpeg2video", "libx264"))
    middle = encode("ts", codec, "yuv420p", n=4, size=(side, rng.choice((side, 48))))
    return data + middle + (data if rng.random() < 0.5 else b"")


def polyglots(data: bytes, rng: random.Random) -> bytes:
    """Two files in one: a picture before, within or after a video, or text before it."""
    other = rng.choice((picture("PNG"), picture("GIF"), picture("BMP"), b"#EXTM3U\n", b"<html>"))
    at = rng.choice((0, 0, len(data), rng.randrange(len(data))))
    return data[:at] + other + data[at:]


def times(data: bytes, rng: random.Random) -> bytes:
    """Time stamps that stand still, leap, run backwards, or start far away."""
    kind = rng.randrange(5)
    ticks = {
        0: [0] * 8,
        1: [0, 4, 8, rng.choice((400_000, 10**9, 2**38)), 0, 4, 8, 12],
        2: [100 - 4 * i for i in range(8)],
        3: [2**31 + 4 * i for i in range(8)],
        4: sorted(rng.randrange(5000) for _ in range(8)),
    }[kind]
    if kind in (1, 2):
        ticks = sorted(set(ticks))
    distinct = [tick + i for i, tick in enumerate(sorted(ticks))]
    return encode("mkv", "ffv1", "yuv420p", n=len(distinct), ticks=distinct)


MUTATIONS: dict[str, tuple[tuple[str, ...], Callable[[bytes, random.Random], bytes]]] = {
    "boxes": (("mp4", "mov"), box_edits),
    "numbers": (("mp4", "mov"), box_numbers),
    "elements": (("mkv", "webm"), ebml_sizes),
    "packets": (("ts",), ts_packets),
    "chunks": (("png",), png_chunks),
    "canvases": (("gif", "webp", "bmp", "tiff", "jpeg"), canvases),
    "sizes": (("ts",), other_sizes),
    "polyglots": (("mp4", "mkv", "avi", "gif", "flv"), polyglots),
    "times": (("mkv",), times),
}


# Models and prompt files

VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2, 3, 31, 63, 100, 1000, 4096, 100_000, 10**10, 10**19, 1e-6, 1e-300,
    0.5, 1e308, "", "x", "ViT-B-32", "http://127.0.0.1:9/x", "/etc/passwd", [], [1], [1, 2, 3, 4],
    {}, {"eps": 1e-6}, {"a": {"b": 1}}, "nllb-clip-base", "xlm-roberta-base-ViT-B-32",
    "roberta-ViT-B-32", "mt5-base-ViT-B-32", "ViT-B-16-SigLIP", "mean", "none", "last", "gray",
)  # fmt: skip


def mutated_config(config: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Change, drop, add or move a value anywhere in a configuration."""
    changed = copy.deepcopy(config)
    for _ in range(rng.choice((1, 1, 2, 3))):
        place, key = rng.choice(_keys(changed))
        edit = rng.randrange(8)
        if edit == 0:
            del place[key]
        elif edit == 1:
            place[rng.choice(("output_tokens", "norm_kwargs", "hf_model_name", "depth"))] = (
                rng.choice(VALUES)
            )
        elif edit == 2 and isinstance(place[key], int | float) and not isinstance(place[key], bool):
            place[key] = place[key] * rng.choice((0.5, 2, 3, 1000, -1))
            place[key] = int(place[key]) if rng.random() < 0.8 else place[key]
        else:
            place[key] = copy.deepcopy(rng.choice(VALUES))
    return changed


def _keys(value: Any) -> list[tuple[dict[str, Any], str]]:
    found = []
    for key, item in value.items():
        found.append((value, key))
        if isinstance(item, dict):
            found += _keys(item)
    return found or [(value, value.setdefault("x", "x"))]


def mutated_prompts(rng: random.Random) -> bytes:
    """Write a prompt file that is odd in structure: nested, doubled, shared, huge, half text."""
    kind = rng.randrange(7)
    n = rng.choice((2, 9, 30, 300, 3000))
    head = ["emotions:", "  joy: A smile", "  awe: An open mouth", "compounds:"]
    if kind == 0:
        rows = [*head, *(f"  c{i}: [{_name(rng, i)}, {_name(rng, i)}x]" for i in range(n))]
    elif kind == 1:
        rows = [*head]
        for i in range(n):
            one, two = (f"a{i - 1}", f"b{i - 1}") if i else ("joy", "awe")
            rows += [f"  a{i}: [{one}, {two}]", f"  b{i}: {{parts: {{{one}: 2, {two}: 1}}}}"]
    elif kind == 2:
        shared = ", ".join(f"alias {i}" for i in range(n))
        rows = [*head[:1], f"  e: {{descriptions: A smile, aliases: &a [{shared}]}}"]
        rows += [f"  e{i}: {{descriptions: A smile, aliases: *a}}" for i in range(n)]
    elif kind == 3:
        weight = rng.choice(("1e999", ".inf", ".nan", "-1", "0", "1e-320", "x", "1e308", "~"))
        rows = [*head, f"  x: {{parts: {{joy: {weight}, awe: 1}}}}"]
    elif kind == 4:
        rows = ['emotions:\n  "a\\uD83D": A smile\n  "b\\0": x', "x" * n * 100]
    elif kind == 5:
        rows = ["joy: " + rng.choice(("[", "{a: ", "&a [*a, ", "- ")) * n]
    else:
        text = json.dumps(rng.choice(VALUES))
        section = rng.choice(("version", "provenance", "templates", "neutral_sentences", "x"))
        rows = [f"{section}: {text}", "emotions: {joy: A smile}", f"compounds: {text}"]
    data = "\n".join(rows).encode()
    if rng.random() < 0.2:
        at = rng.randrange(len(data))
        data = data[:at] + rng.randbytes(3) + data[at:]
    return data


def _name(rng: random.Random, i: int) -> str:
    return rng.choice(("joy", "awe", f"c{i - 1}", f"c{i + 1}", f"c{i}", "nobody"))
