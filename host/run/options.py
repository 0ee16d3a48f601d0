"""Everything that decides a training run, as one record that a checkpoint keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, ConfigError
from ...model.config import CoreConfig, ceil_div
from ...model.convolution.shape import Convolution
from ...model.front import core_fields
from ...model.moves import Moves
from ...model.recipe import Recipe
from ...option import with_options
from ...rules import SETTINGS, rule_named
from ...rules.method import Method, checked_program, method_of
from ...rules.record import OWN, Rule
from ...units.registry import recipe_fields, unit_of, wanted
from ..data.codings.spec import check_encode
from ..data.datasets import Dataset, load
from ..data.idx_names import IMAGE_SETS
from ..data.reading import Reading
from ..device.address import board_and_port
from .defaults import adapted, default_epochs
from .going_on import EPOCHS, Origin, gains_of_the_end
from .kept import check_size
from .mixing import sequence
from .network_checks import check_convolution, check_network, convolution
from .option_list import BY_NAME, FIRST, TRAIN

__all__ = ["AUTO", "DEVICES", "TrainOptions", "data_path",
           "parse_integers", "suitable_update_lanes"]

DEVICES = ("sim", "model")
#: The coding that follows from the data, see `tritgrad.host.run.auto`.
AUTO = "auto"

#: Update lanes of the default core; fewer lanes than that have as many as divide them.
UPDATE_LANES = 16


@dataclass(frozen=True)
@with_options(TRAIN)
class TrainOptions:
    """The options of ``tritgrad train``; None stands for the default that follows from the data.

    Two runs with equal options, device and core aside, end in the same state.

    Parameters
    ----------
    """

    #: May differ when a run is continued: all devices compute the same, and folders move. Whether
    #: the data are the same is told by their hash.
    FREE = tuple(option.name for option in TRAIN if option.free)

    def __post_init__(self) -> None:
        _ = self.reading
        self._check_values()
        check_convolution(self)
        if self.conv is not None and self.encode in (None, AUTO) and self.planes is None:
            object.__setattr__(self, "encode", "planes:2")
        if self.device not in DEVICES and board_and_port(self.device) is None:
            raise BadInput(f"device must be {', '.join(DEVICES)}, BOARD@PORT or @PORT, "
                           f"not {self.device!r}")
        self._check_rule(self.learned_by)
        if self.encode is not None and self.planes is not None:
            raise BadInput(f"--planes {self.planes} goes without --encode {self.encode}; for so "
                           f"many bits give --encode planes:{self.planes}")
        if self.encode is not None and self.encode != AUTO:
            check_encode(self.encode)
        _ = self.moves
        self._check_replay()

    def _check_values(self) -> None:
        """Refuse what an option cannot be."""
        for name, option in BY_NAME.items():
            value = getattr(self, name)
            if name == "rule" and value == OWN and self.program is not None:
                continue
            if (fault := option.fault(value)) is not None:
                raise BadInput(fault)

    def _check_replay(self) -> None:
        if self.replay is None:
            return
        if self.replay.isdecimal():
            check_size(int(self.replay))
        elif self.from_model is None:
            raise BadInput(f"--replay {self.replay}: old rows of a file go with --from MODEL; a "
                           f"new model keeps --replay N of its rows")

    def _check_rule(self, rule: Rule) -> None:
        """Refuse options that the rule does not have."""
        if not rule.device and self.device != "model":
            raise BadInput(f"--rule {rule.name} runs on --device model only, not on {self.device}")
        for name, why in rule.lacks.items():
            if getattr(self, name) != BY_NAME[name].default:
                raise BadInput(f"{_said(rule)} " + (
                    why or f"has no {BY_NAME[name].flags}; leave it away"))
        own = {setting.name: setting for setting in rule.settings}
        for name in SETTINGS:
            value = getattr(self, name)
            if value is None:
                continue
            setting = own.get(name)
            if setting is None or (setting.beside and getattr(self, setting.beside) in (None, 1)):
                raise BadInput(f"{_said(rule)} has no --{name}; leave it away")
        if rule.source:
            kept = {unit_of(field).name for field, value in wanted(self).items() if value}
            checked_program(rule, len(self.hidden) + 1, kept=kept)

    @property
    def reading(self) -> Reading:
        """How files are read and rows split."""
        return Reading(**{name: getattr(self, name) for name in Reading.__dataclass_fields__})

    @cached_property
    def learned_by(self) -> Rule:
        """The rule."""
        if self.program is not None:
            return Rule(OWN, "by a program", source=self.program, text=self.program_text or "")
        found = rule_named(self.rule)
        assert found is not None  # as was checked
        return found

    def method(self, recipe: Recipe) -> Method:
        """The rule with its numbers, for a network."""
        rule = self.learned_by
        given = {setting.name: getattr(self, setting.name) for setting in rule.settings}
        return method_of(rule, recipe, {name: value for name, value in given.items()
                                        if value is not None})

    @cached_property
    def origin(self) -> Origin | None:
        """The model that the run goes on from, if it does."""
        if self.from_model is None:
            return None
        return Origin.open(self.from_model, self.from_sha256, self.classes)

    def load_data(self) -> Dataset:
        """The data set that these options name."""
        rows: dict[str, Any] = {
            "data_dir": self.data_dir, "test": self.test, "test_fraction": self.test_fraction,
            "limit": self.limit, "val_fraction": self.val_fraction, "reading": self.reading}
        if self.origin is None:
            data = load(self.dataset, planes=self.planes,
                        encode=None if self.encode == AUTO else self.encode, **rows)
        else:
            data = self.origin.load(self.dataset, **rows)
            if self.replay is not None:
                data = data.replaying(*self.origin.old_rows(self.replay, self.reading))
        if self.moves and data.image_shape is None:
            raise BadInput(f"--shift-augment and --augment are for images; {data.name} has plain "
                           "features")
        return data

    @property
    def moves(self) -> Moves:
        """How far images are moved, of the epochs that are not clean."""
        return Moves.parse(self.augment or "", self.shift_augment)

    @property
    def steady(self) -> bool:
        """Whether the gains are those of the end of the model that the run goes on from."""
        return self.from_model is not None and self.gain is None and self.output_gain is None

    def planned(self, recipe: Recipe) -> int:
        """Epochs of a run with this recipe, without `more_epochs`."""
        if not self.steady:
            return recipe.epochs
        return EPOCHS if self.epochs is None else self.epochs

    def gains_in(self, recipe: Recipe, epoch: int) -> tuple[int, ...]:
        """The gain exponents in force in an epoch of the run, from 0."""
        return gains_of_the_end(recipe) if self.steady else recipe.gains_in(epoch)

    def order_in(self, data: Dataset, epoch: int) -> npt.NDArray[np.int64]:
        """Training rows in the order of an epoch, from 0."""
        return sequence(self.seed, epoch, len(data.x_train) - data.replayed, data.replayed,
                        self.order)

    def plain_recipe(self, layers: Sequence[int], planes: int) -> Recipe:
        """Sizes and formats of a network with such layers, with default numbers."""
        return Recipe.default(layers, planes, counter_bits=self.counter_bits)

    def recipe(self, data: Dataset) -> Recipe:
        """Network and numbers for this data set."""
        if self.origin is not None:
            if self.epochs is not None and self.epochs < 1:
                raise BadInput(f"--epochs must be at least 1, not {self.epochs}")
            return self.origin.recipe(self.seed, self.margin, self.gain, self.output_gain,
                                      self.floor, self.epochs)
        gain, output_gain = self.gain, self.output_gain
        if self.learned_by.gain is not None:
            gain = output_gain = self.learned_by.gain if gain is None else gain
        check_network(self)
        conv = convolution(self, data)
        inputs, bits = (data.inputs, data.planes) if conv is None else (conv.outputs, conv.bits)
        recipe = Recipe.default(
            (inputs, *self.hidden, data.classes), bits,
            counter_bits=self.counter_bits, seed=self.seed, margin=self.margin, gain=gain,
            epochs=default_epochs(data) if self.epochs is None else self.epochs,
            output_gain=output_gain, shifts=self.act_shift,
            floor=self.floor, conv=conv, wrong=self.wrong, **recipe_fields(self))
        if self.learned_by.gain is not None or not self.learned_by.device or conv is not None:
            return recipe
        return adapted(recipe, data, margin=self.margin is None, shifts=self.act_shift is None,
                       floor=self.floor is None)

    def core(self, layers: Sequence[int], planes: int,
             conv: Convolution | None = None) -> CoreConfig:
        """The core that a simulation of such a network compiles, behind a convolution perhaps.

        A row of its images fits into the lanes: there are more if need be.
        """
        lanes, more = self.lanes, {}
        if conv is not None:
            lanes = max(lanes, 4 * ceil_div(conv.columns, 4))
            more = core_fields(conv, lanes)
            planes = max(planes, conv.planes)
        plain = replace(self.plain_recipe(layers, planes), **recipe_fields(self))
        fields = {**wanted(self), **more, **self.method(plain).core()}
        try:
            return CoreConfig.for_network(
                layers, planes, lanes=lanes, banks=self.banks, counter_bits=self.counter_bits,
                update_lanes=suitable_update_lanes(lanes, self.update_lanes), **fields)
        except ConfigError as error:
            if not str(error).split()[0].endswith("_depth"):
                raise
            raise BadInput(f"no core of {self.banks} x {lanes} lanes holds the network "
                           f"{'-'.join(map(str, layers))} ({error}); lower --hidden, raise "
                           "--banks or --lanes, or take --device model") from None

    def as_json(self) -> dict[str, Any]:
        """The record in JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "TrainOptions":
        """The inverse of `as_json`."""
        if wrong := {*FIRST} - {*stored} | {*stored} - {*BY_NAME}:
            raise ValueError(f"options {sorted(wrong)}")
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value
                                  for name, value in stored.items()}
        return cls(**values)


def _said(rule: Rule) -> str:
    """The option that the rule was asked for with."""
    return f"--program {rule.source}" if rule.source else f"--rule {rule.name}"


def suitable_update_lanes(lanes: int, wanted: int | None) -> int:
    """Update lanes as wanted, or the most that divide the lanes, 16 at most."""
    if wanted is not None:
        return wanted
    return next((u for u in range(UPDATE_LANES, 1, -1) if lanes > 0 and lanes % u == 0), 1)


def parse_integers(name: str, text: str) -> tuple[int, ...]:
    """Integers separated by commas. Raises `BadInput` that names the option."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"{name} must be integers separated by commas, not {text!r}") from None


def data_path(name: str | None) -> str | None:
    """The name of a data set as it is, a file or folder as an absolute path."""
    if name is None or name in ("digits", *IMAGE_SETS):
        return name
    return str(Path(name).expanduser().absolute())
