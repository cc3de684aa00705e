"""A history of grumbles, read as columns of facts: what impact and calibration rest on.

source ─▶ raw chunk ─▶ rows (typed, limits) ─▶ facts (segment, association, probability) ─▶ work

A chunk is a hundred thousand rows, so memory stays bounded whatever the file's size; chunks are
worked on by as many processes as there are cores.
"""

from harken_server.errors import HarkenServerError


class HistoryError(HarkenServerError):
    """A history cannot be used; one sentence says what is wrong and how to mend it."""
