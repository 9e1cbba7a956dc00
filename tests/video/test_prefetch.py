"""A generator read by a thread of its own."""

from __future__ import annotations

import threading
import time

import pytest

from emoclip_sdk.video.prefetch import prefetch


def _count(n: int, closed: list[str], fail_at: int | None = None):
    try:
        for i in range(n):
            if i == fail_at:
                raise ValueError("damaged")
            yield i
    finally:
        closed.append(threading.current_thread().name)


def test_everything_comes_in_order_from_one_other_thread() -> None:
    closed: list[str] = []
    assert list(prefetch(_count(50, closed), 3)) == list(range(50))
    assert closed == ["prefetch"]


def test_no_more_than_depth_is_held() -> None:
    made: list[int] = []

    def items():
        for i in range(30):
            made.append(i)
            yield i

    for item in prefetch(items(), 4):
        time.sleep(0.005)
        assert len(made) - item <= 4 + 2  # one in hand, one being given


def test_an_error_comes_after_the_items_before_it() -> None:
    closed: list[str] = []
    items = []
    with pytest.raises(ValueError, match="damaged"):
        for item in prefetch(_count(9, closed, fail_at=4), 2):
            items.append(item)
    assert items == [0, 1, 2, 3] and closed == ["prefetch"]


def test_leaving_early_stops_the_thread_and_closes_the_generator() -> None:
    closed: list[str] = []
    before = threading.active_count()
    items = prefetch(_count(10**6, closed), 2)
    assert next(iter(items)) == 0
    items.close()
    assert closed == ["prefetch"] and threading.active_count() == before
