"""Options that several commands have, and what they come to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from harken_client.transport import Tls

WHERE = "Where the service is"


def option(text: str, *names: str, panel: str | None = None, **more: Any) -> Any:
    """An option of ``typer`` with its help in words, under a heading of its own."""
    return typer.Option(*names, help=text, rich_help_panel=panel, **more)


Target = Annotated[str, option("host:port", "--target", panel=WHERE, envvar="HARKEN_TARGET")]
UseTls = Annotated[bool, option("Use TLS; implied by the options below.", "--tls", panel=WHERE)]
CaFile = Annotated[
    Path | None,
    option("Trust servers signed by these, PEM; else the system's.", "--ca", panel=WHERE),
]
CertFile = Annotated[
    Path | None, option("This client's certificate, PEM (mutual TLS).", "--cert", panel=WHERE)
]
KeyFile = Annotated[Path | None, option("Its private key, PEM.", "--key", panel=WHERE)]
ServerName = Annotated[
    str | None,
    option(
        "The name in the server's certificate, if not the target's.", "--server-name", panel=WHERE
    ),
]
Language = Annotated[str, option("Language of texts: en or zh.", "--language")]


def tls_of(
    wanted: bool, ca: Path | None, cert: Path | None, key: Path | None, server_name: str | None
) -> Tls | None:
    """What the options of TLS ask for; None for none at all."""
    from harken_client.transport import Tls

    if not (wanted or ca or cert or key or server_name):
        return None
    return Tls(ca=ca, certificate=cert, key=key, server_name=server_name)
