"""What ``harken rules publish`` and its like say, to a person or to a machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harken_client.errors import HarkenError, Refused, Unavailable
from harken_client.render import as_json as score_json
from harken_client.render import error_text
from harken_client.rule_types import (
    ChangedCount,
    CheckedRuleBase,
    LevelTransition,
    RevisionPage,
    RuleBaseActivation,
    ServingState,
    ShadowState,
    Simulation,
)

SHOWN = 12
"""Digits of a digest that a table shows: enough to name it."""


def as_json(value: Any) -> Any:
    """Plain values under the names of the API; times in ISO 8601, UTC."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: as_json(getattr(value, field.name)) for field in fields}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    return value


def error_as_json(error: HarkenError) -> dict[str, Any]:
    """An error for a machine, the rule base's problems with it."""
    said = score_json(error)
    if isinstance(error, Refused):
        said["error"]["problems"] = list(error.problems)
    return said


def error_words(error: HarkenError, target: str) -> str:
    """One paragraph, and every problem of a rule base below it."""
    if isinstance(error, Unavailable):
        return (
            f"no server answers at {target}: {error.message}\n"
            "Start one with `harken serve`, or name its control port with --target host:port."
        )
    said = error_text(error, target)
    for problem in error.problems if isinstance(error, Refused) else ():
        if problem not in error.message:
            said += f"\n{problem}"
    return said


def print_findings(checked: CheckedRuleBase, folder: Path) -> None:
    """Every finding as the check renders it, with the folder before the files' names."""
    colours = {"error": "bold red", "warning": "bold yellow"}
    prefix = "" if folder == Path() else f"{folder.as_posix().rstrip('/')}/"
    for finding in checked.findings:
        text = finding.rendered_text or f"{finding.severity}[{finding.id}]: {finding.message}\n"
        text = text.replace("\n  --> ", f"\n  --> {prefix}", 1)
        shown = Text(text)
        shown.stylize(colours.get(finding.severity, ""), 0, text.find(":"))
        _say(shown)
    _print_pages(sorted({finding.id for finding in checked.findings}))


def _print_pages(ids: list[str]) -> None:
    """Where the findings are explained, as the check says it; nothing if nothing was found."""
    if not ids:
        return
    paths = ", ".join(f"docs/checks/{one}.md" for one in ids)
    _say(Text.assemble("explained in ", (paths, "blue")))
    if find_spec("harken_rules") is not None:  # whose command it is
        _say(Text(f"or by: harken rules check --explain {ids[0]}"))
    _say(Text("\n"))


def print_published(
    checked: CheckedRuleBase, activation: RuleBaseActivation | None, folder: Path
) -> None:
    """What has become of the rule base."""
    errors = sum(finding.severity == "error" for finding in checked.findings)
    warnings = len(checked.findings) - errors
    if not checked.digest:
        found = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
        _say(Text(f"{folder}: {found}; nothing was published", "bold red"))
        return
    found = f" ({_count(warnings, 'warning')})" if warnings else ""
    if checked.revision is None:
        _say(Text(f"{folder}: sound{found}; only checked, not published", "bold green"))
        _rows([("digest", checked.digest)])
        return
    if activation is None:
        kept = "kept" if checked.created else "there already"
        _say(Text(f"{folder}: {kept}{found}, not served", "bold green"))
        _rows([("digest", checked.digest)])
        return
    print_activation(activation)


def print_activation(activation: RuleBaseActivation) -> None:
    """What is served now, and what was before."""
    _say(Text("every worker serves it", "bold green"))
    _rows(
        [
            ("digest", activation.digest),
            ("before", activation.former_digest or "nothing"),
            ("by", activation.author),
            ("why", activation.message),
            ("since", _time(activation.activate_time)),
        ]
    )


def print_state(state: ServingState) -> None:
    """The whole of ``status``."""
    active, activation = state.active, state.activation
    if active is None:
        _say(Text("no revision is active", "bold yellow"))
    else:
        _say(Text(f"{active.name}  {active.digest}", "bold"))
    if activation is not None:
        by, why = activation.author, activation.message
        since = _time(activation.activate_time)
        _rows([("by", by), ("why", why), ("since", since), ("before", activation.former_digest)])
    if state.watched_folder:
        _rows([("follows", state.watched_folder)])
    if not state.durable:
        _rows([("kept", "until the server stops; `harken serve --revisions DIR` keeps them")])
    table = _table("worker", "serves", "rule base", "model", "since")
    for worker in state.workers:
        differs = active is not None and worker.rule_base_digest != active.digest
        table.add_row(
            str(worker.number),
            Text("yes", "green") if worker.serving else Text("no", "bold red"),
            Text(_short(worker.rule_base_digest), "bold red" if differs else ""),
            _short(worker.model_digest),
            _time(worker.since_time),
        )
    _say(table)
    if state.last_error is not None:
        error = state.last_error
        said = f"not served at {_time(error.report_time)} ({error.source}) {_short(error.digest)}"
        _say(Text(said.rstrip(), "bold red"))
        for problem in error.problems:
            _say(Text(problem))
    if state.shadow is not None:
        print_shadow(state.shadow)


