"""``RuleBaseService`` over the wire: answers, errors with their reasons, bounds, health."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from harken.v1 import rule_bases_pb2 as pb
from harken.v1 import rule_bases_pb2_grpc
from harken_server.grpc.control_server import MAX_MESSAGE_BYTES, RULE_BASES, WORKING_CALLS
from harken_server.grpc.errors import DETAILS_KEY, MAX_DETAIL_BYTES

SECRET = "13800138000 Alice"


@pytest.fixture
def channel(control: Any) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(control.target) as opened:
        yield opened


@pytest.fixture
def stub(channel: grpc.Channel) -> Any:
    return rule_bases_pb2_grpc.RuleBaseServiceStub(channel)


def create(name: str, more: str = "", **fields: Any) -> pb.CreateRuleBaseRevisionRequest:
    content = f"name: {name}\n{more}".encode()
    file = pb.RuleBaseFile(path="rulebase.yaml", content=content)
    given = {"author": "ann", "message": "why", **fields}
    return pb.CreateRuleBaseRevisionRequest(files=[file], **given)


def refused(call: Callable[[], object]) -> tuple[str, str, status_pb2.Status]:
    """Code, reason and status of the error that ``call`` ends with."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    trailers = dict(caught.value.trailing_metadata())
    status = status_pb2.Status.FromString(trailers[DETAILS_KEY])
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "harken"
    assert status.message == caught.value.details()
    return caught.value.code().name, info.reason, status


def test_a_rule_base_is_created_served_listed_and_taken_back(control: Any, stub: Any) -> None:
    first = stub.GetServingState(pb.GetServingStateRequest()).active
    assert (first.source, first.active) == (pb.RuleBaseRevision.SOURCE_START, True)
    created = stub.CreateRuleBaseRevision(create("a", "warning: odd\n"))
    assert created.created
    assert created.revision.digest == created.digest
    assert created.revision.source == pb.RuleBaseRevision.SOURCE_PUBLISHED
    assert not created.revision.HasField("activate_time")
    (finding,) = created.findings
    assert (finding.id, finding.severity) == ("gap", pb.Finding.SEVERITY_WARNING)
    assert (finding.file, finding.line, finding.column, finding.hint) == (
        *("rulebase.yaml", 2, 1, "mend it"),
    )
    assert finding.rendered_text.startswith("warning[gap]: odd\n  --> rulebase.yaml:2:1")

    request = pb.ActivateRuleBaseRevisionRequest(
        digest=created.digest[7:19], author="bob", message="try"
    )
    activation = stub.ActivateRuleBaseRevision(request).activation
    assert (activation.digest, activation.former_digest) == (created.digest, first.digest)
    assert (activation.author, activation.message) == ("bob", "try")
    listed = stub.ListRuleBaseRevisions(pb.ListRuleBaseRevisionsRequest()).revisions
    assert [one.digest for one in listed] == [created.digest, first.digest]
    assert [one.active for one in listed] == [True, False]
    assert listed[0].activate_time == activation.activate_time

    request = pb.GetRuleBaseRevisionRequest(digest=created.digest, include_files=True)
    found = stub.GetRuleBaseRevision(request)
    assert found.revision == listed[0]
    assert [(f.path, f.content) for f in found.files] == [
        ("rulebase.yaml", b"name: a\nwarning: odd\n")
    ]
    request.include_files = False
    assert not stub.GetRuleBaseRevision(request).files

    back = stub.RollbackRuleBase(pb.RollbackRuleBaseRequest(author="ann", message="oh")).activation
    assert (back.digest, back.former_digest) == (first.digest, created.digest)


def test_findings_are_an_answer_and_not_an_error(stub: Any) -> None:
    answer = stub.CreateRuleBaseRevision(create("a", "error: wrong\nwarning: odd\n"))
    assert [finding.message for finding in answer.findings] == ["wrong", "odd"]
    assert (answer.digest, answer.created, answer.HasField("revision")) == ("", False, False)
    answer = stub.CreateRuleBaseRevision(create("a", author="", message="", validate_only=True))
    assert answer.digest
    assert not answer.HasField("revision")
    assert len(stub.ListRuleBaseRevisions(pb.ListRuleBaseRevisionsRequest()).revisions) == 1


