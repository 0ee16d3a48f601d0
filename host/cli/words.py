"""Messages in the words of the command line: options, where records speak of their fields."""

import re
from collections.abc import Sequence

import click

__all__ = ["in_options"]

#: Fields that no option has the name of, and what the user says for them.
PHRASES = {
    "every of pruning": "EVERY of --prune",
    "cutoff of pruning": "CUTOFF of --prune",
    "shift augmentation": "--shift-augment",
}
#: What follows a field that is spoken of; a word like "label" is also just a word.
SPOKEN_OF = r"(?= (?:must\b|goes\b|\(|where\b|is (?:True\b|False\b|-?\d)|-?\d))"


def in_options(message: str, parameters: Sequence[click.Parameter]) -> str:
    """The message with the names of options where those of their fields stood.

    Parameters
    ----------
    message
        Of an error; fields that have no option stay as they are.
    parameters
        Those of the command.
    """
    for phrase, words in PHRASES.items():
        message = re.sub(rf"^{phrase}\b", words, message)
    for parameter in parameters:
        if not isinstance(parameter, click.Option) or not parameter.name:
            continue
        name, option = parameter.name, max(parameter.opts, key=len)
        for off in parameter.secondary_opts:  # a flag that is there unless it is switched off
            message = re.sub(rf"(?<![-\w]){name} is False\b", f"{off} is given", message)
        pattern = name if "_" in name else name + SPOKEN_OF
        message = re.sub(rf"(?<![-\w/.'\"]){pattern}(?![-\w/.])", option, message)
    message = re.sub(r"(?<=\S) must be False where (?=--)", " must be left away where ", message)
    message = re.sub(r"(--\S+) is True\b", r"\1 is given", message)
    return re.sub(r"(--\S+) is False\b", r"\1 is not given", message)
