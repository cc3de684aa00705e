"""The publisher: one change at a time, the old one kept on any failure, who and why on record."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from harken_server.errors import PublishingError, Reason, SnapshotError
from harken_server.publishing import SERVER, Publisher, first_revision
from harken_server.revisions import Source, Store
from harken_server.rule_files import RuleFile
from harken_server.vetting import Vetted


def base(name: str, more: str = "") -> list[RuleFile]:
    return [RuleFile("rulebase.yaml", f"name: {name}\n{more}".encode())]


def publish(publisher: Publisher, name: str) -> str:
    created = publisher.create(base(name), "ann", f"try {name}")
    publisher.activate(created.digest, "ann", f"serve {name}")
    return created.digest


def fails(call: Callable[[], object]) -> PublishingError:
    with pytest.raises(PublishingError) as caught:
        call()
    return caught.value


def test_publishing_serves_and_says_what_was_before(control: Any) -> None:
    publisher, crew = control.publisher, control.crew
    first = publisher.store.active
    created = publisher.create(base("second"), "ann", "why")
    assert created.created
    assert publisher.store.active == first
    with structlog.testing.capture_logs() as said:
        activation = publisher.activate(created.digest[:15], "bob", "try it")
    assert (activation.digest, activation.former_digest) == (created.digest, first.digest)
    assert (activation.author, activation.message) == ("bob", "try it")
    assert crew.served[-1] == publisher.store.folder(created.revision)
    (line,) = said
    assert {line[k] for k in ("digest", "former", "author", "why")} == {
        *(created.digest, first.digest, "bob", "try it")
    }


def test_the_same_content_is_the_same_revision(control: Any) -> None:
    publisher = control.publisher
    first = publisher.create(base("a"), "ann", "why")
    again = publisher.create(base("a", "# a remark\n"), "bob", "other")
    assert (first.created, again.created) == (True, False)
    assert again.revision == first.revision
    assert again.revision.author == "ann"


def test_an_unsound_base_is_answered_and_not_kept(control: Any) -> None:
    publisher = control.publisher
    bad = base("a", "warning: odd\nerror: wrong\n")
    created = publisher.create(bad, "ann", "why")
    assert created.revision is None
    assert (created.digest, created.created) == ("", False)
    assert [each.message for each in created.findings] == ["odd", "wrong"]
    assert len(publisher.store.page()[0]) == 1
    assert list((publisher.store.root / "staging").iterdir()) == []


def test_only_checking_keeps_nothing_and_needs_no_name(control: Any) -> None:
    publisher = control.publisher
    checked = publisher.create(base("a", "warning: odd\n"), "", "", validate_only=True)
    assert checked.digest.startswith("sha256:")
    assert (checked.revision, len(checked.findings)) == (None, 1)
    assert len(publisher.store.page()[0]) == 1


@pytest.mark.parametrize(
    ("author", "message", "fields"),
    [
        ("", "", ["author", "message"]),
        (" ", "why", ["author"]),
        ("a" * 129, "why", ["author"]),
        ("ann\n", "why", ["author"]),
        ("ann", "w" * 2001, ["message"]),
        ("ann", "why\x1b[31m", ["message"]),
    ],
)
def test_every_change_is_signed(control: Any, author: str, message: str, fields: list[str]) -> None:
    publisher = control.publisher
    digest = publisher.create(base("a"), "ann", "first line\nsecond line").digest
    for call in (
        lambda: publisher.create(base("b"), author, message),
        lambda: publisher.activate(digest, author, message),
        lambda: publisher.rollback(author, message),
    ):
        assert [each.field for each in fails(call).violations] == fields
    assert len(control.crew.served) == 1


@pytest.mark.parametrize("author", ["张\u3000三", "Renée\u00a0Brown", "👩\u200d💻"])
def test_names_and_reasons_are_of_any_script(control: Any, author: str) -> None:
    created = control.publisher.create(base("a"), author, f"{author}：\n\t为什么")
    assert created.revision.author == author


def test_a_shadow_that_cannot_be_ended_does_not_undo_an_activation(
    control: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, crew = control.publisher, control.crew
    digest = publisher.create(base("a"), "ann", "why").digest
    publisher.set_shadow(digest)
    monkeypatch.setattr(crew, "set_shadow", lambda _rules, _share: ("worker 0: it ended",))
    assert publisher.activate(digest, "ann", "good").digest == digest
    assert publisher.state().shadow is None
    error = fails(lambda: publisher.set_shadow(""))
    assert error.reason is Reason.SHADOW_FAILED


def test_workers_are_held_to_the_digest_that_was_vetted(
    control: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, asked = control.publisher, []
    monkeypatch.setattr(control.crew, "reload", lambda *given: asked.append(given) or ())
    created = publisher.create(base("a"), "ann", "why")
    publisher.activate(created.digest, "ann", "why")
    assert asked == [(publisher.store.folder(created.revision), created.digest)]


def test_workers_that_refuse_keep_the_old_one_and_the_error_is_told(control: Any) -> None:
    publisher, crew = control.publisher, control.crew
    outcomes: list[str] = []
    publisher._counted = outcomes.append
    first = publisher.store.active
    digest = publisher.create(base("a"), "ann", "why").digest
    crew.problems = ("worker 1: it ended", "worker 0: no memory")
    error = fails(lambda: publisher.activate(digest, "ann", "why"))
    assert error.reason is Reason.ACTIVATION_FAILED
    assert error.problems == crew.problems
    state = publisher.state()
    assert state.active == first
    assert (state.last_error.digest, state.last_error.problems) == (digest, crew.problems)
    assert state.last_error.source is Source.PUBLISHED
    crew.problems = ()
    publisher.activate(digest, "ann", "why")
    assert publisher.state().last_error is None
    assert outcomes == ["failed", "activated"]


def test_a_line_that_cannot_be_written_puts_the_workers_back(
    control: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, crew = control.publisher, control.crew
    before = crew.served[-1]
    digest = publisher.create(base("a"), "ann", "why").digest

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harken_server.revisions.os.fsync", full)
    error = fails(lambda: publisher.activate(digest, "ann", "why"))
    assert error.reason is Reason.STORE_FAILED
    assert "No space left on device" in error.message
    assert len(crew.served) == 3
    assert crew.served[-1] == before
    assert publisher.state().active.digest == "sha256:" + before.parent.name


def test_rollback_goes_back_and_further_back(control: Any) -> None:
    publisher = control.publisher
    first = publisher.store.active.digest
    a, b = publish(publisher, "a"), publish(publisher, "b")
    assert publisher.rollback("ann", "oh").digest == a
    back = publisher.rollback("ann", "no")
    assert (back.digest, back.former_digest) == (first, a)
    error = fails(lambda: publisher.rollback("ann", "still"))
    assert error.reason is Reason.NO_FORMER_REVISION
    assert publisher.activate(b, "ann", "again").former_digest == first
    assert publisher.rollback("ann", "no").digest == first


def test_what_is_served_already_is_no_change(control: Any) -> None:
    publisher, crew = control.publisher, control.crew
    digest = publish(publisher, "a")
    before, served = publisher.store.activation, len(crew.served)
    assert publisher.activate(digest, "bob", "again") == before
    assert len(crew.served) == served
    assert publisher.store.former != digest


def test_a_damaged_revision_is_not_served(control: Any) -> None:
    publisher, crew = control.publisher, control.crew
    created = publisher.create(base("a"), "ann", "why")
    file = publisher.store.folder(created.revision) / "rulebase.yaml"
    file.chmod(0o644)
    file.write_text("name: other\n")
    error = fails(lambda: publisher.activate(created.digest, "ann", "why"))
    assert error.reason is Reason.REVISION_DAMAGED
    assert len(crew.served) == 1
    assert publisher.state().last_error.problems == (error.message,)


def test_a_kept_revision_is_vetted_again_by_another_server(control: Any) -> None:
    """Another version may read it otherwise, or have a bundle that it does not fit."""
    publisher = control.publisher
    digest = publisher.create(base("a"), "ann", "why").digest
    for answer in (
        Vetted("sha256:" + "0" * 64, "a", (), True, "", ()),
        Vetted(digest, "a", (), False, "", ("it does not fit the bundle",)),
    ):
        other = Publisher(publisher.store, control.crew, lambda _f, a=answer: a, lambda *_: None)
        error = fails(lambda other=other: other.activate(digest, "ann", "why"))
        assert error.reason is Reason.RULE_BASE_UNSOUND
        assert error.problems
    assert len(control.crew.served) == 1


def test_one_change_at_a_time_and_asking_waits_for_none(
    control: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, crew = control.publisher, control.crew
    monkeypatch.setattr(Publisher._one_change.__wrapped__, "__defaults__", (0.05,))
    digest = publisher.create(base("a"), "ann", "why").digest
    entered, go = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        assert go.wait(30)

    crew.before_reload = hold
    thread = threading.Thread(target=publisher.activate, args=(digest, "ann", "why"))
    thread.start()
    assert entered.wait(30)
    for call in (
        lambda: publisher.activate(digest, "bob", "too"),
        lambda: publisher.rollback("bob", "too"),
        lambda: publisher.set_shadow(digest),
    ):
        assert fails(call).reason is Reason.CHANGE_UNDER_WAY
    assert publisher.state().active.digest != digest
    assert publisher.create(base("b"), "bob", "meanwhile").created
    go.set()
    thread.join()
    assert publisher.state().active.digest == digest


def test_a_watched_folder_is_followed_and_its_faults_told(control: Any, tmp_path: Path) -> None:
    publisher = control.publisher
    folder = tmp_path / "first-rules"
    (folder / "rulebase.yaml").write_text("name: edited\n")
    assert publisher.follow(folder) == ()
    edited = publisher.store.active
    assert (edited.source, edited.author) == (Source.WATCHED, SERVER)
    (folder / "rulebase.yaml").write_text("name: edited\nerror: half done\n")
    (problem,) = publisher.follow(folder)
    assert "half done" in problem
    state = publisher.state()
    assert state.active.digest == edited.digest
    assert (state.last_error.source, state.last_error.problems) == (Source.WATCHED, (problem,))
    (folder / "rulebase.yaml").unlink()
    assert "at least one file" in publisher.follow(folder)[0]
    (folder / "rulebase.yaml").write_text("name: edited\n")
    assert publisher.follow(folder) == ()
    assert publisher.state().last_error is None


def test_a_shadow_runs_ends_and_ends_when_it_becomes_active(control: Any) -> None:
    publisher, crew = control.publisher, control.crew
    digest = publisher.create(base("a"), "ann", "why").digest
    shadow = publisher.set_shadow(digest[:16])
    assert (shadow.digest, shadow.share, shadow.counts.scored) == (digest, 0.1, 10)
    assert crew.shadow[1] == 0.1
    assert publisher.set_shadow("") is None
    assert crew.shadow is None
    publisher.set_shadow(digest, 1.0)
    assert publisher.state().shadow.share == 1.0
    publisher.activate(digest, "ann", "good")
    assert publisher.state().shadow is None
    assert crew.shadow is None
    for share in (-0.1, 1.1, math.nan):
        error = fails(lambda share=share: publisher.set_shadow(digest, share))
        assert error.reason is Reason.VALUE_OUT_OF_RANGE
    crew.problems = ("worker 0: no memory",)
    assert fails(lambda: publisher.set_shadow(digest)).reason is Reason.SHADOW_FAILED


def test_a_folder_is_kept_and_put_in_the_shadow(control: Any, tmp_path: Path) -> None:
    folder = tmp_path / "shadow"
    folder.mkdir()
    (folder / "rulebase.yaml").write_text("name: shadow\n")
    control.publisher.shadow_folder(folder, 0.5)
    (kept, _) = control.store.page()[0]
    assert control.publisher.state().shadow.digest == kept.digest
    (folder / "rulebase.yaml").write_text("error: shadow\n")
    error = fails(lambda: control.publisher.shadow_folder(folder, 0.5))
    assert error.reason is Reason.RULE_BASE_UNSOUND


def test_a_simulation_needs_a_sample_and_known_revisions(control: Any) -> None:
    publisher = control.publisher
    digest = publisher.create(base("a"), "ann", "why").digest
    error = fails(lambda: publisher.simulate(digest, "", b"", 0))
    assert error.reason is Reason.NO_SAMPLE
    assert "send a sample" in error.message
    assert fails(lambda: publisher.simulate(digest, "", b"", 1001)).reason is Reason.BATCH_SIZE
    assert fails(lambda: publisher.simulate("f" * 8, "", b"", 1)).reason is Reason.REVISION_UNKNOWN
    tried, former, found = publisher.simulate(digest, "", b"", 1)
    assert (tried.digest, former) == (digest, publisher.store.active)
    assert found.refused == 2


def test_a_server_begins_with_what_was_active_last(control: Any, tmp_path: Path) -> None:
    publisher, store, vet = control.publisher, control.store, control.publisher._vet
    folder = tmp_path / "first-rules"
    digest = publish(publisher, "a")
    assert first_revision(store, vet, folder).digest == digest
    watched = first_revision(store, vet, folder, watched=True)
    assert watched.digest != digest
    publisher.started(watched)
    assert store.active.digest == watched.digest
    lines = len((store.root / "activations.jsonl").read_bytes().splitlines())
    publisher.started(watched)  # begun again with the same: no change
    assert len((store.root / "activations.jsonl").read_bytes().splitlines()) == lines


def test_a_server_does_not_begin_with_what_is_wrong(control: Any, tmp_path: Path) -> None:
    store, vet = control.store, control.publisher._vet
    empty = Store(tmp_path / "other")
    folder = tmp_path / "bad"
    for make, words in (
        (lambda: None, "No such file"),
        (folder.mkdir, "at least one file"),
        (lambda: (folder / "rulebase.yaml").write_text("error: wrong\n"), "wrong"),
    ):
        make()
        with pytest.raises(SnapshotError, match=words):
            first_revision(empty, vet, folder)
    assert empty.page() == ([], "")
    empty.close()
    file = store.folder(store.active) / "rulebase.yaml"
    file.chmod(0o644)
    file.write_text("name: tampered\n")
    with pytest.raises(SnapshotError, match="is damaged") as refused:
        first_revision(store, vet, folder)
    assert "--watch serves what" in refused.value.problems[-1]