def test_revisions_come_in_pages(stub: Any) -> None:
    for number in range(4):
        stub.CreateRuleBaseRevision(create(f"n{number}"))
    request, seen = pb.ListRuleBaseRevisionsRequest(page_size=2), []
    while True:
        page = stub.ListRuleBaseRevisions(request)
        seen += [one.digest for one in page.revisions]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert len(set(seen)) == len(seen) == 5


def test_the_state_says_who_serves_what(control: Any, stub: Any) -> None:
    digest = stub.CreateRuleBaseRevision(create("a")).digest
    control.crew.problems = ("worker 0: no memory",)
    request = pb.ActivateRuleBaseRevisionRequest(digest=digest, author="ann", message="why")
    refused(lambda: stub.ActivateRuleBaseRevision(request))
    state = stub.GetServingState(pb.GetServingStateRequest())
    assert state.active.digest == state.activation.digest != digest
    assert [(w.number, w.serving) for w in state.workers] == [(0, True), (1, False)]
    assert {w.rule_base_digest for w in state.workers} == {state.active.digest}
    assert state.workers[0].since_time.ToDatetime().hour == 8
    assert (state.last_error.digest, list(state.last_error.problems)) == (
        digest,
        ["worker 0: no memory"],
    )
    assert state.last_error.source == pb.RuleBaseRevision.SOURCE_PUBLISHED
    assert state.last_error.HasField("report_time")
    assert state.durable
    assert not state.HasField("shadow")


def test_a_shadow_tells_its_matrix(stub: Any) -> None:
    digest = stub.CreateRuleBaseRevision(create("a")).digest
    request = pb.SetShadowRuleBaseRequest(digest=digest[:16], sample_share=0.25)
    stub.SetShadowRuleBase(request)
    shadow = stub.GetServingState(pb.GetServingStateRequest()).shadow
    assert (shadow.digest, shadow.sample_share) == (digest, 0.25)
    assert (shadow.scored_count, shadow.skipped_count, shadow.failed_count) == (10, 2, 1)
    assert shadow.changed_level_count == 3
    assert [(t.former_level, t.level, t.count) for t in shadow.transitions] == [
        *((1, 1, 7), (1, 2, 2), (3, 2, 1)),
    ]
    ended = stub.SetShadowRuleBase(pb.SetShadowRuleBaseRequest())
    assert not ended.HasField("shadow")


def test_a_simulation_tells_what_differs(stub: Any, request_of: Callable[..., Any]) -> None:
    digest = stub.CreateRuleBaseRevision(create("a")).digest
    request = pb.SimulateRuleBaseRequest(digest=digest, requests=[request_of()] * 5)
    found = stub.SimulateRuleBase(request)
    assert (found.digest, found.scored_count, found.refused_count) == (digest, 5, 2)
    assert found.changed_level_count == 1
    assert [(t.former_level, t.level, t.count) for t in found.transitions] == [(1, 1, 4), (1, 2, 1)]
    assert [(c.code, c.former_count, c.count) for c in found.strategies] == [("refund", 1, 0)]
    assert [(c.code, c.former_count, c.count) for c in found.owners] == [("billing", 0, 4)]
    line = found.above_warning_line
    assert (line.code, line.former_count, line.count) == ("above_warning_line", 3, 5)


INVALID, FAILED = "INVALID_ARGUMENT", "FAILED_PRECONDITION"
SIGNED = {"author": "a", "message": "m"}


