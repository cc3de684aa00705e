"""``RuleBaseService``: convert, publish, convert back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from harken.v1 import rule_bases_pb2 as pb

from harken_server.errors import PublishingError, Reason, Violation
from harken_server.publishing import Mishap, Publisher, Shadowing
from harken_server.revisions import Activation, Revision, Source
from harken_server.rule_files import RuleFile
from harken_server.supervision import WorkerState
from harken_server.transitions import WARNING_LINE, changed, differing
from harken_server.vetting import Finding

DEFAULT_PAGE, MAX_PAGE = 50, 1000
_SOURCES = {
    Source.START: pb.RuleBaseRevision.SOURCE_START,
    Source.PUBLISHED: pb.RuleBaseRevision.SOURCE_PUBLISHED,
    Source.WATCHED: pb.RuleBaseRevision.SOURCE_WATCHED,
}
_SEVERITIES = {
    "warning": pb.Finding.SEVERITY_WARNING,
    "error": pb.Finding.SEVERITY_ERROR,
}


class RuleBaseService:
    """Each method takes a request and returns its response, or raises ``PublishingError``."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def list_rule_base_revisions(
        self, request: pb.ListRuleBaseRevisionsRequest
    ) -> pb.ListRuleBaseRevisionsResponse:
        """Lists the revisions kept, newest first."""
        if request.page_size < 0:
            words = f"page_size is {request.page_size}; it must not be negative"
            blamed = [Violation(Reason.VALUE_OUT_OF_RANGE, "page_size", words)]
            raise PublishingError(Reason.VALUE_OUT_OF_RANGE, words, violations=blamed)
        size = min(request.page_size or DEFAULT_PAGE, MAX_PAGE)
        revisions, token = self._publisher.store.page(size, request.page_token)
        return pb.ListRuleBaseRevisionsResponse(
            revisions=map(revision_to_proto, revisions), next_page_token=token
        )

    def get_rule_base_revision(
        self, request: pb.GetRuleBaseRevisionRequest
    ) -> pb.GetRuleBaseRevisionResponse:
        """Answers one revision, with its files if asked."""
        store = self._publisher.store
        revision = store.find(request.digest)
        files = store.files(revision) if request.include_files else ()
        return pb.GetRuleBaseRevisionResponse(
            revision=revision_to_proto(revision),
            files=[pb.RuleBaseFile(path=file.path, content=file.content) for file in files],
        )

    def create_rule_base_revision(
        self, request: pb.CreateRuleBaseRevisionRequest
    ) -> pb.CreateRuleBaseRevisionResponse:
        """Checks a rule base and keeps it."""
        created = self._publisher.create(
            [RuleFile(file.path, file.content) for file in request.files],
            request.author,
            request.message,
            validate_only=request.validate_only,
        )
        revision = created.revision
        return pb.CreateRuleBaseRevisionResponse(
            revision=revision_to_proto(revision) if revision is not None else None,
            findings=map(finding_to_proto, created.findings),
            digest=created.digest,
            created=created.created,
        )

    def activate_rule_base_revision(
        self, request: pb.ActivateRuleBaseRevisionRequest
    ) -> pb.ActivateRuleBaseRevisionResponse:
        """Serves a revision from now on."""
        done = self._publisher.activate(request.digest, request.author, request.message)
        return pb.ActivateRuleBaseRevisionResponse(activation=activation_to_proto(done))

    def rollback_rule_base(
        self, request: pb.RollbackRuleBaseRequest
    ) -> pb.RollbackRuleBaseResponse:
        """Serves the revision that was active before the present one."""
        done = self._publisher.rollback(request.author, request.message)
        return pb.RollbackRuleBaseResponse(activation=activation_to_proto(done))

    def simulate_rule_base(
        self, request: pb.SimulateRuleBaseRequest
    ) -> pb.SimulateRuleBaseResponse:
        """Scores a sample with two revisions and answers what differs."""
        sample = pb.SimulateRuleBaseRequest(requests=request.requests).SerializeToString()
        tried, former, found = self._publisher.simulate(
            request.digest, request.former_digest, sample, len(request.requests)
        )
        return pb.SimulateRuleBaseResponse(
            digest=tried.digest,
            former_digest=former.digest,
            scored_count=found.scored,
            refused_count=found.refused,
            changed_level_count=changed(found.transitions),
            transitions=_transitions(found.transitions),
            strategies=_counts(found.strategies),
            owners=_counts(found.owners),
            above_warning_line=_count(WARNING_LINE, found.above_warning_line),
        )

    def set_shadow_rule_base(
        self, request: pb.SetShadowRuleBaseRequest
    ) -> pb.SetShadowRuleBaseResponse:
        """Begins to score a second revision beside the active one, or ends it."""
        shadow = self._publisher.set_shadow(request.digest, request.sample_share)
        active = self._publisher.store.active
        return pb.SetShadowRuleBaseResponse(shadow=_shadow(shadow, active))

    def get_serving_state(self, _request: pb.GetServingStateRequest) -> pb.GetServingStateResponse:
        """Answers what is served, by each worker, and what went wrong last."""
        state = self._publisher.state()
        active, activation = state.active, state.activation
        return pb.GetServingStateResponse(
            active=revision_to_proto(active) if active is not None else None,
            activation=activation_to_proto(activation) if activation is not None else None,
            workers=map(_worker, state.workers),
            last_error=_mishap(state.last_error),
            shadow=_shadow(state.shadow, active),
            watched_folder=state.watched_folder,
            durable=state.durable,
        )


