"""Class names of the datasets, in their own order."""

from __future__ import annotations

__all__ = ["BASIC_CLASSES", "MAFW_CLASSES", "MAFW_COMPOUNDS", "class_of_word"]

# DFEW, FERV39K and AFEW.
BASIC_CLASSES = ("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear")

# fmt: off
MAFW_CLASSES = (
    "anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise", "contempt",
    "anxiety", "helplessness", "disappointment",
)
# The 32 multiple classes of the 43-class task (Liu et al., ACM MM 2022).
MAFW_COMPOUNDS = (
    "anger_disgust", "anger_anxiety", "anger_sadness", "anger_surprise", "anger_helplessness",
    "disgust_contempt", "disgust_anxiety", "disgust_sadness", "disgust_surprise",
    "disgust_helplessness", "disgust_disappointment", "fear_surprise", "fear_anxiety",
    "fear_sadness", "happiness_surprise", "happiness_contempt", "sadness_surprise",
    "sadness_anxiety", "sadness_helplessness", "sadness_disappointment", "surprise_anxiety",
    "anxiety_helplessness", "helplessness_disappointment", "anger_disgust_contempt",
    "anger_disgust_anxiety", "fear_surprise_anxiety", "fear_sadness_anxiety",
    "sadness_anxiety_helplessness", "sadness_helplessness_disappointment",
    "anxiety_helplessness_disappointment", "disgust_anxiety_helplessness",
    "disgust_helplessness_disappointment",
)
# fmt: on

# Folders are named by the noun or by the adjective, depending on who made the copy.
_ADJECTIVES = {
    "happy": "happiness",
    "sad": "sadness",
    "angry": "anger",
    "surprised": "surprise",
    "disgusted": "disgust",
    "fearful": "fear",
}


def class_of_word(word: str) -> int | None:
    """Return the index in :data:`BASIC_CLASSES` of ``Happy``, ``happiness`` ..., or None."""
    name = word.strip().lower()
    name = _ADJECTIVES.get(name, name)
    return BASIC_CLASSES.index(name) if name in BASIC_CLASSES else None
