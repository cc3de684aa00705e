"""Planters of every finding; importing this registers them all."""

from . import effects, files, hidden, keys, names, tables, unknown, values, yaml_text

__all__ = [
    "effects",
    "files",
    "hidden",
    "keys",
    "names",
    "tables",
    "unknown",
    "values",
    "yaml_text",
]
