"""The pages that explain the findings: inside the installed package, or in the source tree."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from harken_rules.diagnostics import FindingId

IDS: tuple[str, ...] = get_args(FindingId)

_PACKAGE = Path(__file__).resolve().parent


def page_path(finding: str) -> Path:
    """The file of the page of ``finding``, which is one of ``IDS``."""
    installed = _PACKAGE / "pages"
    folder = installed if installed.is_dir() else _PACKAGE.parents[1] / "docs" / "checks"
    return folder / f"{finding}.md"


def page_text(finding: str) -> str:
    """The page of ``finding`` in Markdown."""
    return page_path(finding).read_text(encoding="utf-8")


def in_short(finding: str) -> str:
    """What the finding is, in the one sentence below the page's title."""
    return page_text(finding).splitlines()[2].removesuffix(" (Warning)")
