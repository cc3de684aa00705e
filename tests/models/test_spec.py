"""Dataset specifications: what is read, and that every problem is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from harken_models.errors import SpecError
from harken_models.spec import ColumnLabel, ComplaintsLabel, DatasetSpec, flat_spec
from harken_models.specreader import read_spec

SPECS = Path(__file__).parents[2] / "models" / "specs"
GOOD = """\
dataset: x
fields:
  grumble_id: {column: A}
  voice_time: {column: B}
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        read_spec(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def read(tmp_path: Path, text: str) -> DatasetSpec:
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    return read_spec(path)


@pytest.mark.parametrize("name", ["cfpb.yaml", "simulated.yaml"])
def test_shipped_specifications_are_readable(name: str) -> None:
    spec = read_spec(SPECS / name)
    assert spec.dataset == name.removesuffix(".yaml")
    assert spec.label is not None


def test_defaults(tmp_path: Path) -> None:
    spec = read(tmp_path, GOOD)
    assert (spec.time_zone, spec.horizon_days, spec.history) == ("UTC", 30.0, "given")
    assert spec.missing == ("",)
    assert spec.label is None
    assert not spec.simulated


def test_words_that_yaml_would_turn_into_booleans_stay_words(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        GOOD
        + """\
  dissatisfied: {column: C, true: [Yes, on], false: [No]}
  channel: {column: D, map: {No: web, 007: sms}}
label: {column: E, positive: [Yes, 1], blank_is: negative}
""",
    )
    assert spec.fields["dissatisfied"].true == ("Yes", "on")
    assert spec.fields["channel"].map == {"No": "web", "007": "sms"}
    assert spec.label == ColumnLabel("E", ("Yes", "1"), (), "negative")


def test_tables_and_complaints_label(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        GOOD
        + """\
tables:
  grumbles: {file: g, main: true}
  complaints: {file: c, customer: customer_id, time: at}
label: {complaints: {table: complaints}}
""",
    )
    assert spec.label == ComplaintsLabel("complaints")
    assert spec.main_table is not None
    assert spec.main_table.file == "g"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fields: [", ["2:1: (file): is not YAML: did not find expected node content"]),
        (
            GOOD + "dataset: y\n",
            ["5:1: dataset: is given twice\n  help: keep one of them"],
        ),
        (
            GOOD + "horizon: 30\n",
            ["5:1: horizon: is not known here\n  help: did you mean 'horizon_days'?"],
        ),
        (
            GOOD + "  chanel: {column: C}\n",
            ["5:3: fields.chanel: is not a core field\n  help: did you mean 'channel'?"],
        ),
        (
            GOOD + "  channel: {column: C, map: {Web: webb}}\n",
            ["5:30: fields.channel.map.Web: 'webb' is no channel\n  help: did you mean 'web'?"],
        ),
        (
            GOOD + "attributes:\n  plan: {column: P}\n  age_years: {column: Q, type: number}\n",
            [
                "6:3: attributes.plan: has no 'type'\n  help: write number, category or flag",
                "7:3: attributes.age_years: is the name of a core field\n"
                "  help: map it under fields",
            ],
        ),
        (
            GOOD + "time_zone: Mars/Base\nhorizon_days: soon\nsplit: {test_fraction: 2}\n",
            [
                "5:1: time_zone: 'Mars/Base' is no time zone\n  help: write Asia/Shanghai, say",
                "6:1: horizon_days: is 'soon', not a number",
                "7:9: split.test_fraction: is 2, not from 0.01 to 0.9",
            ],
        ),
        (
            "dataset: x\nfields:\n  channel: {column: C}\n",
            [
                "2:1: fields: has no 'grumble_id'\n  help: every grumble needs it",
                "2:1: fields: has no 'voice_time'\n  help: every grumble needs it",
            ],
        ),
        (
            GOOD + "label: {complaints: {table: complaints}}\n",
            ["5:22: label.complaints.table: 'complaints' is no table with a time\n  help: known: "],
        ),
    ],
)
def test_every_problem_is_told_with_its_place(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    assert problems(tmp_path, text) == expected


def test_a_missing_file_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        read_spec(tmp_path / "none.yaml")


def test_flat_columns_need_no_specification() -> None:
    names = ("grumble_id", "voice_time", "attr_plan", "label", "note")
    spec = flat_spec({**dict.fromkeys(names, "category"), "attr_plan": "flag"})  # type: ignore[arg-type]
    assert set(spec.fields) == {"grumble_id", "voice_time"}
    assert {name: a.type for name, a in spec.attributes.items()} == {"plan": "flag"}
    assert isinstance(spec.label, ColumnLabel)