@pytest.mark.parametrize(
    ("method", "request_", "code", "reason", "field"),
    [
        ("GetRuleBaseRevision", {}, INVALID, "FIELD_REQUIRED", "digest"),
        ("GetRuleBaseRevision", {"digest": "x"}, INVALID, "FIELD_INVALID", "digest"),
        ("GetRuleBaseRevision", {"digest": "f" * 9}, "NOT_FOUND", "REVISION_UNKNOWN", ""),
        (
            *("ActivateRuleBaseRevision", {"digest": "f" * 9, **SIGNED}),
            *("NOT_FOUND", "REVISION_UNKNOWN", ""),
        ),
        (
            *("ActivateRuleBaseRevision", {"digest": "f" * 9, "message": "m"}),
            *(INVALID, "FIELD_REQUIRED", "author"),
        ),
        ("RollbackRuleBase", SIGNED, FAILED, "NO_FORMER_REVISION", ""),
        (
            *("SetShadowRuleBase", {"sample_share": 2}),
            *(INVALID, "VALUE_OUT_OF_RANGE", "sample_share"),
        ),
        ("CreateRuleBaseRevision", {}, INVALID, "FIELD_REQUIRED", "files"),
        (
            *("ListRuleBaseRevisions", {"page_size": -1}),
            *(INVALID, "VALUE_OUT_OF_RANGE", "page_size"),
        ),
        ("ListRuleBaseRevisions", {"page_token": "x"}, INVALID, "FIELD_INVALID", "page_token"),
    ],
)
def test_errors_have_reasons_and_name_fields(
    stub: Any, method: str, request_: dict[str, Any], code: str, reason: str, field: str
) -> None:
    request = getattr(pb, f"{method}Request")(**request_)
    said = refused(lambda: getattr(stub, method)(request))
    assert said[:2] == (code, reason)
    if field:
        bad = error_details_pb2.BadRequest()
        assert said[2].details[1].Unpack(bad)
        assert field in {violation.field for violation in bad.field_violations}


