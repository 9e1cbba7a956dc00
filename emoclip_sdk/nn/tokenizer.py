"""The byte-pair encoding of CLIP's text tower (Radford et al., 2021; Sennrich et al., 2016).

Equal to open_clip's ``SimpleTokenizer``, whose wheel brings the vocabulary. Importing open_clip for
it would import torchvision and torch's compiler, which takes longer than loading the embedded
model; so its data file is read, and none of its code.
"""

from __future__ import annotations

import gzip
import html
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from ..assets import dependency_file
from ..config import TowersConfig
from ..errors import CheckpointError, EmoCLIPError
from ..runtime.torch_state import isolated_build
from .architecture import open_clip_config

__all__ = ["CLIPTokenizer", "build_tokenizer", "clip_tokenizer"]

CONTEXT_LENGTH = 77
_MERGES = 49152 - 256 - 2  # lines of the file that CLIP uses
_START, _END = "<start_of_text>", "<end_of_text>"
_WORD_END = "</w>"
_WORDS = rf"{_START}|{_END}|'s|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+"


class CLIPTokenizer:
    """CLIP's tokenizer of 49,408 tokens.

    Parameters
    ----------
    vocabulary : Path
        ``bpe_simple_vocab_16e6.txt.gz``: after a first line, the merges in order of their rank, two
        symbols a line.

    Attributes
    ----------
    vocab_size : int
        Number of tokens. The last two are start and end.

    Raises
    ------
    EmoCLIPError
        The file can't be read, or holds too few merges.
    """

    def __init__(self, vocabulary: Path) -> None:
        # Both take a while to import, and a model that only embeds video needs neither.
        import ftfy
        import regex

        self._fix_text = ftfy.fix_text
        self._words = regex.compile(_WORDS, regex.IGNORECASE)
        self._byte_symbols = _byte_symbols()
        self._bytes = {symbol: byte for byte, symbol in self._byte_symbols.items()}
        merges = _read_merges(vocabulary)
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        # In this order: printable bytes, then the others; the same at the end of a word; merges.
        symbols = list(self._byte_symbols.values())
        symbols += [symbol + _WORD_END for symbol in symbols]
        symbols += [first + second for first, second in merges]
        symbols += [_START, _END]
        self._symbols = symbols
        self._ids = {symbol: number for number, symbol in enumerate(symbols)}
        self.vocab_size = len(symbols)
        self._word_tokens = lru_cache(maxsize=2**16)(self._encode_word)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text without start and end, however many they are."""
        text = html.unescape(html.unescape(self._fix_text(text)))
        text = " ".join(text.split()).lower()
        return [token for word in self._words.findall(text) for token in self._word_tokens(word)]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, with a blank behind every word."""
        symbols = "".join(self._symbols[token] for token in tokens)
        content = bytes(self._bytes[symbol] for symbol in symbols)
        return content.decode("utf-8", errors="replace").replace(_WORD_END, " ")

    def __call__(self, texts: Sequence[str], context_length: int = CONTEXT_LENGTH) -> Tensor:
        """Tokenize texts for the text tower.

        Parameters
        ----------
        texts : sequence of str
            N texts.
        context_length : int
            Tokens of a row. A longer text is cut and its end token kept.

        Returns
        -------
        Tensor, (N, context_length), int64
            Start, tokens, end, then zeros.
        """
        start, end = self._ids[_START], self._ids[_END]
        rows = torch.zeros(len(texts), context_length, dtype=torch.long)
        for row, text in zip(rows, texts, strict=True):
            tokens = [start, *self.encode(text)[: context_length - 2], end]
            row[: len(tokens)] = torch.tensor(tokens)
        return rows

    def _encode_word(self, word: str) -> tuple[int, ...]:
        """Merge the pair of the lowest rank, wherever it stands, until no known pair is left."""
        if word in (_START, _END):
            return (self._ids[word],)
        symbols = [self._byte_symbols[byte] for byte in word.encode("utf-8")]
        symbols[-1] += _WORD_END
        while len(symbols) > 1:
            pair = min(pairwise(symbols), key=lambda p: self._ranks.get(p, len(self._ranks)))
            if pair not in self._ranks:
                break
            merged: list[str] = []
            at = 0
            while at < len(symbols):
                both = tuple(symbols[at : at + 2]) == pair
                merged.append("".join(pair) if both else symbols[at])
                at += 2 if both else 1
            symbols = merged
        return tuple(self._ids[symbol] for symbol in symbols)


def _byte_symbols() -> dict[int, str]:
    """Return a visible character for every byte, since a vocabulary file can't hold the others.

    A printable byte of Latin-1 stands for itself, the others for characters from 256 on. The order
    is that of the tokens.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    symbols = {byte: chr(byte) for byte in printable}
    symbols.update((byte, chr(256 + i)) for i, byte in enumerate(others))
    return symbols


def _read_merges(vocabulary: Path) -> list[tuple[str, str]]:
    try:
        with gzip.open(vocabulary, "rt", encoding="utf-8", newline="\n") as file:
            lines = file.read().split("\n")[1 : _MERGES + 1]
        merges = [(first, second) for first, second in map(str.split, lines)]
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise _broken(vocabulary, str(error)) from error
    if len(merges) < _MERGES:
        raise _broken(vocabulary, f"{len(merges)} merges instead of {_MERGES}")
    return merges


def _broken(vocabulary: Path, problem: str) -> EmoCLIPError:
    return EmoCLIPError(
        f"{vocabulary}: CLIP's vocabulary can't be read ({problem}). Install its package again: "
        "pip install --force-reinstall --no-deps open_clip_torch"
    )


@lru_cache
def clip_tokenizer() -> CLIPTokenizer:
    """Return CLIP's tokenizer, one for the whole process.

    Raises
    ------
    EmoCLIPError
        The vocabulary is missing or broken.
    """
    try:
        return CLIPTokenizer(dependency_file("open_clip", "bpe_simple_vocab_16e6.txt.gz"))
    except ImportError as error:
        raise EmoCLIPError(
            f"Reading labels needs the package 'open_clip_torch' ({error}). Install it with: "
            "pip install --force-reinstall --no-deps open_clip_torch"
        ) from error


def _downloaded(name: str) -> str:
    """Return the folder of a tokenizer that was downloaded from the Hub before."""
    from huggingface_hub import snapshot_download

    try:
        return snapshot_download(name, local_files_only=True)
    except Exception as error:
        raise CheckpointError(
            f"the text tower needs the tokenizer '{name}' of the Hub, which is not here, and a "
            f"checkpoint may not reach for it. Download it once: hf download {name}"
        ) from error


@isolated_build()
def build_tokenizer(config: TowersConfig) -> Callable[[Sequence[str]], Tensor]:
    """Return the tokenizer of the text tower: N texts -> (N, context_length) int64.

    Longer text is cut to the context length, the end token kept.

    Parameters
    ----------
    config : TowersConfig
        An architecture of open_clip may name a tokenizer on the Hub; the others have CLIP's.

    Raises
    ------
    CheckpointError
        As :func:`open_clip_config`.
    EmoCLIPError
        As :func:`clip_tokenizer`.
    """
    text = open_clip_config(config)["text_cfg"]
    length = text.get("context_length", CONTEXT_LENGTH)
    name = text.get("hf_tokenizer_name")
    if name:
        from open_clip.tokenizer import HFTokenizer

        return HFTokenizer(_downloaded(name), context_length=length)
    tokenizer = clip_tokenizer()
    return lambda texts: tokenizer(texts, context_length=length)
