"""What was found, in the forms that code hosts read: JUnit XML and SARIF 2.1.0.

JUnit has a test case for each finding, and one for each kind that was looked for and not found.
SARIF explains each kind once, with its page, and points every result at a line.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import quote

from harken_rules.diagnostics import Diagnostic, Severity
from harken_rules.junit import Item, Problem, Suite
from harken_rules.language import Place
from harken_rules.pages import IDS, in_short, page_path, page_text
from harken_rules.probe import Probe

TOOL = "harken rules check"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "harkenFinding/v1"

Json = dict[str, object]


def junit(
    found: Sequence[Diagnostic],
    failing: Collection[Diagnostic],
    probe: Probe | None,
    prefix: str,
) -> Suite:
    """A suite in which the findings ``failing`` are failures; ``prefix`` stands before files."""
    items = [_item(one, one in failing, prefix) for one in found]
    seen = {one.id for one in found}
    items += [Item(finding, TOOL) for finding in IDS if finding not in seen]
    if probe is not None:
        problems = () if probe.sound else (Problem("error", probe.report),)
        items.append(Item("the engine decides as the rules say", TOOL, problems=problems))
    return Suite(TOOL, tuple(items))


def _item(one: Diagnostic, fails: bool, prefix: str) -> Item:
    problems = (Problem("failure", one.message, one.render(prefix)),) if fails else ()
    name = f"{one.id} {one.place}: {one.message}"
    return Item(name, TOOL, f"{prefix}{one.place.file}", one.place.line, problems)


def sarif(found: Sequence[Diagnostic], probe: Probe | None, path: Path) -> bytes:
    """A SARIF log of one run over the rule base in ``path``; UTF-8, ending in a newline.

    Files are named as seen from where the command runs, or absolutely if ``path`` is absolute.
    """
    driver: Json = {
        "name": TOOL,
        "version": importlib.metadata.version("harken-rules"),
        "rules": [_rule(finding) for finding in IDS],
    }
    seen: dict[str, int] = {}
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(probe)],
        "results": [_result(one, path, seen) for one in found],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, ensure_ascii=False, indent=2) + "\n").encode()


def _rule(finding: str) -> Json:
    text = page_text(finding)
    return {
        "id": finding,
        "shortDescription": {"text": in_short(finding)},
        "help": {"text": text, "markdown": text},
        "helpUri": page_path(finding).resolve().as_uri(),
    }


def _invocation(probe: Probe | None) -> Json:
    if probe is None or probe.sound:
        return {"executionSuccessful": True}
    said = {"level": "error", "message": {"text": f"the rule engine is not right: {probe.report}"}}
    return {"executionSuccessful": False, "toolExecutionNotifications": [said]}


def _result(one: Diagnostic, path: Path, seen: dict[str, int]) -> Json:
    # Line numbers move with every edit; what is said, and how often before, does not.
    said = "\n".join((one.id, one.place.file, one.message))
    seen[said] = seen.get(said, 0) + 1
    print_ = hashlib.sha256(f"{said}\n{seen[said]}".encode()).hexdigest()
    text = one.message + (f"; {one.hint}" if one.hint else "")
    result: Json = {
        "ruleId": one.id,
        "ruleIndex": IDS.index(one.id),
        "level": "error" if one.severity is Severity.ERROR else "warning",
        "message": {"text": text},
        "locations": [{"physicalLocation": _location(one.place, path)}],
        "partialFingerprints": {FINGERPRINT: print_},
    }
    if one.related:
        result["relatedLocations"] = [
            {"id": number, "message": {"text": note}, "physicalLocation": _location(at, path)}
            for number, (note, at) in enumerate(one.related, start=1)
        ]
    return result


def _location(place: Place, path: Path) -> Json:
    file = path / place.file
    uri = file.as_uri() if file.is_absolute() else quote(file.as_posix())
    region = {"startLine": place.line, "startColumn": place.column}
    return {"artifactLocation": {"uri": uri}, "region": region}
