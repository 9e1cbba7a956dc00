"""Each text is read once, whatever happens in between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.training.mini.teacher import KeptTeacher


def test_what_the_teacher_read_outlives_a_run_that_was_broken_off(tmp_path: Path) -> None:
    asked: list[str] = []

    def teacher(texts: list[str]) -> np.ndarray:
        asked.extend(texts)
        return np.asarray([[len(text), 1] for text in texts], np.float32)

    two_lines = "a smile,\nand wide eyes"
    KeptTeacher(lambda: teacher, tmp_path)([two_lines, "calm"])
    texts = (tmp_path / "teacher.json").read_bytes()
    KeptTeacher(lambda: teacher, tmp_path)(["broken off"])
    (tmp_path / "teacher.json").write_bytes(texts)  # killed before the texts were written

    found = KeptTeacher(lambda: teacher, tmp_path)(["new", two_lines, "calm"])
    np.testing.assert_array_equal(found[:, 0], [3, len(two_lines), 4])
    assert asked == [two_lines, "calm", "broken off", "new"]
    again = KeptTeacher(lambda: pytest.fail("read again"), tmp_path)(["new", two_lines])
    np.testing.assert_array_equal(again[:, 0], [3, len(two_lines)])
