"""Every finding has a page, a bad rule base that shows it, and a golden file of what is said."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from harken_rules import RuleBaseError, Severity, check_rule_base, load_rule_base
from harken_rules.diagnostics import FindingId

HERE = Path(__file__).parent
BAD = HERE / "bad"
PAGES = HERE.parents[1] / "docs" / "checks"
IDS = get_args(FindingId)
# A folder with an unreadable file cannot be checked in; see test_loader_hostile.py.
UNSHOWN = {"unreadable"}


def spoil(base: Path, bad: Path) -> Path:
    """Lay the files of ``bad`` over ``base``.

    ``NAME.absent`` takes file NAME away, ``NAME.link`` makes NAME a link to the path it holds.
    """
    for file in sorted(bad.rglob("*")):
        target = base / file.relative_to(bad)
        if file.suffix == ".absent":
            target.with_suffix("").unlink()
        elif file.suffix == ".link":
            leads_to = file.parent / file.read_text(encoding="utf-8").strip()
            target.with_suffix("").symlink_to(leads_to.resolve(strict=True))
        elif file.is_file():
            target.parent.mkdir(exist_ok=True)
            shutil.copy(file, target)
    return base


@pytest.mark.parametrize("finding", [one for one in IDS if one not in UNSHOWN])
def test_finding_is_shown_as_in_its_golden_file(
    finding: str, copy: Path, golden: Callable[[str, str], None]
) -> None:
    found = check_rule_base(spoil(copy, BAD / finding))
    assert finding in {one.id for one in found}
    golden(f"{finding}.txt", "\n".join(one.render("base/") for one in found))
    if any(one.severity is Severity.ERROR for one in found):
        with pytest.raises(RuleBaseError) as error:
            load_rule_base(copy)
        assert error.value.diagnostics == tuple(found)
    else:
        load_rule_base(copy)


@pytest.mark.parametrize("finding", IDS)
def test_finding_has_its_page(finding: str) -> None:
    page = (PAGES / f"{finding}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {finding}\n")
    for part in ("## What it means", "## Example", "## How to mend it"):
        assert part in page


def test_no_page_and_no_bad_base_is_left_over() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == set(IDS)
    assert {folder.name for folder in BAD.iterdir()} == set(IDS) - UNSHOWN


def test_the_list_of_pages_names_each_once() -> None:
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\]\(([a-z-]+)\.md\)", text)) == sorted(IDS)


@pytest.mark.parametrize("finding", [one for one in IDS if one not in UNSHOWN])
def test_the_example_on_the_page_is_what_is_said(finding: str) -> None:
    page = (PAGES / f"{finding}.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"(?ms)^```\n(.*?)^```$", page)
    said = (HERE.parent / "golden" / "rules" / f"{finding}.txt").read_text(encoding="utf-8")
    assert f"[{finding}]" in example
    assert example in said
