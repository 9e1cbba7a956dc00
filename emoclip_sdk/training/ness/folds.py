"""Folds by patient, and the check that nothing fitted has seen the patients it is tested on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DatasetError, EmoCLIPError

__all__ = ["Fold", "LeakError", "Ledger", "check_folds", "check_ledger", "make_folds"]

Rows = NDArray[np.intp]


class LeakError(EmoCLIPError):
    """A patient is on both sides of a fold: the figures would be too good."""


@dataclass(frozen=True)
class Fold:
    """Numbers of the interviews on either side."""

    train: Rows
    test: Rows


class Ledger:
    """Which patients each fitted object has seen.

    Whatever is fitted in a fold writes here the interviews whose numbers reached it: every
    scaler, selection of features and regressor by itself.

    Parameters
    ----------
    patients : ndarray of str, (N,)
        Patient of each interview.
    """

    def __init__(self, patients: NDArray[np.str_]) -> None:
        self.patients = patients
        self.seen: dict[str, dict[int, set[str]]] = {}

    def record(self, what: str, fold: int, rows: Rows | NDArray[Any]) -> None:
        """Note that `what`, fitted in a fold, has seen these interviews."""
        patients = self.seen.setdefault(what, {}).setdefault(fold, set())
        patients.update(self.patients[np.asarray(rows, np.intp)].tolist())


def make_folds(patients: NDArray[np.str_], k: int | None = None, seed: int = 0) -> list[Fold]:
    """Leave one patient out, or `k` folds of patients.

    Parameters
    ----------
    patients : ndarray of str, (N,)
    k : int, optional
        None: as many folds as patients.
    seed : int
        Of the order in which patients are dealt to `k` folds.

    Raises
    ------
    DatasetError
        Fewer than three patients, or not between 2 folds and one for each patient.
    """
    names = np.unique(patients)
    if len(names) < 3:
        raise DatasetError(f"cross-validation needs at least 3 patients, there are {len(names)}")
    if k is not None and not 2 <= k <= len(names):
        raise DatasetError(f"there are {len(names)} patients: 2 to {len(names)} folds, not {k}")
    order = names if k is None else np.random.default_rng(seed).permutation(names)
    folds = []
    for held in np.array_split(order, len(names) if k is None else k):
        test = np.isin(patients, held)
        folds.append(Fold(np.flatnonzero(~test), np.flatnonzero(test)))
    return folds


def check_folds(folds: Sequence[Fold], patients: NDArray[np.str_]) -> None:
    """Refuse folds that share a patient, and an interview that isn't tested exactly once.

    Raises
    ------
    LeakError
    """
    times = np.zeros(len(patients), int)
    for number, fold in enumerate(folds, start=1):
        both = sorted(set(patients[fold.train]) & set(patients[fold.test]))
        if both:
            raise LeakError(f"fold {number}: patient {both[0]} is in training and in test")
        np.add.at(times, fold.test, 1)
    if (times != 1).any():
        row = int(np.flatnonzero(times != 1)[0])
        raise LeakError(
            f"interview {row} of {patients[row]} is tested {times[row]} times, not once"
        )


def check_ledger(ledger: Ledger, folds: Sequence[Fold], fitted: Iterable[str]) -> None:
    """Refuse a run in which something fitted has seen a patient of its fold's test side.

    Parameters
    ----------
    ledger : Ledger
    folds : sequence of Fold
    fitted : iterable of str
        What must have an entry for each fold: what the ledger doesn't know can't be vouched for.

    Raises
    ------
    LeakError
    """
    for what in sorted({*fitted, *ledger.seen}):
        entries = ledger.seen.get(what, {})
        for number, fold in enumerate(folds):
            if number not in entries:
                raise LeakError(f"fold {number + 1}: it isn't known what {what} was fitted on")
            leaked = sorted(entries[number] & set(ledger.patients[fold.test].tolist()))
            if leaked:
                raise LeakError(
                    f"fold {number + 1}: {what} was fitted on patient {', '.join(leaked)}, whom "
                    "the fold tests. Fit it inside of the fold, on its training patients"
                )
