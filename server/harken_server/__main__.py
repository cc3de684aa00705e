"""``python -m harken_server`` is ``harken serve``."""

from __future__ import annotations

import typer

from harken_server.commands import HELP, serve

app = typer.Typer(add_completion=False)
app.command("serve", help=HELP)(serve)

if __name__ == "__main__":
    app(prog_name="python -m harken_server")
