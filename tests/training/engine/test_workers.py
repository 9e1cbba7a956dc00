"""Processes that outlive neither their use nor the process that started them."""

from __future__ import annotations

import os
import time

import pytest

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.training.engine.workers import Workers


def slow_first(number: int) -> tuple[int, int]:
    time.sleep(0.2 if number == 0 else 0)
    return number, os.getpid()


def test_order_and_reuse() -> None:
    with Workers(1) as workers:
        found = list(workers.map(slow_first, ((i,) for i in range(20))))
        again = list(workers.map(slow_first, [(7,)]))
    assert [number for number, _ in found] == list(range(20))
    assert {pid for _, pid in found + again} == {again[0][1]} != {os.getpid()}
    with pytest.raises(ProcessLookupError):
        os.kill(again[0][1], 0)


def test_none_means_here() -> None:
    with Workers() as workers:
        assert list(workers.map(slow_first, [(1,), (2,)])) == [(1, os.getpid()), (2, os.getpid())]


def test_items_are_taken_little_ahead() -> None:
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield (len(taken),)

    with Workers(1) as workers:
        results = workers.map(abs, endless())
        assert [next(results) for _ in range(3)] == [1, 2, 3]
        results.close()
    assert len(taken) <= 3 + 8


def test_error_of_an_item_and_death_of_a_process() -> None:
    with Workers(1) as workers:
        with pytest.raises(ValueError, match="math domain|nonnegative"):
            list(workers.map(_root, [(4,), (-1,)]))
        assert list(workers.map(_root, [(9,)])) == [3.0]
        with pytest.raises(EmoCLIPError, match="a worker process died"):
            list(workers.map(os._exit, [(3,)]))


def _root(number: int) -> float:
    import math

    return math.sqrt(number)
