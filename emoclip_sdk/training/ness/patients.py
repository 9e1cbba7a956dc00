"""Names of patients: which ways of writing are one person's, and which have to be asked about."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["patient_name", "same_patient_key"]


def patient_name(text: str) -> str:
    """Return a name as it looks: what nobody can see makes no other patient of it.

    Composed and decomposed letters, full-width digits, zero-width characters and runs of blanks are
    alike.

    >>> patient_name("Zoe\u0308\u200b  0\uff11") == patient_name("Zo\u00eb 01")
    True
    """
    # Compatibility forms first: some of them are made of what is taken out next.
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc") or c == "\t")
    return " ".join(unicodedata.normalize("NFC", text).split())


def same_patient_key(name: str) -> str:
    """Return what two names share that may be one patient's.

    Case, what separates letters from digits or from each other, leading zeros and a spreadsheet's
    ``.0`` don't count. What separates two numbers does: ``1-12`` is not ``11-2``.

    >>> [same_patient_key(name) for name in ("P 01", "p-1", "P_01", "1.0", "01", "P1-2")]
    ['p1', 'p1', 'p1', '1', '1', 'p1-2']
    """
    key = re.sub(r"(?<![\d.])(\d+)\.0+(?![\d.])", r"\1", name.casefold())
    key = re.sub(r"[\W_]+", "-", key).strip("-")
    key = re.sub(r"(?<!\d)-|-(?!\d)", "", key)
    return re.sub(r"(?<!\d)0+(?=\d)", "", key)
