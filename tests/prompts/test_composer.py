"""The composer: what a label becomes, and the arithmetic of eq. 2."""

import subprocess
import sys

import numpy as np
import pytest

from emoclip_sdk.errors import PromptError
from emoclip_sdk.prompts import LabelEncoder, compose


@pytest.fixture
def encoder(bank, tower):
    return LabelEncoder(bank, tower)


def mean_of(tower, texts):
    return np.mean([tower.vector(text) for text in texts], axis=0)


def embed_one(encoder, label, **options):
    embeddings, texts = encoder.embed([label], **options)
    return embeddings[0], texts[0]


# What a label becomes


def test_bank_label_is_the_raw_mean_of_its_descriptions(encoder, bank, tower):
    vector, text = embed_one(encoder, "Angry")
    np.testing.assert_allclose(vector, mean_of(tower, bank.descriptions("anger")), rtol=1e-5)
    assert vector.dtype == np.float32
    assert (text.label, text.name, text.kind) == ("Angry", "anger", "bank")
    assert text.texts == bank.descriptions("anger")


def test_unknown_label_goes_through_the_templates(encoder, bank, tower):
    vector, text = embed_one(encoder, "zebra_like")
    filled = [template.replace("{label}", "zebra like") for template in bank.templates]
    assert (text.kind, text.name, text.texts) == ("template", None, tuple(filled))
    np.testing.assert_allclose(vector, mean_of(tower, filled), rtol=1e-5)


def test_sentence_is_used_word_for_word(encoder, tower):
    sentence = "a person who  looks past the camera"
    vector, text = embed_one(encoder, sentence)
    assert (text.kind, text.label) == ("caption", sentence)
    np.testing.assert_allclose(
        vector, tower.vector("a person who looks past the camera"), rtol=1e-5
    )
    assert embed_one(encoder, "one two three four")[1].kind == "template"


def test_long_name_of_a_known_compound_is_no_caption(encoder):
    assert embed_one(encoder, "anger and disgust and contempt")[1].kind == "compound"


def test_custom_label_says_so(encoder, bank, tower):
    bank.add_label("boredom", "Half-closed eyes and a slack mouth.")
    vector, text = embed_one(encoder, "bored")
    assert (text.kind, text.name) == ("custom", "boredom")
    np.testing.assert_allclose(
        vector, tower.vector("Half-closed eyes and a slack mouth."), rtol=1e-5
    )


def test_label_text_as_json(encoder):
    import json

    record = json.loads(json.dumps(embed_one(encoder, "happily surprised")[1].to_dict()))
    assert record["label"] == "happily surprised" and record["kind"] == "compound"
    assert record["parts"] == {"happiness": 0.5, "surprise": 0.5}


# Eq. 2


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


def test_weighted_and_nested(encoder, bank):
    bank.add_compound("inner", {"anger": 3, "fear": 1})
    bank.add_compound("outer", ["inner", "anger", "sadness"], weights=[2, 1, 1])
    rows, texts = encoder.embed(["anger", "fear", "sadness", "inner", "outer"])
    anger, fear, sadness, inner, outer = rows
    np.testing.assert_allclose(inner, 0.75 * anger + 0.25 * fear, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        outer, 0.5 * inner + 0.25 * anger + 0.25 * sadness, rtol=1e-4, atol=1e-5
    )
    assert len(set(texts[4].texts)) == len(texts[4].texts)
    assert sum(texts[4].weights) == pytest.approx(1)


def test_scale_of_the_weights_does_not_matter(encoder, bank):
    bank.add_compound("small", {"anger": 0.1, "fear": 0.3})
    bank.add_compound("large", {"anger": 1, "fear": 3})
    rows, _ = encoder.embed(["small", "large"])
    np.testing.assert_allclose(rows[0], rows[1], rtol=1e-4, atol=1e-5)


def test_concatenate_joins_the_first_descriptions(encoder, bank, tower):
    joined = " ".join(bank.descriptions(name)[0] for name in ("anger", "disgust"))
    vector, text = embed_one(encoder, "anger_disgust", compound="concatenate")
    assert text.kind == "compound" and text.texts == (joined,)
    np.testing.assert_allclose(vector, tower.vector(joined), rtol=1e-5)
    plain, _ = embed_one(encoder, "anger", compound="concatenate")
    np.testing.assert_array_equal(plain, embed_one(encoder, "anger")[0])


def test_concatenate_of_a_nested_compound(bank):
    bank.add_label("a", "No stop")
    bank.add_compound("inner", ["a", "anger"])
    bank.add_compound("outer", ["inner", "fear"])
    text = compose(bank, "outer", "concatenate").texts[0]
    assert text == f"No stop. {bank.descriptions('anger')[0]} {bank.descriptions('fear')[0]}"


# Refusals


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


# Memory


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


def test_import_is_light():
    code = "import sys, emoclip_sdk.prompts; print('torch' in sys.modules, 'yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
