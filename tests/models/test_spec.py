"""Dataset specifications: what is read, and that every problem is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from harken_models.errors import SpecError
from harken_models.spec import (
    ColumnLabel,
    ComplaintsLabel,
    Condition,
    DatasetSpec,
    EventLabel,
    EventSpec,
    FieldSpec,
    FileFormat,
    Running,
    SnapshotSpec,
    flat_spec,
)
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


@pytest.mark.parametrize("name", sorted(path.name for path in SPECS.glob("*.yaml")))
def test_shipped_specifications_are_readable(name: str) -> None:
    spec = read_spec(SPECS / name)
    assert spec.dataset.startswith(name.removesuffix(".yaml").split("_")[0])
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


LOG = """\
dataset: x
fields: {grumble_id: {column: number}}
attributes:
  priority: category
  moves: {column: reassigned, type: number}
events:
  case: number
  time: {column: at, format: ["%d/%m/%Y %H:%M", ISO8601]}
"""


def test_how_files_and_times_are_written(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        GOOD
        + """\
  observe_time: {column: C, format: ["%d.%m.%Y", "%Y%m%d"]}
format: {encoding: GB18030, delimiter: tab, decimal: ",", thousands: " ", skip_rows: 2, sheet: A}
time_format: ["%d/%m/%Y %H:%M", "%d/%m/%Y"]
""",
    )
    assert spec.format == FileFormat("gb18030", "\t", ",", " ", '"', 2, "A")
    assert (spec.time_format, spec.time_formats) == ("%d/%m/%Y %H:%M", ("%d/%m/%Y",))
    assert spec.formats_of(spec.fields["voice_time"]) == ("%d/%m/%Y %H:%M", "%d/%m/%Y")
    assert spec.formats_of(spec.fields["observe_time"]) == ("%d.%m.%Y", "%Y%m%d")
    assert read(tmp_path, GOOD).formats_of(FieldSpec("B")) == ()


def test_short_attributes_and_days(tmp_path: Path) -> None:
    text = "attributes:\n  plan: category\n  since: {column: Start, days_since: true}\n"
    spec = read(tmp_path, GOOD + text)
    assert spec.attributes["plan"].source == FieldSpec("plan")
    since = spec.attributes["since"]
    assert (since.type, since.days_since, since.source.column) == ("number", True, "Start")


def test_a_log_of_changes(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        LOG
        + """\
  closed: {column: state, values: [Closed, " Cancelled"]}
  running:
    change_count: {count: all}
    wait_count: {count: {column: state, values: [Wait]}}
    handover_count: {changes: who}
    resolver_count: {distinct: who}
    reopening_count: {returns: {column: state, after: [Done], to: [Open, Queued]}}
    hours_since_wait: {hours_since: {column: state, values: Wait}}
snapshots: {at_hours: [24, 0, 4], at_changes: false}
label: {reaches: {handover_count: 3}}
""",
    )
    assert spec.events == EventSpec(
        case="number",
        time=FieldSpec("at", format="%d/%m/%Y %H:%M", formats=("ISO8601",)),
        closed=Condition("state", ("Closed", "Cancelled")),
        running={
            "change_count": Running("count"),
            "wait_count": Running("count", "state", ("Wait",)),
            "handover_count": Running("changes", "who"),
            "resolver_count": Running("distinct", "who"),
            "reopening_count": Running("returns", "state", ("Open", "Queued"), ("Done",)),
            "hours_since_wait": Running("hours_since", "state", ("Wait",)),
        },
    )
    assert spec.snapshots == SnapshotSpec(at_changes=False, at_hours=(0.0, 4.0, 24.0))
    assert spec.label == EventLabel(reaches=("handover_count", 3.0))
    assert read(tmp_path, LOG + "snapshots: true\n").snapshots == SnapshotSpec()
    assert read(tmp_path, LOG).snapshots is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("{event: {column: made_sla, values: [false]}}",
         EventLabel(event=Condition("made_sla", ("false",)))),
        ("{reaches: {moves: 2}}", EventLabel(reaches=("moves", 2.0))),
        ("{open_hours: 120}", EventLabel(open_hours=120.0)),
        ("{column: result, positive: [bad], at: close}",
         ColumnLabel("result", ("bad",), at="close")),
    ],
)  # fmt: skip
def test_outcomes_of_a_log(tmp_path: Path, text: str, label: object) -> None:
    assert read(tmp_path, LOG + f"label: {text}\n").label == label


def test_a_log_beside_the_main_table(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        GOOD
        + """\
