"""Certificates and keys, as grpcio takes them."""

from __future__ import annotations

from pathlib import Path

import grpc


def credentials(
    cert: str | Path | None, key: str | Path | None, client_ca: str | Path | None
) -> grpc.ServerCredentials | None:
    """TLS from files, mutual where ``client_ca`` is given; ``None`` is plain text."""
    if cert is None or key is None:
        return None
    roots = Path(client_ca).read_bytes() if client_ca is not None else None
    pair = (Path(key).read_bytes(), Path(cert).read_bytes())
    return grpc.ssl_server_credentials([pair], roots, require_client_auth=roots is not None)
