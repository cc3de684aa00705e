"""Every trap that real data has been seen to hold: planted, named, and nothing else named.

On made-up data, and on the real file of complaints where it lies beside the checkout.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from harken_models.check.finding import Report
from harken_models.check.report import to_plain, to_text
from harken_models.check.run import check_data
from harken_models.check.words import LANGUAGES
from harken_models.dataset import read_raw
from harken_models.specreader import read_spec

SHOP = """
dataset: shop
time_zone: Europe/Berlin
time_format: "%d/%m/%Y %H:%M"
missing: ["", "-"]
horizon_days: 0
fields:
  grumble_id: {column: No}
  customer_id: {column: Customer}
  voice_time: {column: Received}
  observe_time: {column: Answered}
  category: {column: Product}
  point: {column: Issue}
  channel: {column: Channel, map: {Phone: hotline, Web: web, Letter: mail}}
attributes:
  response: {column: Response, type: category}
  town: {column: Town, type: category}
  spend: {column: Spend, type: number}
  roaming: {column: Roaming, type: flag}
  partner: {column: Partner, type: category}
label: {column: Escalated, positive: ["Yes"], negative: ["No"], blank_is: negative}
exclude:
  - {column: Response, values: [In progress], because: not answered yet}
split: {test_fraction: 0.3, by: voice_time}
"""
ROWS = 4000
FORM = "%d/%m/%Y %H:%M"


def shop() -> pd.DataFrame:
    """Grumbles of forty weeks in the order of time; a fifth of them escalates."""
    rng = np.random.default_rng(11)
    start = pd.Timestamp("2014-01-06")
    minutes = np.sort(rng.integers(0, 40 * 7 * 24 * 60, ROWS))
    received = start + pd.to_timedelta(minutes, unit="min")
    answered = received + pd.to_timedelta(rng.integers(5, 3000, ROWS), unit="min")
    product, issue = rng.integers(0, 6, ROWS), rng.integers(0, 30, ROWS)
    spend = np.round(rng.lognormal(3, 0.6, ROWS), 2)
    late = np.arange(ROWS) / ROWS
    open_still = rng.random(ROWS) < 0.05 + 0.25 * late
    response = np.where(open_still, "In progress", rng.choice(["Explained", "Refund"], ROWS))
    z = -1.7 + 0.12 * product + 0.02 * issue - 0.01 * spend - 0.4 * (response == "Refund")
    escalated = (rng.random(ROWS) < 1 / (1 + np.exp(-z))) & ~open_still
    return pd.DataFrame(
        {
            "No": [f"G{i:05}" for i in range(ROWS)],
            "Customer": [f"C{i}" for i in rng.integers(0, 2500, ROWS)],
            "Received": received.strftime(FORM),
            "Answered": answered.strftime(FORM),
            "Product": np.array([f"product {i}" for i in range(6)])[product],
            "Issue": np.array([f"issue {i}" for i in range(30)])[issue],
            "Channel": rng.choice(["Phone", "Web", "Letter"], ROWS),
            "Response": response,
            "Town": rng.choice([f"{a}{b}ton" for a in "ABCDE" for b in "aeiou"], ROWS),
            "Spend": [f"{value:.2f}" for value in spend],
            "Roaming": rng.choice(["yes", "no"], ROWS, p=[0.2, 0.8]),
            "Partner": np.where(rng.random(ROWS) < 0.4, "", rng.choice(["x", "y", "z"], ROWS)),
            "Escalated": np.where(escalated, "Yes", np.where(open_still, "", "No")),
        }
    )


@dataclass(frozen=True)
class Base:
    """Clean data and its specification, and where in it a trap may be put."""

    frame: pd.DataFrame
    spec: str
    label: str
    received: str
    answered: str
    form: str
    ident: str
    category: str
    words: str

    def positive(self) -> np.ndarray:
        return (self.frame[self.label] == "Yes").to_numpy()

    def settled(self) -> np.ndarray:
        return ~self.frame.isin(["In progress"]).any(axis=1).to_numpy()

    def order(self) -> np.ndarray:
        times = pd.to_datetime(self.frame[self.received], format=self.form)
        return times.argsort(kind="stable").to_numpy()


def made() -> Base:
    return Base(
        shop(), SHOP, "Escalated", "Received", "Answered", FORM, "No", "Issue", "Town"
    )  # fmt: skip


def real(folder: Path) -> Base:
    frame = pd.read_csv(
        folder / "cfpb_complaints_2014.csv", dtype=str, keep_default_na=False
    )  # fmt: skip
    spec = Path(__file__).parents[2] / "models" / "specs" / "cfpb.yaml"
    names = ("Consumer disputed?", "Date received", "Date sent to company", "%m/%d/%Y")
    text = spec.read_text(encoding="utf-8")
    return Base(frame, text, *names, "Complaint ID", "Issue", "State")


@pytest.fixture(scope="module")
def base(request: pytest.FixtureRequest) -> Base:
    """Clean data: "made" unless a test asks for "real"."""
    if getattr(request, "param", "made") == "made":
        return made()
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("HARKEN_DATA", beside))
    if not (folder / "cfpb_complaints_2014.csv").is_file():
        pytest.skip("the real file of complaints is not here")
    return real(folder)


Planted = tuple[pd.DataFrame, str]
"""The data with the trap, and the specification that goes with it."""


def attribute(base: Base, frame: pd.DataFrame, **columns: str) -> Planted:
    """New columns, mapped as attributes of the types given."""
    lines = "".join(f"  {name.lower()}: {{column: {name}, type: {kind}}}\n"
                    for name, kind in columns.items())  # fmt: skip
    return frame, base.spec.replace("attributes:\n", "attributes:\n" + lines)


def leaked_flag(base: Base, rng: np.random.Generator) -> Planted:
    noise = rng.random(len(base.frame)) < 0.03
    told = np.where(base.positive() ^ noise, "yes", "no")
    return attribute(base, base.frame.assign(Visited=told), Visited="flag")


def leaked_number(base: Base, rng: np.random.Generator) -> Planted:
    paid = np.where(base.positive(), rng.normal(80, 20, len(base.frame)), rng.normal(20, 20))
    text = [f"{value:.2f}" for value in paid]
    return attribute(base, base.frame.assign(Goodwill=text), Goodwill="number")


def telling_level(base: Base, rng: np.random.Generator) -> Planted:
    sent = base.positive() & (rng.random(len(base.frame)) < 0.25)
    desk = np.where(sent, "ombudsman", rng.choice(["east", "west"], len(base.frame)))
    return attribute(base, base.frame.assign(Desk=desk), Desk="category")


def filled_when_known(base: Base, rng: np.random.Generator) -> Planted:
    known = base.positive() & (rng.random(len(base.frame)) < 0.4)
    reason = np.where(known, rng.choice(["cost", "delay"], len(base.frame)), "")
    return attribute(base, base.frame.assign(Reason=reason), Reason="category")


def stamped_later(base: Base, rng: np.random.Generator) -> Planted:
    answered = pd.to_datetime(base.frame[base.answered], format=base.form)
    days = pd.to_timedelta(rng.integers(1, 40, len(base.frame)), unit="D")
    closed = (answered + days).dt.strftime(base.form)
    return attribute(base, base.frame.assign(Closed=closed), Closed="category")


def days_since_later(base: Base, rng: np.random.Generator) -> Planted:
    frame, spec = stamped_later(base, rng)
    return frame, spec.replace("Closed, type: category", "Closed, type: number, days_since: true")


def not_excluded(base: Base, _rng: np.random.Generator) -> Planted:
    start = base.spec.index("exclude:")
    end = base.spec.index("split:")
    return base.frame, base.spec[:start] + base.spec[end:]


def negative_at_the_end(base: Base, _rng: np.random.Generator) -> Planted:
    newest = base.order()[-len(base.frame) // 8 :]
    frame = base.frame.copy()
    frame.loc[frame.index[newest], base.label] = ""
    return frame, base.spec


def copied(base: Base, rng: np.random.Generator) -> Planted:
    usable = np.flatnonzero(base.settled())
    twins = base.frame.iloc[rng.choice(usable, len(usable) // 40, replace=False)].copy()
    twins[base.ident] = [f"9{i:07}" for i in range(len(twins))]
    return pd.concat([base.frame, twins], ignore_index=True), base.spec


def copied_across(base: Base, rng: np.random.Generator) -> Planted:
    order = base.order()
    order = order[base.settled()[order]]
    old, new = order[: len(order) // 2], order[-len(order) // 5 :]
    count = len(order) // 20
    twins = base.frame.iloc[rng.choice(old, count, replace=False)].copy()
    twins[base.ident] = [f"9{i:07}" for i in range(count)]
    moments = base.frame.iloc[rng.choice(new, count, replace=False)]
    for column in (base.received, base.answered):
        twins[column] = moments[column].to_numpy()
    return pd.concat([base.frame, twins], ignore_index=True), base.spec


def same_ids(base: Base, rng: np.random.Generator) -> Planted:
    again = base.frame.iloc[rng.choice(len(base.frame), 30, replace=False)]
    return pd.concat([base.frame, again], ignore_index=True), base.spec


def drifting_label(base: Base, rng: np.random.Generator) -> Planted:
    order = base.order()
    late = order[len(order) * 6 // 10 :]
    frame = base.frame.copy()
    more = late[(rng.random(len(late)) < 0.5) & base.settled()[late]]
    frame.loc[frame.index[more], base.label] = "Yes"
    return frame, base.spec


def drifting_field(base: Base, rng: np.random.Generator) -> Planted:
    place = np.empty(len(base.frame))
    place[base.order()] = np.linspace(0, 1, len(base.frame))
    size = rng.normal(10 + 4 * (place > 0.65), 2)
    frame = base.frame.assign(Size=[f"{value:.3f}" for value in size])
    return attribute(base, frame, Size="number")


def renamed(base: Base, rng: np.random.Generator) -> Planted:
    place = np.empty(len(base.frame))
    place[base.order()] = np.linspace(0, 1, len(base.frame))
    old = rng.choice(["A", "B", "C"], len(base.frame))
    team = np.where(place > 0.75, np.char.add(old, "-new"), old)
    return attribute(base, base.frame.assign(Team=team), Team="category")


def constant(base: Base, _rng: np.random.Generator) -> Planted:
    return attribute(base, base.frame.assign(Country="here"), Country="category")


def constant_where_it_counts(base: Base, _rng: np.random.Generator) -> Planted:
    status = np.where(base.settled(), "1", "2")
    return attribute(base, base.frame.assign(Status=status), Status="number")


def empty(base: Base, _rng: np.random.Generator) -> Planted:
    return attribute(base, base.frame.assign(Fax=""), Fax="category")


def sparse(base: Base, rng: np.random.Generator) -> Planted:
    note = np.where(rng.random(len(base.frame)) < 0.02, rng.choice(["p", "q"], len(base.frame)), "")
    return attribute(base, base.frame.assign(Note=note), Note="category")


def words_in_numbers(base: Base, rng: np.random.Generator) -> Planted:
    number = rng.integers(1, 60, len(base.frame)).astype(str).astype(object)
    odd = rng.random(len(base.frame)) < 0.03
    number[odd] = rng.choice(["unknown", "twelve", "n/a"], int(odd.sum()))
    return attribute(base, base.frame.assign(Months=number), Months="number")


def numbers_in_words(base: Base, rng: np.random.Generator) -> Planted:
    frame = base.frame.copy()
    odd = rng.random(len(frame)) < 0.2
    frame.loc[odd, base.words] = rng.integers(1, 500, int(odd.sum())).astype(str)
    return frame, base.spec


def iso_among_others(base: Base, rng: np.random.Generator) -> Planted:
    frame = base.frame.copy()
    odd = rng.random(len(frame)) < 0.2
    times = pd.to_datetime(frame[base.received], format=base.form)
    frame.loc[odd, base.received] = times[odd].dt.strftime("%Y-%m-%d %H:%M")
    return frame, base.spec


def day_and_month_swapped(base: Base, rng: np.random.Generator) -> Planted:
    frame = base.frame.copy()
    odd = rng.random(len(frame)) < 0.2
    swapped = base.form.replace("%d", "#").replace("%m", "%d").replace("#", "%m")
    for column in (base.received,):
        times = pd.to_datetime(frame[column], format=base.form)
        frame.loc[odd, column] = times[odd].dt.strftime(swapped)
    return frame, base.spec


def backwards(base: Base, rng: np.random.Generator) -> Planted:
    frame = base.frame.copy()
    odd = rng.random(len(frame)) < 0.03
    times = pd.to_datetime(frame[base.received], format=base.form)
    frame.loc[odd, base.answered] = (times[odd] - pd.Timedelta(days=2)).dt.strftime(base.form)
    return frame, base.spec


def unreadable(base: Base, rng: np.random.Generator) -> Planted:
    frame = base.frame.assign(Vip=rng.choice(["yes", "no"], len(base.frame)))
    frame.loc[frame.index[:40], "Vip"] = "perhaps"
    return attribute(base, frame, Vip="flag")


def second_leak(base: Base, rng: np.random.Generator) -> Planted:
    """Two leaks, which must not excuse each other."""
    frame = base.frame
    for name in ("Visited", "Called"):
        frame = frame.assign(**{name: np.where(base.positive() ^ (rng.random(len(frame)) < 0.08),
                                               "yes", "no")})  # fmt: skip
    return attribute(base, frame, Visited="flag", Called="flag")


def hours_here_and_there(base: Base, rng: np.random.Generator) -> Planted:
    """The same order of day and month, once with the time of day and once without."""
    frame = base.frame.copy()
    odd = rng.random(len(frame)) < 0.2
    times = pd.to_datetime(frame[base.received], format=base.form)
    other = base.form.partition(" ")[0] if " " in base.form else base.form + " %H:%M"
    frame.loc[odd, base.received] = times[odd].dt.strftime(other)
    return frame, base.spec


def both_formats_declared(base: Base, rng: np.random.Generator) -> Planted:
    frame, spec = iso_among_others(base, rng)
    return frame, spec.replace(
        f'time_format: "{base.form}"', f'time_format: ["{base.form}", "%Y-%m-%d %H:%M"]'
    )


Plant = Callable[[Base, np.random.Generator], Planted]
TRAPS: tuple[tuple[Plant, str, str | None], ...] = (
    (leaked_flag, "leak-strong", "Visited"),
    (leaked_number, "leak-strong", "Goodwill"),
    (telling_level, "leak-strong", "Desk"),
    (filled_when_known, "leak-filled", "Reason"),
    (stamped_later, "time-travel", "Closed"),
    (days_since_later, "time-travel", "Closed"),
    (not_excluded, "unknown-outcome", "*response"),
    (negative_at_the_end, "unknown-outcome", "*label"),
    (copied, "duplicate-rows", None),
    (copied_across, "duplicate-rows", None),
    (same_ids, "duplicate-id", "*ident"),
    (drifting_label, "drift-label", "*label"),
    (drifting_field, "drift-field", "Size"),
    (renamed, "new-levels", "Team"),
    (constant, "constant-column", "Country"),
    (constant_where_it_counts, "constant-column", "Status"),
    (empty, "empty-column", "Fax"),
    (sparse, "mostly-missing", "Note"),
    (words_in_numbers, "mixed-types", "Months"),
    (numbers_in_words, "mixed-types", "*words"),
    (iso_among_others, "two-date-formats", "*received"),
    (day_and_month_swapped, "two-date-formats", "*received"),
    (hours_here_and_there, "two-date-formats", "*received"),
    (backwards, "impossible-order", "*answered"),
    (unreadable, "bad-values", "Vip"),
)


REAL = (
    leaked_flag,
    filled_when_known,
    stamped_later,
    not_excluded,
    copied,
    copied_across,
    drifting_label,
    constant,
    numbers_in_words,
    day_and_month_swapped,
)
"""The traps that are tried on the real file, too."""


def checked(folder: Path, frame: pd.DataFrame, spec: str) -> Report:
    (folder / "spec.yaml").write_text(spec, encoding="utf-8")
    frame.to_csv(folder / "data.csv", index=False)
    return check_data(read_raw(read_spec(folder / "spec.yaml"), folder / "data.csv"))


def named(report: Report) -> list[tuple[str, str | None]]:
    return [(one.id, one.column) for one in report.findings if one.counts]


@pytest.mark.parametrize("base", ["made", "real"], indirect=True)
def test_clean_data_gives_no_finding(base: Base, tmp_path: Path) -> None:
    report = checked(tmp_path, base.frame, base.spec)
    assert named(report) == []
    assert report.passed


CASES = [
    pytest.param(name, *trap, id=f"{name}-{trap[0].__name__}")
    for name in ("made", "real")
    for trap in TRAPS
    if name == "made" or trap[0] in REAL
]


@pytest.mark.parametrize(("base", "plant", "found", "column"), CASES, indirect=["base"])
def test_a_trap_is_named_and_nothing_else(
    base: Base, tmp_path: Path, plant: Plant, found: str, column: str | None
) -> None:
    frame, spec = plant(base, np.random.default_rng(5))
    if column == "*response":
        column = next(c for c in frame if frame[c].eq("In progress").any())
    elif column is not None and column.startswith("*"):
        column = getattr(base, column[1:])
    report = checked(tmp_path, frame, spec)
    assert named(report) == [(found, column)]
    for language in LANGUAGES:
        text = to_text(report, language)
        assert f"[{found}]" in text
        assert "{" not in text
        json.dumps(to_plain(report, language), allow_nan=False)


def test_two_leaks_are_both_named(base: Base, tmp_path: Path) -> None:
    report = checked(tmp_path, *second_leak(base, np.random.default_rng(5)))
    assert sorted(named(report)) == [("leak-strong", "Called"), ("leak-strong", "Visited")]


def test_two_formats_that_are_both_declared_are_no_finding(base: Base, tmp_path: Path) -> None:
    report = checked(tmp_path, *both_formats_declared(base, np.random.default_rng(5)))
    assert named(report) == []


def test_what_waits_for_the_dates_is_said(base: Base, tmp_path: Path) -> None:
    report = checked(tmp_path, *iso_among_others(base, np.random.default_rng(5)))
    waiting = next(one for one in report.findings if one.id == "not-checked")
    assert "time-travel" in waiting.figures["waiting"]
    assert "drift-label" in waiting.figures["waiting"]
