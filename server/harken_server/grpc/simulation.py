"""Two rule bases on one sample, in a process of their own.

    python -m harken_server.grpc.simulation RULES FORMER --bundle DIR

reads a ``SimulateRuleBaseRequest`` from standard input, scores its requests with both as a
server would, and says the comparison as a line of JSON.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harken_server.children import Telling, ask
from harken_server.errors import PublishingError, Reason, ScoringError, SnapshotError
from harken_server.grumble import Grumble
from harken_server.transitions import Comparison, Outcome, compare

Outcomes = Sequence[Outcome]
TIMEOUT_SECONDS = 120.0


def simulate(
    rules: Path, former: Path, requests: bytes, bundle: Path, timeout: float = TIMEOUT_SECONDS
) -> Comparison:
    """What ``rules`` makes of the sample beside ``former``; ``timeout`` in seconds.

    Raises ``PublishingError`` if it cannot be said.
    """
    arguments = [str(rules), str(former), "--bundle", str(bundle)]
    answer = ask("harken_server.grpc.simulation", arguments, requests, timeout)
    if answer.failure:
        words = f"the sample could not be scored: {answer.failure}"
        raise PublishingError(Reason.SIMULATION_FAILED, words)
    problems = tuple(answer.said.get("problems", ()))
    if problems:
        words = f"the sample could not be scored: {problems[0]}"
        raise PublishingError(Reason.SIMULATION_FAILED, words, problems=problems)
    return Comparison.from_json(answer.said["comparison"])


def main(arguments: list[str] | None = None) -> int:
    """The child's side; see the module."""
    parser = argparse.ArgumentParser(
        prog="python -m harken_server.grpc.simulation", description=__doc__
    )
    parser.add_argument("rules", type=Path, help="folder of the rule base to try")
    parser.add_argument("former", type=Path, help="folder of the one to compare with")
    parser.add_argument("--bundle", type=Path, required=True, help="folder of the model bundle")
    given = parser.parse_args(arguments)
    with Telling() as telling:
        try:
            found = _compare(given.rules, given.former, given.bundle, sys.stdin.buffer.read())
        except SnapshotError as error:
            telling.say(problems=error.problems)
        else:
            telling.say(comparison=found.to_json())
    return 0


def _compare(rules: Path, former: Path, bundle: Path, data: bytes) -> Comparison:
    from harken.v1 import rule_bases_pb2

    from harken_server.grpc.convert import from_proto

    grumbles, refused = [], 0
    for request in rule_bases_pb2.SimulateRuleBaseRequest.FromString(data).requests:
        try:
            grumbles.append(from_proto(request)._replace(explain=False))
        except ScoringError:
            refused += 1
    olds, news = _score(grumbles, former, rules, bundle)
    found = compare(olds, news)
    return replace(found, refused=found.refused + refused)


def _score(grumbles: Sequence[Grumble], former: Path, rules: Path, bundle: Path) -> list[Outcomes]:
    """What each of the two makes of the sample."""
    from harken_models import load_bundle
    from harken_rules import load_rule_base

    from harken_server.scoring import Scorer
    from harken_server.snapshot import build_snapshot

    loaded = load_bundle(bundle)
    outcomes: list[Outcomes] = []
    for folder in (former, rules):
        scorer = Scorer(build_snapshot(load_rule_base(folder), loaded))
        outcomes.append(scorer.score_batch(grumbles))
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
