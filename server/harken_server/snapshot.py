"""One rule base and one model bundle, fitting each other: what a request is scored with.

harken_models is imported when a bundle is read: whether a rule base fits one that is known already
can be said without the seconds that LightGBM takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harken_rules import RuleBase, RuleBaseError, RuleEngine, load_rule_base
from harken_rules.language import FactType, Hit

from harken_server.attributes import Attributes
from harken_server.errors import SnapshotError
from harken_server.grumble import Grumble

if TYPE_CHECKING:
    from harken_models import Bundle

MODEL_FACTS = ("segment", "association", "probability")
"""The facts that the bundle supplies."""
DERIVED_FACTS = ("open_hours",)
"""The facts that the scorer computes from the request."""

_NUMBER = (FactType.NUMBER, FactType.INTEGER)
RESULTS: dict[str, tuple[FactType, ...]] = {
    "level": (FactType.INTEGER, FactType.NUMBER),
    "severity": _NUMBER,
    "tolerance": (FactType.ENUM,),
    "treatment": (FactType.ENUM,),
    "contact_policy": (FactType.ENUM,),
    "strategies": (FactType.ENUM,),
    "owner": (FactType.ENUM,),
    "supporting_departments": (FactType.ENUM,),
    "escalation": (FactType.ENUM,),
    "reply_hours": _NUMBER,
    "resolve_hours": _NUMBER,
    "warnings": (FactType.ENUM,),
}
"""What every served rule base decides, and of which type."""
_LISTS = ("strategies", "supporting_departments", "warnings")
_CATALOGUES = ("strategies", "departments", "escalations")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Immutable; an answer made with it names both digests."""

    base: RuleBase
    engine: RuleEngine
    bundle: Bundle
    attributes: Attributes

    @property
    def rule_base_digest(self) -> str:
        """``sha256:`` and 64 hexadecimal digits, of the rule base's meaning."""
        return self.base.digest

    @property
    def model_digest(self) -> str:
        """``sha256:`` and 64 hexadecimal digits, of the bundle's files."""
        return self.bundle.digest

    @property
    def results(self) -> frozenset[str]:
        """Everything that the rule base decides."""
        return frozenset(name for decision in self.base.decisions for name in decision.results)


def build_snapshot(base: RuleBase, bundle: Bundle, memo_size: int = 131072) -> Snapshot:
    """Build what can be served; raises ``SnapshotError`` with every reason why it cannot."""
    problems = [*problems_of(base, bundle)]
    if problems:
        raise SnapshotError(problems)
    engine = RuleEngine(base, memo_size=memo_size)
    return Snapshot(base, engine, bundle, Attributes(base, bundle))


def load_snapshot(
    rules: Path, bundle: Path, memo_size: int = 131072, compiled: bool = False
) -> Snapshot:
    """Read both folders; raises ``SnapshotError`` with everything wrong with either.

    ``compiled``: the model as machine code; a NotCompiledWarning says why it is not.
    """
    from harken_models import BundleError, load_bundle

    problems: list[str] = []
    try:
        base = read_base(rules)
    except SnapshotError as error:
        problems += error.problems
    try:
        loaded = load_bundle(bundle, compiled=compiled)
    except BundleError as error:
        problems.append(f"bundle: {error}")
    if problems:
        raise SnapshotError(problems)
    return build_snapshot(base, loaded, memo_size)


def read_base(rules: Path) -> RuleBase:
    """Read a rule base; raises ``SnapshotError`` with everything wrong with it."""
    try:
        return load_rule_base(rules)
    except RuleBaseError as error:
        problems = [each.render().rstrip() for each in error.errors] or [str(error)]
        raise SnapshotError(problems) from None


def problems_of(base: RuleBase, bundle: Bundle) -> list[str]:
    """Why ``base`` and ``bundle`` cannot be served together; empty if they can."""
    found = [*_results_missing(base), *_facts_unknown(base)]
    for name in _CATALOGUES:
        if name not in base.catalogues:
            found.append(f"the rule base has no catalogue '{name}'; a served one needs it")
    return [*found, *Attributes(base, bundle).conflicts]


def _results_missing(base: RuleBase) -> list[str]:
    found = []
    producers = {result: d for d in base.decisions for result in d.results}
    for name, types in RESULTS.items():
        decision, fact = producers.get(name), base.facts.get(name)
        if decision is None or fact is None:
            found.append(
                f"no decision of the rule base has the result '{name}'; a served one needs it"
            )
            continue
        if fact.type not in types:
            wanted = " or ".join(types)
            found.append(f"result '{name}' is a {fact.type}; a served rule base has it as {wanted}")
        if (decision.hit is Hit.ALL) != (name in _LISTS):
            wanted = "all" if name in _LISTS else "first, unique or sum"
            found.append(f"decision '{decision.name}' yields '{name}': its hit must be {wanted}")
    return found


def _facts_unknown(base: RuleBase) -> list[str]:
    core = set(Grumble._fields) | set(DERIVED_FACTS) | set(MODEL_FACTS)
    return [
        f"fact '{fact.name}' has the source '{fact.source}', but no {fact.source} supplies it"
        for fact in base.facts.values()
        if fact.source in ("request", "model") and fact.name not in core
    ]
