"""How good probabilities are: ranking, sharpness and calibration, in a handful of figures."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

_BINS = 10


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures on one set of rows.

    ``lift_10``: complaint rate among the tenth with the highest probabilities, as a multiple of
    the overall rate. ``recall_10``, ``recall_15``: share of all complaints found in the highest
    10 % and 15 %. ``ece``: expected calibration error over ten bins of equal size.
    """

    auc: float
    ap: float
    brier: float
    log_loss: float
    ece: float
    lift_10: float
    recall_10: float
    recall_15: float

    def to_plain(self) -> dict[str, float]:
        """Names and values, rounded to six digits."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


def evaluate(
    label: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None
) -> Metrics:
    """Metrics of probabilities against outcomes (both of one length, both outcomes present).

    ``weight``: what each row counts; without it, all count alike.
    """
    if weight is not None and not (weight == 1.0).all():
        from harken_models.evaluation.metrics import figures

        return Metrics(**figures(label, probability, weight))
    return Metrics(
        auc=float(roc_auc_score(label, probability)),
        ap=float(average_precision_score(label, probability)),
        brier=float(brier_score_loss(label, probability)),
        log_loss=float(log_loss(label, probability)),
        ece=calibration_error(label, probability),
        lift_10=_recall(label, probability, 0.10) / 0.10,
        recall_10=_recall(label, probability, 0.10),
        recall_15=_recall(label, probability, 0.15),
    )


def calibration_error(label: np.ndarray, probability: np.ndarray) -> float:
    """Mean distance of predicted and observed rate over ten bins of equal size."""
    order = np.argsort(probability, kind="stable")
    bins = np.array_split(order, min(_BINS, len(order)))
    gaps = [abs(label[b].mean() - probability[b].mean()) * len(b) for b in bins]
    return float(sum(gaps) / len(order))


def _recall(label: np.ndarray, probability: np.ndarray, share: float) -> float:
    """Share of positives among the top; rows that tie at its edge count in proportion."""
    size = share * len(label)
    edge = np.sort(probability)[::-1][max(int(np.ceil(size)) - 1, 0)]
    above, at = probability > edge, probability == edge
    found = label[above].sum() + label[at].mean() * (size - above.sum())
    return float(found / label.sum())
