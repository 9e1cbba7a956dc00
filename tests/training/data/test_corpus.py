"""WordNet's data files, read from a small copy of their format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.corpus import (
    Text,
    definitions,
    feeling_words,
    templated_texts,
    wordnet_texts,
)

HEAD = "  1 This software and database is being provided to you\n"


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    lines = {
        "adj": '00001740 00 s 02 glad(p) 0 well_pleased 0 000 | showing joy; "glad to be home"\n',
        "adv": "",
        "verb": "",
        "noun": "00001930 12 n 01 joy 0 000 | the emotion of great happiness\n"
        "00001931 05 n 01 dog 0 000 | a domestic animal\n"
        "00001932 12 n 01 Weltschmerz 0 000 | sadness about the world\n",
    }
    for part, text in lines.items():
        (tmp_path / f"data.{part}").write_text(HEAD + text)
    return tmp_path


def test_lemmas_glosses_and_examples(wordnet: Path) -> None:
    assert wordnet_texts(wordnet) == [
        Text("glad", "glad"),
        Text("well pleased", "well pleased"),
        Text("showing joy"),
        Text("glad to be home"),
        Text("joy", "joy"),
        Text("the emotion of great happiness"),
    ]


def test_what_the_dictionary_says_of_words_for_looks(wordnet: Path) -> None:
    assert definitions(wordnet) == {
        "glad": ["glad, well pleased: showing joy"],
        "well pleased": ["well pleased, glad: showing joy"],
        "joy": ["joy: the emotion of great happiness"],
        "weltschmerz": ["Weltschmerz: sadness about the world"],
    }


def test_words_for_looks(wordnet: Path) -> None:
    assert feeling_words(wordnet)["adj"] == ["glad", "well pleased"]
    texts = templated_texts(40, np.random.default_rng(0), wordnet)
    assert len(texts) == 40
    assert {t.word for t in texts} == {"glad", "well pleased", "joy", "Weltschmerz"}
    assert all(t.word and t.word in t.text for t in texts)


def test_missing_wordnet_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="apt-get install wordnet-base"):
        wordnet_texts(tmp_path)
