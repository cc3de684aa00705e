"""The house keeps its own rules: one version, a short Makefile, an index of decisions."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = ["protos", "rules", "models", "server", "clients/python"]
TARGETS = ["setup", "demo", "serve", "test", "check", "lint", "types", "protos"]
TARGETS += ["golden", "bench", "clean"]


def project(folder: str) -> dict[str, object]:
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))["project"]


def test_one_version() -> None:
    versions = {member: project(member)["version"] for member in [".", *MEMBERS]}
    assert len(set(versions.values())) == 1, versions


def test_the_client_needs_no_model_and_no_rules() -> None:
    needs = " ".join(project("clients/python")["dependencies"])  # type: ignore[arg-type]
    assert not re.search(r"lightgbm|pandas|numpy|durable|harken-(rules|models|server)", needs)


def test_make_alone_lists_every_target() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [target for target in TARGETS if f"\n{target} " not in f"\n{listed}"] == []


def test_the_makefile_is_short() -> None:
    assert len((ROOT / "Makefile").read_text("utf-8").splitlines()) < 100


def test_every_decision_record_is_in_the_index() -> None:
    index = (ROOT / "docs/adr/README.md").read_text("utf-8")
    pages = sorted(path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md"))
    assert pages
    assert [page for page in pages if f"({page})" not in index] == []


@pytest.mark.parametrize(
    "page",
    sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("*.md")),
    ids=lambda path: path.name,
)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    dead = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert dead == []


def test_every_proto_has_its_code_beside_it() -> None:
    protos = sorted((ROOT / "protos").glob("harken/**/*.proto"))
    assert protos
    for proto in protos:
        for ending in ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py"):
            assert proto.with_name(proto.stem + ending).exists(), proto
