"""Data sets of IDX files by name: their classes, where they are published, how files are called."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import BadInput

__all__ = ["FILES", "HASHES", "IMAGE_SETS", "MIRRORS", "class_words", "emnist_part", "find_files"]

#: Images and labels of the training set, then of the test set.
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
         "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

EMNIST = ("balanced", "byclass", "bymerge", "digits", "letters", "mnist")
#: Data sets that are found by name.
IMAGE_SETS = ("mnist", "fashion-mnist", "kmnist", "qmnist", *(f"emnist-{p}" for p in EMNIST))

MIRRORS = {
    "mnist": ("https://ossci-datasets.s3.amazonaws.com/mnist/",
              "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    "fashion-mnist": ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
}

#: SHA-256 of the published .gz files, in the order of `FILES`.
HASHES = {
    "mnist": ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
              "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
              "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
              "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    "fashion-mnist": ("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                      "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                      "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                      "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
}

DIGITS = tuple("0123456789")
UPPER = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
#: What the labels from 0 stand for. Merged EMNIST has no small letter that looks like its capital.
WORDS = {
    "mnist": DIGITS,
    "qmnist": DIGITS,
    "fashion-mnist": ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                      "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    "kmnist": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    "emnist-digits": DIGITS,
    "emnist-mnist": DIGITS,
    "emnist-letters": ("0", *UPPER),  # its labels count from 1
    "emnist-byclass": (*DIGITS, *UPPER, *(letter.lower() for letter in UPPER)),
    "emnist-balanced": (*DIGITS, *UPPER, *"abdefghnqrt"),
    "emnist-bymerge": (*DIGITS, *UPPER, *"abdefghnqrt"),
}

#: A file of a set: what stands before, the part, what it holds.
FILE = re.compile(r"(?P<set>.*?)(?P<part>train|t10k|test)[-_](?P<kind>images|labels)"
                  r"([-.]idx\d)?([-.](ubyte|int|byte))?(\.gz)?\Z")
#: Folders below the given one in which files are looked for, as torchvision and archives put them.
DEPTH = 3


@dataclass(frozen=True)
class _Found:
    path: Path
    prefix: str
    place: int


def class_words(name: str) -> tuple[str, ...]:
    """Names of the labels from 0 to 255: beyond the known ones their numbers."""
    words = WORDS[name]
    return words + tuple(str(i) for i in range(len(words), 256))


def emnist_part(paths: Sequence[Path]) -> str | None:
    """The EMNIST data set that the files are by their names, ``emnist-letters`` and such."""
    for path in paths:
        match = re.match(r"emnist-(\w+)-", path.name)
        if match and match.group(1) in EMNIST:
            return f"emnist-{match.group(1)}"
    return None


def find_files(folder: Path, name: str) -> list[Path | None]:
    """The four files of `FILES` in a folder or in folders in it; None for each that is not there.

    Files with ``test`` for ``t10k``, with a dot for the hyphen, and with the set's name before
    (``emnist-letters-train-images-idx3-ubyte.gz``) are known. Of several sets in a folder it is
    the one of that name, or the one without a name before; raises `BadInput` if there is none.
    """
    files = [path for path in sorted(_walk(folder, DEPTH)) if path.is_file()]
    known = [_Found(path, match["set"].strip("-_"),
                    2 * (match["part"] != "train") + (match["kind"] == "labels"))
             for path in files if (match := FILE.match(path.name))]
    prefixes = {found.prefix for found in known}
    prefix = next((p for p in (name, "") if p in prefixes), min(prefixes, default=""))
    if len(prefixes) > 1 and prefix not in (name, ""):
        raise BadInput(f"{folder} holds the data sets {', '.join(sorted(prefixes))}; {name} is "
                       f"none of them")
    fitting = [found for found in known if found.prefix == prefix]
    nearest = sorted(fitting, key=lambda found: (len(found.path.parts), found.path.suffix == ".gz"))
    return [next((f.path for f in nearest if f.place == place), None) for place in range(4)]


def _walk(folder: Path, depth: int) -> list[Path]:
    try:
        inside = list(folder.iterdir())
    except OSError:
        return []
    below = [path for sub in inside if depth and sub.is_dir() and not sub.name.startswith(".")
             for path in _walk(sub, depth - 1)]
    return inside + below
