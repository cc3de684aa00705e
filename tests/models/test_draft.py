"""Drafts: what is guessed of files like those that analysts have, and that drafts train."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import typer
from harken_models.dataset import Dataset, load_dataset
from harken_models.draft import draft_spec
from harken_models.errors import DataError
from harken_models.sniffing import sniff
from harken_models.spec import ColumnLabel, Condition, DatasetSpec, EventLabel
from harken_models.spec_command import spec_command
from harken_models.specreader import read_spec
from harken_models.train import Options, train
from harken_models.yamlwrite import quoted
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("HARKEN_DATA", ROOT.parent / "shared" / "data"))
Rows = list[dict[str, object]]


def drafted(
    data: Path,
    label: str | None = None,
    time: str | None = None,
    case: str | None = None,
) -> tuple[str, DatasetSpec]:
    text = draft_spec(sniff(data), "drafted", label, time, case)
    path = data.parent / "drafted.yaml"
    path.write_text(text, encoding="utf-8")
    return text, read_spec(path)


def write(path: Path, rows: Rows, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def churn_rows(count: int = 400) -> Rows:
    """Customers without any time; who leaves hangs on contract and charges."""
    rng = np.random.default_rng(1)
    rows: Rows = []
    for n in range(count):
        monthly, contract = bool(rng.random() < 0.5), rng.integers(3)
        tenure, charge = int(rng.integers(0, 72)), 18 + 100 * rng.random()
        risk = -1.5 + 1.5 * monthly - 0.03 * tenure + 0.01 * charge
        rows.append(
            {
                "customerID": f"{rng.integers(1000, 9999)}-{n:05}",
                "gender": rng.choice(["Male", "Female"]),
                "SeniorCitizen": int(rng.random() < 0.16),
                "Partner": rng.choice(["Yes", "No"]),
                "tenure": tenure,
                "Contract": "Month-to-month" if monthly else ["One year", "Two year"][contract % 2],
                "PaymentMethod": rng.choice(["Electronic check", "Mailed check", "Credit card"]),
                "MonthlyCharges": f"{charge:.2f}",
                "TotalCharges": f"{charge * tenure:.2f}" if tenure else " ",
                "Country": "Utopia",
                "Churn": "Yes" if rng.random() < 1 / (1 + np.exp(-risk)) else "No",
            }
        )
    return rows


def incident_rows(cases: int = 150) -> Rows:
    """A log with a row for every change; how it ended stands in every row of a case."""
    rng = np.random.default_rng(2)
    rows: Rows = []
    for case in range(cases):
        opened = datetime(2016, 2, 29, 1, 16, tzinfo=UTC) + timedelta(
            minutes=int(rng.integers(0, 200_000))
        )
        hard = bool(rng.random() < 0.4)
        states = ["New", *["Active"] * int(rng.integers(1, 5 + 3 * hard)), "Resolved", "Closed"]
        times = [
            opened + timedelta(hours=float(h)) for h in np.cumsum(rng.gamma(2, 6, len(states)))
        ]
        fixed = {
            "caller_id": f"Caller {rng.integers(1, 60)}",
            "opened_at": f"{opened:%-d/%-m/%Y %H:%M}",
            "contact_type": rng.choice(["Phone", "Email", "Self service", "IVR"]),
            "category": f"Category {rng.integers(1, 9) + 9 * hard}",
            "u_symptom": rng.choice(["Symptom 1", "Symptom 2", "?"]),
            "closed_code": f"code {rng.integers(1, 9)}",
            "resolved_at": f"{times[-2]:%-d/%-m/%Y %H:%M}",
        }
        for place, (state, at) in enumerate(zip(states, times, strict=True)):
            missed = hard and place >= len(states) - 2
            rows.append(
                {
                    "number": f"INC{case:07}",
                    "incident_state": state,
                    "reassignment_count": place // 2,
                    "sys_updated_at": f"{at:%-d/%-m/%Y %H:%M}",
                    **fixed,
                    "assigned_to": f"Resolver {rng.integers(1, 30)}",
                    "made_sla": "false" if missed else "true",
                }
            )
    return rows


def shop_rows(count: int = 300) -> Rows:
    """Grumbles as a Chinese operator's desk exports them."""
    rng = np.random.default_rng(3)
    start = datetime(2024, 3, 1, 8, tzinfo=UTC)
    return [
        {
            "工单号": f"GD{n:06}",
            "客户编号": f"K{rng.integers(1, 90):04}",
            "受理时间": f"{start + timedelta(hours=n):%Y/%m/%d %H:%M:%S}",
            "渠道": rng.choice(["10086热线", "营业厅", "微信"]),
            "业务类型": rng.choice(["资费", "网络", "未知"]),
            "月消费": f"{rng.gamma(2, 40):.2f}".replace(".", ","),
            "是否投诉": rng.choice(["是", "否"], p=[0.3, 0.7]),
        }
        for n in range(count)
    ]


