"""Generated captions say what the face does, and mostly without naming the emotion."""

from __future__ import annotations

import re

import numpy as np
import pytest
import yaml

from emoclip_sdk.prompts.facial_actions import ACTIONS
from emoclip_sdk.training.data.captions import BARE_SHARE, DEGREES, Captioner, load_lexicon
from emoclip_sdk.training.data.facial_actions import EMOTION_ACTIONS
from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES
from emoclip_sdk.training.evaluation.card.wording import PARAPHRASES, SYNONYMS

LEXICON = load_lexicon()
WORDS = {e: [w for w, _ in known.adjectives + known.nouns] for e, known in LEXICON.items()}
SAID = {w for words in WORDS.values() for w in words}
# fmt: off
SUFFIXES = [
    "ations", "ation", "ment", "ness", "less", "edly", "ingly", "ing", "ied", "ies", "ed", "es",
    "er", "ery", "ful", "fully", "ly", "ious", "ous", "ion", "ive", "ance", "ant", "ent", "ic",
    "al", "able", "ible", "ity", "y", "e", "s",
]
# fmt: on


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]{3,}", text.lower())


def _stems(word: str) -> set[str]:
    """Two ways to cut a word down; words of one stem share one of them."""
    cut = word
    while ends := [x for x in SUFFIXES if cut.endswith(x) and len(cut) - len(x) >= 3]:
        cut = cut.removesuffix(max(ends, key=len))
    return {f"{cut}-", word[:5]} if len(word) > 3 else {f"{cut}-"}


def _runs(text: str, length: int) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z']+", text.lower())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def test_every_class_has_actions_and_words() -> None:
    assert set(EMOTION_ACTIONS) == set(LEXICON) == set(FERPLUS_CLASSES)
    assert {a for chances in EMOTION_ACTIONS.values() for a in chances} <= set(ACTIONS)


def test_lexicon_is_large_graded_and_unambiguous() -> None:
    for known in LEXICON.values():
        assert len(known.adjectives) >= 60 and len(known.nouns) >= 30
        assert len(known.paraphrases) >= 15
        for part in (known.adjectives, known.nouns):
            assert {grade for _, grade in part} == set(DEGREES)
            assert min(len(word) for word, _ in part) > 1
    every = [w for words in WORDS.values() for w in words]
    assert len(every) == len(set(every)) > 1300
    clauses = [p for known in LEXICON.values() for p in known.paraphrases]
    assert len(clauses) == len(set(clauses))


def test_action_wordings_name_no_emotion() -> None:
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, SAID))})\b")
    named = {m for phrases in ACTIONS.values() for p in phrases for m in pattern.findall(p)}
    # As much looks of a face as names of a feeling.
    assert named == {
        "at rest", "blank", "cast down", "composed", "drooping", "even", "gaping", "laughing",
        "relaxed", "shouting", "smiling", "steady", "tears", "tense", "tension", "trembling",
        "unmoving",
    }  # fmt: skip


def test_share_of_captions_that_describe_actions_only() -> None:
    rng = np.random.default_rng(0)
    phrases = [p for wordings in ACTIONS.values() for p in wordings]
    for words in (0.0, 1.0):
        texts = [Captioner(words, LEXICON)(e, rng).text for e in FERPLUS_CLASSES for _ in range(50)]
        without = np.mean([not any(p in t.lower() for p in phrases) for t in texts])
        # Bare words stand alone; of the others that name the emotion, half go on to describe.
        assert without == pytest.approx(words * (BARE_SHARE + (1 - BARE_SHARE) / 2), abs=0.05)


def test_captions_vary_and_keep_to_their_emotion() -> None:
    rng = np.random.default_rng(0)
    captions = [Captioner(0, LEXICON)("disgust", rng).text for _ in range(200)]
    assert len(set(captions)) > 190
    allowed = [p for a in EMOTION_ACTIONS["disgust"] for p in ACTIONS[a]]
    assert all(any(p in text.lower() for p in allowed) for text in captions)


