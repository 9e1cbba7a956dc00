"""One embedding per label, each text encoded once."""

import numpy as np
import pytest

from emoclip_sdk.errors import PromptError
from emoclip_sdk.prompts import LabelEncoder


@pytest.fixture
def encoder(bank, tower):
    return LabelEncoder(bank, tower)


def mean_of(tower, texts):
    return np.mean([tower.vector(text) for text in texts], axis=0)


def embed_one(encoder, label, **options):
    embeddings, texts = encoder.embed([label], **options)
    return embeddings[0], texts[0]


def test_compound_is_the_mean_before_normalization(encoder, bank, tower):
    rows, texts = encoder.embed(["happiness", "surprise", "happily surprised"])
    np.testing.assert_allclose(rows[2], (rows[0] + rows[1]) / 2, rtol=1e-4, atol=1e-5)
    unit = rows[:2] / np.linalg.norm(rows[:2], axis=1, keepdims=True)
    cosine = rows[2] @ unit.mean(0) / np.linalg.norm(rows[2]) / np.linalg.norm(unit.mean(0))
    assert cosine < 0.9999  # the mean of the normalized ones points elsewhere
    assert texts[2].parts == (("happiness", 0.5), ("surprise", 0.5))
    assert sum(texts[2].weights) == pytest.approx(1)


def test_components_weigh_the_same_whatever_their_number_of_descriptions(encoder, bank, tower):
    bank.add_label("a", "One.")
    bank.add_label("b", ["Two.", "Three.", "Four."])
    bank.add_compound("a b", ["a", "b"])
    expected = tower.vector("One.") / 2 + mean_of(tower, ["Two.", "Three.", "Four."]) / 2
    np.testing.assert_allclose(embed_one(encoder, "a b")[0], expected, rtol=1e-5, atol=1e-6)


def test_scale_of_the_weights_does_not_matter(encoder, bank):
    bank.add_compound("small", {"anger": 0.1, "fear": 0.3})
    bank.add_compound("large", {"anger": 1, "fear": 3})
    small, large = (embed_one(encoder, name)[0] for name in ("small", "large"))
    np.testing.assert_allclose(small, large, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "at least one label"),
        ("happy", "must be a list"),
        (["anger", "anger"], "mean the same"),
        (["anger", "Angry"], "'anger' and 'Angry' mean the same"),
        (["zebra", "Zebra "], "mean the same"),
        (["anger", ""], "not empty"),
        (["anger", 3], "must be text"),
        (["anger", ["fear"]], "must be text"),
        (["anger", None], "must be text"),
    ],
)
def test_unusable_labels(encoder, tower, labels, message):
    with pytest.raises(PromptError, match=message):
        encoder.embed(labels)
    assert tower.calls == []


def test_unknown_mode(encoder):
    with pytest.raises(PromptError, match="'average' or 'concatenate'"):
        encoder.embed(["anger"], compound="sum")


def test_wrong_encoder_is_not_hidden(bank):
    with pytest.raises(ValueError, match="encode_text returned shape"):
        LabelEncoder(bank, lambda texts: np.zeros(4)).embed(["anger"])


def test_only_new_texts_are_encoded(encoder, bank, tower):
    encoder.embed(["anger", "fear"])
    encoder.embed(["anger", "fear"])
    encoder.embed(["fear", "anger"])
    encoder.embed(["fear and anxiety", "anger"])
    assert len(tower.calls) == 2
    assert tower.calls[1] == list(bank.descriptions("anxiety"))
    bank.add_label("anger", "New words.")
    rows, _ = encoder.embed(["anger", "fear"])
    assert tower.calls[2:] == [["New words."]]
    np.testing.assert_allclose(rows[0], tower.vector("New words."), rtol=1e-5)


def test_results_are_the_callers_own(encoder):
    first, texts = encoder.embed(["anger"])
    first[:] = 0
    texts.clear()
    again, texts = encoder.embed(["anger"])
    assert np.any(again) and len(texts) == 1


def test_order_of_labels_is_kept(encoder):
    forward, _ = encoder.embed(["anger", "zebra", "fear"])
    backward, texts = encoder.embed(["fear", "zebra", "anger"])
    np.testing.assert_array_equal(forward, backward[::-1])
    assert [text.label for text in texts] == ["fear", "zebra", "anger"]


def test_clear_asks_again(encoder, tower):
    encoder.embed(["anger"])
    encoder.clear()
    encoder.embed(["anger"])
    assert len(tower.calls) == 2


