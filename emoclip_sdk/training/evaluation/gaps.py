"""The gap between the groups that a model reads best and worst, and whether it may be chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bootstrap import interval

__all__ = ["group_gap"]


def group_gap(
    hits: NDArray[np.bool_],
    labels: NDArray[np.integer[Any]],
    values: Sequence[str],
    subjects: Sequence[str | None],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Any] | None:
    """Compare the UARs of groups over the classes that occur in all of them.

    Parameters
    ----------
    hits : ndarray of bool, (N,)
        Which clips were recognized.
    labels : ndarray of int, (N,)
    values : sequence of str
        Each clip's group; ``""``, not known, is left out.
    subjects : sequence of str, optional
        Who is in each clip. Where that is known of all clips, people are drawn and not clips: two
        clips of one person are less than two people.
    draws : int
        Of the bootstrap, and of the permutation test; 0: neither.
    seed : int

    Returns
    -------
    dict or None
        ``best``, ``worst``: the groups; ``gap``: difference of their UARs; ``uar`` of each group
        and ``classes``, how many they were computed over; ``interval`` of the difference of these
        two groups by the bootstrap; ``p``: how often groups that are put together by chance have a
        gap as wide; ``drawn``, ``shuffled``: ``"subjects"`` or ``"clips"``. People are shuffled
        where each is in one group, otherwise clips of the same class. None with fewer than two
        groups, or without a class that occurs in all.
    """
    known = np.flatnonzero([value != "" for value in values])
    names, group = np.unique(np.array(values)[known], return_inverse=True)
    right, labels = np.asarray(hits, np.float64)[known], np.asarray(labels)[known]
    count = int(labels.max()) + 1 if len(labels) else 0
    occurs = np.zeros((len(names), count), bool)
    occurs[group, labels] = True
    common: NDArray[np.bool_] = np.asarray(occurs.all(axis=0))
    if len(names) < 2 or not common.any():
        return None
    use = common[labels]
    right, labels, group, known = right[use], labels[use], group[use], known[use]
    cells = len(names) * count

    def uars(weights: NDArray[np.floating[Any]], group: NDArray[np.intp]) -> NDArray[np.float64]:
        cell = group * count + labels
        n = np.bincount(cell, weights, cells).reshape(-1, count)[:, common]
        won = np.bincount(cell, weights * right, cells).reshape(-1, count)[:, common]
        # A class that a draw leaves out of a group doesn't count in its mean.
        recall = np.divide(won, n, out=np.zeros_like(n), where=n > 0)
        with np.errstate(invalid="ignore"):
            return np.asarray(recall.sum(axis=1) / (n > 0).sum(axis=1))

    group_uars = uars(np.ones(len(right)), group)
    best = int(group_uars.argmax())
    worst = len(names) - 1 - int(group_uars[::-1].argmin())  # another one, also where all are alike
    gap = float(group_uars[best] - group_uars[worst])
    people = [subjects[i] for i in known]
    by_subject = all(people)
    _, unit = np.unique(np.array([p or "" for p in people]), return_inverse=True)
    if not by_subject:
        unit = np.arange(len(right))
    of_unit = np.zeros(unit.max() + 1, np.intp)
    of_unit[unit] = group
    whole = by_subject and bool((of_unit[unit] == group).all())
    rng = np.random.default_rng(seed)
    gaps, wider = [], 1
    for _ in range(draws):
        times = np.bincount(rng.integers(0, len(of_unit), len(of_unit)), minlength=len(of_unit))
        drawn = uars(times[unit].astype(np.float64), group)
        gaps.append(drawn[best] - drawn[worst])
        if whole:
            mixed = rng.permutation(of_unit)[unit]
        else:
            mixed = group.copy()
            for c in np.flatnonzero(common):
                mixed[labels == c] = rng.permutation(group[labels == c])
        shuffled = uars(np.ones(len(right)), mixed)
        wider += bool(
            np.nanmax(shuffled) - np.nanmin(shuffled) >= group_uars[best] - group_uars[worst] - 1e-9
        )
    return {
        "best": str(names[best]),
        "worst": str(names[worst]),
        "gap": gap,
        "uar": {str(name): float(uar) for name, uar in zip(names, group_uars, strict=True)},
        "classes": int(common.sum()),
        "interval": interval(gaps),
        "p": wider / (draws + 1) if draws else None,
        "drawn": "subjects" if by_subject else "clips",
        "shuffled": "subjects" if whole else "clips",
    }
