"""WordNet's data files, read from a small copy of their format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.corpus import feeling_words, templated_texts, wordnet_texts

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
        "glad",
        "well pleased",
        "showing joy",
        "glad to be home",
        "joy",
        "the emotion of great happiness",
    ]


def test_words_for_looks(wordnet: Path) -> None:
    assert feeling_words(wordnet)["adj"] == ["glad", "well pleased"]
    texts = templated_texts(40, np.random.default_rng(0), wordnet)
    assert len(texts) == 40
    assert all(any(w in t for w in ("glad", "well pleased", "joy", "Weltschmerz")) for t in texts)


def test_missing_wordnet_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="apt-get install wordnet-base"):
        wordnet_texts(tmp_path)
