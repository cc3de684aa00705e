"""Score == BatchScore == offline == the client's replay, bit for bit, on random grumbles.

All against the shipped rule base and bundle. Every field is there or missing by chance; numbers
lie on, just below and just above cuts as well as anywhere.
"""

from __future__ import annotations

import csv
import math
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from harken.v1 import grumble_pb2, scoring_pb2, scoring_pb2_grpc
from harken_models import default_bundle_path
from harken_rules import default_base_path
from harken_rules.language import FactType
from harken_server.grpc.batch_reading import LEAST
from harken_server.grpc.convert import from_proto, to_proto
from harken_server.grumble import Grumble, Score
from harken_server.limits import RANGES
from harken_server.paths import path_of
from harken_server.replay import score_rows
from harken_server.scoring import Scorer
from harken_server.snapshot import load_snapshot

ROWS = 600
VOICED = datetime(2011, 5, 3, 9, 30, tzinfo=UTC)
INTEGERS = {
    f.name
    for message in (grumble_pb2.CustomerProfile, grumble_pb2.History)
    for f in message.DESCRIPTOR.fields
    if f.cpp_type == f.CPPTYPE_INT32
}
FLAGS = ("dissatisfied", "company_responsible", "problem_exists", "corporate_contact")
ENUMS = {
    "channel": grumble_pb2.Channel,
    "resolution_state": grumble_pb2.ResolutionState,
    "vip_tier": grumble_pb2.VipTier,
}
FEW = {"grumble_count_30d", "grumble_count_90d", "complaint_count_30d", "complaint_count_90d"}


@pytest.fixture(scope="module")
def offline():
    return Scorer(load_snapshot(default_base_path(), default_bundle_path()))


@pytest.fixture(scope="module")
def rows(offline):
    """Random rows by core name, as a replay file holds them."""
    chance = random.Random(20111001)
    return [random_row(chance, offline.snapshot.base, number) for number in range(ROWS)]


def random_row(chance, base, number):
    """Values by core name; what is missing is not there."""
    voiced = VOICED + timedelta(microseconds=chance.randrange(150 * 86_400_000_000))
    row = {"grumble_id": f"g{number}", "voice_time": voiced}
    hours = chance.choice([0, 4, 12, 24, 48, 72, 168, chance.uniform(0, 900)])
    nudge = chance.choice([-1, 0, 0, 1]) if hours else 0
    row["observe_time"] = voiced + timedelta(hours=hours, microseconds=nudge)
    for name, kind in ENUMS.items():
        row[name] = chance.choice([c for c in names_of(kind) if c])
    for name in ("category", "service", "point", "brand", "segment", "behaviour_type"):
        fact = base.facts.get(name)
        codes = list(fact.values or {}) if fact is not None else []
        row[name] = chance.choice(
            [*codes, "nobody-knows"] if fact and fact.open else codes or ["x"]
        )
    for name in FLAGS:
        row[name] = chance.random() < 0.5
    for name, (low, high) in RANGES.items():
        row[name] = random_number(chance, base.facts.get(name), name, low, high)
    kept = {"grumble_id", "voice_time"}
    share = chance.choice([0.1, 0.5, 0.9, 1.0])
    return {k: v for k, v in row.items() if k in kept or chance.random() < share}


def names_of(kind):
    values = kind.DESCRIPTOR.values
    prefix = values[0].name.removesuffix("UNSPECIFIED")
    return [v.name.removeprefix(prefix).lower() if v.number else "" for v in values]


def random_number(chance, fact, name, low, high):
    """Somewhere usual, or on or beside a round figure; inside API's and rule base's ranges."""
    limits = fact.range if fact is not None and fact.type is not FactType.ENUM else None
    if limits is not None and limits.high is not None:
        high = min(high, float(limits.high))
    high = min(high, 6 if name in FEW else 400)
    number = chance.choice([chance.uniform(low, high), float(chance.randint(int(low), int(high)))])
    if name in INTEGERS:
        return int(number)
    return min(max(low, math.nextafter(number, chance.choice([-1, 1e9]))), high)


def request_of(row, attributes=None, **more):
    """The row as a request."""
    request = scoring_pb2.ScoreRequest(**more)
    for name, value in row.items():
        part, field = path_of(name).split(".")
        target = getattr(request, part)
        if isinstance(value, datetime):
            getattr(target, field).FromDatetime(value)
        elif name in ENUMS:
            setattr(target, field, names_of(ENUMS[name]).index(value))
        else:
            setattr(target, field, value)
    if "observe_time" not in row:
        request.grumble.observe_time.CopyFrom(request.grumble.voice_time)
    for name, value in (attributes or {}).items():
        kind = {bool: "flag", str: "text"}.get(type(value), "number")
        setattr(request.attributes[name], kind, value)
    return request


