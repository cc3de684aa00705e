"""Publishing rule bases: keep, vet, serve, go back; who did it and why is on record.

``first_revision`` decides what a server begins with; a ``Publisher`` makes every change after
that. Changes are made one at a time; asking how things stand never waits for one.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

from harken_server.assignment import ShadowCounts
from harken_server.errors import PublishingError, Reason, SnapshotError, Violation
from harken_server.revisions import Activation, Revision, Source, Store
from harken_server.rule_files import RuleFile, read_files, refuse_unsafe
from harken_server.vetting import Finding, Vetted

if TYPE_CHECKING:
    from harken_server.supervision import WorkerState
    from harken_server.transitions import Comparison

MAX_AUTHOR, MAX_MESSAGE = 128, 2000
"""Characters."""
MAX_SAMPLE = 1000
DEFAULT_SHARE = 0.1
WAIT_SECONDS = 10.0
"""How long a change waits for another one to end."""
SERVER = "harken serve"
"""The author of what the server does by itself."""

_JOINER = "\N{ZERO WIDTH JOINER}"

_log = structlog.get_logger("harken.publishing")

Vet = Callable[[Path], Vetted]
"""Everything that speaks against serving a folder; see ``vetting.vet``."""
Simulate = Callable[[Path, Path, bytes], "Comparison"]
"""The rule base tried, the one compared with, a ``SimulateRuleBaseRequest`` as bytes."""


class Crew(Protocol):
    """What a publisher needs of the workers; problems are answered, () is done."""

    def reload(self, rules: Path, digest: str = "") -> tuple[str, ...]:
        """Have every worker serve ``rules``, which must read as ``digest``, or none."""

    def set_shadow(self, rules: Path | None, share: float) -> tuple[str, ...]:
        """Score ``rules`` beside the active ones; None ends that."""

    def shadow_counts(self) -> ShadowCounts | None:
        """How the shadow has done."""

    def states(self) -> list[WorkerState]:
        """Every worker just now."""


@dataclass(frozen=True, slots=True)
class Created:
    """What came of a rule base that was sent; ``digest`` is empty if it has errors."""

    revision: Revision | None
    findings: tuple[Finding, ...]
    digest: str
    created: bool


@dataclass(frozen=True, slots=True)
class Shadowing:
    """What is scored in the shadow, and how that goes; ``counts`` is None if nobody could say."""

    digest: str
    share: float
    start_time: datetime
    counts: ShadowCounts | None = None


@dataclass(frozen=True, slots=True)
class Mishap:
    """A rule base that could not be served; ``digest`` is empty if it never had one."""

    time: datetime
    digest: str
    source: Source
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """How things stand."""

    active: Revision | None
    activation: Activation | None
    workers: tuple[WorkerState, ...]
    last_error: Mishap | None
    shadow: Shadowing | None
    watched_folder: str
    durable: bool


def first_revision(store: Store, vet: Vet, rules: Path, watched: bool = False) -> Revision:
    """What to serve at the start: the folder ``rules`` where it is watched or nothing has ever
    been active, otherwise what was active last.

    Raises ``SnapshotError`` with every problem of it.
    """
    active = store.active
    try:
        if active is None or watched:
            files = read_files(rules)
            return _kept(store, vet, files, SERVER, f"the folder {rules}", Source.START)
        folder = store.folder(active)
        vetted = vet(folder)
        if vetted.digest != active.digest or not vetted.sound:
            raise _unsound(active.digest, vetted)
    except PublishingError as error:
        problems = [*(error.problems or (error.message,))]
        if active is not None and not watched:
            problems.append(
                f"revisions: {store.root} has {active.digest} as what was active last; "
                f"--watch serves what {rules} holds instead"
            )
        raise SnapshotError(problems) from None
    _log.info("serving the revision that was active last", digest=active.digest)
    return active


class Publisher:
    """Changes what is served. ``watched`` is the folder that is followed, if any.

    ``counted`` is told how each change ended: ``activated`` or ``failed``. Methods raise
    ``PublishingError`` for what cannot be done.
    """

    def __init__(
        self,
        store: Store,
        crew: Crew,
        vet: Vet,
        simulate: Simulate,
        watched: Path | None = None,
        counted: Callable[[str], None] = lambda _outcome: None,
    ) -> None:
        self.store = store
        self._crew = crew
        self._vet = vet
        self._simulate = simulate
        self._watched = watched
        self._counted = counted
        self._changing = threading.Lock()
        self._vetted: set[str] = set()
        self._last_error: Mishap | None = None
        self._shadow: Shadowing | None = None

    def started(self, revision: Revision, message: str = "the server was started") -> None:
        """Note that every worker serves ``revision``, the one that ``first_revision`` answered."""
        self._vetted.add(revision.digest)
        last = self.store.activation
        if last is None or last.digest != revision.digest:
            self._record(revision.digest, SERVER, message)

    def create(
        self,
        files: Sequence[RuleFile],
        author: str,
        message: str,
        source: Source = Source.PUBLISHED,
        validate_only: bool = False,
    ) -> Created:
        """Check ``files`` and keep them; an unsound rule base is answered, not raised."""
        refuse_unsafe(files)
        if not validate_only:
            _refuse_unsigned(author, message)
        staged = self.store.stage(files)
        try:
            vetted = self._vet(staged)
            if not vetted.sound or validate_only:
                digest = vetted.digest if vetted.sound else ""
                return Created(None, vetted.findings, digest, False)
            revision, created = self.store.keep(
                staged, vetted.digest, vetted.name, author, message, source
            )
        finally:
            self.store.discard(staged)
        self._vetted.add(revision.digest)
        if created:
            _log.info("revision kept", digest=revision.digest, author=author, why=message)
        return Created(revision, vetted.findings, vetted.digest, created)

    def activate(self, digest: str, author: str, message: str) -> Activation:
        """Serve a revision from now on; what is served already is answered as it is."""
        _refuse_unsigned(author, message)
        with self._one_change():
            return self._activate(self.store.find(digest), author, message)

    def rollback(self, author: str, message: str) -> Activation:
        """Serve what was active before the present revision; see ``Store.former``."""
        _refuse_unsigned(author, message)
        with self._one_change():
            former = self.store.former
            if not former:
                words = "nothing was active before the present revision"
                raise PublishingError(Reason.NO_FORMER_REVISION, words)
            return self._activate(self.store.find(former), author, message, rollback=True)

    def follow(
        self,
        folder: Path,
        author: str = SERVER,
        message: str = "",
        read: Callable[[Path], Sequence[RuleFile]] = read_files,
    ) -> tuple[str, ...]:
        """Serve what the watched ``folder`` holds now; returns the problems, if any."""
        digest, message = "", message or f"{folder} has changed"
        try:
            created = self.create(read(folder), author, message, Source.WATCHED)
            digest = created.digest
            if created.revision is None:
                problems = _errors(created.findings)
                raise PublishingError(Reason.RULE_BASE_UNSOUND, problems[0], problems=problems)
        except PublishingError as error:
            self._fail(digest, Source.WATCHED, error.problems or (error.message,))
            return error.problems or (error.message,)
        try:
            with self._one_change(wait=-1):
                self._activate(created.revision, author, message)
        except PublishingError as error:  # noted already
            return error.problems or (error.message,)
        return ()

    def simulate(
        self, digest: str, former: str, requests: bytes, count: int
    ) -> tuple[Revision, Revision, Comparison]:
        """Score ``count`` requests by two revisions; the active one is the former if not given."""
        if count > MAX_SAMPLE:
            words = f"a sample holds at most {MAX_SAMPLE:,} requests, not {count:,}"
            blamed = [Violation(Reason.BATCH_SIZE, "requests", words)]
            raise PublishingError(Reason.BATCH_SIZE, words, violations=blamed)
        tried = self.store.find(digest)
        active = self.store.active
        other = self.store.find(former or (active.digest if active else ""), "former_digest")
        if not count:
            words = "there are no logged decisions yet; send a sample"
            raise PublishingError(Reason.NO_SAMPLE, words)
        folder, beside = self._sound_folder(tried), self._sound_folder(other)
        return tried, other, self._simulate(folder, beside, requests)

    def set_shadow(self, digest: str, share: float = 0.0) -> Shadowing | None:
        """Score a revision beside the active one for ``share`` of the grumbles; 0 means 0.1.

        No digest ends the shadow.
        """
        if not 0 <= share <= 1:  # NaN is not, either
            words = f"sample_share is {share:g}; it must lie above 0 and not above 1"
            blamed = [Violation(Reason.VALUE_OUT_OF_RANGE, "sample_share", words)]
            raise PublishingError(Reason.VALUE_OUT_OF_RANGE, words, violations=blamed)
        with self._one_change():
            if not digest:
                problems = self._end_shadow()
                if problems:
                    words = "the shadow could not be ended in every worker"
                    raise PublishingError(Reason.SHADOW_FAILED, words, problems=problems)
                return None
            revision = self.store.find(digest)
            folder = self._sound_folder(revision)
            share = share or DEFAULT_SHARE
            problems = self._crew.set_shadow(folder, share)
            if problems:
                self._shadow = None  # none of the workers has one now
                words = f"the workers cannot score {revision.digest} in the shadow"
                raise PublishingError(Reason.SHADOW_FAILED, words, problems=problems)
            _log.info("shadow begun", digest=revision.digest, share=share)
            self._shadow = Shadowing(revision.digest, share, datetime.now(UTC))
        return self._counted_shadow()

    def shadow_folder(self, folder: Path, share: float) -> None:
        """Keep the rule base in ``folder`` and score it in the shadow."""
        files = read_files(folder)
        kept = _kept(self.store, self._vet, files, SERVER, f"the folder {folder}", Source.START)
        self._vetted.add(kept.digest)
        self.set_shadow(kept.digest, share)

    @property
    def last_error(self) -> Mishap | None:
        """What could not be served last; ``None`` since something was activated."""
        return self._last_error

    def state(self) -> State:
        """How things stand; waits for no change."""
        return State(
            active=self.store.active,
            activation=self.store.activation,
            workers=tuple(self._crew.states()),
            last_error=self._last_error,
            shadow=self._counted_shadow(),
            watched_folder=str(self._watched) if self._watched else "",
            durable=self.store.durable,
        )

    def bundle_change(self) -> AbstractContextManager[None]:
        """While the bundle changes nothing else does; waits for the change under way."""
        return self._one_change(wait=-1)

    def bundle_changed(self) -> None:
        """Another bundle is served: what fitted the former is to be vetted again before use."""
        self._vetted.clear()

    @contextmanager
    def _one_change(self, wait: float = WAIT_SECONDS) -> Iterator[None]:
        if not self._changing.acquire(timeout=wait):
            words = "another change of what is served is under way; try again"
            raise PublishingError(Reason.CHANGE_UNDER_WAY, words)
        try:
            yield
        finally:
            self._changing.release()

    def _activate(
        self, revision: Revision, author: str, message: str, rollback: bool = False
    ) -> Activation:
        present = self.store.activation
        if present is not None and present.digest == revision.digest:
            self._last_error = None
            return present
        try:
            folder = self._sound_folder(revision)
            problems = self._crew.reload(folder, revision.digest)
            if problems:
                words = f"{revision.digest} is not served, all goes on as before: {problems[0]}"
                raise PublishingError(Reason.ACTIVATION_FAILED, words, problems=problems)
            activation = self._record_or_return(revision.digest, author, message, rollback)
        except PublishingError as error:
            self._fail(revision.digest, revision.source, error.problems or (error.message,))
            raise
        self._last_error = None
        self._counted("activated")
        if self._shadow is not None and self._shadow.digest == revision.digest:
            self._end_shadow()  # a worker that fails at it is started again, without a shadow
        return activation

    def _record_or_return(
        self, digest: str, author: str, message: str, rollback: bool
    ) -> Activation:
        """Record what the workers serve now; if that cannot be, have them serve what they did."""
        former = self.store.active
        try:
            return self._record(digest, author, message, rollback)
        except PublishingError:
            problems = self._put_back(former)
            if problems:
                _log.error("what is served is not on record", digest=digest, problems=problems)
            raise

    def _put_back(self, former: Revision | None) -> tuple[str, ...]:
        if former is None:
            return ()
        try:
            return self._crew.reload(self.store.folder(former), former.digest)
        except PublishingError as error:
            return (error.message,)

    def _record(self, digest: str, author: str, message: str, rollback: bool = False) -> Activation:
        last = self.store.activation
        former = last.digest if last is not None else ""
        activation = Activation(digest, former, author, message, datetime.now(UTC), rollback)
        self.store.record(activation)
        _log.info(
            "rule base activated",
            digest=digest,
            former=former,
            author=author,
            why=message,
            rollback=rollback,
        )
        return activation

    def _sound_folder(self, revision: Revision) -> Path:
        """The revision's folder, unchanged and vetted by this server."""
        folder = self.store.folder(revision)
        if revision.digest not in self._vetted:
            vetted = self._vet(folder)
            if vetted.digest != revision.digest or not vetted.sound:
                raise _unsound(revision.digest, vetted)
            self._vetted.add(revision.digest)
        return folder

    def _fail(self, digest: str, source: Source, problems: tuple[str, ...]) -> None:
        self._last_error = Mishap(datetime.now(UTC), digest, source, problems)
        self._counted("failed")
        _log.error("rule base not served", digest=digest, source=source.value, problems=problems)

    def _end_shadow(self) -> tuple[str, ...]:
        """There is none afterwards, whatever the workers answer: one that did not end it will
        be without it when it is started again."""
        problems = self._crew.set_shadow(None, DEFAULT_SHARE)
        if self._shadow is not None:
            _log.info("shadow ended", digest=self._shadow.digest, problems=problems)
        self._shadow = None
        return problems

    def _counted_shadow(self) -> Shadowing | None:
        shadow = self._shadow
        if shadow is None:
            return None
        counts = self._crew.shadow_counts()
        return Shadowing(shadow.digest, shadow.share, shadow.start_time, counts)