@pytest.mark.parametrize(
    "labels", [["😀", "😢"], ["happy", "高兴"], ["행복", "슬픔"], ["радость", "joy"]]
)
def test_an_english_text_tower_is_given_no_other_script(bank, tower, labels):
    encoder = LabelEncoder(bank, tower, english=True)
    with pytest.raises(PromptError, match="reads English") as refused:
        encoder.embed(labels)
    assert [label for label in labels if repr(label) in str(refused.value)] == [
        label for label in labels if label not in ("happy", "joy")
    ]
    for label in labels:
        bank.add_label(label, f"A face that is described in English, number {ord(label[0])}")
    assert len(encoder.embed(labels)[0]) == 2
    assert len(encoder.embed(["déjà vu", "2", "happy 😀"])[0]) == 3


def test_labels_that_are_the_same_to_the_text_tower_are_refused_by_name(bank):
    encoder = LabelEncoder(
        bank, lambda texts: np.array([[np.cos(len(t)), np.sin(len(t))] for t in texts])
    )
    with pytest.raises(PromptError, match="can't tell the labels 'aab' and 'baa' apart"):
        encoder.embed(["abcd", "aab", "baa"])
    assert len(encoder.embed(["abcd", "aab"])[0]) == 2


def test_half_a_character_is_no_label(encoder):
    with pytest.raises(PromptError, match="no text"):
        encoder.embed(["joy", "a\udc80"])
    with pytest.raises(PromptError, match="no text"):
        encoder.bank.add_label("b", "A \ud83d smile")


def test_a_dictionary_describes_labels_for_one_call(encoder, bank, tower):
    before = bank.hash
    encoder.fit({"anger": np.ones_like(tower.vector("x"))})
    labels = {"smirk": "One corner up.", "grin": ["Teeth.", "Wide lips."], "anger": None}
    other = encoder.described(labels)
    rows, texts = other.embed(labels)
    assert [text.kind for text in texts] == ["custom", "custom", "fitted"]
    np.testing.assert_allclose(rows[0], tower.vector("One corner up."), rtol=1e-5)
    np.testing.assert_allclose(rows[1], mean_of(tower, ["Teeth.", "Wide lips."]), rtol=1e-5)
    assert bank.hash == before and "smirk" not in bank and other.hash != encoder.hash
    again = encoder.described({"anger": "Brows down."}).embed(["anger"])[1]
    assert again[0].kind == "custom"  # what was fitted to other words does not move these


@pytest.mark.parametrize("texts", [2, "", [], ["a", 3], {"a": 1.0}])
def test_descriptions_must_be_texts(encoder, texts):
    with pytest.raises(PromptError, match="smirk"):
        encoder.described({"smirk": texts})


def test_a_text_is_taken_apart_in_the_message(encoder):
    with pytest.raises(PromptError, match=r"\['happiness', 'surprise'\], not the text"):
        encoder.embed("happiness,surprise")


@pytest.mark.parametrize(
    "labels",
    [
        ["happiness,surprise"],
        ["hapiness, suprise"],
        ["happiness; anger", "fear"],
        ["happiness|wibbled", "fear"],
    ],
)
def test_a_list_in_one_label_is_no_label(encoder, labels):
    with pytest.raises(PromptError, match="is one label that reads like 2: write"):
        encoder.embed(labels)


@pytest.mark.parametrize(
    "labels",
    [
        ["happiness, surprise", "fear"],  # as data sets write a compound
        ["happiness + surprise"],
        ["eyes wide, lips apart"],
        ["the lips are parted, the eyes are wide"],
    ],
)
def test_commas_that_belong_to_a_label(encoder, labels):
    encoder.embed(labels)


def test_a_very_long_list_is_refused_at_once(encoder):
    with pytest.raises(PromptError, match="a list of 20000"):
        encoder.embed(["a;" * 20_000, "fear"])


def test_near_misses_and_a_label_alone_are_said_once(encoder, caplog):
    for _ in range(2):
        encoder.note(encoder.embed(["hapiness", "wibbled", "fear"])[1])
        encoder.note(encoder.embed(["fear"])[1])
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert "'hapiness' is not in the prompt bank" in lines[0] and "mean 'happiness'?" in lines[0]
    assert "'fear' is the only label: its score is 1" in lines[1]


def test_two_names_of_the_same_descriptions_are_told_apart_from_blindness(encoder, bank):
    bank.add_compound("foo", ["happiness"])
    with pytest.raises(PromptError, match="made of the same descriptions"):
        encoder.embed(["happiness", "foo"])
