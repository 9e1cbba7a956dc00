"""Entries by any wording, and compounds that are refused."""

import re

import pytest

from emoclip_sdk.errors import PromptError


def test_added_label_is_found_in_any_wording(bank):
    bank.add_label("Inner zibble", "A quick bright look.", aliases=["zesty"])
    assert bank.resolve("inner_ZIBBLE") == bank.resolve("Zesty") == "Inner zibble"
    assert bank.descriptions("zesty") == ("A quick bright look.",)
    assert bank.is_custom("zesty") and not bank.is_custom("anger")


def test_override_keeps_name_and_aliases(bank):
    bank.add_label("Happiness", ["One.", "Two."])
    assert "Happiness" not in bank.names()
    assert bank.descriptions("happy") == ("One.", "Two.")
    assert bank.is_custom("happiness")
    assert bank.compounds["happiness_surprise"] == (("happiness", 1.0), ("surprise", 1.0))


def test_a_name_takes_an_alias_over(bank):
    old = bank.descriptions("happiness")
    bank.add_label("joy", "Mine.")
    assert bank.resolve("joy") == "joy"
    assert bank.resolve("happy") == "happiness"
    assert bank.descriptions("happiness") == old
    assert "joy" not in bank.aliases("happiness")
    bank.add_label("bliss", "Mine too.", aliases=["glad"])
    assert bank.resolve("glad") == "bliss"


def test_an_alias_does_not_hide_an_entry(bank):
    before = bank.hash
    with pytest.raises(PromptError, match="'fear' can't be an alias of 'zibble'"):
        bank.add_label("zibble", "A look.", aliases=["fear"])
    assert bank.hash == before and "zibble" not in bank


@pytest.mark.parametrize("name", ["", "  ", "-", 3])
def test_empty_name(bank, name):
    with pytest.raises(PromptError, match="name"):
        bank.add_label(name, "A look.")


@pytest.mark.parametrize("descriptions", ["", " ", [], ["A look.", ""], [None]])
def test_empty_description(bank, descriptions):
    with pytest.raises(PromptError, match="zibble"):
        bank.add_label("zibble", descriptions)


def test_compound_takes_any_wording_of_its_parts(bank):
    bank.add_compound("quorlish", ["Angry", "sad"])
    assert bank.compounds["quorlish"] == (("anger", 1.0), ("sadness", 1.0))


def test_compound_weights(bank):
    bank.add_compound("a", {"anger": 3, "fear": 1})
    bank.add_compound("b", ["anger", "fear"], weights=[3, 1])
    assert bank.compounds["a"] == bank.compounds["b"] == (("anger", 3.0), ("fear", 1.0))


@pytest.mark.parametrize(
    ("parts", "weights", "message"),
    [
        ([], None, "0 parts"),
        ("anger", None, "must be a list"),
        (["anger", "zebra"], None, "unknown part 'zebra'"),
        (["anger", "angry"], None, "'anger' is twice a part"),
        (["anger", "fear"], [1], "2 parts and 1 weights"),
        (["anger", "fear"], [1, 0], "positive number, not 0"),
        (["anger", "fear"], [1, -1], "positive number, not -1"),
        (["anger", "fear"], [1, float("nan")], "positive number"),
        ({"anger": "much"}, None, "positive number, not 'much'"),
        ({"anger": 1}, [1], "not both"),
        (["quorlish"], None, "can't contain itself: quorlish -> quorlish"),
    ],
)
def test_refused_compounds_leave_the_bank_alone(bank, parts, weights, message):
    before = bank.hash
    with pytest.raises(PromptError, match=re.escape(message)):
        bank.add_compound("quorlish", parts, weights)
    assert bank.hash == before and "quorlish" not in bank


def test_cycles_are_refused(bank):
    bank.add_compound("a", ["anger", "fear"])
    bank.add_compound("b", ["a", "sadness"])
    before = bank.hash
    with pytest.raises(PromptError, match="can't contain itself: a -> b -> a"):
        bank.add_compound("a", ["b", "surprise"])
    with pytest.raises(PromptError, match="can't contain itself"):
        bank.add_compound("anger", ["anger", "fear"])
    assert bank.hash == before
