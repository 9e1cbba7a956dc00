"""Work beside each other leaves torch's threads as they were."""

from __future__ import annotations

import pytest
import torch

from emoclip_sdk.runtime.threads import one_thread, side_by_side


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("items", [range(5), range(1)])
def test_each_item_is_run_on_one_thread_and_results_are_in_order(items) -> None:
    results = side_by_side(lambda i: (i, torch.get_num_threads()), items)
    assert results == [(i, 1) for i in items]
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_an_error_comes_out_and_threads_are_as_before() -> None:
    def fail(i: int) -> None:
        raise ValueError(f"item {i}")

    with pytest.raises(ValueError, match="item"):
        side_by_side(fail, range(3))
    assert torch.get_num_threads() == 2
    with pytest.raises(ZeroDivisionError), one_thread():
        assert torch.get_num_threads() == 1
        _ = 1 / 0
    assert torch.get_num_threads() == 2
