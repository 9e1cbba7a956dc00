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


def test_a_wide_teacher_is_seen_along_its_leading_directions(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    plane = np.linalg.qr(rng.normal(size=(8, 2)))[0].T
    angles = {f"word {i}": float(angle) for i, angle in enumerate(rng.uniform(0, 6, 40))}
    angles["a new word"] = 1.0

    def teacher(texts: list[str]) -> np.ndarray:
        turned = np.asarray([[np.cos(angles[t]), np.sin(angles[t])] for t in texts])
        return (turned @ plane).astype(np.float32)

    words = [text for text in angles if text != "a new word"]
    first = KeptTeacher(lambda: teacher, tmp_path, 2)(words)
    assert first.shape == (40, 2)
    # All eight numbers lie in a plane, so two directions keep every angle between two words ...
    difference = np.subtract.outer(list(angles.values())[:40], list(angles.values())[:40])
    np.testing.assert_allclose(first @ first.T, np.cos(difference), atol=3e-3)
    # ... and another run sees new texts along the same ones.
    later = KeptTeacher(lambda: teacher, tmp_path, 2)(["a new word", words[0]])
    np.testing.assert_allclose(later[1], first[0], atol=1e-6)
    np.testing.assert_allclose(later[0] @ first[0], np.cos(1 - angles["word 0"]), atol=3e-3)
