"""Our tokenizer against open_clip's public one."""

from __future__ import annotations

import gzip
from pathlib import Path

import open_clip
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emoclip_sdk.assets import dependency_file
from emoclip_sdk.config import TowersConfig
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.nn import CLIPTokenizer, build_tokenizer, clip_tokenizer, tokenizer
from emoclip_sdk.prompts import PromptBank

REFERENCE = open_clip.get_tokenizer("ViT-B-32")
TEXTS = [
    "",
    "   \t\n ",
    "a smile",
    "She's said they're sad, I'd've; it'll DO'S",
    "Ünïcödé: naïve café, ЗДРАВСТВУЙ, 悲しい 顔, مرحبا",
    "e\u0301 is two characters, \u00e9 one; \ufb01ne ligature; \uff26\uff35\uff2c\uff2c width",
    "schÃ¶n, donâ€™t: mojibake",
    "&lt;b&gt; &amp;amp; &quot;so&quot; &#x1F600; &eacute; &notanentity;",
    "😀😢 👩🏽‍🦰 🇩🇪",
    "<start_of_text> in a text <END_OF_TEXT>",
    "<\u017ftart_of_text> with a long s",
    "1234567890 3.14 ½ ² Ⅷ",
    "--- ... ?!?! (({{[[ __init__ a_b",
    "\x00\x01\x7f\x85\xa0\xad\u200b\u2028\ufeff\ufffd",
    "antidisestablishmentarianism" * 5,
    "brows are raised and drawn together " * 30,
]


def _assert_equal(texts: list[str], length: int = 77) -> None:
    torch.testing.assert_close(
        clip_tokenizer()(texts, context_length=length),
        REFERENCE(texts, context_length=length),
        rtol=0,
        atol=0,
    )


def test_equals_open_clip_on_awkward_texts() -> None:
    _assert_equal(TEXTS)
    _assert_equal(TEXTS, length=8)


def test_equals_open_clip_on_the_shipped_descriptions() -> None:
    bank = PromptBank.default()
    _assert_equal([text for name in bank.names() for text in (name, *bank.descriptions(name))])


@given(st.lists(st.text(max_size=40), max_size=3))
def test_equals_open_clip_on_any_text(texts: list[str]) -> None:
    _assert_equal(texts)


def test_every_token_is_decoded_as_by_open_clip() -> None:
    ours = clip_tokenizer()
    assert ours.vocab_size == REFERENCE.vocab_size
    for token in range(ours.vocab_size):
        assert ours.decode([token]) == REFERENCE.decode([token])


def test_long_text_is_cut_and_keeps_its_end_token() -> None:
    tokens = build_tokenizer(TowersConfig(name="ViT-B-32"))(["smile " * 200])
    assert tokens.shape == (1, 77)
    assert tokens[0, -1] == 49407
    assert (tokens[0] == 49407).sum() == 1


@pytest.mark.parametrize("damage", ["cut off", "not gzip", "too short"])
def test_a_broken_vocabulary_is_named(damage: str, tmp_path: Path) -> None:
    content = dependency_file("open_clip", "bpe_simple_vocab_16e6.txt.gz").read_bytes()
    path = tmp_path / "vocabulary.txt.gz"
    path.write_bytes(
        {
            "cut off": content[:1000],
            "not gzip": b"#version: 0.2\ni n\n",
            "too short": gzip.compress(b"#version: 0.2\ni n\nt h\n"),
        }[damage]
    )
    with pytest.raises(EmoCLIPError, match=r"vocabulary\.txt\.gz: .*force-reinstall.*open_clip"):
        CLIPTokenizer(path)


def test_missing_open_clip_says_what_to_install(monkeypatch) -> None:
    def missing(package: str, name: str) -> Path:
        return dependency_file("no_such_package", name)

    monkeypatch.setattr(tokenizer, "dependency_file", missing)
    with pytest.raises(EmoCLIPError, match="pip install .*open_clip_torch"):
        clip_tokenizer.__wrapped__()
