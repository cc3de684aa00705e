"""The simulated world shows what the source says, and its truth is true."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from harken_models.simulator import DEFAULT, simulate_tables
from harken_models.simulator.parameters import STATES
from harken_models.simulator.points import SEGMENTS

CUSTOMERS = 16_000
HORIZON = pd.Timedelta(days=DEFAULT.horizon_days)


@cache
def tables() -> dict[str, pd.DataFrame]:
    simulation = simulate_tables(CUSTOMERS, seed=11)
    return {name: table.to_pandas() for name, table in simulation.tables.items()}


@cache
def joined() -> pd.DataFrame:
    """Grumbles of the period with their truth and their customers."""
    t = tables()
    frame = t["grumbles"].merge(t["truth"], on="grumble_id", suffixes=("", "_true"))
    profile = t["customers"].drop(columns=["segment", "behaviour_type"])
    frame = frame.merge(profile, on="customer_id", validate="many_to_one")
    return frame[frame["scored"] != "history_only"]


@cache
def counted() -> pd.DataFrame:
    """The scored rows, labelled anew from the complaints table."""
    frame = joined()
    frame = frame[frame["scored"] != "ended_before_review"].copy()
    complaints = tables()["complaints"]
    pairs = frame[["grumble_id", "customer_id", "observe_time"]].merge(
        complaints[["customer_id", "complaint_time"]], on="customer_id"
    )
    after = pairs["complaint_time"] - pairs["observe_time"]
    positive = pairs.loc[(after > pd.Timedelta(0)) & (after <= HORIZON), "grumble_id"]
    frame["label"] = frame["grumble_id"].isin(set(positive))
    return frame


def z_of(group: pd.DataFrame) -> float:
    """Outcome against truth, in standard errors."""
    p = group["true_probability"]
    # Rows of one customer share complaints, which widens the error by about a third.
    return float((group["label"].sum() - p.sum()) / (1.33 * np.sqrt((p * (1 - p)).sum())))


def test_about_95_per_cent_of_grumbles_never_become_a_complaint() -> None:
    assert 0.04 < joined()["became_complaint"].mean() < 0.06


def test_label_rate_and_ceiling() -> None:
    frame = counted()
    assert 0.05 < frame["label"].mean() < 0.095
    ranks = frame["true_probability"].rank()
    positives = int(frame["label"].sum())
    auc = (ranks[frame["label"]].sum() - positives * (positives + 1) / 2) / (
        positives * (len(frame) - positives)
    )
    assert 0.80 < auc < 0.88


def test_about_five_grumbles_a_customer() -> None:
    assert 4.3 < len(joined()) / CUSTOMERS < 5.5


@pytest.mark.parametrize("by", ["decile", "scored", "resolution_state", "segment"])
def test_truth_is_calibrated(by: str) -> None:
    frame = counted()
    decile = pd.qcut(frame["true_probability"], 10, labels=False)
    for name, group in frame.groupby(decile if by == "decile" else by):
        assert abs(z_of(group)) < 4, name


@pytest.mark.parametrize("by", ["behaviour_type", "key_pair", "category"])
def test_truth_is_calibrated_within_hidden_groups(by: str) -> None:
    for name, group in counted().groupby(by):
        assert abs(z_of(group)) < 4, name


def test_truth_is_calibrated_as_a_whole() -> None:
    frame = counted()
    assert frame["label"].mean() == pytest.approx(frame["true_probability"].mean(), rel=0.05)


def test_parts_of_the_truth_make_the_whole() -> None:
    frame = joined()
    product = 1.0
    for part in ("own", "others", "future"):
        product = product * (1 - frame[f"{part}_probability"])
    np.testing.assert_allclose(frame["true_probability"], 1 - product, atol=3e-6)


def test_segments_have_their_order_of_age_tenure_and_spend() -> None:
    t = tables()["customers"]
    means = t.groupby("segment")[["age_years", "tenure_months", "monthly_spend_yuan"]].mean()
    age, tenure, spend = (means[c] for c in means)
    for segment, years in zip(SEGMENTS, (33, 31, 22, 34, 25, 39), strict=True):
        assert age[segment] == pytest.approx(years, abs=1)
    order = ["gotone_1", "mzone_2", "gotone_2", "easyown_2", "easyown_1", "mzone_1"]
    assert list(tenure[order].rank(ascending=False)) == pytest.approx([1, 2, 3, 4, 5, 6], abs=1)
    assert tenure["gotone_1"] == tenure.max()
    assert tenure["mzone_1"] == tenure.min()
    assert spend["gotone_1"] > 1.5 * spend["gotone_2"]
    order = ["gotone_1", "gotone_2", "easyown_1", "mzone_2", "mzone_1", "easyown_2"]
    assert list(spend[order]) == sorted(spend, reverse=True)


def test_shares_of_the_segments_are_those_declared() -> None:
    frame = joined().drop_duplicates("customer_id")
    got = frame["segment"].value_counts(normalize=True)
    for segment in DEFAULT.segments:
        assert got[segment.id] == pytest.approx(segment.share, abs=0.02)


def test_behaviour_type_is_recorded_for_sixty_per_cent_and_never_wrong() -> None:
    known = tables()["customers"]["behaviour_type"].notna().mean()
    assert known == pytest.approx(0.6, abs=0.02)
    frame = joined()[["grumble_id", "customer_id", "behaviour_type"]].merge(
        tables()["customers"][["customer_id", "behaviour_type"]].dropna(),
        on="customer_id",
        suffixes=("_true", ""),
    )
    assert (frame["behaviour_type"] == frame["behaviour_type_true"]).all()


def test_key_pairs_are_preferred_and_lifted_in_their_segments() -> None:
    frame = joined()
    inside = {(k.segment, k.point) for k in DEFAULT.key_pairs}
    assert len(inside) == 28
    preferred, lifted = 0, 0
    for segment, point in sorted(inside):
        own = frame["segment"] == segment
        elsewhere = [s for s in SEGMENTS if (s, point) not in inside]
        other = frame["segment"].isin(elsewhere)
        about = frame["point"] == point
        preferred += about[own].mean() > 2 * about[other].mean()
        # The segment's own complaint rate, whatever the point, is taken out.
        lift = (
            frame.loc[own & about, "own_probability"].mean()
            / frame.loc[own & ~about, "own_probability"].mean()
        )
        base = (
            frame.loc[other & about, "own_probability"].mean()
            / frame.loc[other & ~about, "own_probability"].mean()
        )
        lifted += lift > 1.2 * base
    assert preferred == 28
    assert lifted >= 27


def test_some_points_lower_the_risk_of_a_complaint() -> None:
    frame = joined()
    mean = frame["became_complaint"].mean()
    negative = [p.id for p in DEFAULT.points if p.effect < -1]
    assert len(negative) >= 3
    for point in negative:
        assert frame.loc[frame["point"] == point, "became_complaint"].mean() < 0.6 * mean


def test_risk_falls_with_resolution() -> None:
    frame = counted()
    own = frame.groupby("resolution_state")["own_probability"].mean()
    assert own["unresolved"] > own["minor_part"] > own["major_part"] > own["all_dissatisfied"]
    assert own["all_dissatisfied"] > 2 * own["all_satisfied"]
    label = frame.groupby("resolution_state")["label"].mean()
    assert label["unresolved"] > 1.4 * label["all_satisfied"]


def test_risk_grows_with_time_open() -> None:
    frame = counted()
    hours = (frame["observe_time"] - frame["voice_time"]) / pd.Timedelta(hours=1)
    frame = frame[frame["resolution_state"] == "unresolved"].assign(hours=hours)
    # Patient customers of like hazard constants, soon and late.
    alike = frame["log_hazard"].between(*frame["log_hazard"].quantile([0.4, 0.6]))
    soon = frame.loc[alike & (frame["hours"] < 1), "own_probability"].mean()
    late = frame.loc[alike & (frame["hours"] > 72), "own_probability"].mean()
    assert late > 1.1 * soon


def test_tariff_sensitive_customers_react_to_charges() -> None:
    rate = joined().groupby(["behaviour_type", "category"])["own_probability"].mean()
    sensitive, realist = rate["tariff_sensitive"], rate["cooperative_realist"]
    assert (
        sensitive["charges"] / sensitive["basic_comms"]
        > 1.5 * realist["charges"] / realist["basic_comms"]
    )


def test_the_nearest_grumble_is_the_usual_cause_but_not_the_only_one() -> None:
    t = tables()
    complaints = t["complaints"].dropna(subset="caused_by_grumble_id")
    pairs = complaints.merge(t["grumbles"][["grumble_id", "customer_id", "voice_time"]])
    pairs = pairs[pairs["voice_time"] < pairs["complaint_time"]]
    newest_first = pairs.sort_values("voice_time", ascending=False)
    rank = newest_first.groupby("complaint_id").cumcount()
    cause = newest_first["grumble_id"] == newest_first["caused_by_grumble_id"]
    share = cause.groupby(rank).sum() / len(complaints)
    assert 0.6 < share[0] < 0.97
    assert share[0] > share[1] > share[2]


def test_repeats_raise_the_hazard() -> None:
    frame = joined().sort_values(["customer_id", "voice_time"])
    again = frame.duplicated(["customer_id", "point"])
    assert 0.1 < again.mean() < 0.4
    assert frame.loc[again, "log_hazard"].mean() > frame.loc[~again, "log_hazard"].mean() + 0.3


def test_months_are_alike() -> None:
    frame = joined()
    month = frame["voice_time"].dt.month
    days = frame["voice_time"].dt.days_in_month.groupby(month).first()
    count = frame.groupby(month).size() / days
    assert count.max() / count.min() < 1.15
    rate = frame["became_complaint"].groupby(month).mean()
    assert rate.max() / rate.min() < 1.3


def test_a_complaint_comes_after_its_grumble_was_scored() -> None:
    t = tables()
    pairs = t["complaints"].merge(
        t["grumbles"], left_on="caused_by_grumble_id", right_on="grumble_id"
    )
    assert len(pairs) > 500
    assert (pairs["complaint_time"] > pairs["observe_time"]).all()
    assert pairs["caused_by_grumble_id"].is_unique
    same = (pairs["category_x"] == pairs["category_y"]).mean()
    assert same == pytest.approx(DEFAULT.same_category, abs=0.03)


def test_the_state_when_scored_is_the_last_change_before() -> None:
    t = tables()
    moment = t["grumbles"][["grumble_id", "voice_time", "observe_time", "resolution_state"]]
    changes = t["status_changes"].merge(moment, on="grumble_id", suffixes=("", "_scored"))
    end = t["truth"].set_index("grumble_id")["end_time"].reindex(changes["grumble_id"])
    assert (changes["change_time"] >= changes["voice_time"]).all()
    assert not (changes["change_time"] > end.to_numpy()).any()
    code = changes["resolution_state"].map(STATES.index)
    known = changes.assign(code=code)[changes["change_time"] <= changes["observe_time"]]
    last = known.groupby("grumble_id")["code"].max().reindex(moment["grumble_id"])
    scored = moment["resolution_state"].map(STATES.index)
    np.testing.assert_array_equal(last.to_numpy(), scored.to_numpy())


def test_what_is_closed_did_not_become_a_complaint() -> None:
    t = tables()
    truth = t["truth"].set_index("grumble_id")
    closed = t["closures"].set_index("grumble_id")["close_time"]
    assert closed.index.is_unique
    assert not truth["became_complaint"].reindex(closed.index).any()
    pd.testing.assert_series_equal(
        truth["end_time"].reindex(closed.index), closed, check_names=False
    )
    rest = truth.drop(index=closed.index)
    assert (rest["became_complaint"] | rest["end_time"].isna()).all()


@cache
def in_flight() -> pd.DataFrame:
    """The open grumbles at each age, with the truth then and what came to pass."""
    t = tables()
    columns = ["grumble_id", "customer_id", "voice_time"]
    frame = t["truth_in_flight"].merge(t["grumbles"][columns], on="grumble_id")
    frame["hours"] = (frame["observe_time"] - frame["voice_time"]) / pd.Timedelta(hours=1)
    pairs = frame[["grumble_id", "customer_id", "observe_time", "hours"]].merge(
        t["complaints"][["customer_id", "complaint_time"]], on="customer_id"
    )
    after = pairs["complaint_time"] - pairs["observe_time"]
    followed = pairs[(after > pd.Timedelta(0)) & (after <= HORIZON)]
    keys = ["grumble_id", "hours"]
    found = pd.MultiIndex.from_frame(frame[keys]).isin(pd.MultiIndex.from_frame(followed[keys]))
    return frame.assign(label=found)


@pytest.mark.parametrize("hours", [0.1, 1, 6, 24, 72, 168])
def test_the_truth_in_flight_comes_to_pass(hours: float) -> None:
    now = in_flight()[np.isclose(in_flight()["hours"], hours)]
    assert len(now) > 1_500
    assert abs(z_of(now)) < 3
    fifth = pd.qcut(now["true_probability"], 5, labels=False)
    assert max(abs(z_of(group)) for _, group in now.groupby(fifth)) < 4


def test_the_truth_in_flight_is_told_of_open_grumbles_only() -> None:
    end = tables()["truth"].set_index("grumble_id")["end_time"]
    frame = in_flight()
    assert not (frame["observe_time"] >= end.reindex(frame["grumble_id"]).to_numpy()).any()
    early = frame[np.isclose(frame["hours"], 0.1)]["grumble_id"]
    period = joined()
    still = period[~(period["end_time"] <= period["voice_time"] + pd.Timedelta(minutes=6))]
    assert set(early) == set(still["grumble_id"])


def test_the_truth_in_flight_is_the_truth_at_the_moment_of_scoring() -> None:
    """Where both are of one moment, they are one number."""
    t = tables()
    both = joined().merge(t["truth_in_flight"], on=["grumble_id", "observe_time"])
    assert len(both) > 20
    assert (both["true_probability_x"] == both["true_probability_y"]).all()


def test_history_rows_come_before_the_period_and_only_they() -> None:
    grumbles = tables()["grumbles"]
    early = grumbles["voice_time"] < pd.Timestamp("2011-01-01", tz="UTC")
    assert (early == (grumbles["scored"] == "history_only")).all()
    assert grumbles["voice_time"].min() < pd.Timestamp("2010-10-05", tz="UTC")
    assert grumbles["voice_time"].max() < pd.Timestamp("2011-07-01", tz="UTC")


def test_ids_are_unique_and_refer_to_rows_that_exist() -> None:
    t = tables()
    for name, key in (("customers", "customer_id"), ("grumbles", "grumble_id")):
        assert t[name][key].is_unique
    assert t["truth"]["grumble_id"].is_unique
    assert set(t["truth"]["grumble_id"]) == set(t["grumbles"]["grumble_id"])
    assert set(t["status_changes"]["grumble_id"]) == set(t["grumbles"]["grumble_id"])
    assert set(t["complaints"]["caused_by_grumble_id"].dropna()) <= set(t["grumbles"]["grumble_id"])
    assert set(t["grumbles"]["customer_id"]) <= set(t["customers"]["customer_id"])
