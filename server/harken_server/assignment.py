"""What the parent tells a worker, and what the worker answers; light, for the parent's sake.

One line of JSON each way at the start, an ``Assignment`` and a ``Word``; after it an ``Answer``
to every ``Order``.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Literal, Self

from harken_server.settings import LogFormat, LogLevel, Transport


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a server takes on: pool threads, calls in flight, seconds to finish them.

    ``notice_seconds`` is how long a draining server still answers, with SHUTTING_DOWN.
    ``replay_streams`` may be open beside the calls, ``replay_idle_seconds`` long without a chunk.
    """

    threads: int = 4
    max_in_flight: int = 128
    drain_seconds: float = 10.0
    notice_seconds: float = 0.3
    replay_streams: int = 2
    replay_idle_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker is told. ``address`` is ``host:port``, the port already reserved.

    ``rule_base_digest`` and ``model_digest`` are what the others serve, empty where nobody serves
    yet: a worker that finds something else in the folders must not serve it. ``shadow`` is the
    folder of a rule base to score beside, for ``shadow_share`` of the calls. ``folder`` is the
    parent's, for what must not outlive it. ``compiled``: run the model's trees as machine code.
    """

    number: int
    address: str
    rules: str
    bundle: str
    limits: Limits = field(default_factory=Limits)
    transport: Transport = "grpcio"
    folder: str = ""
    memo_size: int = 131072
    compiled: bool = False
    core: int | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_client_ca: str | None = None
    log_level: LogLevel = "info"
    log_format: LogFormat = "json"
    rule_base_digest: str = ""
    model_digest: str = ""
    shadow: str | None = None
    shadow_share: float = 0.0

    def to_json(self) -> str:
        """As one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Self:
        """The reverse."""
        values = json.loads(line)
        return cls(**{**values, "limits": Limits(**values["limits"])})


@dataclass(frozen=True, slots=True)
class Word:
    """What a worker says first: what it serves, or why it does not.

    ``problems`` are those of rule base and bundle, which their authors can mend; ``failure`` is
    anything else. Both are empty when it serves.
    """

    rule_base: str = ""
    rule_base_digest: str = ""
    model_digest: str = ""
    problems: tuple[str, ...] = ()
    failure: str = ""

    @property
    def serves(self) -> bool:
        """Does the worker serve?"""
        return not self.problems and not self.failure

    def to_json(self) -> str:
        """As one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Self:
        """The reverse; a worker that ended without a word has failed."""
        if not line.strip():
            return cls(failure="it ended without a word; the log may say why")
        values = json.loads(line)
        return cls(**{**values, "problems": tuple(values["problems"])})


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker that serves is told to do; its answer has the same ``id``.

    ``prepare`` builds a snapshot of ``rules`` beside the one in use, with the bundle in the folder
    ``bundle`` (``compiled``: its trees as machine code) or, where that is ``None``, the one in
    use; ``swap`` serves it, ``drop`` forgets it; ``shadow`` scores ``rules`` beside it for
    ``share`` of the calls, or ends that where ``rules`` is ``None``; ``counts`` asks how the
    shadow has done.
    """

    do: Literal["prepare", "swap", "drop", "shadow", "counts"]
    rules: str | None = None
    share: float = 0.0
    bundle: str | None = None
    compiled: bool = False
    id: int = 0

    def to_json(self) -> str:
        """As one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str | bytes) -> Self:
        """The reverse."""
        return cls(**json.loads(line))


@dataclass(frozen=True, slots=True)
class ShadowCounts:
    """How a shadow has done since this pair of rule bases ran side by side.

    ``transitions`` counts pairs of levels, the active rule base's first. ``skipped`` were left
    out because the shadow was behind; ``failed`` are those that it could not score.
    """

    rule_base_digest: str
    shadow_digest: str
    scored: int = 0
    skipped: int = 0
    failed: int = 0
    transitions: Counter[tuple[int, int]] = field(default_factory=Counter)

    def plus(self, other: ShadowCounts) -> ShadowCounts:
        """Both together; they are of the same pair."""
        return ShadowCounts(
            self.rule_base_digest,
            self.shadow_digest,
            self.scored + other.scored,
            self.skipped + other.skipped,
            self.failed + other.failed,
            self.transitions + other.transitions,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """How an order went: ``problems`` are the rule base's, ``failure`` is anything else.

    ``rule_base``, ``digest`` and ``model_digest`` are of what was prepared, is served now, or runs
    as a shadow.
    """

    id: int = 0
    rule_base: str = ""
    digest: str = ""
    model_digest: str = ""
    problems: tuple[str, ...] = ()
    failure: str = ""
    counts: ShadowCounts | None = None

    @property
    def done(self) -> bool:
        """Was the order carried out?"""
        return not self.problems and not self.failure

    def to_json(self) -> str:
        """As one line."""
        values = asdict(self)
        if self.counts is not None:
            pairs = [[*pair, count] for pair, count in self.counts.transitions.items()]
            values["counts"] = {**values["counts"], "transitions": pairs}
        return json.dumps(values)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """The reverse."""
        values = json.loads(line)
        if values["counts"] is not None:
            pairs = {(old, new): count for old, new, count in values["counts"]["transitions"]}
            counts = {**values["counts"], "transitions": Counter(pairs)}
            values["counts"] = ShadowCounts(**counts)
        return cls(**{**values, "problems": tuple(values["problems"])})
