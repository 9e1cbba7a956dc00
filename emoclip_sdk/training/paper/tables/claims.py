"""What the paper says of two rows, as a difference with an interval: the paired bootstrap."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import EmoCLIPError
from ...data.datasets import DATASETS
from ...evaluation import mean_of_folds
from .bench import Bench
from .published import Claim
from .roots import MissingInput

__all__ = ["measure_claim"]


def measure_claim(bench: Bench, claim: Claim) -> list[dict[str, Any]]:
    """Measure a claim on each of its datasets.

    Both rows are drawn with the same clips in each draw of the bootstrap, so that the difference
    has a far narrower interval than each of them: most clips are easy, or hard, for both.

    Returns
    -------
    list of dict
        JSON types: ``claim``, ``dataset``, ``title``, ``folds``, ``why``, and ``figures`` with
        ``published``, ``measured``, ``interval`` (percent) and ``holds`` of each: True where the
        interval is above 0, False where it is below, else None.
    """
    return [_on_dataset(bench, claim, dataset) for dataset in claim.datasets]


def _on_dataset(bench: Bench, claim: Claim, dataset: str) -> dict[str, Any]:
    more = bench.requests(dataset, claim.task, claim.more)
    than = bench.requests(dataset, claim.task, claim.than)
    pairs: list[tuple[int, dict[str, Any], dict[str, Any]]] = []
    why: dict[str, None] = {}
    for fold in sorted({*more, *than}):
        # Where one of the two has no folds, it stands beside each fold of the other.
        one, other = (side.get(fold) or next(iter(side.values())) for side in (more, than))
        try:
            pairs.append((fold, bench.measure(one), bench.measure(other)))
        except (MissingInput, EmoCLIPError) as reason:
            why[str(reason)] = None
    return {
        "claim": claim.claim,
        "dataset": dataset,
        "title": DATASETS[dataset].title,
        "folds": [fold for fold, _, _ in pairs],
        "why": list(why),
        "figures": {
            key: _difference(key, published, pairs)
            for key, published in claim.published[dataset].items()
        },
    }


def _difference(key: str, published: float | None, pairs: list[Any]) -> dict[str, Any]:
    measured = interval = holds = None
    if pairs:
        measured = 100 * float(np.mean([one[key] - other[key] for _, one, other in pairs]))
        interval = mean_of_folds(
            [
                [a - b for a, b in zip(_draws(one, key), _draws(other, key), strict=True)]
                for _, one, other in pairs
            ]
        )
    if interval is not None:
        interval = [100 * bound for bound in interval]
        holds = True if interval[0] > 0 else False if interval[1] < 0 else None
    return {"published": published, "measured": measured, "interval": interval, "holds": holds}


def _draws(result: dict[str, Any], key: str) -> list[float]:
    return list(result["bootstrap"]["draws"].get(key, []))
