"""The model card: what a person should know of a bundle before trusting it, as Markdown.

It says nothing of when, where or by whom: the same training writes the same card to the byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal

from harken_models.bundle import Bundle, BundleParts
from harken_models.card_words import say
from harken_models.dataset import Dataset
from harken_models.evaluation.ages import ages
from harken_models.evaluation.lines import number, span
from harken_models.evaluation.metrics import FIGURES
from harken_models.evaluation.report import Plain
from harken_models.evaluation.scored import score
from harken_models.evaluation.slices import slices
from harken_models.evaluation.whole import line_of
from harken_models.spec import DatasetSpec

if TYPE_CHECKING:
    from harken_models.train import Training

Language = Literal["en", "zh"]
Say = Callable[..., str]
FILES: Mapping[Language, str] = {"en": "model_card.md", "zh": "model_card.zh.md"}
"""What a card's file is called in a bundle."""
_RESAMPLES = 100
_WEAKEST = 5
_BEYOND_CHANCE = 3.0
"""Standard errors by which a part's complaints must differ from what was predicted."""
_EXPECTED = 5.0
"""With fewer complaints (or others) to be expected, chance explains anything."""
_MOSTLY = 0.5


def cards(training: Training, dataset: Dataset) -> dict[str, str]:
    """The cards of a training by the names of their files, ready for ``write_bundle``."""
    plain = found_on_test(training, dataset)
    return {name: card_of(training, plain, language) for language, name in FILES.items()}


def found_on_test(training: Training, dataset: Dataset) -> Plain:
    """What a card says of the test beyond the training's own figures: slices and ages."""
    # As the model was measured: the field's base rate is not that of these rows.
    parts = training.parts
    parts = replace(parts, calibration=replace(parts.calibration, shift=0.0))
    rows = score(Bundle(parts, training.about, "", threads=0), dataset, training.test)
    line = line_of(rows, None).probability
    seed = int(training.about["seed"])
    snapshots = dataset.spec.snapshots
    hours = () if snapshots is None else snapshots.at_hours
    return {
        "slices": slices(rows, line, _RESAMPLES, seed),
        "age": ages(rows, hours, line, _RESAMPLES, seed),
        "specification": spec_digest(dataset.spec),
        "snapshots": snapshots is not None,
        "timeless": dataset.spec.timeless,
    }


def card_of(training: Training, plain_test: Plain, language: Language) -> str:
    """The card of a training with what was found on its test (``found_on_test``, or a report's)."""
    candidate = training.candidates[training.chosen]
    figures: dict[str, dict[str, float | None]] = {}
    for name in FIGURES:
        low, high = candidate.interval.get(name, (None, None))
        figures[name] = {"value": float(getattr(candidate.test, name)), "low": low, "high": high}
    return card_text(training.about, training.parts, {**plain_test, "figures": figures}, language)


def card_text(
    about: Mapping[str, Any], parts: BundleParts, plain: Plain, language: Language
) -> str:
    """The card of whatever is known: a manifest's ``about``, the model's parts, the test."""
    w = partial(say, language)
    blocks = [
        *_what(about, parts, plain, w),
        *_learnt(about, w),
        *_validated(about, w),
        *_figures(about, plain, w),
        *_weak(plain, w),
        *_needs(about, parts, w),
        w("odd"),
        w("odd_said"),
        *_limits(about, plain, w),
    ]
    return "\n\n".join(blocks) + "\n"


