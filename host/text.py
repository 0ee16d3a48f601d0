"""Names that come from outside, as they may be shown."""

import unicodedata

__all__ = ["visible"]

#: Kinds of characters that do something instead of being seen: control and format characters,
#: halves of surrogate pairs, line and paragraph separators.
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def visible(text: object) -> str:
    """The text with what a terminal or a font would act on, or cannot take, written as an escape.

    Letters of all scripts and all kinds of blanks stay as they are.
    """
    return "".join(_escape(c) if unicodedata.category(c) in UNSEEN else c for c in str(text))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
