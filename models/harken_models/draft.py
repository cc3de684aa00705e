"""A specification drafted from what a file looks like, with a word of why at each guess."""

from __future__ import annotations

from collections.abc import Iterator

from harken_models.columnkinds import FLAG_WORDS
from harken_models.files import shown
from harken_models.guesses import Guess, Guesses, guess
from harken_models.sniffing import Sniffed, SniffedColumn
from harken_models.spec import FALSE_WORDS, TRUE_WORDS, FileFormat
from harken_models.timetext import ISO
from harken_models.yamlwrite import listed, quoted

CONFIRM = "# please confirm"
MOST_ATTRIBUTES = 64
"""A request carries no more."""


def draft_spec(
    sniffed: Sniffed, name: str, label: str | None, time: str | None, case: str | None
) -> str:
    """The text of a specification, to be read and mended by whoever knows the data.

    ``label``, ``time`` and ``case`` name the columns of the outcome, of the time that orders the
    rows (in a log: of the events) and of the grumble's id; None: they are guessed. Raises
    DataError for a column that is not there.
    """
    found = guess(sniffed, label, time, case)
    lines = [
        f"# Drafted by `harken data spec` from {sniffed.rows:,} rows of {sniffed.file}.",
        "# All of it is guessed from the data: read it, mend it, then run `harken data check`.",
        *(f"# {note}" for note in sniffed.notes),
        f"dataset: {quoted(name)}",
        *_format(sniffed.format),
        *_times(found),
        *_missing(sniffed),
        "",
        *_fields(found),
        *_attributes(found),
        *_log(found),
        *_label(found),
        *_split(found),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _format(form: FileFormat) -> Iterator[str]:
    plain = FileFormat()
    entries = [
        f"{name}: {quoted(str(getattr(form, name)))}"
        for name in ("encoding", "decimal", "thousands", "skip_rows")
        if getattr(form, name) != getattr(plain, name)
    ]
    if form.delimiter != plain.delimiter:
        entries.insert(0, f'delimiter: "{shown(form.delimiter)}"')
    if entries:
        yield f"format: {{{', '.join(entries)}}}   {CONFIRM}"


def _times(found: Guesses) -> Iterator[str]:
    if found.timeless:
        yield "time: none   # no column looks like the time of a grumble"
        return
    yield "horizon_days: 0   # for how long an outcome may still come; 30: a month"
    if not found.has_offsets:
        yield f"time_zone: UTC   {CONFIRM}: the zone of times without an offset"
    if found.time_formats and found.time_formats != (ISO,):
        one = len(found.time_formats) == 1
        formats = quoted(found.time_formats[0]) if one else listed(found.time_formats)
        unsure = f"   {CONFIRM}: {found.time_doubt}" if found.time_doubt else ""
        yield f"time_format: {formats}{unsure}"


def _missing(sniffed: Sniffed) -> Iterator[str]:
    words = {word for column in sniffed.columns for word in column.missing_words}
    if words:
        yield f"missing: {listed(('', *sorted(words)))}   {CONFIRM}: what means nothing is known"


def _fields(found: Guesses) -> Iterator[str]:
    yield "fields:" if found.fields else "fields: {}"
    for field in found.fields:
        entry = f"column: {quoted(field.column.name)}"
        entry += _own_format(field.column, found)
        if field.map:
            codes = ", ".join(f"{quoted(text)}: {code}" for text, code in field.map.items())
            entry += f", map: {{{codes}}}, unmapped: other"
        yield f"  {field.name}: {{{entry}}}{_because(field)}"


def _own_format(column: SniffedColumn, found: Guesses) -> str:
    formats = column.formats or (ISO,)
    if column.kind != "time" or formats == found.time_formats:
        return ""
    return f", format: {quoted(formats[0]) if len(formats) == 1 else listed(formats)}"


def _because(field: Guess) -> str:
    return f"   # {field.because}" if field.because else ""


def _attributes(found: Guesses) -> Iterator[str]:
    if not found.attributes and not found.left_out:
        return
    yield "attributes:" if found.attributes else "attributes: {}"
    for place, field in enumerate(found.attributes):
        line = f"{quoted(field.name)}: {_attribute(field)}"
        if place < MOST_ATTRIBUTES:
            yield f"  {line}{_because(field)}"
        else:
            yield f"  # {line}   # a request carries at most {MOST_ATTRIBUTES}"
    for field in found.left_out:
        yield f"  # {quoted(field.column.name)}: {field.because}"


def _attribute(field: Guess) -> str:
    column = field.column
    kind = column.kind if column.kind in ("number", "flag") else "category"
    entry = f"column: {quoted(column.name)}, type: {kind}"
    if kind == "flag":
        entry += _flag_words(column)
    return kind if entry == f"column: {quoted(field.name)}, type: {kind}" else f"{{{entry}}}"


def _flag_words(column: SniffedColumn) -> str:
    told = set(column.examples)
    if told <= {*TRUE_WORDS, *FALSE_WORDS}:
        return ""
    for yes, no in FLAG_WORDS:
        if told <= {*yes, *no}:
            true, false = sorted(told & set(yes)), sorted(told & set(no))
            return f", true: {listed(tuple(true))}, false: {listed(tuple(false))}"
    return ""


def _log(found: Guesses) -> Iterator[str]:
    log = found.log
    if log is None:
        return
    yield "events:   # the file is a log: a grumble has a row for each change"
    yield f"  case: {quoted(log.case)}"
    entry = f"column: {quoted(log.time.name)}{_own_format(log.time, found)}"
    yield f"  time: {{{entry}}}"
    if log.closed is None:
        yield "  # closed: {column: …, values: […]}   # the state in which a grumble is closed"
    else:
        column, values = log.closed
        yield f"  closed: {{column: {quoted(column)}, values: {listed(values)}}}   {CONFIRM}"
    yield "  running:"
    taken = {field.name for field in found.attributes}
    if "change_count" not in taken:
        yield "    change_count: {count: all}"
    if log.hands is not None and "handover_count" not in taken:
        yield f"    handover_count: {{changes: {quoted(log.hands)}}}   {CONFIRM}"
    yield "    hours_since_change: {hours_since: all}"
    yield "snapshots: {at_changes: true, at_hours: [0, 4, 24, 72, 168]}"


def _label(found: Guesses) -> Iterator[str]:
    yield ""
    label = found.label
    if label is not None:
        yield f"label: {{{label.text}}}   {CONFIRM}: {label.because}"
        return
    yield "# label: without one the data can be replayed, not trained on. By a column:"
    for column in found.two_valued[:8]:
        positive = quoted(column.examples[-1])
        yield f"# label: {{column: {quoted(column.name)}, positive: [{positive}]}}"
    if not found.two_valued:
        yield "# label: {column: …, positive: […]}"


def _split(found: Guesses) -> Iterator[str]:
    if found.timeless and found.groups is not None:
        yield f"split: {{groups: {quoted(found.groups)}}}   # rows of one never stand on both sides"
    if found.history:
        yield f"history: compute   # the same customer's grumbles before   {CONFIRM}"