def _kept(
    store: Store, vet: Vet, files: Sequence[RuleFile], author: str, message: str, source: Source
) -> Revision:
    """The revision of a sound rule base; raises ``PublishingError`` for an unsound one."""
    staged = store.stage(files)
    try:
        vetted = vet(staged)
        if not vetted.sound:
            raise _unsound("", vetted)
        return store.keep(staged, vetted.digest, vetted.name, author, message, source)[0]
    finally:
        store.discard(staged)


def _errors(findings: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(each.rendered.rstrip() for each in findings if each.severity == "error")


def _unsound(digest: str, vetted: Vetted) -> PublishingError:
    problems = vetted.problems or (
        f"it reads as {vetted.digest}: this version of the server understands it otherwise",
    )
    words = f"the rule base{f' {digest}' if digest else ''} cannot be served: {problems[0]}"
    return PublishingError(Reason.RULE_BASE_UNSOUND, words, problems=problems)


def _visible(char: str) -> bool:
    """The spaces of other scripts are, and what joins the parts of an emoji."""
    return char.isprintable() or char == _JOINER or unicodedata.category(char) == "Zs"


def _refuse_unsigned(author: str, message: str) -> None:
    found = []
    for field, text, most in (("author", author, MAX_AUTHOR), ("message", message, MAX_MESSAGE)):
        if not text.strip():
            found.append(Violation(Reason.FIELD_REQUIRED, field, f"{field} is required"))
        elif len(text) > most:
            words = f"{field} has {len(text):,} characters; at most {most:,} are allowed"
            found.append(Violation(Reason.FIELD_INVALID, field, words))
        elif not all(_visible(char) or (char in "\n\t" and field == "message") for char in text):
            words = f"{field} has a control or other invisible character"
            found.append(Violation(Reason.FIELD_INVALID, field, words))
    if found:
        raise PublishingError(found[0].reason, found[0].message, violations=found)
