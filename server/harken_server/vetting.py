"""Whether a rule base may be served, found out in a process of its own.

    python -m harken_server.vetting DIR --bundle DIR < /dev/null

says it in lines of JSON. On standard input may stand what the bundle declares, if that is known.
The child reads and checks the folder, compiles it, compares durable-rules with the boxes, and
sees whether the model bundle fits. Whatever becomes of the child, the parent has an answer.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from harken_server.children import Answer, Telling, ask

if TYPE_CHECKING:
    from harken_rules.language import RuleBase

TIMEOUT_SECONDS = 120.0
SAMPLE = 500
"""Signatures a decision on which the engine is compared with the boxes."""
ENGINE_DIFFERS, BUNDLE_MISFIT, CHECK_FAILED = "engine-differs", "bundle-misfit", "check-failed"
"""Findings that only a server makes; ``docs/errors.md`` explains them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was found; ``file`` is empty and ``line`` 0 where no file is to blame.

    ``severity`` is ``error`` or ``warning``; ``rendered`` the finding as a person reads it.
    """

    id: str
    severity: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    hint: str = ""
    rendered: str = ""


@dataclass(frozen=True, slots=True)
class Vetted:
    """What was found of a folder. ``sound``: it may be served with the bundle.

    ``digest`` and ``name`` are empty where the files are no rule base. ``report`` says what was
    compared. ``problems`` are the errors among the findings, rendered.
    """

    digest: str
    name: str
    findings: tuple[Finding, ...]
    sound: bool
    report: str
    problems: tuple[str, ...]


def vet(folder: Path, bundle: Path, timeout: float = TIMEOUT_SECONDS) -> Vetted:
    """Everything that speaks against serving ``folder`` with ``bundle``; raises nothing."""
    return _vetted(_ask(folder, bundle, timeout, ""))


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was found of a bundle beside a rule base that is served.

    ``model_digest`` is empty where the bundle cannot be read; ``problems`` say why it cannot be
    served.
    """

    model_digest: str
    problems: tuple[str, ...]


def fit(folder: Path, bundle: Path, timeout: float = TIMEOUT_SECONDS) -> Fitted:
    """Read ``bundle`` and see whether the rule base in ``folder`` fits it; raises nothing."""
    answer = _ask(folder, bundle, timeout, "", "--fit-only")
    said = answer.said
    found = [each["rendered"].rstrip() for each in said.get("findings", ()) if _grave(each)]
    found += said.get("misfits", ())
    if answer.failure:
        found.append(f"the check of the bundle was given up: {answer.failure}")
    return Fitted(str(said.get("model_digest", "")), tuple(found))


class Vetter:
    """Vets one folder after another with ``bundle``, the one served now; call it like ``vet``.

    What a bundle declares is asked once: reading it takes longer than all the rest. It is kept
    by the bundle's folder, each of which holds one bundle only, ever.
    """

    def __init__(self, bundle: Path, timeout: float = TIMEOUT_SECONDS) -> None:
        self.bundle, self._timeout = bundle, timeout
        self._declared: dict[Path, str] = {}

    def __call__(self, folder: Path) -> Vetted:
        bundle = self.bundle
        answer = _ask(folder, bundle, self._timeout, self._declared.get(bundle, ""))
        if "declared" in answer.said:
            self._declared = {bundle: answer.said["declared"]}
        return _vetted(answer)


def _ask(folder: Path, bundle: Path, timeout: float, declared: str, *options: str) -> Answer:
    arguments = [str(folder), "--bundle", str(bundle), *options]
    return ask("harken_server.vetting", arguments, declared.encode(), timeout)


def failed(what: str) -> Vetted:
    """The answer for a rule base that could not be checked at all, for the reason ``what``."""
    return _vetted(Answer({"findings": [asdict(_plain(CHECK_FAILED, what))]}))


