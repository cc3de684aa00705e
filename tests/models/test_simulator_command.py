"""``harken data simulate``, its files, and the specification that reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pytest
import typer
import yaml
from harken_models.simulator.command import simulate
from harken_models.simulator.parameters import DEFAULT
from harken_models.simulator.run import Period, SimulationError, simulate_tables
from harken_models.specreader import read_spec
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
TABLES = (
    "customers",
    "grumbles",
    "status_changes",
    "complaints",
    "truth",
    "closures",
    "truth_in_flight",
)


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    made = typer.Typer()
    made.command()(simulate)
    return made


@pytest.fixture(scope="module")
def folder(app: typer.Typer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated")
    options = ["--customers", "400", "--seed", "3", "--months", "2", "--out", str(out), "--csv"]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    return out


def test_every_table_is_written_twice_and_alike(folder: Path) -> None:
    for name in TABLES:
        parquet = pa_parquet.read_table(folder / f"{name}.parquet")
        csv = pa_csv.read_csv(folder / f"{name}.csv")
        assert parquet.column_names == csv.column_names
        assert parquet.num_rows == csv.num_rows > 0


def test_the_description_says_simulated_and_how(folder: Path) -> None:
    said = yaml.safe_load((folder / "simulation.yaml").read_text(encoding="utf-8"))
    assert said["simulated"] is True
    assert "simulated" in said["about"].lower()
    assert (said["seed"], said["customers"]) == (3, 400)
    assert said["rows"]["customers"] == 400
    assert said["parameters"]["effects"]["base"] == DEFAULT.effects.base
    assert len(said["parameters"]["key_pairs"]) == 28


def test_the_specification_fits_the_files(folder: Path) -> None:
    spec = read_spec(ROOT / "models" / "specs" / "simulated.yaml")
    main = spec.main_table
    assert main is not None
    columns = set(pa_parquet.read_schema(folder / f"{main.file}.parquet").names)
    assert {rule.column for rule in spec.exclude} <= columns
    for table in spec.tables.values():
        names = set(pa_parquet.read_schema(folder / f"{table.file}.parquet").names)
        assert {n for n in (table.key, table.customer, table.time) if n} <= names
        if table.key:
            columns |= names
    assert {field.column for field in spec.fields.values()} <= columns
    assert spec.horizon_days == DEFAULT.horizon_days
    values = set(pa_parquet.read_table(folder / "grumbles.parquet")["scored"].to_pylist())
    assert {v for rule in spec.exclude for v in rule.values} <= values


def test_json_for_machines(app: typer.Typer, tmp_path: Path) -> None:
    options = ["--customers", "50", "--months", "1", "--history-days", "0", "--json"]
    result = CliRunner().invoke(app, [*options, "--out", str(tmp_path / "new" / "folder")])
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["customers"] == 50
    assert said["start"] == "2011-01-01"
    assert said["end"] == "2011-02-01"
    assert "parameters" not in said


def test_a_folder_that_cannot_be_written(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    options = ["--customers", "5", "--months", "1", "--out", str(tmp_path / "file")]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 2
    assert "cannot write" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("customers", "seed", "period"),
    [
        (0, 1, Period()),
        (5, -1, Period()),
        (5, 1, Period(months=0)),
        (5, 1, Period(history_days=-1)),
    ],
)
def test_impossible_sizes(customers: int, seed: int, period: Period) -> None:
    with pytest.raises(SimulationError, match="give"):
        simulate_tables(customers, seed, period)


def test_codes_are_those_of_the_shipped_taxonomy() -> None:
    path = ROOT / "rules" / "base" / "catalogue" / "taxonomy.yaml"
    taxonomy = yaml.safe_load(path.read_text(encoding="utf-8"))["taxonomy"]
    shipped = {
        point: (category, service)
        for category, content in taxonomy.items()
        for service, inner in content["services"].items()
        for point in inner["points"]
    }
    assert {p.id: (p.category, p.service) for p in DEFAULT.points} == shipped
