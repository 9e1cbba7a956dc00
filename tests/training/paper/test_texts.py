"""Which text a clip is trained with."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.prompts import PromptBank
from emoclip_sdk.training.data.datasets.clips import Clip
from emoclip_sdk.training.paper.settings import ObjectiveSettings
from emoclip_sdk.training.paper.texts import text_table

VIDEO = np.zeros((1, 8, 8, 3), np.uint8)
CLASSES = ("neutral", "anger", "anger_disgust")


def test_neutral_clips_get_two_neutral_sentences(caplog: pytest.LogCaptureFixture) -> None:
    bank = PromptBank.default()
    clips = [
        Clip("calm", VIDEO, 0),
        Clip("told", VIDEO, 1, "the brows are drawn down"),
        Clip("mute", VIDEO, 1),
    ]
    table = text_table(clips, CLASSES, bank, ObjectiveSettings("captions"))
    assert [clip.id for clip in table.clips] == ["calm", "told"]
    assert "1 training clips without a caption left out" in caplog.text
    drawn = {table.texts[table.draw(0, 0, epoch)] for epoch in range(60)}
    pairs = {f"{a} {b}" for a, b in itertools.permutations(bank.neutral_sentences, 2)}
    assert len(pairs) == 20 and drawn <= pairs and len(drawn) > 8
    assert {table.texts[table.draw(1, 0, epoch)] for epoch in range(9)} == {clips[1].caption}


def test_descriptions_of_a_compound_join_one_of_each_part() -> None:
    bank = PromptBank.default()
    clips = [Clip("a", VIDEO, 1, "a caption"), Clip("b", VIDEO, 2)]
    table = text_table(clips, CLASSES, bank, ObjectiveSettings("descriptions"))
    of_clip = [{table.texts[i] for i in rows} for rows in table.candidates]
    assert of_clip[0] == set(bank.descriptions("anger"))
    assert of_clip[1] == {
        f"{a} {d}" for a in bank.descriptions("anger") for d in bank.descriptions("disgust")
    }
    table = text_table(clips, CLASSES, bank, ObjectiveSettings("descriptions", one_text=True))
    first = [bank.descriptions(name)[0] for name in ("anger", "disgust")]
    assert [[table.texts[i] for i in rows] for rows in table.candidates] == [
        [first[0]],
        [" ".join(first)],
    ]


def test_nothing_to_train_with() -> None:
    with pytest.raises(DatasetError, match="none of the 1 training clips has a caption"):
        text_table([Clip("a", VIDEO, 1)], CLASSES, PromptBank.default(), ObjectiveSettings())
