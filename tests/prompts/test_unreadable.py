"""What a label asks for that a face does not show."""

from __future__ import annotations

import pytest

from emoclip_sdk.prompts import PromptBank
from emoclip_sdk.prompts.unreadable import describes_one_action, unread_parts


@pytest.mark.parametrize(
    ("label", "kinds"),
    [
        ("not happy", ["negation"]),
        ("isn\u2019t afraid", ["negation"]),
        ("a young woman", ["age", "sex and gender"]),
        ("A Doctor.", ["identity and role"]),
        ("wearing glasses", ["hair, clothes and things worn"]),
        ("fake smile", ["genuineness"]),
        ("he is lying about it", ["intention"]),
        ("gl\u00fccklich", ["language"]),
        ("heureux", ["language"]),
    ],
)
def test_labels_that_ask_for_something_else_are_spoiled(label: str, kinds: list[str]) -> None:
    parts = unread_parts(label)
    assert [part.kind for part in parts] == kinds
    assert all(part.spoils for part in parts)


@pytest.mark.parametrize(
    "label", ["a young woman, smiling", "a smiling doctor", "raised brows, not a smile"]
)
def test_the_rest_of_a_label_can_be_read(label: str) -> None:
    parts = unread_parts(label)
    assert parts and not any(part.spoils for part in parts)


def test_nothing_stands_against_the_words_of_the_bank() -> None:
    bank = PromptBank.default()
    wordings = [text for name in bank.names() for text in (name, *bank.aliases(name))]
    spoiled = [w for w in wordings if any(part.spoils for part in unread_parts(w))]
    assert spoiled == ["no expression"], "an alias of neutral, which the bank describes"


def test_a_single_action_is_one_clause_about_a_part_of_the_face() -> None:
    assert describes_one_action("the eyes are closed")
    assert not describes_one_action("wide eyes and a dropped jaw")
    assert not describes_one_action("boredom")


def test_words_that_the_model_never_read() -> None:
    vocabulary = frozenset({"smile", "half", "closed", "mouth"})
    (part,) = unread_parts("wibbled", vocabulary)
    assert part.kind == "unknown word" and part.spoils
    (part,) = unread_parts("a wibbled smile", vocabulary)
    assert part.words == ("wibbled",) and not part.spoils
    assert unread_parts("smiling, the mouth half-closed", vocabulary) == []
