"""The pages that explain the findings: inside the installed package, or in the source tree."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from harken_rules.diagnostics import FindingId

IDS: tuple[str, ...] = get_args(FindingId)

LANGUAGES = ("en", "zh")

_PACKAGE = Path(__file__).resolve().parent
_FOLDERS = {"en": ("pages", "docs/checks"), "zh": ("pages_zh", "docs/rules/zh/checks")}
"""By language: the folder in the installed package, and the one in the source tree."""


def page_path(finding: str, language: str = "en") -> Path:
    """The file of the page of ``finding``, one of ``IDS``, in one of ``LANGUAGES``."""
    packaged, in_tree = _FOLDERS[language]
    installed = _PACKAGE / packaged
    folder = installed if installed.is_dir() else _PACKAGE.parents[1] / in_tree
    return folder / f"{finding}.md"


def page_text(finding: str, language: str = "en") -> str:
    """The page of ``finding`` in Markdown."""
    return page_path(finding, language).read_text(encoding="utf-8")


def in_short(finding: str) -> str:
    """What the finding is, in the one sentence below the page's title."""
    return page_text(finding).splitlines()[2].removesuffix(" (Warning)")
