"""``docs/serving.md`` names every setting, every option and every metric."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from harken_server.commands import serve
from harken_server.metrics import Metrics
from harken_server.settings import Settings
from prometheus_client import CollectorRegistry

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
ROWS = {
    cells[0].strip(" `"): [cell.strip(" `") for cell in cells[1:]]
    for cells in (line.strip("|").split("|") for line in PAGE.splitlines() if line[:3] == "| `")
}


def test_every_setting_has_its_row_option_environment_and_default():
    options = set(inspect.signature(serve).parameters) - {"config", "as_json"}
    assert options <= set(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        option, environment, default, meaning = ROWS[name][:4]
        assert environment == f"HARKEN_{name.upper()}"
        assert meaning
        expected = f"--{name.replace('_', '-')}" if name in options else ""
        assert option.split("`")[0] == expected, name
        if isinstance(field.default, bool):
            assert default == str(field.default).lower(), name
        elif isinstance(field.default, str | int | float):
            assert default == f"{field.default:{'' if isinstance(field.default, str) else 'g'}}"


def test_every_metric_has_its_row():
    registry = CollectorRegistry()
    Metrics(registry)
    for metric in registry.collect():
        name = metric.name + ("_total" if metric.type == "counter" else "")
        assert re.search(rf"`{name}`", PAGE), name
