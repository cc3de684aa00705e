"""``harken model compile``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

NOT_COMPILED = 1


def compile_command(
    bundle: Annotated[
        Path | None, typer.Argument(help="Bundle folder; the shipped one unless told.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as a line of JSON.")] = False,
) -> None:
    """Make machine code of a bundle's trees, and keep it for harken serve --compiled.

    It takes up to a minute and is done once for a model, a kind of processor and a version of
    the compiler; what is kept is found in the folder named by HARKEN_CACHE_DIR, else in
    ~/.cache/harken. Needs the extra: pip install 'harken-models[compiled]'.

    Exit codes: 0 compiled and in agreement with LightGBM, 1 not, and why, 2 unusable bundle.

    Example: harken model compile my-bundle
    """
    from harken_models.bundle import default_bundle_path
    from harken_models.bundlefile import load_bundle
    from harken_models.codecache import cache_folder
    from harken_models.commands import user_errors
    from harken_models.compiled import compile_predictor
    from harken_models.errors import NotCompiledError

    folder = bundle or default_bundle_path()
    why = ""
    made = False
    with user_errors():
        loaded = load_bundle(folder)
        began = time.monotonic()
        with _status() as begins:
            try:
                made = compile_predictor(loaded.predictor, begins).made
            except NotCompiledError as error:
                why = str(error)
    said = {
        "bundle": str(folder),
        "model_digest": loaded.digest,
        "compiled": not why,
        "made": made,
        "seconds": round(time.monotonic() - began, 2),
        "cache": "" if why else str(cache_folder()),
        "problem": why,
    }
    if as_json:
        typer.echo(json.dumps(said))
    elif why:
        typer.echo(f"{folder}: not compiled: {why}", err=True)
    else:
        how = f"compiled in {said['seconds']:g} s" if made else "was compiled before"
        typer.echo(f"{folder}: {how}; kept in {said['cache']}")
    if why:
        raise typer.Exit(NOT_COMPILED)


@contextmanager
def _status() -> Iterator[Callable[[], None]]:
    """A function that says, on a terminal, that something goes on until the context ends."""
    console = Console(stderr=True)
    status = console.status("compiling the trees; this takes up to a minute, once")
    try:
        yield status.start if console.is_terminal else lambda: None
    finally:
        status.stop()
