"""Cores to try, drawn from the units' records: whatever a record adds is in one of them."""

import itertools
import random
from collections.abc import Iterable, Iterator

from ..errors import ConfigError
from ..firmware.store import Kind
from ..model.config import CoreConfig
from ..units import UNITS
from ..units.registry import CHOICES, OPTIONS, implied, refused_pairs

__all__ = ["CORES", "IMAGES", "ODD", "SMALL", "STORED", "random_units", "trial_cores"]

#: So small that limits are met often, of powers of two, and of hardly any.
SMALL = CoreConfig(
    lanes=4, banks=2, update_lanes=2, counter_bits=8, activation_bits=3, input_planes=3,
    max_layers=3, max_inputs=40, max_neurons=30, max_classes=9, trit_depth=64,
    residual_depth=256, hidden_depth=16, program_depth=16, slot_bytes=128)
ODD = CoreConfig(
    lanes=6, banks=3, update_lanes=3, counter_bits=9, activation_bits=4, input_planes=1,
    max_layers=3, max_inputs=50, max_neurons=40, max_classes=12, trit_depth=100,
    residual_depth=300, hidden_depth=8, program_depth=30, slot_bytes=256, seeder=False)

#: Lanes that suit every unit.
EIGHT = {"lanes": 8, "update_lanes": 4}


def _on(fields: Iterable[str]) -> dict[str, int]:
    """Options at their trial values, with those that they need."""
    return {name: OPTIONS[name].trial for field in fields for name in sorted(implied(field))}


def together() -> Iterator[list[str]]:
    """Sets of options in which each pair that goes together is at least once."""
    refused = refused_pairs()
    added = [name for name, option in CHOICES.items() if not option.default]
    left = {pair for pair in itertools.combinations(added, 2) if frozenset(pair) not in refused}
    while left:
        chosen = list(min(left, key=lambda pair: [added.index(name) for name in pair]))
        for name in added:
            if name not in chosen and not any(frozenset((name, other)) in refused
                                              for other in chosen):
                chosen.append(name)
        left -= {pair for pair in left if set(pair) <= set(chosen)}
        yield chosen


def trial_cores() -> dict[str, CoreConfig]:
    """Cores by name: without any unit's option, with or without each unit, and with many.

    Units with neither instructions nor memories for the link are in the last ones only.
    """
    cores = {"small": SMALL}
    for unit in (unit for unit in UNITS if unit.ops or unit.windows):
        option = unit.options[0]
        changes = {option.name: option.absent} if option.default else _on([unit.field])
        name = option.off.partition("-")[0] or unit.name
        cores[name] = SMALL.changed(**dict(unit.trial_sizes) | changes)
        for more in unit.options[1:] if unit.whole else ():
            if more.default:  # it need not be given
                cores[more.name] = cores[name].changed(**{more.name: more.trial})
    for number, chosen in enumerate(together(), 1):
        try:
            core = ODD.changed(**_on(chosen))
        except ConfigError:  # its lanes suit not every unit
            core = SMALL.changed(program_depth=ODD.program_depth, **_on(chosen))
        cores[f"together-{number}"] = core
    return cores


#: The cores that the link is attacked on.
CORES = trial_cores()
#: A core with a RAM, so small that records wrap at its end.
STORED = SMALL.changed(store=Kind.RAM, store_bits=9)
#: One that shifts images of it, before a network and before a convolution.
IMAGES = {
    "images": STORED.changed(store_shift=2, store_rows=9, store_columns=4, store_planes=2),
    "images-conv": CORES["conv"].changed(
        store=Kind.RAM, store_bits=9, store_shift=1, store_rows=CORES["conv"].conv_rows,
        store_columns=CORES["conv"].conv_columns, store_planes=CORES["conv"].conv_planes)}


def random_units(rng: random.Random, config: CoreConfig, first: Iterable[str] = (),
                 chance: float = 0.4) -> CoreConfig:
    """A configuration with some options of units.

    Parameters
    ----------
    rng
        Decides.
    config
        Without any.
    first
        Fields that are certainly on, if need be with other lanes; ones that do not go
        with those before them are left away.
    chance
        Of each other one, if it goes with those before it.
    """
    wanted = list(first)
    # Each option has a number of its own, so that a new one leaves most cases as they were.
    base = rng.getrandbits(32)
    drawn = sorted((random.Random(f"{base} {name}").random(), name)
                   for name, option in CHOICES.items() if not option.default)
    others = [name for number, name in drawn if number < chance]
    for name in [*wanted, *others]:
        changes = _on([name])
        lanes = rng.choice([1, 2, 4, 8, 16])
        other = {"lanes": lanes, "update_lanes": rng.choice([max(1, lanes // 4), lanes])}
        for sizes in ({}, other, EIGHT) if name in wanted else ({},):
            try:
                config = config.changed(**sizes | changes)
            except ConfigError:
                continue
            break
    return config
