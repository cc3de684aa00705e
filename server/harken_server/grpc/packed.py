"""Columns written as protobuf writes them, whole columns at a time.

A message's bytes are its fields' bytes one after the other, and a packed field of fixed width is
its numbers as they lie in memory; so an answer is joined from arrays, without a Python object a
value. ``tests/server/test_packed.py`` holds it to what protobuf itself writes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_VARINT, _LENGTH = 0, 2


def varint(number: int) -> bytes:
    """A number from 0 up, seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def delimited(field: int, content: bytes) -> bytes:
    """A field that holds a message, text, bytes or packed numbers."""
    return varint(field << 3 | _LENGTH) + varint(len(content)) + content


def fixed(field: int, numbers: NDArray[Any]) -> bytes:
    """A packed field of ``double`` or ``sfixed64``: float64 or int64."""
    little = np.ascontiguousarray(numbers, numbers.dtype.newbyteorder("<"))
    return delimited(field, little.tobytes())


def small(field: int, numbers: NDArray[Any]) -> bytes:
    """A packed field of ``int32`` or ``uint32`` whose numbers are from 0 to below 2**21."""
    if not len(numbers) or numbers.max() < 0x80:
        return delimited(field, numbers.astype(np.uint8).tobytes())
    wide = numbers.astype(np.uint32)
    # Three columns of seven bits; a byte that is not its number's last has the high bit set.
    digits = np.stack((wide & 0x7F, wide >> 7 & 0x7F, wide >> 14), axis=1).astype(np.uint8)
    more = np.stack((wide > 0x7F, wide > 0x3FFF), axis=1)
    digits[:, :2] |= more.astype(np.uint8) << 7
    kept = np.column_stack((np.ones(len(wide), np.bool_), more))
    return delimited(field, digits[kept].tobytes())
