import signal

import pytest

from emoclip_sdk.runtime.interrupts import UntilInterrupted


def made(n, stop_at=None):
    for number in range(n):
        if number == stop_at:
            signal.raise_signal(signal.SIGINT)
        yield number


def test_what_is_done_is_kept():
    before = signal.getsignal(signal.SIGINT)
    with UntilInterrupted(made(5, 2)) as items:
        assert list(items) == [0, 1] and items.stopped
    assert signal.getsignal(signal.SIGINT) is before
    with UntilInterrupted(made(3)) as items:
        assert list(items) == [0, 1, 2] and not items.stopped


def test_an_item_that_is_being_written_is_written():
    written = []
    with UntilInterrupted(made(5)) as items:
        for item in items:
            if item == 1:
                signal.raise_signal(signal.SIGINT)
            written.append(item)
    assert written == [0, 1] and items.stopped


def test_before_the_first_item_nothing_is_done():
    with pytest.raises(KeyboardInterrupt), UntilInterrupted(made(5, 0)) as items:
        list(items)


def test_a_second_time_is_at_once():
    with pytest.raises(KeyboardInterrupt), UntilInterrupted(made(5)) as items:
        for _ in items:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
