"""The main job from end to end, on a simulated operator.

Simulates a history, trains on it, serves the shipped rule base with the new bundle, replays
the last labelled month over gRPC and shows one explained score in each language. Writes
``build/demo/summary.json``. Every figure is of simulated data.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from google.protobuf import json_format
from harken_client.requests import grumble_request
from sklearn.metrics import roc_auc_score

ROOT = Path(__file__).parents[1]
FROM, UNTIL = "2011-06-01", "2011-07-01"
"""The last month of the simulation's six."""
HARKEN = str(Path(sys.executable).with_name("harken"))


def harken(*arguments: object) -> None:
    """Run one command as a user would, and show it."""
    words = [shown(argument) for argument in arguments]
    print(f"\n$ harken {' '.join(words)}", flush=True)
    subprocess.run([HARKEN, *words], check=True)


def shown(argument: object) -> str:
    """An argument as one would type it in the project's folder."""
    if isinstance(argument, Path) and argument.is_relative_to(Path.cwd()):
        return str(argument.relative_to(Path.cwd()))
    return str(argument)


@contextlib.contextmanager
def serving(bundle: Path, ready: Path) -> Iterator[dict[str, object]]:
    """A server on a free port; yields what its ready file says."""
    ready.unlink(missing_ok=True)
    words = [
        "serve",
        "--port",
        "0",
        "--control-port",
        "0",
        "--metrics-port",
        "0",
        "--log-level",
        "warning",
        "--bundle",
        str(bundle),
    ]
    print(f"\n$ harken {' '.join(words)}", flush=True)
    server = subprocess.Popen([HARKEN, *words, "--ready-file", str(ready)])
    try:
        for _ in range(600):
            if ready.exists():
                break
            if server.poll() is not None:
                raise SystemExit(f"the server ended with exit code {server.returncode}")
            time.sleep(0.1)
        else:
            raise SystemExit("the server was not ready within a minute")
        yield json.loads(ready.read_text("utf-8"))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)


def as_core(row: pd.Series) -> dict[str, object]:
    """A prepared row as core fields; what is missing is left out."""
    known = row.drop("label").dropna()
    return {str(name): plain(value) for name, value in known.items()}


def plain(value: object) -> object:
    """A cell as Python's own type."""
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if isinstance(value, np.generic) else value


def worst_of(scores: pd.DataFrame, month: pd.DataFrame) -> dict[str, object]:
    """The likeliest complaint of the month among level 5, as core fields."""
    worst = scores[scores["level"] == 5].sort_values("probability", ascending=False).iloc[0]
    return as_core(month.iloc[int(worst["row"]) - 1])


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo")
    arguments = parser.parse_args()
    started = time.monotonic()
    out: Path = arguments.out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    spec = ROOT / "models" / "specs" / "simulated.yaml"
    history, bundle = out / "history", out / "bundle"
    month, scores = out / "last_month.parquet", out / "scores.parquet"

    print("Everything below is about a simulated operator.")
    harken(
        "data",
        "simulate",
        "--customers",
        arguments.customers,
        "--seed",
        arguments.seed,
        "--out",
        history,
    )
    harken("train", "--spec", spec, history, "--out", bundle)
    harken(
        "data", "prepare", "--spec", spec, history, "--out", month, "--from", FROM, "--until", UNTIL
    )
    with serving(bundle, out / "ready.json") as ready:
        target = f"127.0.0.1:{ready['port']}"
        harken("replay", month, scores, "--target", target, "--json", out / "replay.json")
        request = out / "level_five.json"
        scored, rows = pd.read_parquet(scores), pd.read_parquet(month)
        message = grumble_request(worst_of(scored, rows))
        request.write_text(json_format.MessageToJson(message), "utf-8")
        for language in ("en", "zh"):
            harken(
                "score", "--json", request, "--explain", "--language", language, "--target", target
            )

    summary = json.loads((out / "replay.json").read_text("utf-8"))
    truth = pd.read_parquet(history / "truth.parquet")
    known = scored[scored["label"].notna()].merge(truth, on="grumble_id")
    summary["auc_truth"] = float(roc_auc_score(known["label"], known["true_probability"]))
    (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
    print(
        f"\nOn the simulated test month the model's AUC is {summary['auc']:.4f}, that of the true "
        f"hazard {summary['auc_truth']:.4f}: {summary['auc'] / summary['auc_truth']:.1%} of it.\n"
        f"{time.monotonic() - started:.0f} s in all; figures in {shown(out / 'summary.json')}"
    )


if __name__ == "__main__":
    main()
