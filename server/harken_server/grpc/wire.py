"""Many protobuf messages read side by side, a field of each at a time.

Reading a thousand messages field by field in Python costs more than the model does. Here a
cursor stands in each message; with every step all cursors read a tag and a value by a few
numpy operations and move on to the next field, until the last has come to its message's end. A
message that holds anything out of the ordinary is left for protobuf to read.

On the wire a field is a byte ``number * 8 + form`` (for numbers below 16), and then, by form:
0: an integer, seven bits a byte, the lowest first, all but its last byte marked (a varint);
1: eight bytes, a double; 2: a length, as a varint, and so many bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]

VARINT, DOUBLE, BYTES, NO_FIELD = 0, 1, 2, 7
FIELDS = 16
ABSENT = 0x7FF8_4841_524B_454E
"""The value of a field that is not there. As a double it is a NaN, one of 2**52; as an integer it
is far above all that fields of 32 bits can hold."""

_MARK = 0x80
_MARKS = np.uint64(0x8080_8080_8080_8080)
_ONE, _TWO, _FOUR = np.uint64(1), np.uint64(2), np.uint64(4)
_PAIRS = np.uint64(0x007F_007F_007F_007F), np.uint64(0x7F00_7F00_7F00_7F00)
_FOURS = np.uint64(0x0000_3FFF_0000_3FFF), np.uint64(0x3FFF_0000_3FFF_0000)
_EIGHTS = np.uint64(0x0000_0000_0FFF_FFFF), np.uint64(0x0FFF_FFFF_0000_0000)


class Read(NamedTuple):
    """The fields of some messages, shape (16, messages), by number.

    ``values`` are integers, the bits of doubles, or where bytes begin; ``sizes`` says how many
    bytes. ``odd`` messages, shape (messages,), have no fields.
    """

    values: Numbers
    sizes: Numbers
    odd: NDArray[np.bool_]


class Wire:
    """Bytes that hold messages."""

    def __init__(self, data: bytes) -> None:
        # Longer than the data: eight bytes are read from every place.
        self._octets = np.frombuffer(data + bytes(16), dtype=np.uint8)
        size = (len(data) + 8,)
        self._words: Words = np.ndarray(size, dtype="<u8", buffer=self._octets, strides=(1,))

    def read(self, first: Numbers, last: Numbers, forms: NDArray[np.uint8]) -> Read:
        """The messages in ``[first, last)``.

        ``forms`` has the form that each field of each message should have, ``NO_FIELD`` where
        none is expected, shape (16, messages). Odd are a message with another field or form, with
        the same bytes field twice, or with an integer of more than eight bytes.
        """
        messages = len(first)
        values = np.full(FIELDS * messages, ABSENT, dtype=np.int64)
        sizes = np.zeros(FIELDS * messages, dtype=np.int64)
        odd = np.zeros(messages, dtype=bool)
        forms = forms.ravel()
        message = np.flatnonzero(first < last)
        place, end = first[message], last[message]
        while len(message):
            tag = self._octets[place]
            form = tag & np.uint8(7)
            cell = (tag >> 3 & 15).astype(np.int64) * messages + message
            fine = (form == forms[cell]) & (tag < _MARK)
            place = place + 1
            number, step = self._numbers(place, form)
            sized = np.flatnonzero(form == BYTES)
            if len(sized):
                theirs, size, begin = cell[sized], number[sized], place[sized] + step[sized]
                fine[sized] &= values[theirs] == ABSENT
                sizes[theirs] = size
                number[sized] = begin
                step[sized] += size
            values[cell] = number
            place += step
            fine &= (step > 0) & (place <= end)
            if not fine.all():
                odd[message[~fine]] = True
            going = fine & (place < end)
            if not going.all():
                message, place, end = message[going], place[going], end[going]
        found = Read(values.reshape(FIELDS, -1), sizes.reshape(FIELDS, -1), odd)
        if odd.any():
            found.values[:, odd], found.sizes[:, odd] = ABSENT, 0
        return found

    def distinct(self, first: Numbers, sizes: Numbers) -> tuple[Numbers, Numbers]:
        """Which of some texts are alike.

        ``first`` and ``sizes`` in bytes, shape (columns, rows). Answers for every text the place
        of its own among the different ones, counted through all columns, and a place in
        ``first.ravel()`` for each of these. A text is told by its eights of bytes: by a sum that
        they are mixed into, and compared to be sure.
        """
        return _distinct(self._words, first, sizes)

    def _numbers(self, place: Numbers, form: NDArray[np.uint8]) -> tuple[Numbers, Numbers]:
        """What stands at each place, varint or double, and how many bytes it takes."""
        number = self._octets[place].astype(np.int64)
        step = np.ones(len(place), dtype=np.int64)
        long = np.flatnonzero(number >= _MARK)
        if len(long):
            number[long], step[long] = varints(self._words[place[long]])
        doubles = np.flatnonzero(form == DOUBLE)
        if len(doubles):
            number[doubles] = self._words[place[doubles]].view(np.int64)
            step[doubles] = 8
        return number, step


def varints(word: Words) -> tuple[Numbers, Numbers]:
    """The varint that each eight bytes begin with, and its length; far below 0 if it goes on."""
    stop = ~word & _MARKS
    stop &= -stop  # the mark that the last byte lacks
    number = word & (stop - _ONE)
    # Seven bits of each byte, moved together in pairs, then fours, then eights.
    number = number & _PAIRS[0] | (number & _PAIRS[1]) >> _ONE
    number = number & _FOURS[0] | (number & _FOURS[1]) >> _TWO
    number = number & _EIGHTS[0] | (number & _EIGHTS[1]) >> _FOUR
    length = np.bitwise_count(stop - _ONE).astype(np.int64) + 1 >> 3
    return number.view(np.int64), np.where(stop == 0, np.int64(-(2**60)), length)


_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)
_SLOTS = 4096
_FULL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


def _distinct(words: Words, first: Numbers, sizes: Numbers) -> tuple[Numbers, Numbers]:
    """See ``Wire.distinct``."""
    rows = first.shape[1]
    place, size = first.ravel(), sizes.ravel()
    column = np.repeat(np.arange(first.shape[0]), rows)
    eights = []
    mixed = size.astype(np.uint64)
    for at in range(0, int(size.max(initial=0)), 8):
        left = np.clip(size - at, 0, 8)
        mask = np.where(left > 0, _FULL >> ((8 - left) * 8 & 63).astype(np.uint64), np.uint64(0))
        eight = words[np.where(left > 0, place + at, 0)] & mask
        eights.append(eight)
        mixed = (mixed ^ eight) * _MIX
        mixed ^= mixed >> np.uint64(29)
    slot = column * _SLOTS + (mixed * _MIX >> np.uint64(52)).astype(np.int64)
    table = np.full(first.shape[0] * _SLOTS, -1, dtype=np.int64)
    table[slot] = np.arange(len(slot))
    held = np.flatnonzero(table >= 0)
    examples = table[held]
    table[held] = np.arange(len(held))
    chosen = table[slot]
    mine = examples[chosen]
    alike = size[mine] == size
    for eight in eights:
        alike &= eight[mine] == eight
    if not alike.all():  # two texts met in a slot
        keys = np.rec.fromarrays([column, size, *eights])
        _, examples, chosen = np.unique(keys, return_index=True, return_inverse=True)
    return chosen.reshape(first.shape), examples
