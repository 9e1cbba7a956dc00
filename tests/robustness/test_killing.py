"""Nothing is lost when a command is killed or its disk is full; the long part is ``make soak``."""

from __future__ import annotations

import pytest

from .killing import can_mount, fill_the_disk, jobs, kill_at_random

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", range(4))
def test_killed(number, tiny_checkpoint, tmp_path) -> None:
    pytest.importorskip("pyarrow")
    toll = kill_at_random(jobs(tmp_path, tiny_checkpoint)[number], kills=3)
    assert not toll.wrong and toll.kills == 3


@pytest.mark.skipif(not can_mount(), reason="a small disk is mounted, as root")
def test_full_disk(tiny_checkpoint, tmp_path) -> None:
    pytest.importorskip("pyarrow")
    assert not fill_the_disk(tmp_path, tiny_checkpoint)
