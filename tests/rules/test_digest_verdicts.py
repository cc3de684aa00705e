"""The same rule base written otherwise has the same digest and gives the same verdicts.

Held for the shipped rule base and for generated ones: shuffled files and keys, another reading
order, other hash seeds, CRLF, a byte order mark, other indentation, flow or block style, remarks.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from harken_rules import default_base_path, load_rule_base

from .seeded import fingerprint as child
from .seeded.base import write
from .seeded.fingerprint import fingerprint, random_rows
from .seeded.grow import sound_base
from .seeded.yaml_tree import Layout, node_of

GENERATED = 4
ROWS = 40
HASH_SEEDS = ("0", "1", "4711")


@dataclass(frozen=True)
class Known:
    """A rule base's folder, facts for it, and what it says of them."""

    folder: Path
    rows: list[dict[str, object]]
    said: list[object]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> list[Known]:
    """The shipped rule base and some generated ones."""
    home = tmp_path_factory.mktemp("known")
    folders = [default_base_path()]
    folders += [write(sound_base(seed)).to(home / str(seed)) for seed in range(GENERATED)]
    made = []
    for folder in folders:
        rows = random_rows(load_rule_base(folder), ROWS)
        made.append(Known(folder, rows, json.loads(json.dumps(fingerprint(folder, rows)))))
    return made


def files(folder: Path) -> list[Path]:
    """All YAML files, relative to ``folder``."""
    every = sorted(path for path in folder.rglob("*.y*ml") if path.is_file())
    return [path.relative_to(folder) for path in every]


def rewritten(one: Known, folder: Path, change: Callable[[bytes], bytes]) -> Path:
    """The rule base with every file changed."""
    for file in files(one.folder):
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(change((one.folder / file).read_bytes()))
    return folder


def says(one: Known, folder: Path) -> None:
    """Asserts that the base in ``folder`` says what ``one`` does."""
    assert json.loads(json.dumps(fingerprint(folder, one.rows))) == one.said


def test_the_verdicts_tell_bases_and_facts_apart(known: list[Known]) -> None:
    assert len({json.dumps(one.said[0]) for one in known}) == len(known)
    for one in known:
        assert len({json.dumps(verdict) for verdict in one.said[1:]}) > ROWS // 4


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: b"# a remark\n\n" + data.replace(b"\n", b"   # another\n") + b"\n# end\n",
    ],
    ids=["crlf", "bom", "remarks"],
)
def test_bytes_make_no_difference(
    change: Callable[[bytes], bytes], known: list[Known], tmp_path: Path
) -> None:
    for number, one in enumerate(known):
        says(one, rewritten(one, tmp_path / str(number), change))


@pytest.mark.parametrize("seed", range(2))
def test_layout_and_order_of_keys_make_no_difference(
    seed: int, known: list[Known], tmp_path: Path
) -> None:
    """Each file in a layout of its own: indentation, flow or block, quotes, remarks."""
    rng = random.Random(seed)

    def lay_out(data: bytes) -> bytes:
        # BaseLoader leaves every scalar the text it is.
        node = shuffled(rng, yaml.load(data, Loader=yaml.BaseLoader))
        return Layout(random.Random(rng.random())).write(node_of(node))[0].encode()

    for number, one in enumerate(known):
        says(one, rewritten(one, tmp_path / str(number), lay_out))


def shuffled(rng: random.Random, node: object) -> object:
    """The same with the keys of every mapping in another order."""
    if isinstance(node, dict):
        return {key: shuffled(rng, node[key]) for key in rng.sample(list(node), len(node))}
    return [shuffled(rng, each) for each in node] if isinstance(node, list) else node


def shuffled_files(one: Known, folder: Path, seed: object) -> Path:
    """The rule base with its decisions, catalogues and cases in files of other names and folders,
    created in any order."""
    rng, every = random.Random(f"{seed}"), files(one.folder)
    rng.shuffle(every)
    for number, file in enumerate(every):
        top, name = file.parts[0], f"{rng.choice(['', 'a/', 'b/c/'])}{rng.random()}-{number}.yaml"
        target = folder / (file if len(file.parts) == 1 else Path(top) / name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(one.folder / file, target)
    return folder


def test_reading_order_makes_no_difference(
    known: list[Known], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, in_order = random.Random(5), Path.iterdir

    def in_any_order(path: Path) -> list[Path]:
        found = list(in_order(path))
        rng.shuffle(found)
        return found

    monkeypatch.setattr(Path, "iterdir", in_any_order)
    for number, one in enumerate(known):
        says(one, shuffled_files(one, tmp_path / str(number), number))


@pytest.mark.parametrize("hash_seed", HASH_SEEDS)
def test_hash_seed_and_order_of_files_make_no_difference(
    hash_seed: str, known: list[Known], tmp_path: Path
) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps([one.rows for one in known]), encoding="utf-8")
    folders = [
        shuffled_files(one, tmp_path / str(number), hash_seed + str(number))
        for number, one in enumerate(known)
    ]
    assert child.__file__
    done = subprocess.run(
        [sys.executable, child.__file__, str(facts), *map(str, folders)],
        capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": hash_seed},
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert [json.loads(line) for line in lines] == [one.said for one in known]
