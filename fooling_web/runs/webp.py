"""Animated WebP files joined to one: a film that is made piece by piece.

Of the format only its frame is touched: a file is a list of chunks, each a name, a length and content; the pictures
themselves are written by Pillow. See the container specification of WebP for the bits.
"""

import struct
from collections.abc import Iterator

ANIMATED, WITH_ALPHA = 0x02, 0x10  # flags of the chunk VP8X
FLAGS_AND_SIZE = 10  # bytes of the chunk VP8X
FOR_EVER = struct.pack("<IH", 0xFFFFFFFF, 0)  # a white ground, and no end of repetitions
NO_BLENDING = 0x02  # a frame that covers all


def joined(parts: list[bytes], lasting: list[int], width: int, height: int) -> bytes:
    """Return one film of parts, each of which is an animated WebP or a still one that lasts some milliseconds."""
    flags, frames = ANIMATED, b""
    for part, milliseconds in zip(parts, lasting, strict=True):
        chunks = list(chunks_of(part))
        flags |= _flags(chunks) & WITH_ALPHA
        moving = [_chunk(name, content) for name, content in chunks if name == b"ANMF"]
        frames += b"".join(moving) or _still(chunks, milliseconds, width, height)
    head = struct.pack("<I", flags) + _three(width - 1) + _three(height - 1)
    body = b"WEBP" + _chunk(b"VP8X", head) + _chunk(b"ANIM", FOR_EVER) + frames
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunks_of(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield names and contents of a WebP file's chunks."""
    place = 12  # behind RIFF, length, WEBP
    while place + 8 <= len(file):
        name, length = struct.unpack_from("<4sI", file, place)
        yield name, file[place + 8 : place + 8 + length]
        place += 8 + length + length % 2


def _flags(chunks: list[tuple[bytes, bytes]]) -> int:
    return next(
        (content[0] for name, content in chunks if name == b"VP8X" and len(content) == FLAGS_AND_SIZE), 0
    )


def _still(chunks: list[tuple[bytes, bytes]], milliseconds: int, width: int, height: int) -> bytes:
    """Return a still picture as a frame."""
    picture = b"".join(
        _chunk(name, content) for name, content in chunks if name in (b"ALPH", b"VP8 ", b"VP8L")
    )
    head = (
        _three(0) * 2 + _three(width - 1) + _three(height - 1) + _three(milliseconds) + bytes([NO_BLENDING])
    )
    return _chunk(b"ANMF", head + picture)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")
