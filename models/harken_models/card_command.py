"""``harken model card``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from harken_models.command_parts import user_errors


def card_command(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    language: Annotated[Literal["en", "zh"], typer.Option("--language", help="en or zh.")] = "en",
) -> None:
    """Print a bundle's model card: its data, validation, figures, weak sides and needed fields.

    Markdown. A bundle from before cards were written gets one from what its manifest says.

    Example: harken model card my-bundle --language zh > card.md
    """
    from harken_models.bundlefile import load_bundle
    from harken_models.card import FILES, card_text

    with user_errors():
        loaded = load_bundle(bundle)
        written = bundle / FILES[language]
        if FILES[language] in loaded.manifest["files"]:
            text = written.read_text(encoding="utf-8")
        else:
            text = card_text(loaded.manifest, loaded.parts, {}, language)
    typer.echo(text, nl=False)
