"""Planters of every finding; importing this registers them all."""

from . import files, keys, names, rules, values, yaml_text

__all__ = ["files", "keys", "names", "rules", "values", "yaml_text"]