def _vetted(answer: Answer) -> Vetted:
    said = answer.said
    findings = [Finding(**each) for each in said.get("findings", ())]
    findings += [_plain(ENGINE_DIFFERS, each) for each in said.get("differences", ())]
    findings += [_plain(BUNDLE_MISFIT, each) for each in said.get("misfits", ())]
    if answer.failure:
        stage = said.get("stage", "while it was read")
        words = f"the check of the rule base was given up {stage}: {answer.failure}"
        findings.append(_plain(CHECK_FAILED, words))
    problems = tuple(each.rendered.rstrip() for each in findings if each.severity == "error")
    return Vetted(
        digest=str(said.get("digest", "")),
        name=str(said.get("name", "")),
        findings=tuple(findings),
        sound=not problems,
        report=str(said.get("report", answer.failure)),
        problems=problems,
    )


def _grave(finding: Mapping[str, Any]) -> bool:
    return bool(finding["severity"] == "error")


def _plain(finding: str, message: str) -> Finding:
    return Finding(finding, "error", message, rendered=f"error[{finding}]: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    """The child's side; see the module."""
    parser = argparse.ArgumentParser(prog="python -m harken_server.vetting", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the rule base")
    parser.add_argument("--bundle", type=Path, required=True, help="folder of the model bundle")
    parser.add_argument("--fit-only", action="store_true", help="the rule base is served already")
    given = parser.parse_args(arguments)
    with Telling() as telling:
        base = _read(given.folder, telling)
        if base is not None:
            if not given.fit_only:
                _try(base, telling)
            _fit(base, given.bundle, sys.stdin.buffer.read(), telling)
    return 0


def _read(folder: Path, telling: Telling) -> RuleBase | None:
    from harken_rules.loader import read_rule_base

    loaded = read_rule_base(folder)
    findings = [_finding(each.to_dict(), each.render()) for each in loaded.diagnostics]
    telling.say(findings=findings)
    base = loaded.base
    if base is not None:
        telling.say(digest=base.digest, name=base.name, stage="while the rule engine compiled it")
    return base


def _finding(plain: Mapping[str, Any], rendered: str) -> dict[str, object]:
    own = {name: plain[name] for name in ("id", "severity", "message", "file", "line", "column")}
    return {**own, "hint": plain["hint"] or "", "rendered": rendered}


def _try(base: RuleBase, telling: Telling) -> None:
    """Compare durable-rules with the boxes."""
    from harken_rules.engine import EngineError
    from harken_rules.probe import compare

    try:
        compared, found = compare(base, SAMPLE)
    except EngineError as error:
        telling.say(differences=[f"the rule engine refuses it: {error}"])
        return
    told = [
        f"decision '{each.decision}': the rule engine names {list(each.engine)}, "
        f"the rules as written {list(each.boxes)}"
        for each in found[:10]
    ]
    if len(found) > len(told):
        told.append(f"and {len(found) - len(told):,} more differences")
    report = f"{compared:,} signatures of {len(base.decisions)} decisions compared"
    telling.say(differences=told, report=report, stage="while the model bundle was fitted")


def _fit(base: RuleBase, bundle: Path, declared: bytes, telling: Telling) -> None:
    """See whether ``bundle`` and ``base`` can be served together.

    ``declared`` is what the bundle declares, as an earlier child has said; empty if none has.
    """
    from harken_server.snapshot import problems_of

    if not declared:
        try:
            declared, digest = _declared(bundle)
        except ValueError as error:
            telling.say(misfits=[str(error)])
            return
        telling.say(declared=declared.decode(), model_digest=digest)
    kinds = {name: SimpleNamespace(type=kind) for name, kind in json.loads(declared).items()}
    standing: Any = SimpleNamespace(attributes=kinds)  # for the bundle: all that is asked of it
    telling.say(misfits=problems_of(base, standing))


def _declared(bundle: Path) -> tuple[bytes, str]:
    """The types of the bundle's attributes, as JSON, and its digest."""
    from harken_models import BundleError, load_bundle
    from harken_models.lean import import_lightgbm

    import_lightgbm()
    try:
        loaded = load_bundle(bundle)
    except BundleError as error:
        raise ValueError(f"the bundle cannot be read: {error}") from None
    types = {name: str(each.type) for name, each in loaded.attributes.items()}
    return json.dumps(types).encode(), loaded.digest


if __name__ == "__main__":
    sys.exit(main())