def revision_to_proto(revision: Revision) -> pb.RuleBaseRevision:
    """A revision as it travels."""
    return pb.RuleBaseRevision(
        digest=revision.digest,
        name=revision.name,
        author=revision.author,
        message=revision.message,
        create_time=_time(revision.create_time),
        source=_SOURCES[revision.source],
        active=revision.active,
        activate_time=_time(revision.activate_time),
    )


def finding_to_proto(finding: Finding) -> pb.Finding:
    """A finding as it travels."""
    return pb.Finding(
        id=finding.id,
        severity=_SEVERITIES[finding.severity],
        message=finding.message,
        file=finding.file,
        line=finding.line,
        column=finding.column,
        hint=finding.hint,
        rendered_text=finding.rendered,
    )


def activation_to_proto(activation: Activation) -> pb.RuleBaseActivation:
    """A change of what is served as it travels."""
    return pb.RuleBaseActivation(
        digest=activation.digest,
        former_digest=activation.former_digest,
        author=activation.author,
        message=activation.message,
        activate_time=_time(activation.activate_time),
    )


def _worker(worker: WorkerState) -> pb.WorkerState:
    return pb.WorkerState(
        number=worker.number,
        serving=worker.serving,
        rule_base_digest=worker.rule_base_digest,
        model_digest=worker.model_digest,
        since_time=_time(worker.since),
    )


def _mishap(mishap: Mishap | None) -> pb.ServingError | None:
    if mishap is None:
        return None
    return pb.ServingError(
        report_time=_time(mishap.time),
        digest=mishap.digest,
        source=_SOURCES[mishap.source],
        problems=mishap.problems,
    )


def _shadow(shadow: Shadowing | None, active: Revision | None) -> pb.ShadowState | None:
    if shadow is None:
        return None
    state = pb.ShadowState(
        digest=shadow.digest,
        active_digest=active.digest if active is not None else "",
        sample_share=shadow.share,
        start_time=_time(shadow.start_time),
    )
    if shadow.counts is not None:
        counts = shadow.counts
        state.active_digest = counts.rule_base_digest
        state.scored_count = counts.scored
        state.skipped_count = counts.skipped
        state.failed_count = counts.failed
        state.changed_level_count = changed(counts.transitions)
        state.transitions.extend(_transitions(counts.transitions))
    return state


def _transitions(transitions: Counter[tuple[int, int]]) -> Iterable[pb.LevelTransition]:
    for (former, level), count in sorted(transitions.items()):
        yield pb.LevelTransition(former_level=former, level=level, count=count)


def _counts(counts: dict[str, tuple[int, int]]) -> Iterable[pb.ChangedCount]:
    return (_count(code, pair) for code, pair in differing(counts).items())


def _count(code: str, pair: tuple[int, int]) -> pb.ChangedCount:
    return pb.ChangedCount(code=code, former_count=pair[0], count=pair[1])


def _time(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
