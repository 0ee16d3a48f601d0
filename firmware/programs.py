"""The programs: one function a program, each returns source text for the assembler.

A learning rule is such a program. `samples` is how many samples one run takes. A core with a trace
unit tells of each sample what it decided where `trace`, the operand of TRACE, is not 0.
"""

from collections.abc import Sequence

from .assembler import assemble

__all__ = ["CONV_FORMS", "infer", "judge", "purge", "scrub", "train", "train_fd", "train_spsa"]


#: A convolution in front of the network: none, whose kernels learn, or whose stay as they are.
CONV_FORMS = ("", "learns", "frozen")


def infer(layers: int, samples: int, trace: int = 0, front: bool = False) -> list[int]:
    """Forward every sample, with `front` an image, and send its prediction and scores."""
    opened, told = _tracing(layers, trace)
    return _forwarding(layers, samples, front, opened, f"        SEND\n{told}")


def judge(layers: int, samples: int, front: bool = False) -> list[int]:
    """Forward every sample, with `front` an image, and count those that are predicted right.

    ERR counts them; nothing that it marks is carried out, and nothing is sent.
    """
    return _forwarding(layers, samples, front, "", "        ERR 1")


def _forwarding(layers: int, samples: int, front: bool, before: str, behind: str) -> list[int]:
    """Forward every sample, with what comes before it and behind it."""
    before += "        CONV" if front else ""
    forward = "\n".join(f"        FWD {layer}" for layer in range(1, layers + 1))
    return assemble(f"""
        COUNT samples
next:   RECV
{before}
{forward}
{behind}
        LOOP next
        HALT
    """, layers=layers, symbols={"samples": samples})


def scrub(layers: int) -> list[int]:
    """Compare the trits of all rows with the sums that are kept of them."""
    rows = "\n".join(f"        SCRUB {layer}" for layer in range(1, layers + 1))
    return assemble(f"{rows}\n        HALT", layers=layers)


def purge(layers: int, purged: Sequence[int], cutoff: int, k: int) -> list[int]:
    """Purge some of the layers (from 1): with cutoff and k 0, only find their support."""
    rows = "\n".join(f"        PURGE {layer}" for layer in purged)
    return assemble(f"        CUTOFF limits\n{rows}\n        HALT", layers=layers,
                    symbols={"limits": cutoff | k << 16})


def train(layers: int, samples: int, margin: int, trace: int = 0, rest: bool = False,
          scale_refresh: int | None = None, front: str = "", wrong: int = 0) -> list[int]:
    """The margin rule: forward, compare, and where the margin is violated, backward and update.

    With `rest`, for a core that keeps its support, nothing is born outside it. With
    `scale_refresh` r, rows have scales: a sample that updated is a step, and every 2^r steps all
    factors are divided anew. `front` is one of `CONV_FORMS`: of a convolution in front, whose
    kernels learn too or stay as they are. `wrong` is added to the layers' gain exponents for a
    sample whose prediction is not its label.
    """
    opened, told = _tracing(layers, trace)
    opened += "        CONV" if front else ""
    first = f"        CUTOFF {1 << 20}" if rest else ""
    first += f"        BOOST {wrong}" if wrong else ""
    numbers = range(1, layers + 1)
    forward = "\n".join(f"        FWD {layer}" for layer in numbers)
    backward = "\n".join(f"        BWD {layer}" for layer in reversed(numbers)
                         if layer > 1 or front == "learns")
    update = "\n".join(f"        UPD {layer}" for layer in numbers)
    update += "\n        KERNELS" if front == "learns" else ""
    refresh = ""
    if scale_refresh is not None:
        scale = "\n".join(f"        SCALE {layer}" for layer in numbers)
        refresh = f"        SKIP on\n        REFRESH {scale_refresh}\n        SKIP on\n{scale}"
    return assemble(f"""
{first}
        COUNT samples
next:   RECV
{opened}
{forward}
        ERR margin      ; sets the flag where the margin is violated
        SKIP done
{backward}
{update}
done:
{told}
{refresh}
on:     LOOP next
        HALT
    """, layers=layers, symbols={"samples": samples, "margin": margin})


def _tracing(layers: int, mode: int) -> tuple[str, str]:
    """What opens a sample's record, and what tells of all layers and ends it."""
    if not mode:
        return "", ""
    tell = "\n".join(f"        TELL {layer}" for layer in range(1, layers + 1))
    return f"        TRACE {mode}", f"{tell}\n        TRACE 0"


def train_spsa(layers: int, samples: int, margin: int, steps: int, sparsity: int) -> list[int]:
    """Simultaneous perturbation: steps downhill along random directions, from losses alone.

    The samples of the run stay on the chip, at most as many as `CoreConfig.resident`.
    """
    numbers = range(1, layers + 1)
    forward = "\n".join(f"        FWD {layer}" for layer in numbers)
    update = "\n".join(f"        STEP {layer}" for layer in numbers)
    return assemble(f"""
        COUNT samples
fill:   RECV
        LOOP fill
        COUNT steps
next:   PROBE sparsity  ; trits + direction, first sample
pass:
{forward}
        LOSS margin     ; next sample; after all of them - direction, after that sets the flag
        SKIP pass
{update}
        LOOP next
        HALT
    """, layers=layers, symbols={"samples": samples, "margin": margin, "steps": steps,
                                 "sparsity": sparsity})


def train_fd(layers: int, samples: int, margin: int, steps: int) -> list[int]:
    """Finite differences: as `train_spsa`, but each step is of one weight, in turn.

    The PRNG's state is the place of the first one, see `tritgrad.model.discrete.walk`.
    """
    return train_spsa(layers, samples, margin, steps, sparsity=0)
