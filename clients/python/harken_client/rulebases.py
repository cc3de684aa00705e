"""The client of the control plane: publishes rule bases, goes back, asks what is served."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

import grpc
from google.protobuf.message import Message
from harken.v1 import rule_bases_pb2, rule_bases_pb2_grpc

from harken_client.errors import from_rpc_error
from harken_client.requests import Scorable, to_request
from harken_client.rule_types import (
    CheckedRuleBase,
    RevisionPage,
    RevisionWithFiles,
    RuleBaseActivation,
    RuleBaseFile,
    ServingState,
    ShadowState,
    Simulation,
    from_proto,
)
from harken_client.transport import Tls, channel_options

DEFAULT_TARGET = "127.0.0.1:50052"
CHANGE_SECONDS = 300.0
"""Checking a rule base and loading it in every worker takes seconds, on a busy machine minutes."""
ASK_SECONDS = 15.0


class RuleBaseClient:
    """A channel to a server's control port; safe to share between threads.

    ``timeout`` is the deadline of a call in seconds: 300 for what checks, changes or simulates,
    15 for what only asks, unless given. Nothing is tried again: going back twice is not going
    back once. Every method raises :class:`~harken_client.errors.HarkenError`. Use it as a
    context manager, or ``close`` it.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        timeout: float | None = None,
        tls: Tls | None = None,
        options: Sequence[tuple[str, object]] = (),
    ) -> None:
        self.target = target
        self._timeout = timeout
        arguments = channel_options(target, attempts=1, tls=tls, extra=options)
        self._channel = (
            grpc.secure_channel(target, tls.credentials(), options=arguments)
            if tls
            else grpc.insecure_channel(target, options=arguments)
        )
        self._stub: Any = rule_bases_pb2_grpc.RuleBaseServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def list_rule_base_revisions(self, *, page_size: int = 0, page_token: str = "") -> RevisionPage:
        """Revisions, newest first: 50 a page unless told, never more than 1,000."""
        request = rule_bases_pb2.ListRuleBaseRevisionsRequest(
            page_size=page_size, page_token=page_token
        )
        page: RevisionPage = from_proto(self._call("ListRuleBaseRevisions", request, ASK_SECONDS))
        return page

    def get_rule_base_revision(
        self, digest: str, *, include_files: bool = False
    ) -> RevisionWithFiles:
        """One revision, by its digest or the first 8 digits of it or more."""
        request = rule_bases_pb2.GetRuleBaseRevisionRequest(
            digest=digest, include_files=include_files
        )
        found: RevisionWithFiles = from_proto(
            self._call("GetRuleBaseRevision", request, ASK_SECONDS)
        )
        return found

    def create_rule_base_revision(
        self,
        files: Iterable[RuleBaseFile],
        *,
        author: str = "",
        message: str = "",
        validate_only: bool = False,
    ) -> CheckedRuleBase:
        """Check a rule base and keep it; errors in it are answered, not raised.

        ``author`` and ``message`` are required unless it is only to be checked.
        """
        request = rule_bases_pb2.CreateRuleBaseRevisionRequest(
            files=[rule_bases_pb2.RuleBaseFile(path=f.path, content=f.content) for f in files],
            author=author,
            message=message,
            validate_only=validate_only,
        )
        checked: CheckedRuleBase = from_proto(
            self._call("CreateRuleBaseRevision", request, CHANGE_SECONDS)
        )
        return checked

    def activate_rule_base_revision(
        self, digest: str, *, author: str, message: str
    ) -> RuleBaseActivation:
        """Serve a revision from now on; :class:`Refused` if the workers go on as before."""
        request = rule_bases_pb2.ActivateRuleBaseRevisionRequest(
            digest=digest, author=author, message=message
        )
        response = self._call("ActivateRuleBaseRevision", request, CHANGE_SECONDS)
        activation: RuleBaseActivation = from_proto(response.activation)
        return activation

    def rollback_rule_base(self, *, author: str, message: str) -> RuleBaseActivation:
        """Serve the revision that was active before the present one; twice goes back twice."""
        request = rule_bases_pb2.RollbackRuleBaseRequest(author=author, message=message)
        response = self._call("RollbackRuleBase", request, CHANGE_SECONDS)
        activation: RuleBaseActivation = from_proto(response.activation)
        return activation

    def simulate_rule_base(
        self, digest: str, requests: Iterable[Scorable], *, former_digest: str = ""
    ) -> Simulation:
        """Score up to 1,000 grumbles with a revision and with another, else the active one."""
        request = rule_bases_pb2.SimulateRuleBaseRequest(
            digest=digest, former_digest=former_digest, requests=map(to_request, requests)
        )
        simulation: Simulation = from_proto(self._call("SimulateRuleBase", request, CHANGE_SECONDS))
        return simulation

    def set_shadow_rule_base(self, digest: str, *, sample_share: float = 0.0) -> ShadowState | None:
        """Score a share of the traffic (0.1 unless told) with a revision too, unseen by callers.

        No digest ends it; then the answer is ``None``.
        """
        request = rule_bases_pb2.SetShadowRuleBaseRequest(digest=digest, sample_share=sample_share)
        response = self._call("SetShadowRuleBase", request, CHANGE_SECONDS)
        shadow: ShadowState | None = (
            from_proto(response.shadow) if response.HasField("shadow") else None
        )
        return shadow

    def get_serving_state(self) -> ServingState:
        """What is served, by each worker, and what went wrong last."""
        request = rule_bases_pb2.GetServingStateRequest()
        state: ServingState = from_proto(self._call("GetServingState", request, ASK_SECONDS))
        return state

    def _call(self, method: str, request: Message, seconds: float) -> Any:
        timeout = seconds if self._timeout is None else self._timeout
        try:
            return getattr(self._stub, method)(request, timeout=timeout)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def close(self) -> None:
        """Close the channel; calls under way end with ``Unavailable``."""
        self._channel.close()

    def __enter__(self) -> RuleBaseClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
