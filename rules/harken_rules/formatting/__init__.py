"""One layout for rule files: what they say, and every comment in them, stays as it is.

    text ─▶ tree (words, groups) ─▶ comments put where they belong ─▶ layout by kind of file ─▶ text

What is written back has been read again first: if it says anything else than before, the file is
left as it is.
"""

from harken_rules.formatting.files import (
    Formatted,
    format_folder,
    format_text,
    says_the_same,
    write_formatted,
)

__all__ = ["Formatted", "format_folder", "format_text", "says_the_same", "write_formatted"]
