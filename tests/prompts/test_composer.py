"""The composer: what a label becomes, and the arithmetic of eq. 2."""

import subprocess
import sys

import numpy as np
import pytest

from emoclip_sdk.prompts import LabelEncoder, compose


@pytest.fixture
def encoder(bank, tower):
    return LabelEncoder(bank, tower)


def mean_of(tower, texts):
    return np.mean([tower.vector(text) for text in texts], axis=0)


def embed_one(encoder, label, **options):
    embeddings, texts = encoder.embed([label], **options)
    return embeddings[0], texts[0]


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


def test_concatenate_joins_as_many_descriptions_as_are_averaged(encoder, bank, tower):
    pairs = zip(bank.descriptions("anger"), bank.descriptions("disgust"), strict=True)
    joined = [" ".join(pair) for pair in pairs]
    vector, text = embed_one(encoder, "anger_disgust", compound="concatenate")
    assert text.kind == "compound" and list(text.texts) == joined
    average = compose(bank, "anger_disgust")
    assert 2 * len(text.texts) == len(average.texts)
    mean = np.mean([tower.vector(one) for one in joined], axis=0)
    np.testing.assert_allclose(vector, mean, rtol=1e-5, atol=1e-6)
    plain, _ = embed_one(encoder, "anger", compound="concatenate")
    np.testing.assert_array_equal(plain, embed_one(encoder, "anger")[0])


def test_concatenate_of_a_nested_compound(bank):
    bank.add_label("a", "No stop")
    bank.add_compound("inner", ["a", "anger"])
    bank.add_compound("outer", ["inner", "fear"])
    texts = compose(bank, "outer", "concatenate").texts
    anger, fear = bank.descriptions("anger"), bank.descriptions("fear")
    assert texts[:2] == tuple(f"No stop. {anger[i]} {fear[i]}" for i in range(2))


def test_import_is_light():
    code = "import sys, emoclip_sdk.prompts; print('torch' in sys.modules, 'yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_half_of_a_shipped_label_is_its_name(encoder, bank, tower):
    """Descriptions and name weigh alike, however many texts there are of each."""
    bank.name_share = 0.5
    vector, text = embed_one(encoder, "Angry")
    filled = [template.replace("{label}", "anger") for template in bank.templates]
    described = mean_of(tower, bank.descriptions("anger"))
    np.testing.assert_allclose(vector, (described + mean_of(tower, filled)) / 2, rtol=1e-5)
    assert text.texts == (*bank.descriptions("anger"), *filled)
    assert sum(text.weights) == pytest.approx(1)
    both, surprise = encoder.embed(["anger_surprise", "surprise"])[0]
    np.testing.assert_allclose(both, (vector + surprise) / 2, rtol=1e-4, atol=1e-5)
    joined = encoder.embed(["anger_surprise"], compound="concatenate")[1][0]
    assert not any("expression of" in text for text in joined.texts)


def test_what_a_caller_describes_is_that_description_alone(encoder, bank, tower):
    bank.name_share = 0.5
    bank.add_label("anger", "A clenched jaw.")
    bank.add_label("condition 3", "Wide eyes.")
    for label, said in (("angry", "A clenched jaw."), ("condition 3", "Wide eyes.")):
        vector, text = embed_one(encoder, label)
        np.testing.assert_allclose(vector, tower.vector(said), rtol=1e-5)
        assert text.texts == (said,)
