"""What the parent tells a worker, and what the worker answers; light, for the parent's sake."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Self

from harken_server.settings import LogFormat, LogLevel


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a server takes on: pool threads, calls in flight, seconds to finish them.

    ``notice_seconds`` is how long a draining server still answers, with SHUTTING_DOWN.
    """

    threads: int = 4
    max_in_flight: int = 128
    drain_seconds: float = 10.0
    notice_seconds: float = 0.3


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker is told. ``address`` is ``host:port``, the port already reserved."""

    number: int
    address: str
    rules: str
    bundle: str
    limits: Limits = field(default_factory=Limits)
    memo_size: int = 65536
    core: int | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_client_ca: str | None = None
    log_level: LogLevel = "info"
    log_format: LogFormat = "json"

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
    """What a worker answers, once: what it serves, or why it does not.

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
