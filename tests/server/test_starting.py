"""A rule base made by ``harken rules init`` can be served."""

from __future__ import annotations

from pathlib import Path

import pytest
from harken_models import default_bundle_path, load_bundle
from harken_rules import load_rule_base
from harken_rules.starting import start
from harken_server.snapshot import build_snapshot, problems_of


@pytest.mark.parametrize("languages", [("en", "zh"), ("zh",)])
def test_it_fits_the_shipped_bundle(languages: tuple[str, ...], tmp_path: Path) -> None:
    start(tmp_path / "rules", languages=languages)
    base, bundle = load_rule_base(tmp_path / "rules"), load_bundle(default_bundle_path())
    assert problems_of(base, bundle) == []
    assert build_snapshot(base, bundle).rule_base_digest == base.digest
