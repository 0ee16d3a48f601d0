"""One form of an option, from which all that knows it is made.

The record of a unit, a rule, or of a part of a run lists its options in this form. Made from it are
the field of the class that holds it (`with_options`), with its check and its text; the option of
the command line (`host.cli.made`); and the parameter of the estimator (`host.api.options`).
"""

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["Option", "listed", "with_options"]

Class = TypeVar("Class", bound=type)

#: What a value of each kind is called, one and several.
WORDS = {bool: ("a bool", "bools"), int: ("an integer", "integers"), float: ("a number", "numbers"),
         str: ("text", "texts")}


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: ``a, b or c``."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


@dataclass(frozen=True)
class Option:
    """An option.

    Parameters
    ----------
    name
        The field.
    help
        What it does, in sentences for the command line, where ``{range}`` stands for `limits`; ""
        for what nobody gives, as it follows from others.
    default
        Its value where it is not given; False makes it a switch, None is what follows from
        something else, as `help` says.
    kind
        bool, int, float or str; by default that of `default`, `limits` or `choices`.
    limits
        Least and most of a number; None for no most.
    choices
        The texts that it may be.
    many
        Whether it is several values, separated by commas; by default whether `default` is.
    count
        How many values, if that is fixed.
    metavar
        What stands for its value in the help.
    opt
        The option on the command line, if it is not called as the field.
    off
        Name of the option that leaves it away, where it is there by default.
    repeats
        Whether it may be given more than once, which adds up.
    beside
        The option without which it has no use.
    network
        Whether it decides what the network is: who goes on from a model has the model's.
    free
        Whether it may be another one when a run is continued.
    trial, code, sockets
        Of a core's option: a value with which tests build it in, its code of `struct` in the answer
        to HELLO, and what a core has more for it (`units.record.SOCKETS`), beside the sockets of
        its unit.
    """

    name: str
    help: str = ""
    default: Any = False
    limits: tuple[int, int | None] | None = None
    choices: tuple[str, ...] = ()
    kind: Any = None
    many: bool = False
    count: int = 0
    metavar: str = "N"
    opt: str = ""
    off: str = ""
    repeats: bool = False
    beside: str = ""
    network: bool = False
    free: bool = False
    trial: int = True
    code: str = "B"
    sockets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        one = self.default
        if isinstance(one, tuple):
            object.__setattr__(self, "many", True)
            one = one[0] if one else None
        if self.kind is None:
            kind = type(one) if one is not None else int if self.limits else str
            object.__setattr__(self, "kind", kind)
        assert self.kind in WORDS, self

    @property
    def flag(self) -> bool:
        """Whether it is a bool."""
        return self.kind is bool

    @property
    def flags(self) -> str:
        """How it is given on the command line."""
        return self.opt or "--" + self.name.replace("_", "-")

    @property
    def type(self) -> Any:
        """The type of its value, for annotations."""
        one: Any = self.kind
        if self.many:
            one = tuple[(one,) * self.count or (one, ...)]  # type: ignore[misc]
        return one | None if self.default is None else one

    @property
    def text(self) -> str:
        """Its help."""
        return self.help.replace("{range}", self._range(" to ") if self.limits else "")

    @property
    def absent(self) -> int:
        """The value of a core without it."""
        return False if self.flag else self.default

    @staticmethod
    def asks(value: Any) -> bool:
        """Whether a value of an option asks for something."""
        return value is not None and value is not False

    def fault(self, value: Any, name: str = "") -> str | None:
        """What is wrong with a value of it, under this name; None if it is one."""
        if value is None and self.default is None:
            return None
        values = value if self.many else (value,)
        if not isinstance(values, tuple) or not all(map(self._fits, values)):
            return f"{name or self.name} must be {self._rule()}, not {value!r}"
        if self.count and len(values) != self.count:
            return (f"{name or self.name} must be {self.metavar}, "
                    f"not {','.join(map(str, values))!r}")
        return None

    def parse(self, text: str, name: str = "", comma: str = ",") -> Any:
        """The value that a text says, its several ones separated by `comma`.

        Raises
        ------
        ValueError
            Says under this name what it must be.
        """
        try:
            if self.many:
                return tuple(self.kind(part.strip()) for part in text.split(comma))
            return {"yes": True, "no": False}[text] if self.flag else self.kind(text)
        except (KeyError, ValueError):
            how = {",": " separated by commas"}.get(comma, f" joined by {comma}")
            must = ("yes or no" if self.flag else WORDS[self.kind][1] + how if self.many
                    else WORDS[self.kind][0])
            raise ValueError(f"{name or self.flags} must be {must}, not {text!r}") from None

    def _fits(self, value: Any) -> bool:
        if isinstance(value, bool) or self.kind is bool:
            return isinstance(value, bool) and self.kind is bool
        if not isinstance(value, (int, float) if self.kind is float else self.kind):
            return False
        low, high = self.limits or (None, None)
        return ((low is None or value >= low) and (high is None or value <= high)
                and (not self.choices or value in self.choices))

    def _rule(self) -> str:
        if self.choices:
            return listed(self.choices)
        word = WORDS[self.kind][self.many]
        if self.limits is None or self.flag:
            return word
        return f"{word} {'of at least ' if self.limits[1] is None else 'from '}{self._range()}"

    def _range(self, to: str = " to ") -> str:
        low, high = self.limits or (0, 0)
        return str(low) if high is None else f"{low}{to}{high}"


def with_options(options: Iterable[Option]) -> Callable[[Class], Class]:
    """Give a class options: annotations with defaults, for `dataclass`, and texts.

    The texts go behind the parameters in its docstring, before "Raises". ``OPTIONS`` of the class
    are they, by name.
    """
    listing = {option.name: option for option in options}

    def give(cls: Class) -> Class:
        for name, option in listing.items():
            cls.__annotations__[name] = option.type
            setattr(cls, name, option.default)
        texts = "".join(
            f"{name}\n" + textwrap.fill(option.text or "Follows from others.", 96,
                                        initial_indent="    ", subsequent_indent="    ") + "\n"
            for name, option in listing.items())
        head, raises, rest = (cls.__doc__ or "").partition("\n    Raises\n")
        cls.__doc__ = head.rstrip() + "\n" + textwrap.indent(texts, "    ") + raises + rest
        setattr(cls, "OPTIONS", listing)  # noqa: B010 - a class of any type has none
        return cls
    return give