attributes: {plan: category}
tables:
  g: {file: g, main: true}
  c: {file: c, customer: who, time: at}
  log: {file: "log-*", format: {encoding: utf-16}}
events:
  table: log
  case: id
  time: {column: at}
  closed_time: {column: ended}
  values: {resolution_state: {column: state, map: {Open: unresolved}}, plan: {column: P}}
label: {complaints: {table: c, same_category: true, category: kind, credit: nearest}}
history: extended
""",
    )
    assert spec.events is not None
    assert spec.events.closed_time == FieldSpec("ended")
    assert spec.events.values["resolution_state"].map == {"Open": "unresolved"}
    assert spec.tables["log"].format == FileFormat("utf-16")
    assert spec.tables["g"].format is None
    assert spec.label == ComplaintsLabel("c", True, "kind", "nearest")
    assert spec.history == "extended"


def test_data_without_time(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "dataset: x\ntime: none\nattributes: {plan: category}\nsplit: {groups: customer}\n",
    )
    assert spec.timeless
    assert (dict(spec.fields), spec.split.groups) == ({}, "customer")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            GOOD + "format: {encoding: base64, delimiter: ', ', decimal: ';', thousands: '.'}\n",
            [
                "5:10: format.encoding: 'base64' is no encoding\n"
                "  help: write utf-8, gb18030 or cp1252, say",
                "5:28: format.delimiter: is ', ', not a single character",
                "5:45: format.decimal: is ';'\n  help: known: ., ,",
                "5:59: format.thousands: is the decimal sign\n  help: leave one of them out",
            ],
        ),
        (
            GOOD + "time_format: [iso]\n",
            ["5:15: time_format.0: 'iso' has no % in it\n  help: write \"%d.%m.%Y %H:%M\", say"],
        ),
        (
            GOOD + "snapshots: true\nlabel: {reaches: {moves: 2}}\n",
            [
                "5:1: snapshots: needs the log of changes\n"
                "  help: add events: {case: …, time: {column: …}}",
                "6:1: label: needs the log of changes\n"
                "  help: add events: {case: …, time: {column: …}}",
            ],
        ),
        (
            LOG + "label: {reaches: {move: 2}}\n",
            [
                "9:19: label.reaches.move: is neither counted under events.running nor a number\n"
                "  help: did you mean 'moves'?",
            ],
        ),
        (
            LOG
            + "  running: {a: {}, priority: {count: all}, b: {count: some}, c: {returns: {}}}\n",
            [
                "9:13: events.running.a: does not say how it is counted\n"
                "  help: write one of count, changes, returns, distinct, hours_since",
                "9:20: events.running.priority: is the name of another field\n"
                "  help: name it otherwise",
                "9:48: events.running.b.count: is 'some'\n"
                "  help: write all, or {column: …, values: […]}",
                "9:66: events.running.c.returns: has no 'column'\n  help: add column: …",
                "9:66: events.running.c.returns: has no 'to'\n  help: add to: […]",
                "9:66: events.running.c.returns: has no 'after'\n  help: add after: […]",
            ],
        ),
        (
            LOG + "  table: log\n  values: {category: {column: c}, kind: {column: k}}\n",
            [
                "9:3: events.table: 'log' is no table that stands by itself\n"
                "  help: leave it out where the main table is the log",
                "10:35: events.values.kind: is neither a core field nor an attribute\n"
                "  help: known: priority, moves, grumble_id, customer_id, voice_time, "
                "observe_time, category, service, point, channel, resolution_state, dissatisfied …",
            ],
        ),
        (
            LOG + "  values: {category: {column: c}}\nlabel: {column: a, open_hours: 3}\n",
            [
                "9:12: events.values.category: stands in the main table\n"
                "  help: map it under fields",
                "10:1: label: has 'column' and 'open_hours'\n  help: keep one of them",
            ],
        ),
        (
            GOOD + "time: none\nhistory: compute\n",
            [
                "4:3: fields.voice_time: cannot be where time is none\n"
                "  help: leave time: none out",
                "6:1: history: cannot be where time is none\n  help: leave it out",
            ],
        ),
        (
            "dataset: x\nfields: {}\ntime: always\n",
            [
                "3:1: time: is 'always'\n  help: write time: none where rows have no time, "
                "else map voice_time under fields",
            ],
        ),
    ],
)
def test_problems_of_the_newer_sections(tmp_path: Path, text: str, expected: list[str]) -> None:
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
