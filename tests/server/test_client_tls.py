"""The client's TLS options against a real server's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from harken_client import Client, HarkenError
from harken_client.transport import Tls

REQUEST = {"grumble_id": "g-1", "voice_time": datetime(2026, 3, 1, tzinfo=UTC)}


def test_mutual_tls_lets_in_who_has_a_certificate(serve_here: Any, certificates: Path) -> None:
    ca = certificates / "ca.pem"
    served = serve_here(
        *("--workers", "1", "--tls-client-ca", str(ca)),
        *("--tls-cert", str(certificates / "server.pem")),
        *("--tls-key", str(certificates / "server.key")),
    )
    known = Tls(ca, certificates / "client.pem", certificates / "client.key")
    with Client(served.target, tls=known) as client:
        assert client.score(REQUEST).level in range(1, 6)
    for stranger in (Tls(ca), None):
        with (
            Client(served.target, tls=stranger, attempts=1, timeout=5) as client,
            pytest.raises(HarkenError),
        ):
            client.score(REQUEST)
