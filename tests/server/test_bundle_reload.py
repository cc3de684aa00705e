"""``harken serve --watch-bundle``: what becomes of the bundle is served, if it is sound."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
import urllib.request
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
import yaml
from harken.v1 import rule_bases_pb2 as pb
from harken.v1 import scoring_pb2_grpc
from harken_models import default_bundle_path, load_bundle
from harken_models.bundlefile import write_bundle
from harken_models.features import Feature
from harken_models.logistic_terms import NumberTerm
from harken_models.predictor import Model
from harken_server.bundles import BundleKeeper, copied_at_rest
from harken_server.vetting import Fitted, Vetter, fit

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="needs /proc")

CALLERS = 2


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """A folder and a digest each: ``low`` and ``high`` are logistic and differ in their base rate;
    ``plan`` and ``tier`` have a number of that name beside, which the rule base has as a text, or
    does not know."""
    home = tmp_path_factory.mktemp("bundles")
    whole = load_bundle(default_bundle_path()).parts
    parts = replace(whole, model=Model("logistic", None, whole.model.logistic))
    probes = yaml.safe_load((default_bundle_path() / "probes.yaml").read_text())["probes"]
    rows = [probe["row"] for probe in probes]
    made = {"low": _shifted(parts, -1.0), "high": _shifted(parts, 1.0)}
    made |= {name: _with_number(parts, name) for name in ("plan", "tier")}
    return {
        name: (home / name, write_bundle(home / name, each, {}, rows).digest)
        for name, each in made.items()
    }


def _shifted(parts, by):
    return replace(parts, calibration=replace(parts.calibration, shift=by))


def _with_number(parts, name):
    own = Feature(name, "number", (name,), attribute=True)
    term = NumberTerm(0.0, 1.0, 0.0, 1.0, 0.1, 0.0, 0.0)
    logistic = parts.model.logistic
    model = replace(parts.model, logistic=replace(logistic, terms=(*logistic.terms, term)))
    features = replace(parts.features, features=(*parts.features.features, own))
    return replace(parts, model=model, features=features)


@pytest.fixture(scope="module")
def folder(bundles, tmp_path_factory):
    """What is watched."""
    home = tmp_path_factory.mktemp("watched") / "bundle"
    shutil.copytree(bundles["low"][0], home)
    return home


@pytest.fixture(scope="module")
def desk(serve_for_all, desk_of, folder, base_path):
    options = ("--rules", str(base_path), "--bundle", str(folder), "--watch-bundle")
    return desk_of(serve_for_all(*options, "--workers", "2"))


@pytest.fixture
def put(desk, folder, bundles, wait_for):
    """Puts a bundle in the place of the one watched, as training does, and waits until it is
    served; returns its digest."""

    def put(name, awaited=True):
        path, digest = bundles[name]
        new, old = folder.with_name(".new"), folder.with_name(".old")
        shutil.copytree(path, new)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
        if awaited:
            wait_for(lambda: health(desk)["model_digest"] == digest)
            wait_for(lambda: "bundle_error" not in health(desk))
        return digest

    return put


def health(desk):
    page = f"http://{desk.served.host}:{desk.served.metrics_port}/healthz"
    with urllib.request.urlopen(page, timeout=10) as answer:
        return json.loads(answer.read())


def told(desk, wait_for, words):
    return wait_for(lambda: words in (error := health(desk).get("bundle_error", "")) and error)


def outcomes(desk, name):
    return desk.metric(rf'harken_bundle_reloads_total{{outcome="{name}"}}')


def served(desk):
    return {desk.score().model_digest for _ in range(8)}


class Callers:
    """Threads that have grumbles scored without a pause, each over a connection of its own."""

    def __init__(self, desk):
        self.desk, self.answers, self.failures = desk, set(), []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _call(self):
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self.desk.served.target, options=options) as channel:
            stub = scoring_pb2_grpc.ScoringServiceStub(channel)
            while not self._stopping.is_set():
                try:
                    score = stub.Score(self.desk.request, timeout=20).score
                except grpc.RpcError as error:
                    self.failures.append(error.code())
                else:
                    self.answers.add((score.model_digest, score.probability))


def test_a_sound_bundle_is_served_by_all_without_a_failed_call(desk, put, bundles, wait_for):
    low, high = bundles["low"][1], bundles["high"][1]
    before, workers, since = desk.score(), desk.workers(), desk.state().workers[0].since_time
    assert before.model_digest == low
    with Callers(desk) as callers:
        put("high")
    after = desk.score()
    assert not callers.failures
    assert callers.answers == {(low, before.probability), (high, after.probability)}
    assert after.probability > before.probability
    assert after.rule_base_digest == before.rule_base_digest
    assert {worker.model_digest for worker in desk.state().workers} == served(desk) == {high}
    assert desk.state().workers[0].since_time == since  # the rule base is the same as before
    assert desk.workers() == workers
    assert outcomes(desk, "activated") == 1
    os.kill(workers[0], signal.SIGKILL)  # the one that is started in its place has the new one
    wait_for(lambda: desk.replaced(workers[:1]))
    assert {worker.model_digest for worker in desk.state().workers} == served(desk) == {high}


def test_an_altered_bundle_is_not_served_but_told_until_it_is_mended(desk, folder, wait_for):
    before, failed = served(desk), outcomes(desk, "failed")
    file = folder / "logistic.yaml"
    sound = file.read_bytes()
    file.write_bytes(sound + b"# altered\n")
    error = told(desk, wait_for, "altered")
    assert f"{folder}: logistic.yaml was altered" in error
    assert "bundle not served" in desk.served.log.read_text()
    assert served(desk) == before
    assert outcomes(desk, "failed") == failed + 1
    file.write_bytes(sound)
    wait_for(lambda: "bundle_error" not in health(desk))
    assert served(desk) == before


def test_a_bundle_that_does_not_fit_the_rule_base_is_not_served(desk, put, wait_for):
    before = served(desk)
    put("plan", awaited=False)
    told(desk, wait_for, "attribute 'plan' is a text in the rule base and a number in the bundle")
    assert served(desk) == before


def test_a_folder_that_is_gone_is_told_and_the_last_bundle_stays(desk, put, folder, wait_for):
    before = served(desk)
    shutil.rmtree(folder)
    told(desk, wait_for, "No such file or directory")
    assert served(desk) == before
    digest = put("low")
    assert served(desk) == {digest} != before


def test_rule_bases_are_vetted_and_simulated_with_the_bundle_that_is_served(
    desk, put, edited, tmp_path
):
    rules = edited(tmp_path / "rules")
    with (rules / "facts.yaml").open("a") as facts:
        facts.write("  tier:\n    type: enum\n    source: attribute\n")
        facts.write("    title: {en: Tier, zh: 等级}\n    values: {a: {en: A, zh: 甲}}\n")
    assert desk.create(rules, validate_only=True).digest
    model = put("tier")
    refused = desk.create(rules, validate_only=True)
    assert not refused.digest
    assert "bundle-misfit" in [each.id for each in refused.findings]
    digest = desk.create(edited(tmp_path / "other", level=3)).digest
    request = pb.SimulateRuleBaseRequest(digest=digest, requests=[desk.request])
    assert desk.stub.SimulateRuleBase(request, timeout=120)
    assert desk.activate(digest).digest == digest
    assert served(desk) == {model}


def test_the_shadow_goes_over_to_the_new_bundle(desk, put, edited, tmp_path, wait_for):
    digest = desk.create(edited(tmp_path / "rules", level=5)).digest
    desk.stub.SetShadowRuleBase(
        pb.SetShadowRuleBaseRequest(digest=digest, sample_share=1), timeout=120
    )
    put("low")

    def scored():
        desk.score()
        return desk.state().shadow.scored_count

    wait_for(scored)
    assert not desk.state().shadow.failed_count


def test_a_bundle_that_does_not_fit_is_known_to_be_readable(bundles, base_path):
    path, digest = bundles["plan"]
    found = fit(base_path, path)
    assert found.model_digest == digest
    (problem,) = found.problems
    assert "'plan'" in problem


class Keeping:
    """A keeper among fakes: ``fitted`` is what the child finds, ``problems`` the workers'."""

    def __init__(self, home, monkeypatch):
        self.source = home / "source"
        self.source.mkdir()
        (self.source / "manifest.yaml").write_text("1")
        self.fitted, self.problems, self.told, self.asked = Fitted("new", ()), (), [], 0
        self.word = SimpleNamespace(model_digest="old")
        active = SimpleNamespace(digest="rules-1")
        store = SimpleNamespace(folder=lambda revision: home / revision.digest, active=active)
        self.store = store
        publisher = SimpleNamespace(
            store=store, bundle_change=nullcontext, bundle_changed=lambda: None
        )
        monkeypatch.setattr("harken_server.bundles.fit", self._fit)
        self.home, self.vetter = home / "bundles", Vetter(home / "first")
        self.keeper = BundleKeeper(
            self.source, self.home, self, publisher, self.vetter, self._count, 1.0
        )

    def reload_bundle(self, _bundle, digest, _compiled):
        if not self.problems:
            self.word.model_digest = digest
        return self.problems

    def _fit(self, _rules, _bundle, _timeout):
        self.asked += 1
        return self.fitted

    def _count(self, outcome, error):
        self.told.append((outcome, error))


