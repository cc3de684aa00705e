"""``harken rules explain``: why a grumble is graded as it is, and why not otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from harken_rules import explain_text, printing, why_not_json
from harken_rules.commands.shared import OK, UNUSABLE, Json, path_of, refuse, sound
from harken_rules.engine import EngineError, RuleEngine
from harken_rules.explain import Explanation, Situation, default_results, explain
from harken_rules.explain_text import Lines, Teller
from harken_rules.given import GivenError, GivenProblem, read_given
from harken_rules.goals import nearest_result, read_goal
from harken_rules.hints import did_you_mean, printable, shown
from harken_rules.language import RuleBase
from harken_rules.phrases import LANGUAGES, Phrases
from harken_rules.why_not import WhyNot, why_not
from harken_rules.why_not_text import WhyNotTeller

MAX_BYTES = 1_000_000

Grumble = Annotated[
    str,
    typer.Argument(metavar="GRUMBLE", help="A JSON or YAML file of facts; - is standard input."),
]
Rules = Annotated[
    Path | None,
    typer.Option(
        "--rules", metavar="DIR", help="The rule base's folder. Default: the shipped one."
    ),
]
Language = Annotated[str, typer.Option("--lang", metavar="LANG", help="Answer in en or zh.")]
Results = Annotated[
    list[str] | None,
    typer.Option("--result", metavar="NAME", help="Explain this result only; may be repeated."),
]
Outcomes = Annotated[
    list[str] | None,
    typer.Option(
        "--why-not",
        metavar="OUTCOME",
        help="An outcome that did not happen: level=5, severity>=3.6, strategies=agent_follow_up.",
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="FACT", help="Never change this fact; may be repeated."),
]


def add_to(rules: typer.Typer) -> None:
    """Add ``explain`` to the group."""
    rules.command(name="explain")(run)


def run(
    grumble: Grumble,
    folder: Rules = None,
    language: Language = "en",
    results: Results = None,
    outcomes: Outcomes = None,
    keep: Keep = None,
    as_json: Json = False,
) -> None:
    """Say why a grumble gets its level, treatment and strategies: which rules, on which facts.

    GRUMBLE holds facts by name, as a case's `given` does. What the model says (probability,
    association, segment) is given like the rest; what is left out is not known.

    With --why-not: for an outcome that did not happen the rules that come nearest to it, what
    fails in them, and the smallest changes of given facts after which it would happen. Every
    change of one fact is tried, then of two, then of three.

    **Example:** `harken rules explain grumble.json`, where grumble.json is

        {"category": "charges", "behaviour_type": "tariff_sensitive", "probability": 0.12}

    **Example:** `harken rules explain grumble.json --why-not level=5 --keep probability`

    **Exit code:** 0 explained, 2 no such file, fact, value or result, or the rule base has errors.
    """
    path = path_of(folder)
    base, _ = sound(path, as_json)
    if language not in LANGUAGES:
        _refuse(
            [GivenProblem("--lang", f"'{shown(language)}' is not offered", "en or zh")], as_json
        )
    if keep and not outcomes:
        _refuse([GivenProblem("--keep", "it goes with --why-not", "say which outcome")], as_json)
    data = _read(grumble, as_json)
    try:
        engine = RuleEngine(base)
        name = "standard input" if grumble == "-" else grumble
        situation = Situation(engine, read_given(data, name, base, engine.cells))
        found = explain(situation, _results(results or (), base))
        kept = tuple(dict.fromkeys(keep or ()))
        why_nots = [_why_not(situation, each, kept, base) for each in outcomes or ()]
    except GivenError as error:
        _refuse(error.problems, as_json)
    except EngineError as error:
        refuse(f"{path}: {error}", path, as_json)
    phrases = Phrases(base, language)
    if as_json:
        _as_json(path, base, found, why_nots, phrases)
    elif why_nots:
        _show(WhyNotTeller(each, phrases, printing.prefix(path)).lines() for each in why_nots)
    else:
        _show([Teller(found, phrases, printing.prefix(path)).lines()])
    raise typer.Exit(OK)


def _read(grumble: str, as_json: bool) -> bytes:
    """What the file or standard input holds; ends the command if that cannot be read."""
    try:
        if grumble == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(grumble).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        _refuse([GivenProblem("", f"{printable(grumble)}: {why}")], as_json)
    if len(data) > MAX_BYTES:
        message = (
            f"{printable(grumble)}: more than {MAX_BYTES:,} bytes; one grumble takes a few hundred"
        )
        _refuse([GivenProblem("", message)], as_json)
    return data


def _results(names: Sequence[str], base: RuleBase) -> tuple[str, ...]:
    known = [name for decision in base.decisions for name in decision.results]
    problems = [
        GivenProblem(shown(name), "no decision yields it", nearest_result(name, base))
        for name in names
        if name not in known
    ]
    if problems:
        raise GivenError(problems)
    return tuple(dict.fromkeys(names)) or default_results(base)


def _why_not(situation: Situation, text: str, keep: Sequence[str], base: RuleBase) -> WhyNot:
    goal = read_goal(text, base)
    given = situation.engine.given
    wrong = [each for each in keep if each not in given]
    if wrong:
        raise GivenError(
            GivenProblem(
                shown(each), "it is no given fact, so it cannot be kept", did_you_mean(each, given)
            )
            for each in wrong
        )
    return why_not(situation, goal, keep)


def _show(parts: Iterable[Lines]) -> None:
    for number, lines in enumerate(parts):
        if number:
            printing.say(("\n", ""))
        for depth, pieces in lines:
            printing.say(("  " * depth if pieces else "", ""), *pieces, ("\n", ""))


def _as_json(
    path: Path, base: RuleBase, found: Explanation, why_nots: Sequence[WhyNot], phrases: Phrases
) -> None:
    answer = {"path": str(path), "digest": base.digest, **explain_text.to_dict(found, phrases)}
    if why_nots:
        answer["why_not"] = [why_not_json.to_dict(each, phrases) for each in why_nots]
    printing.as_json(answer)


def _refuse(problems: Sequence[GivenProblem], as_json: bool) -> NoReturn:
    """End the command: the grumble or a question about it is unusable."""
    if as_json:
        told = [{"fact": p.fact, "message": p.message, "hint": p.hint} for p in problems]
        printing.as_json({"error": "; ".join(map(str, problems)), "problems": told})
    else:
        for problem in problems:
            typer.echo(str(problem), err=True)
    raise typer.Exit(UNUSABLE)
