"""What the text tower is to learn: a sentence encoder's embeddings, and a dictionary's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.training.data.corpus import Text
from emoclip_sdk.training.engine.settings import OptimSettings
from emoclip_sdk.training.mini.distill import teacher_targets
from emoclip_sdk.training.mini.settings import TextSettings
from emoclip_sdk.training.mini.teacher import KeptTeacher, Teacher

VECTORS = {
    "a doleful face": [1, 0, 0, 0],
    "doleful": [1, 0, 0, 0],
    "a plain sentence": [0, 1, 0, 0],
    "doleful, mournful: filled with sadness": [0, 0, 1, 0],
    "doleful: slow": [0, 0, 0, 1],
}


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    folder = tmp_path / "wordnet"
    folder.mkdir()
    (folder / "data.adj").write_text(
        "00000001 00 s 02 doleful 0 mournful 0 000 | filled with sadness\n"
        '00000002 00 s 01 doleful 0 000 | slow; "a doleful pace"\n'
    )
    (folder / "data.noun").write_text("00000003 05 n 01 doleful 0 000 | an animal\n")
    (folder / "data.verb").write_text("")
    return folder


def read(texts: list[str]) -> np.ndarray:
    return np.asarray([VECTORS[text] for text in texts], np.float32)


def test_a_word_is_what_the_dictionary_says_of_its_senses(wordnet: Path, tmp_path: Path) -> None:
    settings = TextSettings(OptimSettings(), wordnet=str(wordnet), definitions=2.0)
    texts = [
        Text("doleful", "doleful"),
        Text("a doleful face", "Doleful", share=0.5),
        Text("a plain sentence"),
        Text("a doleful face"),
    ]
    found = teacher_targets(texts, KeptTeacher(lambda: read, tmp_path), settings)
    half = 0.5**0.5  # both senses say as much
    expected = [
        [1, 0, 2 * half, 2 * half],
        [1, 0, half, half],
        [0, 1, 0, 0],
        [1, 0, 0, 0],
    ]
    unit = np.asarray(expected) / np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found, unit, atol=1e-3)

    def gone() -> Teacher:
        raise AssertionError("what was read is kept")

    np.testing.assert_array_equal(
        teacher_targets(texts, KeptTeacher(gone, tmp_path), settings), found
    )


def test_no_dictionary(wordnet: Path, tmp_path: Path) -> None:
    settings = TextSettings(OptimSettings(), wordnet=str(wordnet))

    def reads_texts_only(texts: list[str]) -> np.ndarray:
        assert texts == ["doleful"]
        return read(texts)

    found = teacher_targets([Text("doleful", "doleful")], reads_texts_only, settings)
    np.testing.assert_allclose(found, [[1, 0, 0, 0]], atol=1e-3)
