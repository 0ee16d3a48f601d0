"""Training from losses: resident samples, passes with a direction added to the trits, and steps
along it (`model.discrete.perturbed`)."""

from ...firmware import programs
from ...firmware.isa import Op
from ..record import Config, Memory, Option, Unit, bits_of

__all__ = ["PERTURB"]


def _power(config: Config) -> str | None:
    if config.resident & (config.resident + 1):
        return f"resident must be 0 or one less than a power of two, not {config.resident!r}"
    return None


def _chunks(config: Config) -> str | None:
    if config.lanes % 16 and 16 % config.lanes:
        return (f"resident must be 0 where lanes neither divide 16 nor are a multiple of it "
                f"({config.lanes}), not {config.resident!r}")
    return None


def _memories(c: Config) -> tuple[Memory, ...]:
    slots, words = c.resident + 1, c.max_input_words
    entry = bits_of(range(words)) + c.input_planes * (1 + c.lanes)
    return (
        Memory("samples", "resident", slots << (words - 1).bit_length(), entry,
               "engine.inputs.memory"),
        Memory("labels of samples", "resident", slots, 8 + bits_of(range(words + 1)),
               "engine.inputs.heads"),
        Memory("direction, rows", "hidden_depth", c.output_words * c.lanes, 32,
               "engine.perturb.places.rows"),
        Memory("direction, columns", "max_inputs", c.hidden_depth + words, 32,
               "engine.perturb.places.words", c.chunks),
    )


PERTURB = Unit(
    name="perturb",
    title="with resident samples",
    options=(Option(
        "resident", default=0, limits=(0, 1023), trial=3, code="H",
        help="Keep a mini-batch of N samples on the chip, one less than a power of two, for train "
             "--rule spsa and fd; 0 is without. Lanes must divide 16 or be a multiple of it."),),
    needs={"trainable": "STEP is the update unit's"},
    excludes={
        "trace": "a record is one sample's, LOSS and STEP decide of a whole batch",
        "update_rows": "STEP moves one row at a time",
    },
    checks=(_power, _chunks),
    ops=(Op.PROBE, Op.LOSS, Op.STEP),
    circuit="Perturb",
    golden="Perturb",
    sockets=("dispatch", "words", "rows", "along", "decision", "prng", "inputs"),
    memories=_memories,
    trial_sizes={"program_depth": 24},
    trial_programs=lambda rng, layers, samples: (programs.train_spsa(
        layers, samples, 1 << rng.randrange(23), rng.randint(1, 3), rng.randint(1, 6)),),
    record={"rest": lambda c: range(c.lanes)},
)
