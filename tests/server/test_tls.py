"""TLS and mutual TLS, as the workers set them up from files."""

from __future__ import annotations

import grpc
import pytest
from harken.v1 import scoring_pb2_grpc
from harken_server.grpc.tls import credentials


@pytest.fixture
def transport():
    """The native one serves no TLS, and says so: see ``test_native.py``."""
    return "grpcio"


@pytest.fixture
def served_with(start, certificates):
    """Starts a server with TLS; ``mutual`` asks clients for certificates."""

    def make(mutual):
        cert, key, ca = (str(certificates / n) for n in ("server.pem", "server.key", "ca.pem"))
        return start(credentials=credentials(cert, key, ca if mutual else None)).address

    return make


def score(address, request, given):
    channel = grpc.secure_channel(address, given) if given else grpc.insecure_channel(address)
    with channel:
        return scoring_pb2_grpc.ScoringServiceStub(channel).Score(request, timeout=20)


def test_mutual_tls_lets_in_only_whom_it_knows(served_with, certificates, request_of):
    address = served_with(mutual=True)
    read = {p.name: p.read_bytes() for p in certificates.iterdir()}
    known = grpc.ssl_channel_credentials(read["ca.pem"], read["client.key"], read["client.pem"])
    assert score(address, request_of(), known).score.level
    nobody = grpc.ssl_channel_credentials(read["ca.pem"])
    for given in (nobody, None):
        with pytest.raises(grpc.RpcError) as caught:
            score(address, request_of(), given)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_tls_is_served_and_plain_text_is_not(served_with, certificates, request_of):
    address = served_with(mutual=False)
    trusted = grpc.ssl_channel_credentials((certificates / "ca.pem").read_bytes())
    assert score(address, request_of(), trusted).score.level
    with pytest.raises(grpc.RpcError) as caught:
        score(address, request_of(), None)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_without_files_there_is_no_tls():
    assert credentials(None, None, None) is None
