"""The curation rules as a check: what ``emoclip prompts check`` reports."""

from __future__ import annotations

import re
from collections.abc import Callable

from .bank import PromptBank
from .labels import label_key

__all__ = ["check", "is_form_of"]

MAX_TOKENS = 77
MIN_DESCRIPTIONS = 3

# Named whatever the bank holds, so that a file of three labels is held to the same rule.
# fmt: off
_EMOTION_WORDS = frozenset({
    "anger", "angry", "anxiety", "anxious", "bored", "boredom", "confused", "contempt",
    "contemptuous", "depressed", "depression", "disappointed", "disappointment", "disgust",
    "disgusted", "emotion", "emotional", "emotions", "fear", "fearful", "feeling", "feelings",
    "frightened", "happiness", "happy", "helpless", "helplessness", "hurt", "joy", "joyful",
    "lonely", "mood", "nervous", "sad", "sadness", "scared", "shame", "sorrow", "surprise",
    "surprised", "tired", "unhappy", "upset", "worried", "worry",
})
# Wordings of a label that are first of all names for what muscles do.
_FACE_WORDS = frozenset({"relaxed", "tense"})
_BODY_WORDS = frozenset({
    "abdomen", "ankle", "arm", "belly", "body", "breast", "chest", "elbow", "feet", "finger",
    "fist", "foot", "forearm", "gait", "gesture", "hand", "hip", "hug", "knee", "leg", "neck",
    "palm", "pose", "posture", "shoulder", "shrug", "spine", "stance", "stomach", "thigh",
    "thumb", "toe", "torso", "waist", "walk", "wrist",
})
# fmt: on
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SUFFIXES = ("", "s", "es", "ed", "ing", "ly", "ness", "ful", "fully", "lessly")


def check(bank: PromptBank, count_tokens: Callable[[str], int] | None = None) -> list[str]:
    """Report what in a bank breaks the prompt protocol.

    The rules (section III-C): a description says what the face does. It names no emotion, which
    would be a circular cue, and no other part of the body.

    Parameters
    ----------
    bank : PromptBank
        The bank to check. Its names and aliases are the emotion words, beside a short list.
    count_tokens : callable, optional
        Number of tokens of a text, start and end included. Left out: lengths are not checked.

    Returns
    -------
    list of str
        One sentence per problem. Empty: the bank is fine.

    Notes
    -----
    Emotion words are found by spelling, with a few endings cut off. What only implies an emotion
    ("a menacing stare") is for a reader to find.
    """
    emotion_words, named = _emotion_wordings(bank)
    phrases = re.compile(rf"\b(?:{'|'.join(map(re.escape, named))})\b") if named else None
    problems: list[str] = []
    seen: dict[str, str] = {}
    for name in bank.names():
        descriptions = bank.descriptions(name)
        if len(descriptions) < MIN_DESCRIPTIONS:
            problems.append(
                f"{name}: {len(descriptions)} description(s), at least {MIN_DESCRIPTIONS} needed"
            )
        for text in descriptions:
            problems += _content(f"{name}: {text!r}", text, emotion_words, phrases)
            problems += _same(seen, name, text)
    for text in bank.neutral_sentences:
        problems += _content(f"neutral_sentences: {text!r}", text, emotion_words, phrases)
        problems += _same(seen, "neutral_sentences", text)
    if count_tokens is not None:
        texts = [text for name in bank.names() for text in bank.descriptions(name)]
        for text in (*texts, *bank.templates, *bank.neutral_sentences):
            tokens = count_tokens(text)
            if tokens > MAX_TOKENS:
                problems.append(f"{text!r} has {tokens} tokens, the text tower reads {MAX_TOKENS}")
    return problems


def _emotion_wordings(bank: PromptBank) -> tuple[frozenset[str], list[str]]:
    wordings = [text for name in bank.names() for text in (name, *bank.aliases(name))]
    wordings += [text for name in bank.compounds for text in bank.aliases(name)]
    phrases = {text.casefold().replace("_", " ").strip() for text in wordings}
    words = {text for text in phrases if " " not in text}
    return frozenset((words | _EMOTION_WORDS) - _FACE_WORDS), sorted(phrases - words)


def _content(
    where: str, text: str, emotion_words: frozenset[str], phrases: re.Pattern[str] | None
) -> list[str]:
    lowered = text.casefold()
    words = _WORD.findall(lowered)
    words += [part for word in words if "-" in word for part in word.split("-")]
    problems = [f"{where} names an emotion: {w!r}" for w in words if is_form_of(w, emotion_words)]
    problems += [
        f"{where} names an emotion: {phrase!r}"
        for phrase in (phrases.findall(lowered) if phrases else ())
    ]
    return problems + [
        f"{where} is not about the face: {w!r}" for w in words if is_form_of(w, _BODY_WORDS)
    ]


def is_form_of(word: str, stems: frozenset[str]) -> bool:
    """Whether a word in lower case is one of `stems` or has one of them with an ending."""
    for suffix in _SUFFIXES:
        stem = word.removesuffix(suffix)
        if len(stem) < 3 or (suffix and stem == word):
            continue
        variants = {stem}
        if suffix:
            # "raging" is "rage", "angrily" is "angry", "shrugging" is "shrug".
            variants.add(stem + "e")
            if stem[-1] == "i":
                variants.add(stem[:-1] + "y")
            if len(stem) > 3 and stem[-1] == stem[-2]:
                variants.add(stem[:-1])
        if variants & stems:
            return True
    return False


def _same(seen: dict[str, str], name: str, text: str) -> list[str]:
    key = label_key(text).rstrip(".!?")
    if key in seen:
        return [f"{name}: {text!r} is also a text of {seen[key]}"]
    seen[key] = name
    return []
