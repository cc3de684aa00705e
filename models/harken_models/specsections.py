"""The sections of a specification about columns, files, tables and the split.

Each function turns one section into its frozen value and leaves problems with the reader.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any

from harken_models.spec import (
    FALSE_WORDS,
    TRUE_WORDS,
    FieldSpec,
    FileFormat,
    SplitSpec,
    TableSpec,
)
from harken_models.specvalues import ValueReader
from harken_models.timetext import ISO
from harken_models.yamltext import YamlPath

_TAB_WORDS = ("tab", "\\t")


def read_column(reader: ValueReader, entry: Mapping[str, Any], path: YamlPath) -> FieldSpec:
    """One column: its name, and how its texts become values."""
    mapping = entry.get("map")
    choices = ("reject", "other", "missing")
    first, others = read_time_formats(reader, entry.get("format"), (*path, "format"))
    return FieldSpec(
        column=reader.required_text(entry, "column", path),
        map=None if mapping is None else reader.texts_by_key(mapping, (*path, "map")),
        unmapped=reader.choice(entry.get("unmapped", "reject"), (*path, "unmapped"), choices),
        true=reader.texts(entry.get("true", list(TRUE_WORDS)), (*path, "true")),
        false=reader.texts(entry.get("false", list(FALSE_WORDS)), (*path, "false")),
        format=first,
        formats=others,
    )


def read_time_formats(
    reader: ValueReader, value: Any, path: YamlPath
) -> tuple[str | None, tuple[str, ...]]:
    """One strptime format or a list of them: the first, and the others in their order."""
    if value is None:
        return None, ()
    formats = reader.texts(value, path)
    for place, form in enumerate(formats):
        if "%" not in form and form != ISO:
            where = (*path, place) if isinstance(value, list) else path
            reader.fault(where, f"{form!r} has no % in it", 'write "%d.%m.%Y %H:%M", say')
    return (formats[0], formats[1:]) if formats else (None, ())


def read_format(reader: ValueReader, value: Any, path: YamlPath) -> FileFormat:
    """How a text or Excel file is written."""
    known = ("encoding", "delimiter", "decimal", "thousands", "quote", "skip_rows", "sheet")
    entry = reader.mapping(value, path, known)
    plain = FileFormat()
    delimiter = entry.get("delimiter", plain.delimiter)
    form = FileFormat(
        encoding=_encoding(reader, entry.get("encoding", plain.encoding), (*path, "encoding")),
        delimiter="\t" if delimiter in _TAB_WORDS else reader.text(delimiter, (*path, "delimiter")),
        decimal=reader.choice(entry.get("decimal", plain.decimal), (*path, "decimal"), (".", ",")),
        thousands=reader.text(entry.get("thousands", plain.thousands), (*path, "thousands")),
        quote=reader.text(entry.get("quote", plain.quote), (*path, "quote")),
        skip_rows=_whole(reader, entry.get("skip_rows", "0"), (*path, "skip_rows"), 1_000_000),
        sheet=reader.optional_text(entry.get("sheet"), (*path, "sheet")),
    )
    for name, text, fewest in (
        ("delimiter", form.delimiter, 1),
        ("thousands", form.thousands, 0),
        ("quote", form.quote, 0),
    ):
        if not fewest <= len(text) <= 1:
            reader.fault((*path, name), f"is {text!r}, not a single character")
    if form.thousands and form.thousands == form.decimal:
        reader.fault((*path, "thousands"), "is the decimal sign", "leave one of them out")
    return form


def _encoding(reader: ValueReader, value: Any, path: YamlPath) -> str:
    name = reader.text(value, path)
    try:
        "".encode(name)  # refuses what is no encoding of text, base64 for example
    except (LookupError, ValueError):
        reader.fault(path, f"{name!r} is no encoding", "write utf-8, gb18030 or cp1252, say")
        return "utf-8"
    return codecs.lookup(name).name


def _whole(reader: ValueReader, value: Any, path: YamlPath, high: float) -> int:
    number = reader.number(value, path, 0, high)
    if number != int(number):
        reader.fault(path, f"is {number:g}, not a whole number")
    return int(number)


def read_table_specs(reader: ValueReader, value: Any) -> dict[str, TableSpec]:
    """The files of a folder."""
    result: dict[str, TableSpec] = {}
    for name, item in reader.mapping(value, ("tables",)).items():
        path = ("tables", name)
        entry = reader.mapping(item, path, ("file", "main", "key", "customer", "time", "format"))
        own = entry.get("format")
        result[name] = TableSpec(
            file=reader.required_text(entry, "file", path),
            main=reader.boolean(entry.get("main", "false"), (*path, "main")),
            key=reader.optional_text(entry.get("key"), (*path, "key")),
            customer=reader.optional_text(entry.get("customer"), (*path, "customer")),
            time=reader.optional_text(entry.get("time"), (*path, "time")),
            format=None if own is None else read_format(reader, own, (*path, "format")),
        )
    if result and sum(table.main for table in result.values()) != 1:
        reader.fault(("tables",), "needs exactly one main table", "mark it with main: true")
    return result


def read_split(reader: ValueReader, value: Any) -> SplitSpec:
    """How rows are shared out between training and test."""
    keys = ("test_fraction", "validation_fraction", "by", "groups")
    entry = reader.mapping(value, ("split",), keys)
    plain = SplitSpec()

    def fraction(name: str, usual: float) -> float:
        return reader.number(entry.get(name, usual), ("split", name), 0.01, 0.9)

    return SplitSpec(
        test_fraction=fraction("test_fraction", plain.test_fraction),
        validation_fraction=fraction("validation_fraction", plain.validation_fraction),
        by=reader.choice(
            entry.get("by", plain.by), ("split", "by"), ("observe_time", "voice_time")
        ),
        groups=reader.optional_text(entry.get("groups"), ("split", "groups")),
    )