def test_two_actions_at_least_where_asked_for() -> None:
    captioner = Captioner(least_actions=2)
    rng = np.random.default_rng(0)
    for emotion in EMOTION_ACTIONS:
        drawn = [captioner.actions(emotion, rng) for _ in range(100)]
        assert {len(actions) for actions in drawn} <= {2, 3, 4}
        assert all(set(actions) <= set(EMOTION_ACTIONS[emotion]) for actions in drawn)


def test_same_seed_same_captions() -> None:
    first, second = (
        [Captioner(lexicon=LEXICON)("fear", rng).text for _ in range(20)]
        for rng in (np.random.default_rng(3), np.random.default_rng(3))
    )
    assert first == second


def test_bare_words_stand_as_a_user_types_them() -> None:
    rng = np.random.default_rng(0)
    texts = [Captioner(1.0, LEXICON)("anger", rng).text for _ in range(1000)]
    bare = [text for text in texts if text in WORDS["anger"]]
    assert np.mean([text in WORDS["anger"] for text in texts]) == pytest.approx(
        BARE_SHARE, abs=0.03
    )
    assert len(set(bare)) > 80


def test_a_caption_says_which_word_names_the_emotion_and_how_much_it_says() -> None:
    rng = np.random.default_rng(0)
    drawn = [Captioner(0.8, LEXICON)("fear", rng) for _ in range(500)]
    named = [caption for caption in drawn if caption.word]
    assert 250 < len(named) < 450
    assert all(c.word in WORDS["fear"] and c.word.lower() in c.text.lower() for c in named)
    alone = [c.share for c in named if c.text == c.word]
    assert set(alone) == {1.0}
    described = [c for c in named if c.share < 1]
    assert described
    assert all("," in c.text for c in described)
    assert all(c.share == 1.0 for c in drawn if not c.word and "," not in c.text)


def test_adverbs_go_with_the_grade() -> None:
    rng = np.random.default_rng(0)
    grades = dict(LEXICON["sadness"].adjectives)
    text = " ".join(Captioner(lexicon=LEXICON).name("sadness", rng)[0] for _ in range(8000))
    matches = re.findall(r"(\w+) (sad|wistful|heartbroken)(?![-\w])", text)
    adverbs = {phrase.split()[-1]: g for g, listed in DEGREES.items() for phrase in listed}
    grade_pairs = [(adverbs[adverb], grades[word]) for adverb, word in matches if adverb in adverbs]
    assert len(grade_pairs) > 5
    assert all(of_adverb == of_word for of_adverb, of_word in grade_pairs)


def test_synonyms_to_measure_on_share_no_stem_with_the_captions() -> None:
    synonyms = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    asked = [word for words in synonyms.values() for word in words]
    assert tuple(synonyms) == FERPLUS_CLASSES
    assert len(asked) == len(set(asked)) == 120
    rng = np.random.default_rng(0)
    texts = [Captioner(1.0, LEXICON)(name, rng).text for name in FERPLUS_CLASSES * 200]
    texts += [t for known in LEXICON.values() for t in known.paraphrases]
    seen = {s for text in [*texts, *SAID] for w in _words(text) for s in _stems(w)}
    kept = {"made-", "out-"}  # asked for: "mad", "grossed out"; "made", "put out" are others
    asked_stems = {w: _stems(w) for word in asked for w in _words(word) if w not in {"out", "mad"}}
    assert not {w for w, stems in asked_stems.items() if stems & seen - kept}


def test_wordings_to_measure_on_share_no_run_of_words_with_the_paraphrases() -> None:
    sentences = yaml.safe_load(PARAPHRASES.read_text(encoding="utf-8")).values()
    asked = {run for text in sentences for run in _runs(text, 4)}
    in_paraphrases = {
        run for known in LEXICON.values() for p in known.paraphrases for run in _runs(p, 4)
    }
    assert not asked & in_paraphrases
