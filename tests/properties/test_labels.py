"""Labels, compounds and scores: what holds whatever somebody types."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emoclip_sdk.assets import asset
from emoclip_sdk.errors import PromptError
from emoclip_sdk.inference.scorer import cosine_similarities, softmax_scores
from emoclip_sdk.prompts import LabelEncoder, PromptBank, compose

BANK = PromptBank.default()
SMALL = PromptBank.from_yaml(asset("prompts/mafw.yaml"))
NAMES = sorted(set(BANK.names()) - set(BANK.compounds))


def encode(texts):
    """Give every text a vector of its own, of any length."""
    seeds = [int.from_bytes(text.encode("utf-8", "replace")[-12:], "little") for text in texts]
    return np.stack([np.random.default_rng(s).normal(size=16) * (1 + s % 5) for s in seeds])


@given(st.text(max_size=80))
def test_any_text_is_a_label_or_refused(label):
    try:
        text = compose(BANK, label)
    except PromptError as error:
        assert not label.strip() or "label" in str(error)
        return
    assert text.label == label and text.texts and all(t.strip() for t in text.texts)
    assert len(set(text.texts)) == len(text.texts) == len(text.weights)
    assert sum(text.weights) == pytest.approx(1)


@given(st.sampled_from(NAMES), st.sampled_from(["{}", " {} ", "\t{}\n", "{}  "]))
def test_case_and_blanks_don_t_matter(name, frame):
    known = compose(BANK, name)
    for spelling in (name, name.upper(), name.title()):
        assert compose(BANK, frame.format(spelling)).texts == known.texts


parts = st.dictionaries(st.sampled_from(NAMES), st.floats(0.1, 10), min_size=2, max_size=4)


@given(parts, st.randoms(use_true_random=False), st.floats(0.1, 10))
def test_a_compound_is_the_weighted_mean_of_its_parts(weights, random, factor):
    bank = BANK.copy()
    bank.add_compound("mixed up", weights)
    order = list(weights)
    random.shuffle(order)
    bank.add_compound("other way round", order, [factor * weights[name] for name in order])
    encoder = LabelEncoder(bank, encode)
    vectors, _ = encoder.embed(["mixed up", *weights])
    (other,), _ = encoder.embed(["other way round"])  # beside the first, which it equals, refused
    share = np.array(list(weights.values())) / sum(weights.values())
    np.testing.assert_allclose(vectors[0], share @ vectors[1:], atol=1e-4)  # eq. 2
    np.testing.assert_allclose(vectors[0], other, atol=1e-4)


words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


@given(st.dictionaries(words, st.lists(words, min_size=1, max_size=3), min_size=1, max_size=4))
def test_a_bank_of_any_words_is_the_same_after_a_file(tmp_path_factory, entries):
    bank = SMALL.copy()
    for name, texts in entries.items():
        try:
            bank.add_label(name, texts)
        except PromptError:
            assume(False)
    file = tmp_path_factory.mktemp("bank") / "bank.yaml"
    file.write_text(bank.to_yaml(), encoding="utf-8")
    again = PromptBank.from_yaml(file)
    assert again.hash == bank.hash and again.names() == bank.names()
    for name in entries:
        assert compose(again, name).texts == compose(bank, name).texts


@given(st.integers(1, 6), st.integers(1, 8), st.floats(0.01, 100), st.randoms())
def test_scores_are_shares_and_don_t_depend_on_the_order(n_clips, n_labels, scale, random):
    rng = np.random.default_rng(random.randrange(2**31))
    video, text = rng.normal(size=(n_clips, 16)), rng.normal(size=(n_labels, 16))
    cosines = cosine_similarities(video, text)
    assert (np.abs(cosines) <= 1 + 1e-9).all()
    np.testing.assert_allclose(cosine_similarities(3 * video, text / 7), cosines, atol=1e-9)
    scores = softmax_scores(cosines, scale)
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    order = rng.permutation(n_labels)
    np.testing.assert_allclose(softmax_scores(cosines[:, order], scale), scores[:, order])
    assert (np.argsort(scores, axis=1) == np.argsort(cosines, axis=1)).all()
