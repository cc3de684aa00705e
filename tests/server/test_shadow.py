"""A second rule base beside the active one: off the caller's path, and its counts add up."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from types import SimpleNamespace

import grpc
import pytest
from harken.v1 import rule_bases_pb2 as pb
from harken.v1 import scoring_pb2, scoring_pb2_grpc
from harken_rules import load_rule_base
from harken_server.scoring import Scorer
from harken_server.shadow import WAITING, Shadow
from harken_server.snapshot import build_snapshot

ACTIVE = "sha256:" + "a" * 64


@pytest.fixture
def shadow_of(bundle, edited, tmp_path):
    """Makes a shadow that gives level 4 where the small rule base gives 1."""
    made = []

    def make(share=1.0, scorer=None):
        if scorer is None:
            base = load_rule_base(edited(tmp_path / "rules"))
            scorer = Scorer(build_snapshot(base, bundle))
        made.append(Shadow(scorer, ACTIVE, share, rest=0.0))
        return made[-1]

    yield make
    for one in made:
        one.close()


def answered(scorer, grumble, **changes):
    """A grumble with its score, as though ``ACTIVE`` had given it."""
    score = scorer.score(grumble)
    return grumble, score._replace(**{"rule_base_digest": ACTIVE, **changes})


def test_every_pair_of_levels_is_counted(shadow_of, scorer, grumble, wait_for):
    shadow = shadow_of()
    given = [grumble(), grumble(hours=72), grumble(hours=72, age_years=70), grumble()]
    shadow.offer(answered(scorer, one) for one in given)
    counts = wait_for(lambda: shadow.counts().scored == len(given) and shadow.counts())
    levels = [scorer.score(one).level for one in given]
    assert counts.transitions == Counter((old, 4 if old == 1 else old) for old in levels)
    assert counts.transitions.total() == counts.scored
    assert (counts.skipped, counts.failed) == (0, 0)
    assert counts.rule_base_digest == ACTIVE


def test_what_the_shadow_cannot_score_is_counted_and_nobody_else_notices(
    shadow_of, scorer, grumble, wait_for
):
    def fail(_grumble):
        raise RuntimeError("the shadow is broken")

    snapshot = SimpleNamespace(rule_base_digest="sha256:" + "b" * 64)
    shadow = shadow_of(scorer=SimpleNamespace(score=fail, snapshot=snapshot))
    shadow.offer([answered(scorer, grumble())] * 3)
    counts = wait_for(lambda: shadow.counts().failed == 3 and shadow.counts())
    assert (counts.scored, counts.transitions) == (0, Counter())


def test_a_shadow_that_is_behind_leaves_out_and_counts(shadow_of, scorer, grumble, wait_for):
    begun, go = threading.Event(), threading.Event()

    def slow(_grumble):
        begun.set()
        go.wait(60)
        return SimpleNamespace(level=4)

    snapshot = SimpleNamespace(rule_base_digest="sha256:" + "b" * 64)
    shadow = shadow_of(scorer=SimpleNamespace(score=slow, snapshot=snapshot))
    pair = answered(scorer, grumble())
    shadow.offer([pair])
    assert begun.wait(60)
    shadow.offer([pair] * (WAITING + 7))
    assert shadow.counts().skipped == 7
    go.set()
    wait_for(lambda: shadow.counts().scored == WAITING + 1)


def test_a_matrix_belongs_to_one_pair_of_rule_bases(shadow_of, scorer, grumble, wait_for):
    shadow = shadow_of()
    other = "sha256:" + "c" * 64
    shadow.offer([answered(scorer, grumble())])
    wait_for(lambda: shadow.counts().scored == 1)
    shadow.follow(other)
    assert shadow.counts().scored == 0
    late = answered(scorer, grumble())
    shadow.offer([late, late, answered(scorer, grumble(), rule_base_digest=other)])
    counts = wait_for(lambda: shadow.counts().scored == 1 and shadow.counts())
    assert counts.rule_base_digest == other
    assert counts.transitions == {(1, 4): 1}


def test_a_share_of_the_traffic_is_taken(shadow_of, scorer, grumble, monkeypatch, wait_for):
    draws = iter([0.0, 0.49, 0.5, 0.99])
    monkeypatch.setattr("random.random", lambda: next(draws))
    shadow = shadow_of(share=0.5)
    shadow.offer([answered(scorer, grumble())] * 4)
    wait_for(lambda: shadow.counts().scored == 2)
    assert shadow.counts().skipped == 0


@pytest.fixture(scope="module")
def desk(serve_for_all, desk_of, base_path, edited, tmp_path_factory):
    """Two workers, started with a shadow of level 4."""
    shadow = edited(tmp_path_factory.mktemp("shadow") / "rules")
    options = ("--shadow", str(shadow), "--shadow-share", "1")
    return desk_of(serve_for_all("--rules", str(base_path), "--workers", "2", *options))


@pytest.fixture
def shadowed(desk, wait_for):
    """Waits until the shadow has counted so many, and answers how it stands."""

    def wait(count):
        def enough():
            shadow = desk.state().shadow
            return shadow.scored_count + shadow.skipped_count == count and shadow

        return wait_for(enough)

    return wait


def matrix(shadow):
    return {(each.former_level, each.level): each.count for each in shadow.transitions}


def test_the_state_has_the_matrix_of_all_workers(desk, wait_for, shadowed):
    wait_for(lambda: desk.state().HasField("shadow"))
    levels = Counter(desk.score().level for _ in range(20))
    batch = scoring_pb2.BatchScoreRequest(requests=[desk.request] * 10)
    batch.requests[3].grumble.grumble_id = ""  # refused: nothing for the shadow
    with grpc.insecure_channel(desk.served.target) as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        levels.update(r.score.level for r in stub.BatchScore(batch).results if r.HasField("score"))
    shadow = shadowed(29)
    assert levels == {1: 29}
    assert (shadow.skipped_count, shadow.failed_count) == (0, 0)
    assert matrix(shadow) == {(1, 4): 29}
    assert shadow.changed_level_count == 29
    assert shadow.active_digest == desk.served.rule_base_digest
    assert shadow.sample_share == 1


def test_a_worker_started_again_takes_the_shadow_up(desk, wait_for, shadowed):
    digest = desk.state().shadow.digest
    desk.stub.SetShadowRuleBase(pb.SetShadowRuleBaseRequest(digest=digest, sample_share=1))
    killed = desk.workers()
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    wait_for(lambda: desk.replaced(killed))
    calls = 0

    def both_count():  # a worker serves a moment before its shadow is there
        nonlocal calls
        calls += 1
        assert desk.score().level == 1
        return desk.state().shadow.scored_count >= 10

    wait_for(both_count)
    assert set(matrix(desk.state().shadow)) == {(1, 4)}
    assert desk.state().shadow.scored_count <= calls


def test_counts_begin_anew_with_another_active_rule_base(
    desk, edited, shadowed, tmp_path, wait_for
):
    published = desk.create(edited(tmp_path / "rules", level=2)).digest
    desk.activate(published)
    shadow = desk.state().shadow
    assert (shadow.active_digest, shadow.scored_count) == (published, 0)
    for _ in range(5):
        desk.score()
    assert matrix(shadowed(5)) == {(2, 4): 5}
    ended = desk.stub.SetShadowRuleBase(pb.SetShadowRuleBaseRequest())
    assert not ended.HasField("shadow")
    assert not desk.state().HasField("shadow")
