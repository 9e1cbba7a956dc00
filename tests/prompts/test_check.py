"""The check finds what the curation rules forbid, and leaves words about faces alone."""

import pytest

from emoclip_sdk.prompts import PromptBank, check

GOOD = ["Brows pulled down.", "Lips pressed thin.", "Eyes narrowed."]


def bank_with(*descriptions: str) -> PromptBank:
    bank = PromptBank()
    bank.add_label("gloom", [*descriptions, *GOOD], aliases=["gloomy", "let down"])
    return bank


def test_good_bank():
    assert check(bank_with()) == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("A sad look.", "sad"),
        ("A face of pure GLOOM.", "gloom"),
        ("Gloomily lowered brows.", "gloomily"),
        ("A let down gaze.", "let down"),
        ("An angrily set mouth.", "angrily"),
        ("Lips that show emotion.", "emotion"),
        ("A fear-stricken stare.", "fear"),
    ],
)
def test_emotion_words(text, word):
    problems = check(bank_with(text))
    assert any("names an emotion" in problem and f"'{word}'" in problem for problem in problems)


@pytest.mark.parametrize(
    "text", ["Hands over the mouth.", "Slumped shoulders.", "Shrugging.", "A stiff neck."]
)
def test_body_words(text):
    assert any("not about the face" in problem for problem in check(bank_with(text)))


@pytest.mark.parametrize(
    "text",
    ["Tense lips and relaxed cheeks.", "Edges of the lips.", "Handsome eyes.", "Chin up."],
)
def test_words_about_faces_pass(text):
    assert check(bank_with(text)) == []


def test_few_descriptions():
    bank = PromptBank()
    bank.add_label("gloom", "Brows pulled down.")
    assert check(bank) == ["gloom: 1 description(s), at least 3 needed"]


def test_duplicate_sentences():
    bank = bank_with()
    bank.add_label("murk", ["brows pulled  down", "Chin up.", "Lids low."])
    assert check(bank) == ["murk: 'brows pulled down' is also a text of gloom"]


def test_long_texts():
    bank = bank_with("lid " * 100)
    problems = check(bank, lambda text: len(text.split()) + 2)
    assert len(problems) == 1 and "102 tokens" in problems[0]