@pytest.fixture
def keeping(tmp_path, monkeypatch):
    return Keeping(tmp_path, monkeypatch)


def test_a_bundle_that_is_taken_is_kept_and_the_former_but_one_is_not(keeping):
    for number in range(1, 4):
        keeping.fitted = Fitted(f"new-{number}", ())
        assert not keeping.keeper.take()
        assert keeping.vetter.bundle == keeping.home / str(number)
    assert sorted(each.name for each in keeping.home.iterdir()) == ["2", "3"]
    assert not keeping.keeper.take()
    assert [outcome for outcome, _ in keeping.told] == ["activated"] * 3 + ["unchanged"]


def test_what_the_workers_refuse_is_tried_again_and_what_is_unsound_is_not(keeping):
    keeping.problems = ("worker 0: it ended",)
    assert keeping.keeper.take()
    keeping.fitted = Fitted("", ("the bundle cannot be read: no",))
    assert not keeping.keeper.take()
    assert keeping.told == [
        ("failed", "worker 0: it ended"),
        ("failed", "the bundle cannot be read: no"),
    ]
    assert not list(keeping.home.iterdir())
    assert keeping.vetter.bundle.name == "first"


def test_a_misfit_is_told_once_and_tried_again_when_the_rule_base_changes(keeping):
    keeping.fitted = Fitted("new", ("they differ",))
    assert keeping.keeper.take()
    assert keeping.keeper.take()
    assert keeping.told == [("failed", "they differ")]
    assert keeping.asked == 1
    keeping.store.active = SimpleNamespace(digest="rules-2")
    keeping.fitted = Fitted("new", ())
    assert not keeping.keeper.take()
    assert keeping.told[-1] == ("activated", "")


def test_a_bundle_is_copied_of_one_moment(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.txt").write_text("first")
    (source / ".hidden").write_text("")
    (source / "deep").mkdir()
    rest, whole = shutil.copyfile, iter(["second", "third"])

    def copyfile(one, other):
        rest(one, other)
        for text in whole:  # somebody writes while we copy
            (source / "model.txt").write_text(text * 2)
            break

    monkeypatch.setattr(shutil, "copyfile", copyfile)
    monkeypatch.setattr("harken_server.bundles.SETTLE_SECONDS", 0.0)
    copied_at_rest(source, tmp_path / "copy")
    assert sorted(each.name for each in (tmp_path / "copy").iterdir()) == ["deep", "model.txt"]
    assert (tmp_path / "copy" / "model.txt").read_text() == "thirdthird"
    moments, clock = iter(range(1000)), iter(range(1000))
    monkeypatch.setattr("harken_server.bundles.state_of", lambda *_: {".": (next(moments),)})
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with pytest.raises(OSError, match="changes while it is read"):
        copied_at_rest(source, tmp_path / "again")