def test_unsafe_files_are_named(stub: Any) -> None:
    request = create("a")
    request.files.add(path="../../etc/cron.d/x.yaml", content=b"")
    request.files.add(path="RuleBase.yaml", content=b"")
    code, reason, status = refused(lambda: stub.CreateRuleBaseRevision(request))
    assert (code, reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    bad = error_details_pb2.BadRequest()
    assert status.details[1].Unpack(bad)
    assert [one.field for one in bad.field_violations] == ["files[1].path", "files[2].path"]
    assert "(and 1 more violation)" in status.message


def test_what_the_workers_say_is_told_as_far_as_there_is_room(control: Any, stub: Any) -> None:
    digest = stub.CreateRuleBaseRevision(create("a")).digest
    control.crew.problems = tuple(f"problem {n}: {'x' * 600}" for n in range(50))
    request = pb.ActivateRuleBaseRevisionRequest(digest=digest, author="ann", message="why")
    code, reason, status = refused(lambda: stub.ActivateRuleBaseRevision(request))
    assert (code, reason) == ("FAILED_PRECONDITION", "ACTIVATION_FAILED")
    assert "problem 0" in status.message
    failure = error_details_pb2.PreconditionFailure()
    assert status.details[1].Unpack(failure)
    assert failure.violations[0].description.startswith("problem 0")
    assert 1 < len(failure.violations) < 50
    assert status.ByteSize() < MAX_DETAIL_BYTES + 2000


def test_bytes_that_are_no_message_are_refused(control: Any, channel: grpc.Channel) -> None:
    for method in pb.DESCRIPTOR.services_by_name["RuleBaseService"].methods:
        call = channel.unary_unary(f"/{RULE_BASES}/{method.name}")
        code, reason, _ = refused(lambda call=call: call(b"\xff\xff\xff", timeout=10))
        assert (code, reason) == ("INVALID_ARGUMENT", "MESSAGE_UNDECODABLE"), method.name


def test_a_fault_inside_leaks_nothing(
    control: Any, stub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(control.publisher, "state", broken)
    code, reason, status = refused(lambda: stub.GetServingState(pb.GetServingStateRequest()))
    assert (code, reason) == ("INTERNAL", "INTERNAL")
    assert SECRET not in str(status)


def test_a_large_rule_base_arrives_and_a_larger_one_does_not(control: Any, stub: Any) -> None:
    request = create("a")
    for number in range(3):
        request.files.add(path=f"decisions/{number}.yaml", content=b"#" * 4_000_000)
    assert stub.CreateRuleBaseRevision(request, timeout=60).created
    kept = pb.GetRuleBaseRevisionRequest(
        digest=stub.GetServingState(pb.GetServingStateRequest()).active.digest, include_files=True
    )
    assert stub.GetRuleBaseRevision(kept).files
    assert MAX_MESSAGE_BYTES > 64_000_000


def test_asking_is_answered_while_changes_wait_and_the_rest_is_shed(
    control: Any, stub: Any, channel: grpc.Channel
) -> None:
    digest = stub.CreateRuleBaseRevision(create("a")).digest
    entered, go = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        assert go.wait(60)

    control.crew.before_reload = hold
    request = pb.ActivateRuleBaseRevisionRequest(digest=digest, author="ann", message="why")
    first = stub.ActivateRuleBaseRevision.future(request)
    assert entered.wait(30)
    rest = [stub.ActivateRuleBaseRevision.future(request) for _ in range(WORKING_CALLS - 1)]
    while control.server._working.in_flight < WORKING_CALLS:
        pass
    code, reason, _ = refused(lambda: stub.ActivateRuleBaseRevision(request))
    assert (code, reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    state = stub.GetServingState(pb.GetServingStateRequest(), timeout=10)
    assert state.active.digest != digest
    health = health_pb2_grpc.HealthStub(channel)
    assert health.Check(health_pb2.HealthCheckRequest(), timeout=10).status == 1
    go.set()
    assert first.result().activation.digest == digest
    for each in rest:
        assert each.result().activation == first.result().activation


def test_health_and_reflection_know_the_service(control: Any, channel: grpc.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    assert health.Check(health_pb2.HealthCheckRequest(service=RULE_BASES)).status == 1
    reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = reflection.ServerReflectionInfo(iter([asked]))
    names = {service.name for service in answer.list_services_response.service}
    assert {RULE_BASES, "grpc.health.v1.Health"} <= names


def test_every_method_of_the_service_is_served(stub: Any) -> None:
    asked = ("ListRuleBaseRevisions", "SetShadowRuleBase", "GetServingState")
    for method in pb.DESCRIPTOR.services_by_name["RuleBaseService"].methods:
        request = getattr(pb, method.input_type.name)()
        call = getattr(stub, method.name).future(request, timeout=20)
        # What an empty request lacks is said by the method itself.
        reason = "" if method.name in asked else refused(call.result)[1]
        assert reason in ("", "FIELD_REQUIRED"), method.name
        assert (call.code() is grpc.StatusCode.OK) == (not reason)


@pytest.mark.parametrize("problem", ["规则" * 400, "😀" * 800, "a%\n" * 300])
def test_a_long_problem_in_any_script_does_not_drown_the_status(
    control: Any, stub: Any, problem: str
) -> None:
    digest = stub.CreateRuleBaseRevision(create("a")).digest
    control.crew.problems = (problem, problem, problem)
    request = pb.ActivateRuleBaseRevisionRequest(digest=digest, author="ann", message="why")
    code, reason, status = refused(lambda: stub.ActivateRuleBaseRevision(request))
    assert (code, reason) == ("FAILED_PRECONDITION", "ACTIVATION_FAILED")
    assert status.message.startswith(f"{digest} is not served")
    failure = error_details_pb2.PreconditionFailure()
    assert status.details[1].Unpack(failure)
    assert problem.startswith(failure.violations[0].description.rstrip("…"))


def test_a_page_token_beyond_all_years_is_refused(stub: Any) -> None:
    request = pb.ListRuleBaseRevisionsRequest(page_token="0001-01-01T00:00:00+14:00/x")
    assert refused(lambda: stub.ListRuleBaseRevisions(request))[:2] == (
        "INVALID_ARGUMENT",
        "FIELD_INVALID",
    )