def trained(dataset: Dataset) -> Sequence[str]:
    assert not dataset.bad_rows
    training = train(dataset, Options(trials=1, threads=1))
    return sorted(training.candidates)


def test_a_customer_table_without_time(tmp_path: Path) -> None:
    data = write(tmp_path / "churn.csv", churn_rows())
    text, spec = drafted(data)
    assert spec.timeless
    assert {name: field.column for name, field in spec.fields.items()} == {
        "grumble_id": "customerID",
        "tenure_months": "tenure",
    }
    assert {name: attribute.type for name, attribute in spec.attributes.items()} == {
        "gender": "category",
        "senior_citizen": "flag",
        "partner": "flag",
        "contract": "category",
        "payment_method": "category",
        "monthly_charges": "number",
        "total_charges": "number",
    }
    assert spec.label == ColumnLabel("Churn", ("Yes",), ("No",))
    assert "# Country: is the same in every row" in text
    assert len(trained(load_dataset(spec, data))) == 3


def test_a_log_of_changes(tmp_path: Path) -> None:
    rows = incident_rows()
    data = write(tmp_path / "incidents.csv", rows)
    text, spec = drafted(data, label="made_sla")
    assert spec.events is not None
    assert (spec.events.case, spec.events.time.column) == ("number", "sys_updated_at")
    assert spec.events.closed == Condition("incident_state", ("Closed", "Resolved"))
    assert spec.snapshots is not None
    assert spec.time_format == "%d/%m/%Y %H:%M"  # 29/2 shows it
    assert spec.missing == ("", "?")
    assert spec.label == EventLabel(event=Condition("made_sla", ("true",)))
    assert {name: field.column for name, field in spec.fields.items()} == {
        "grumble_id": "number",
        "customer_id": "caller_id",
        "voice_time": "opened_at",
        "category": "category",
        "point": "u_symptom",
        "channel": "contact_type",
    }
    channel = spec.fields["channel"]
    assert channel.map == {"Email": "email", "Phone": "hotline", "Self service": "web"}
    assert channel.unmapped == "other"
    # Known only at the end, though they stand in every row.
    assert "# closed_code: its name says that it is known only at the end" in text
    assert "# resolved_at: is a time at the end, though it may stand in every row" in text
    assert set(spec.attributes) == {"incident_state", "handover_count", "assigned_to"}
    # Whether "true" or "false" is meant is for a person to say.
    assert 'values: ["true"]}}   # please confirm: it comes to this later; rows:' in text
    assert len(trained(load_dataset(missed(spec, tmp_path), data))) == 3


def missed(spec: DatasetSpec, folder: Path) -> DatasetSpec:
    path = folder / "drafted.yaml"
    text = path.read_text(encoding="utf-8").replace('values: ["true"]', 'values: ["false"]')
    path.write_text(text, encoding="utf-8")
    assert spec != read_spec(path)
    return read_spec(path)


def test_an_export_in_chinese(tmp_path: Path) -> None:
    data = write(tmp_path / "grumbles.csv", shop_rows(), "gb18030", ";")
    text, spec = drafted(data)
    assert spec.format.encoding == "gb18030"
    assert (spec.format.delimiter, spec.format.decimal) == (";", ",")
    assert spec.time_format == "%Y/%m/%d %H:%M:%S"
    assert {name: field.column for name, field in spec.fields.items()} == {
        "grumble_id": "工单号",
        "customer_id": "客户编号",
        "voice_time": "受理时间",
        "category": "业务类型",
        "channel": "渠道",
    }
    channels = {"10086热线": "hotline", "营业厅": "hall", "微信": "social"}
    assert spec.fields["channel"].map == channels
    assert spec.attributes["月消费"].type == "number"
    assert spec.label == ColumnLabel("是否投诉", ("是",), ("否",))
    assert spec.history == "compute"
    assert "未知" in spec.missing
    assert "# please confirm" in text
    assert not load_dataset(spec, data).bad_rows


@pytest.mark.parametrize("name", ["cfpb_complaints_2014", "bpi2013_closed_problems"])
def test_real_exports(tmp_path: Path, name: str) -> None:
    data = DATA / f"{name}.csv"
    if not data.exists():
        return  # the project passes without it; the files above stand for it
    path = tmp_path / "drafted.yaml"
    path.write_text(draft_spec(sniff(data), name, None, None, None), encoding="utf-8")
    spec = read_spec(path)
    dataset = load_dataset(spec, data)
    assert not dataset.bad_rows
    assert set(dataset.frame["label"]) == {0.0, 1.0}
    if name.startswith("cfpb"):
        assert spec.events is None
        assert spec.label == ColumnLabel("Consumer disputed?", ("Yes",), (), "negative")
    else:
        assert spec.events is not None
        assert spec.events.case == "Case ID"
        closed = Condition("lifecycle:transition", ("Cancelled", "Closed"))
        assert spec.events.closed == closed
        assert "variant" not in spec.attributes  # the whole way of a case, known at its end


