"""The store of revisions: immutable, whole or not at all, one server's alone."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from harken_rules.reading.folder import MAX_FILES, MAX_TOTAL_BYTES
from harken_rules.source import MAX_FILE_BYTES
from harken_server.errors import PublishingError, Reason
from harken_server.revisions import Activation, Revision, Source, Store, StoreError
from harken_server.rule_files import RuleFile, read_files, refuse_unsafe

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def digest_of(number: int) -> str:
    return "sha256:" + hashlib.sha256(str(number).encode()).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> Iterator[Store]:
    opened = Store(root)
    yield opened
    opened.close()


def keep(store: Store, digest: str, text: str = "a: 1\n") -> Revision:
    files = [RuleFile("rulebase.yaml", text.encode()), RuleFile("decisions/a b.yaml", b"b: 2\n")]
    staged = store.stage(files)
    return store.keep(staged, digest, "base", "author", "why", Source.PUBLISHED)[0]


def activate(store: Store, digest: str, rollback: bool = False) -> None:
    last = store.activation
    former = last.digest if last else ""
    store.record(Activation(digest, former, "author", "why", datetime.now(UTC), rollback))


def reopened(store: Store) -> Store:
    store.close()
    return Store(store.root)


def reason_of(call: Callable[[], object]) -> Reason:
    with pytest.raises(PublishingError) as caught:
        call()
    return caught.value.reason


def test_what_is_kept_is_there_after_a_restart(store: Store) -> None:
    first = keep(store, digest_of(1))
    assert (first.name, first.author, first.message) == ("base", "author", "why")
    assert (first.source, first.active, first.activate_time) == (Source.PUBLISHED, False, None)
    activate(store, first.digest)
    again = reopened(store)
    found = again.find(first.digest)
    assert found.active
    assert found.activate_time == again.activation.activate_time
    assert found.create_time == first.create_time
    assert [file.path for file in again.files(found)] == ["decisions/a b.yaml", "rulebase.yaml"]
    assert (again.folder(found) / "rulebase.yaml").read_bytes() == b"a: 1\n"
    assert again.active == found
    again.close()


def test_the_same_digest_is_kept_once(store: Store) -> None:
    first = keep(store, digest_of(1))
    staged = store.stage([RuleFile("rulebase.yaml", b"# other layout\na: 1\n")])
    second, created = store.keep(staged, first.digest, "n", "another", "w", Source.WATCHED)
    assert not created
    assert second == first
    store.discard(staged)
    assert list((store.root / "staging").iterdir()) == []


def test_kept_files_cannot_be_written(store: Store) -> None:
    folder = store.folder(keep(store, digest_of(1)))
    modes = {path.stat().st_mode & 0o222 for path in folder.rglob("*.yaml")}
    assert modes == {0}


@pytest.mark.parametrize("given", ["{hex}", "sha256:{hex}", "{eight}", "SHA256:{eight}"])
def test_a_revision_is_found_by_the_beginning_of_its_digest(store: Store, given: str) -> None:
    digest = keep(store, digest_of(1)).digest
    digits = digest.removeprefix("sha256:")
    assert store.find(given.format(hex=digits, eight=digits[:8])).digest == digest


def test_what_names_no_revision_is_refused(store: Store) -> None:
    same = "0123456789" + "a" * 53
    keep(store, f"sha256:{same}0")
    keep(store, f"sha256:{same}1")
    assert reason_of(lambda: store.find("0123456789")) is Reason.REVISION_AMBIGUOUS
    assert store.find(f"{same}1").digest.endswith("1")
    assert reason_of(lambda: store.find("f" * 8)) is Reason.REVISION_UNKNOWN
    for bad in ("0123456", "../../../etc", "xyzxyzxyz", "0" * 65, "sha512:01234567"):
        assert reason_of(lambda bad=bad: store.find(bad)) is Reason.FIELD_INVALID
    assert reason_of(lambda: store.find("")) is Reason.FIELD_REQUIRED


def test_pages_go_from_the_newest_to_the_oldest(store: Store) -> None:
    made = [keep(store, digest_of(number)).digest for number in range(7)]
    seen, token, sizes = [], "", []
    while True:
        page, token = store.page(3, token)
        seen += [one.digest for one in page]
        sizes.append(len(page))
        if not token:
            break
    assert seen == made[::-1]
    assert sizes == [3, 3, 1]
    assert store.page(7)[1] == ""
    for bad in ("x", "2026-03-01/" + made[0], "/"):
        assert reason_of(lambda bad=bad: store.page(3, bad)) is Reason.FIELD_INVALID


def test_a_rollback_goes_further_back_each_time(store: Store) -> None:
    a, b, c = (keep(store, digest_of(number)).digest for number in range(3))
    assert store.former == ""
    for digest in (a, b, c):
        activate(store, digest)
    assert store.former == b
    activate(store, b, rollback=True)
    assert store.former == a
    activate(store, c)
    assert store.former == b
    for digest in (b, a):
        activate(store, digest, rollback=True)
    again = reopened(store)
    assert again.former == ""
    assert again.active.digest == a
    again.close()


def test_a_torn_last_line_is_dropped_and_reported(store: Store) -> None:
    a, b = keep(store, digest_of(1)).digest, keep(store, digest_of(2)).digest
    activate(store, a)
    log = store.root / "activations.jsonl"
    whole = log.read_bytes()
    activate(store, b)
    torn = log.read_bytes()
    for cut in (len(whole) + 1, len(torn) - 1):
        log.write_bytes(torn[:cut])
        with structlog.testing.capture_logs() as said:
            store = reopened(store)
        assert [line["event"] for line in said] == ["torn line dropped"]
        assert store.active.digest == a
        assert log.read_bytes() == whole
    activate(store, b)
    store = reopened(store)
    assert (store.active.digest, store.former) == (b, a)
    store.close()


def test_a_line_that_says_nothing_is_left_out_and_reported(store: Store) -> None:
    a = keep(store, digest_of(1)).digest
    activate(store, a)
    log = store.root / "activations.jsonl"
    log.write_bytes(b'{"digest": 5}\nnot json\n' + log.read_bytes())
    with structlog.testing.capture_logs() as said:
        store = reopened(store)
    assert [line.get("line") for line in said] == [1, 2]
    assert store.active.digest == a
    store.close()


@pytest.mark.parametrize("harm", ["change", "remove", "add", "link", "record"])
def test_a_revision_that_was_tampered_with_is_refused(store: Store, harm: str) -> None:
    revision = keep(store, digest_of(1))
    folder = store.folder(revision)
    file = folder / "rulebase.yaml"
    if harm == "add":
        (folder / "decisions" / "more.yaml").write_text("c: 3\n")
    elif harm == "record":
        (folder.parent / "revision.json").write_text("{}")
    else:
        file.unlink()
        if harm == "change":
            file.write_text("a: 2\n")
        elif harm == "link":
            file.symlink_to("decisions/a b.yaml")
    assert reason_of(lambda: store.folder(revision)) is Reason.REVISION_DAMAGED
    # Sending the same content again mends it.
    keep(store, revision.digest)
    assert (store.folder(revision) / "rulebase.yaml").read_bytes() == b"a: 1\n"


def test_a_folder_that_is_no_revision_is_left_out_and_reported(store: Store) -> None:
    kept = keep(store, digest_of(1))
    place = store.root / "revisions" / kept.digest.removeprefix("sha256:")
    moved = place.with_name("f" * 64)
    shutil.copytree(place, moved)
    (store.root / "revisions" / "stray.txt").write_text("x")
    with structlog.testing.capture_logs() as said:
        store = reopened(store)
    assert len(said) == 2
    assert [one.digest for one in store.page()[0]] == [kept.digest]
    store.close()


def test_what_was_being_written_at_a_crash_is_forgotten(store: Store) -> None:
    store.stage([RuleFile("rulebase.yaml", b"a: 1\n")])
    store = reopened(store)
    assert list((store.root / "staging").iterdir()) == []
    assert store.page() == ([], "")
    store.close()


def test_a_crash_while_keeping_leaves_nothing_half(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(PublishingError, match="No space left"):
        keep(store, digest_of(1))
    monkeypatch.undo()
    assert store.page() == ([], "")
    assert keep(store, digest_of(1)).digest == digest_of(1)


def test_a_line_that_the_disk_refuses_is_taken_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = keep(store, digest_of(1)).digest
    activate(store, a)
    log = (store.root / "activations.jsonl").read_bytes()

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harken_server.revisions.os.fsync", full)
    assert reason_of(lambda: activate(store, digest_of(2))) is Reason.STORE_FAILED
    assert (store.root / "activations.jsonl").read_bytes() == log
    assert store.activation.digest == a


def test_two_servers_do_not_share_a_store(store: Store) -> None:
    code = (
        "import sys; from pathlib import Path; from harken_server.revisions import Store\n"
        "Store(Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(store.root)]
    other = subprocess.run(command, capture_output=True, text=True, check=False)
    assert other.returncode
    assert "is used by another server (process" in other.stderr
    with pytest.raises(StoreError, match="is used by another server"):
        Store(store.root)


def test_a_store_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be used: Not a directory"):
        Store(tmp_path / "file" / "store")


SAFE = RuleFile("rulebase.yaml", b"a: 1\n")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "needs a name"),
        ("/etc/passwd.yaml", "is absolute"),
        ("C:/rules/a.yaml", "is absolute"),
        ("c:a.yaml", "is absolute"),
        ("a\\b.yaml", "backslash"),
        ("d:/../a.yaml", "absolute"),
        ("../a.yaml", "leaves"),
        ("decisions/../../a.yaml", "leaves"),
        ("decisions//a.yaml", "empty part"),
        ("./a.yaml", "empty part"),
        ("decisions/", "empty part"),
        ("a\0.yaml", "invisible"),
        ("a\n.yaml", "invisible"),
        ("a\u202e.yaml", "invisible"),
        (".git/a.yaml", "hidden"),
        ("decisions/.a.yaml", "hidden"),
        ("a.sh", "no YAML file"),
        ("yaml", "no YAML file"),
        ("x" * 300 + ".yaml", "more than 255 bytes"),
        ("字" * 100 + ".yaml", "more than 255 bytes"),
        ("a/" * 300 + "a.yaml", "has 606 characters"),
        ("a/" * 9 + "a.yaml", "9 folders deep"),
    ],
)
def test_an_unsafe_path_is_refused(path: str, why: str) -> None:
    with pytest.raises(PublishingError) as caught:
        refuse_unsafe([SAFE, RuleFile(path, b"")])
    (violation,) = caught.value.violations
    assert violation.field == "files[1].path"
    assert why in violation.message
    assert violation.message.isprintable()


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        (["a.yaml", "a.yaml"], "is sent twice"),
        (["a.yaml", "A.YAML"], "one file on some systems"),
        (["caf\u00e9.yaml", "cafe\u0301.yaml"], "one file on some systems"),
        (["a.yaml", "a.yaml/b.yaml"], "is a file, and a folder"),
    ],
)
def test_paths_that_would_fall_together_are_refused(paths: list[str], why: str) -> None:
    with pytest.raises(PublishingError, match=why):
        refuse_unsafe([RuleFile(path, b"") for path in paths])


def test_too_many_or_too_large_files_are_refused() -> None:
    big = b"x" * MAX_FILE_BYTES
    files = [RuleFile(f"{n}.yaml", big) for n in range(MAX_TOTAL_BYTES // MAX_FILE_BYTES)]
    refuse_unsafe(files)
    for bad, field in (
        ([], "files"),
        ([RuleFile(f"{n}.yaml", b"") for n in range(MAX_FILES + 1)], "files"),
        ([*files, RuleFile("more.yaml", b"x")], "files"),
        ([RuleFile("a.yaml", big + b"x")], "files[0].content"),
    ):
        with pytest.raises(PublishingError) as caught:
            refuse_unsafe(bad)
        assert caught.value.violations[0].field == field


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(PublishingError) as caught:
        refuse_unsafe([RuleFile("../a.yaml", b""), SAFE, RuleFile("b.txt", b"")])
    assert [one.field for one in caught.value.violations] == ["files[0].path", "files[2].path"]


def test_a_folder_is_read_as_its_reader_does(tmp_path: Path) -> None:
    base = tmp_path / "base"
    for name in ("rulebase.yaml", "decisions/b.YML", ".git/c.yaml", "notes.txt", "d/.e.yaml"):
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(name)
    (base / "linked.yaml").symlink_to("rulebase.yaml")
    (base / "d" / "round").symlink_to(base)
    (base / "notes.md").symlink_to("/etc/hostname")
    read = read_files(base)
    assert [file.path for file in read] == ["decisions/b.YML", "linked.yaml", "rulebase.yaml"]
    assert read[1].content == b"rulebase.yaml"


def test_a_folder_that_cannot_be_taken_says_why(tmp_path: Path) -> None:
    base = tmp_path / "base"
    with pytest.raises(PublishingError, match="No such file"):
        read_files(base)
    base.mkdir()
    (tmp_path / "outside.yaml").write_text("secret: 1")
    (base / "a.yaml").symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(PublishingError, match=r"a\.yaml is a link that leads out"):
        read_files(base)
    (base / "a.yaml").unlink()
    (base / "a.yaml").mkdir()
    with pytest.raises(PublishingError, match="at least one file"):
        read_files(base)
    (base / "b.yaml").symlink_to("b.yaml")
    with pytest.raises(PublishingError, match="cannot be read"):
        read_files(base)


def test_the_record_says_who_when_why_and_what(store: Store) -> None:
    revision = keep(store, digest_of(1))
    place = store.root / "revisions" / revision.digest.removeprefix("sha256:")
    said = json.loads((place / "revision.json").read_text())
    assert said["files"].keys() == {"rulebase.yaml", "decisions/a b.yaml"}
    assert said["files"]["rulebase.yaml"] == hashlib.sha256(b"a: 1\n").hexdigest()
    assert (said["author"], said["message"], said["source"]) == ("author", "why", "published")
    assert datetime.fromisoformat(said["create_time"]) == revision.create_time


def test_a_folder_that_takes_no_locks_is_not_called_used(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_number: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", none)
    with pytest.raises(StoreError, match="cannot be used: No locks available"):
        Store(root)


def test_a_name_that_is_no_text_is_told_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / os.fsdecode(b"\xff.yaml")).symlink_to("/etc/hostname")
    with pytest.raises(PublishingError) as caught:
        read_files(tmp_path / "base")
    assert "\\udcff.yaml is a link" in caught.value.problems[0]
    assert caught.value.problems[0].encode()