def spec_digest(spec: DatasetSpec) -> str:
    """``sha256:…`` over what a specification says, however it is written and wherever it is."""
    text = json.dumps(_canonical(replace(spec, file="")), sort_keys=True, ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _canonical(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _canonical(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _canonical(own) for key, own in value.items()}
    if isinstance(value, tuple | list):
        return [_canonical(own) for own in value]
    return value


def _what(about: Mapping[str, Any], parts: BundleParts, plain: Plain, w: Say) -> list[str]:
    horizon = float(about.get("horizon_days") or 0)
    said = [w("is_horizon", horizon) if horizon else w("is_outcome")]
    if about.get("simulated"):
        said.append(w("simulated"))
    said.append(w("chosen", about.get("chosen", "?"), about.get("because", "?")))
    search = about.get("search") or {}
    boosted, logistic = search.get("lightgbm") or {}, search.get("logistic") or {}
    if boosted and logistic:
        settings = boosted.get("settings") or {boosted.get("trial"): boosted.get("rounds")}
        rounds = ", ".join(w("rounds", name, count) for name, count in settings.items())
        share = search.get("blend_weight", 0.5)
        said.append(
            w("learner", rounds, boosted.get("seeds", 1), logistic["inverse_penalty"], share)
        )
    said.append(w("calibrated", parts.calibration.method))
    if search.get("cut_short_by_budget"):
        said.append(w("cut_short"))
    digest, seed = plain.get("specification"), about.get("seed")
    if seed is not None:
        said.append(w("seed", seed, digest) if digest else w("seed_only", seed))
    return [w("title", about.get("dataset", "?")), w("what"), *said]


def _learnt(about: Mapping[str, Any], w: Say) -> list[str]:
    windows = about.get("windows") or {}
    pieces = [(w("training"), windows.get("training"))]
    pieces += [
        (w("held_out", place), piece) for place, piece in enumerate(windows.get("held_out", ()), 1)
    ]
    pieces.append((w("test"), windows.get("test")))
    rows = [
        (
            name, (piece.get("from") or "–")[:16], (piece.get("to") or "–")[:16],
            f"{piece['rows']:,}", f"{piece['positives']:,}",
            f"{piece['positives'] / max(piece['rows'], 1):.1%}",
        )
        for name, piece in pieces
        if piece
    ]  # fmt: skip
    heads = tuple(map(w, ("piece", "from", "to", "rows", "complaints", "rate")))
    said = [w("learnt"), _table(heads, rows, texts=3)]
    rate = about.get("base_rate") or {}
    if rate.get("sample") is not None:
        said.append(
            w("base_rate", rate["sample"])
            if rate.get("field") is None
            else w("base_rate_field", rate["sample"], rate["field"], rate["shift"])
        )
    return said


def _validated(about: Mapping[str, Any], w: Say) -> list[str]:
    how = about.get("validation") or {}
    pieces = how.get("pieces", len((about.get("windows") or {}).get("held_out", ())))
    said = [w("validated"), w("by_groups" if how.get("kind") == "groups" else "by_time", pieces)]
    if how.get("purge_hours"):
        said.append(w("purged", how["purge_hours"]))
    if how:
        said.append(w("one_se"))
    if how.get("notes"):
        said.append("\n".join(f"- {note}" for note in how["notes"]))
    return said


def _figures(about: Mapping[str, Any], plain: Plain, w: Say) -> list[str]:
    candidates = [
        (
            f"**{kind}**" if kind == about.get("chosen") else kind,
            f"{found['validation_log_loss']:.4f}",
            *(number(name, found[name]) for name in ("auc", "brier", "log_loss", "ece")),
        )
        for kind, found in (about.get("metrics") or {}).items()
    ]
    said = [w("figures"), w("figures_on")]
    heads = tuple(map(w, ("candidate", "loss", "auc", "brier", "log_loss", "ece")))
    said.append(_table(heads, candidates))
    if plain.get("figures"):
        rows = [
            (w(name), number(name, each["value"]), span(name, each))
            for name, each in plain["figures"].items()
        ]
        said.append(_table((w("figure"), w("value"), w("interval")), rows))
    return said


def _weak(plain: Plain, w: Say) -> list[str]:
    parts = [(by, part) for by, own in (plain.get("slices") or {}).items() for part in own]
    ranked = [(by, part) for by, part in parts if part.get("auc")]
    if not ranked:
        return []
    ranked.sort(key=lambda each: each[1]["auc"]["value"])
    said = [w("weak"), w("weak_rank", plain["figures"]["auc"]["value"])]
    said.append(
        "\n".join(
            w("weak_part", by, _name(part, w), *part["auc"].values(), part["rows"])
            for by, part in ranked[:_WEAKEST]
        )
    )
    off = sorted(((_surprise(part), by, part) for by, part in parts), key=lambda each: -each[0])
    off = [each for each in off if each[0] > _BEYOND_CHANCE][:_WEAKEST]
    if off:
        said.append(w("weak_rate"))
        lines = [
            w("off_part", by, _name(part, w), part["predicted"], part["rate"], part["rows"])
            for _, by, part in off
        ]
        said.append("\n".join(lines))
    else:
        said.append(w("no_weak_rate"))
    told = [each for each in plain["age"]["same_grumbles"] if each.get("auc")]
    if len(told) > 1:
        first, last = told[0], told[-1]
        said.append(
            w("older", first["hours"], first["auc"]["value"], last["hours"], last["auc"]["value"])
        )
    return said


def _surprise(part: Plain) -> float:
    """How many standard errors a part's rate is from what was predicted of it.

    Snapshots of a grumble share its fate, so it is grumbles that count.
    """
    expected, number_of = part["predicted"], part["grumbles"]
    if number_of * min(expected, 1 - expected) < _EXPECTED:
        return 0.0
    spread = sqrt(max(expected * (1 - expected), 1e-12) / number_of)
    return float(abs(part["rate"] - expected) / spread)


def _needs(about: Mapping[str, Any], parts: BundleParts, w: Say) -> list[str]:
    needs = about.get("needs") or _needs_of(parts)
    rows = [
        (
            f"`{each['name']}`", w(each["as"]), each["type"],
            f"{each['missing_in_training']:.1%}" if "missing_in_training" in each else "–",
        )
        for each in needs
    ]  # fmt: skip
    heads = tuple(map(w, ("name", "as", "type", "missing")))
    return [w("needs"), w("needs_said"), _table(heads, rows, texts=3)]


def _needs_of(parts: BundleParts) -> list[dict[str, Any]]:
    """Of a bundle that does not say: the fields in the order of its features."""
    own = {f.name: f.type for f in parts.features.features if f.attribute}
    types = {
        f.inputs[0]: f.type
        for f in reversed(parts.features.features)
        if len(f.inputs) == 1 and not f.attribute
    }
    return [
        {
            "name": name.removesuffix("_us"),
            "as": "attribute" if name in own else "core",
            "type": own.get(name) or ("time" if name.endswith("_us") else types.get(name, "–")),
        }
        for name in parts.features.inputs
    ]


def _limits(about: Mapping[str, Any], plain: Plain, w: Say) -> list[str]:
    said = [w("limit_cause"), w("limit_drift")]
    weighted = (about.get("validation") or {}).get("weighted")
    if plain.get("snapshots") or weighted:
        said += [w("limit_snapshots"), w("limit_length")]
    if plain.get("timeless"):
        said.append(w("limit_timeless"))
    if (about.get("base_rate") or {}).get("field") is not None:
        said.append(w("limit_field"))
    sparse = [
        each["name"]
        for each in about.get("needs") or ()
        if each.get("missing_in_training", 0) > _MOSTLY
    ]
    if sparse:
        said.append(w("limit_missing", ", ".join(sparse)))
    return [w("limits"), "\n".join(said)]


def _name(part: Plain, w: Say) -> str:
    return w("unknown") if part["value"] is None else str(part["value"])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    marks = ["---" if place < texts else "--:" for place in range(len(heads))]
    lines = [heads, marks, *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in line) + " |" for line in lines)


def _cell(words: str) -> str:
    return str(words).replace("|", "\\|")