def print_revisions(page: RevisionPage) -> None:
    """Revisions, newest first."""
    table = _table("", "digest", "created", "by", "source", "why", "served last")
    for each in page.revisions:
        table.add_row(
            Text("*", "bold green") if each.active else "",
            _short(each.digest),
            _time(each.create_time),
            each.author,
            each.source,
            each.message,
            _time(each.activate_time),
        )
    _say(table)
    if page.next_page_token:
        _say(Text("there are more; see --limit", "dim"))


def print_shadow(shadow: ShadowState | None) -> None:
    """How a shadow does, level by level."""
    if shadow is None:
        _say(Text("no shadow runs", "bold"))
        return
    _say(Text(f"in the shadow: {shadow.digest}", "bold"))
    share = shadow.scored_count and shadow.changed_level_count / shadow.scored_count
    _rows(
        [
            ("share", f"{shadow.sample_share:.0%} of the grumbles"),
            ("since", _time(shadow.start_time)),
            ("scored", f"{shadow.scored_count:,}, {share:.1%} with another level"),
            ("left out", f"{shadow.skipped_count:,} for want of time"),
            ("failed", f"{shadow.failed_count:,}"),
        ]
    )
    print_transitions(shadow.transitions)


def print_simulation(found: Simulation) -> None:
    """What one revision makes of a sample beside another."""
    _say(Text(f"{_short(found.digest)} beside {_short(found.former_digest)}", "bold"))
    share = found.scored_count and found.changed_level_count / found.scored_count
    rows = [
        ("scored", f"{found.scored_count:,} by both; {found.refused_count:,} could not be"),
        ("level", f"{found.changed_level_count:,} get another ({share:.1%})"),
    ]
    above = found.above_warning_line
    if above is not None:
        rows.append(("warnings", f"{above.former_count:,} above the line, now {above.count:,}"))
    _rows(rows)
    print_transitions(found.transitions)
    for title, counts in (("strategy", found.strategies), ("owner", found.owners)):
        if counts:
            _say(_changes(title, counts))


def print_transitions(transitions: Iterable[LevelTransition]) -> None:
    """The matrix of levels: a row for each by the former rule base, a column by the other."""
    counts = {(each.former_level, each.level): each.count for each in transitions}
    if not counts:
        return
    levels = sorted({level for pair in counts for level in pair})
    table = _table("level", *(f"to {level}" for level in levels))
    for column in table.columns[1:]:
        column.justify = "right"
    for former in levels:
        table.add_row(f"from {former}", *_cells(former, levels, counts))
    _say(table)


def _cells(former: int, levels: list[int], counts: dict[tuple[int, int], int]) -> Iterator[Text]:
    for level in levels:
        count = counts.get((former, level), 0)
        style = "dim" if not count else "" if level == former else "bold"
        yield Text(f"{count:,}" if count else "·", style)


def _changes(title: str, counts: Iterable[ChangedCount]) -> Table:
    table = _table(title, "before", "now", "change")
    for column in table.columns[1:]:
        column.justify = "right"
    for each in counts:
        change = each.count - each.former_count
        table.add_row(each.code, f"{each.former_count:,}", f"{each.count:,}", f"{change:+,}")
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _rows(rows: Iterable[tuple[str, str]]) -> None:
    for name, value in rows:
        if value:
            _say(Text.assemble((f"  {name:9}", "dim"), " ", value.replace("\n", "\n" + " " * 12)))


def _say(shown: Text | Table) -> None:
    # soft_wrap: a terminal's width never cuts a path or moves a caret
    console = Console(highlight=False)
    if isinstance(shown, Table):
        console.print(shown)
    else:
        console.print(shown, soft_wrap=True, end="" if shown.plain.endswith("\n") else "\n")


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:SHOWN]


def _time(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