def anonymous(message):
    """The bytes of a score but for its random id."""
    message.decision_id = ""
    return message.SerializeToString(deterministic=True)


def test_alone_in_a_batch_and_offline_a_grumble_scores_the_same(served, offline, rows):
    chance = random.Random(7)
    requests = [
        request_of(
            row,
            attributes=chance.choice([{}, {}, {"colour": "red", "weight": 1.5, "new": True}]),
            explain=chance.random() < 0.05,
            language_code=chance.choice(["", "en", "zh", "zh-CN", "en_GB"]),
        )
        for row in rows
    ]
    with grpc.insecure_channel(served.target) as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        alone = [anonymous(stub.Score(r, timeout=60).score) for r in requests]
        results = stub.BatchScore(
            scoring_pb2.BatchScoreRequest(requests=requests), timeout=60
        ).results
        # Most of these have attributes and are read one by one; the others by columns.
        plain = [at for at, r in enumerate(requests) if not (r.attributes or r.explain)]
        ordinary = scoring_pb2.BatchScoreRequest(requests=[requests[at] for at in plain])
        by_columns = stub.BatchScore(ordinary, timeout=60).results
    assert [anonymous(r.score) for r in results] == alone
    assert len(plain) >= LEAST
    assert [anonymous(r.score) for r in by_columns] == [alone[at] for at in plain]
    outcomes = score_rows(offline, map(from_proto, requests), batch=97)
    assert [anonymous(to_proto(outcome)) for outcome in outcomes] == alone


def test_errors_are_the_same_too(served, offline, rows):
    good = request_of(rows[0])
    bad = request_of({**rows[1], "age_years": -4, "monthly_spend_yuan": math.inf})
    with grpc.insecure_channel(served.target) as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Score(bad, timeout=60)
        batch = stub.BatchScore(scoring_pb2.BatchScoreRequest(requests=[bad, good, bad]))
    (said,) = (v for k, v in caught.value.trailing_metadata() if k == "grpc-status-details-bin")
    first, second, third = batch.results
    assert first.status.SerializeToString() == third.status.SerializeToString() == said
    assert second.score.level
    (outcome,) = score_rows(offline, [from_proto(bad)])
    assert [v.field for v in outcome.violations] == ["age_years", "monthly_spend_yuan"]


def test_the_scores_differ_from_each_other(offline, rows):
    """The comparison above means something only if the rows are not all alike."""
    scores = list(score_rows(offline, [from_proto(request_of(row)) for row in rows]))
    assert all(isinstance(score, Score) for score in scores)
    assert {score.level for score in scores} == {1, 2, 3, 4, 5}
    assert len({score.probability for score in scores}) > ROWS / 2


WAYS = {
    "stream": ["--via", "stream"],
    "batch": ["--via", "batch"],
    "offline": ["--offline", "--processes", "1"],
}


@pytest.mark.parametrize("way", WAYS)
def test_the_clients_replay_gives_the_same_bits(served, offline, rows, tmp_path, way):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    names = sorted({"observe_time"}.union(*rows))
    with source.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in rows:
            row = {"observe_time": row["voice_time"], **row}
            writer.writerow([as_text(row.get(name)) for name in names])
    program = "from harken_client.main import main; main()"
    command = [sys.executable, "-c", program, "replay", str(source), str(out), *WAYS[way]]
    if way != "offline":
        command += ["--target", served.target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr + done.stdout
    with out.open(newline="") as file:
        replayed = list(csv.DictReader(file))
    assert [row["grumble_id"] for row in replayed] == [row["grumble_id"] for row in rows]
    expected = score_rows(offline, [from_proto(request_of(row)) for row in rows])
    for row, score in zip(replayed, expected, strict=True):
        assert float(row["probability"]).hex() == score.probability.hex()
        assert float(row["severity"]).hex() == score.severity.hex()
        assert int(row["level"]) == score.level
        assert row["segment"] == score.segment.code
        assert row["treatment"] == score.advice.treatment.code
        assert row["strategies"] == ";".join(s.code for s in score.strategies)
        assert row["reasons"] == ";".join(r.code for r in score.reasons)
        assert row["owner"] == score.advice.owner.code


def as_text(value):
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def test_core_fields_are_all_tried(rows):
    tried = {name for row in rows for name in row}
    core = {f.removesuffix("_us") for f in Grumble._fields}
    assert core - tried == {"customer_id", "attributes", "explain", "language"}
