"""How labels are compared and taken apart."""

from __future__ import annotations

import pytest

from emoclip_sdk.prompts.labels import is_caption, label_key, label_parts, tidy


def test_keys_ignore_case_blanks_and_hyphens() -> None:
    keys = {
        label_key(text)
        for text in ("Half-asleep", "half_asleep", " HALF  ASLEEP ", "half\u2013asleep")
    }
    assert len(keys) == 1
    assert label_key("half asleep") != label_key("half awake")


@pytest.mark.parametrize(
    ("label", "parts"),
    [
        ("anger", ["anger"]),
        ("anger, disgust and contempt", ["anger", "disgust", "contempt"]),
        ("anger+disgust", ["anger", "disgust"]),
        ("handsome", ["handsome"]),
    ],
)
def test_parts(label, parts) -> None:
    assert label_parts(label) == parts


def test_five_words_are_a_sentence() -> None:
    assert is_caption("the mouth is wide open")
    assert not is_caption("the mouth is open")


def test_tidy_text() -> None:
    assert tidy("  e\u0301\n\ta ") == "é a"


def test_the_end_of_a_sentence_is_no_part_of_a_label():
    assert label_key("happy.") == label_key("Happy!") == label_key("happy")
    assert label_key("?") == ""
