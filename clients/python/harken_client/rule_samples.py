"""The sample of ``harken rules simulate``: requests in JSON, or the first rows of a history."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from harken_client.errors import HarkenError, InvalidRequest
from harken_client.requests import request_from_json

MOST = 1_000
"""A simulation takes no more requests."""
FLAT = (".csv", ".parquet")


def read_sample(path: Path, spec: Path | None = None, rows: int = MOST) -> list[Any]:
    """The requests of ``path``: of JSON all, of a flat history those of the first ``rows`` rows.

    Raises HarkenError, which names file and item, or file and row.
    """
    if path.suffix.lower() in FLAT:
        return _of_history(path, spec, rows)
    if spec is not None:
        raise InvalidRequest(f"{path}: --spec goes with a {' or '.join(FLAT)} file")
    return _of_json(path)


def _of_history(path: Path, spec: Path | None, most: int) -> list[Any]:
    """As a replay reads it."""
    from harken_client.replay.convert import Converter, spec_for
    from harken_client.replay.sources import open_source
    from harken_client.replay.spec import read_spec

    source = open_source(path)
    meant = spec_for(read_spec(spec) if spec else None, source.columns)
    converter = Converter(meant, source.columns, "")
    requests = []
    for number, row in enumerate(itertools.islice(source.rows(converter.columns, 0), most), 1):
        try:
            requests.append(converter.convert(row).request)
        except InvalidRequest as error:
            raise InvalidRequest(
                f"{path}, row {number}: {error.message}",
                reason=error.reason,
                field_violations=error.field_violations,
            ) from None
    return requests


def _of_json(path: Path) -> list[Any]:
    at = str(path)
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".jsonl":
            items = []
            for number, line in enumerate(text.splitlines(), start=1):
                at = f"{path}:{number}"
                if line.strip():
                    items.append(json.loads(line))
        else:
            read = json.loads(text)
            items = read if isinstance(read, list) else [read]
        requests = []
        for number, item in enumerate(items, start=1):
            at = f"{path}, request {number}"
            requests.append(request_from_json(item))
    except OSError as error:
        raise InvalidRequest(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{at} is not JSON: {error}") from None
    except HarkenError as error:
        raise InvalidRequest(f"{at}: {error.message}") from None
    return requests
