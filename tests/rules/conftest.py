"""A good rule base, bad ones made of it, and golden files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "rules"

Edit = Callable[[Mapping[str, tuple[str, str]]], Path]


@pytest.fixture
def sample() -> Path:
    """The folder of a small, sound rule base."""
    return HERE / "sample"


@pytest.fixture
def copy(sample: Path, tmp_path: Path) -> Path:
    """A copy of the sample to spoil."""
    return Path(shutil.copytree(sample, tmp_path / "base"))


@pytest.fixture
def edit(copy: Path) -> Edit:
    """Replace text in files of a copy of the sample: file -> (old, new); old must be there."""

    def apply(edits: Mapping[str, tuple[str, str]]) -> Path:
        for name, (old, new) in edits.items():
            path = copy / name
            text = path.read_text(encoding="utf-8")
            assert old in text, f"{name} does not hold {old!r}"
            path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")
        return copy

    return apply


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare text with a golden file; with HARKEN_GOLDEN=write, write it."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("HARKEN_GOLDEN") == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.is_file(), f"no golden file {name}: run `make golden` and review it"
        assert text == path.read_text(encoding="utf-8")

    return compare