def test_columns_that_are_named_are_taken(tmp_path: Path) -> None:
    days = [f"{n % 28 + 1:02}" for n in range(300)]
    rows: Rows = [
        {"a": f"x{n // 3}", "t": f"2024-01-{day}", "u": f"2024-02-{day}", "z": n % 5}
        for n, day in enumerate(days)
    ]
    data = write(tmp_path / "x.csv", rows)
    _, spec = drafted(data, label="z", time="u", case="a")
    assert spec.events is not None
    assert (spec.events.case, spec.events.time.column) == ("a", "u")
    assert isinstance(spec.label, EventLabel)
    with pytest.raises(DataError, match=r"has no column 'b'; it has a, t, u, z"):
        drafted(data, label="b")
    with pytest.raises(DataError, match="'z' does not look like a time: '0', '1', '2'"):
        drafted(data, time="z")


def test_a_column_is_drafted_for_a_request_to_carry_once(tmp_path: Path) -> None:
    """More attributes than a request carries, names that are taken, and names of core fields."""
    row: dict[str, object] = {"id": 1, "when": "2024-01-01", "segment": "A", "a b": 1, "a-b": 2}
    rows: Rows = []
    for n in range(60):  # 67 columns, and three that stand before them
        more = {f"f{k}": (n + k) % 7 for k in range(3, 70)}
        rows.append(
            row | {"id": 1000 + n, "segment": "AB"[n % 2], "a b": n % 3, "a-b": n % 4} | more
        )
    text, spec = drafted(write(tmp_path / "wide.csv", rows))
    assert len(spec.attributes) == 64
    assert {"segment_2", "a_b", "a_b_2"} <= set(spec.attributes)
    assert "# f69: number   # a request carries at most 64" in text


AWKWARD = (
    "Yes", "no", "y", "~", "null", "007", "5", "1e3", "", " x ", "a: b", "# x", "- x", "[x", "x,y",
    'say "so"', "a\tb", "back\\slash", "org:group", "Timely response?", "套餐",
)  # fmt: skip


@pytest.mark.parametrize("text", AWKWARD)
def test_texts_are_written_so_that_they_are_read_again(tmp_path: Path, text: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"dataset: {quoted(text)}\ntime: none\nfields: {{}}\n"
        f"attributes: {{a: {{column: {quoted(text)}, type: flag, true: [{quoted(text)}]}}}}\n",
        encoding="utf-8",
    )
    spec = read_spec(path)
    assert (spec.dataset, spec.attributes["a"].source.true) == (text, (text,))


@pytest.fixture
def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(spec_command)
    return app


def test_the_command(tmp_path: Path, command: typer.Typer) -> None:
    data, out = write(tmp_path / "churn.csv", churn_rows(60)), tmp_path / "spec.yaml"
    run = CliRunner()
    shown = run.invoke(command, [str(data)])
    assert shown.exit_code == 0
    assert shown.stdout.startswith("# Drafted by `harken data spec` from 60 rows of")
    assert run.invoke(command, [str(data), "--out", str(out)]).exit_code == 0
    assert out.read_text(encoding="utf-8") == shown.stdout
    out.write_text("mine", encoding="utf-8")
    again = run.invoke(command, [str(data), "--out", str(out)])
    assert again.exit_code == 2
    assert "is there already; --force writes over it" in again.stderr
    assert out.read_text(encoding="utf-8") == "mine"
    assert run.invoke(command, [str(data), "--out", str(out), "--force"]).exit_code == 0
    assert out.read_text(encoding="utf-8") == shown.stdout
    plain = json.loads(run.invoke(command, [str(data), "--json"]).stdout)
    assert plain["format"]["delimiter"] == ","
    assert plain["columns"][0]["kind"] == "id"
    assert plain["spec"] == shown.stdout


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("none.csv", None, "no such file"),
        ("x.csv", b"", "is empty"),
        ("x.csv", b"a,b\n", "has no rows beneath its column names"),
        ("x.csv", b"\x00\x01\x02" * 99, "is no text, as far as its first bytes show"),
        ("x.parquet", b"PAR1", "no whole Parquet file"),
    ],
)
def test_what_cannot_be_drafted(
    tmp_path: Path, command: typer.Typer, name: str, data: bytes | None, words: str
) -> None:
    path, out = tmp_path / name, tmp_path / "spec.yaml"
    if data is not None:
        path.write_bytes(data)
    done = CliRunner().invoke(command, [str(path), "--out", str(out)])
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()
