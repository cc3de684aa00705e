"""What a text file looks like: its encoding, its delimiter, its quoting.

Only drafts and error sentences are made of this; reading goes by what is declared.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from itertools import islice

DELIMITERS = (",", ";", "\t", "|")
RECORDS = 200
"""Records that are looked at for the delimiter."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHINESE_SHARE = 0.9
"""Of two-byte characters that must be common Chinese for the text to be taken as gb18030."""


def guess_encoding(sample: bytes) -> str | None:
    """The encoding of a file that begins with ``sample``, None where it is no text at all.

    A byte-order mark; else strict UTF-8; else the NUL bytes of UTF-16; else GB 18030 if what
    comes out is mostly Chinese; else a one-byte encoding, which cannot be told from another.
    """
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    if _decodes(sample, "utf-8"):
        return "utf-8" if b"\0" not in sample else _wide(sample)
    if b"\0" in sample:
        return _wide(sample)
    if _looks_chinese(sample):
        return "gb18030"
    return "cp1252" if _decodes(sample, "cp1252") else "latin-1"


def _decodes(sample: bytes, encoding: str) -> bool:
    """Whether a sample decodes; it may end within a character."""
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: digits, commas and Latin letters have a NUL on one and the same side,
    and what comes out has no control characters to speak of."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    text = sample.decode(encoding, errors="replace")
    strange = sum(not char.isprintable() and char not in "\r\n\t" for char in text[:4096])
    if max(even, odd) < 0.1 * len(sample) or strange > 0.01 * len(text[:4096]):
        return None
    return encoding


def _looks_chinese(sample: bytes) -> bool:
    if not _decodes(sample, "gb18030"):
        return False
    decoder = codecs.getincrementaldecoder("gb18030")("strict")
    high = [char for char in decoder.decode(sample) if ord(char) > 0x7F]
    # Han characters, and the full-width punctuation that stands among them. A one-byte text
    # read as pairs gives rare ones, so only those of GB 2312 count.
    common = sum(_in_gb2312(char) for char in high)
    return bool(high) and common >= _CHINESE_SHARE * len(high)


def _in_gb2312(char: str) -> bool:
    if not ("\u3000" <= char <= "\u303f" or "\u4e00" <= char <= "\u9fff" or char >= "\uff00"):
        return False
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def guess_delimiter(text: str, quote: str = '"') -> str | None:
    """What parts the cells of a text: the sign that gives the most records of one width, and of
    those the widest. None where no sign gives two columns."""
    best: tuple[float, int] = (0.0, 1)
    found = None
    for sign in DELIMITERS:
        widths = Counter(len(record) for record in records(text, sign, quote))
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        score = (round(count / widths.total(), 2), width)
        if width > 1 and score > best:
            best, found = score, sign
    return found


def records(text: str, delimiter: str, quote: str = '"') -> Sequence[Sequence[str]]:
    """The first records of a text, blank lines and a last one that may be cut short left out."""
    whole = text[: text.rfind("\n") + 1] or text
    try:
        lines = csv.reader(StringIO(whole, newline=""), delimiter=delimiter, quotechar=quote)
        rows = list(islice(lines, RECORDS))
    except csv.Error:
        return ()
    return [row for row in rows if row]
