"""The programs: one function a program, each returns source text for the assembler.

A learning rule is such a program. `samples` is how many samples one run takes. A core with a trace
unit tells of each sample what it decided where `trace`, the operand of TRACE, is not 0.
"""

from .assembler import assemble

__all__ = ["PROGRAMS", "infer", "scrub", "train"]


def infer(layers: int, samples: int, trace: int = 0) -> list[int]:
    """Forward every sample and send its prediction and scores."""
    opened, told = _tracing(layers, trace)
    forward = "\n".join(f"        FWD {layer}" for layer in range(1, layers + 1))
    return assemble(f"""
        COUNT samples
next:   RECV
{opened}
{forward}
        SEND
{told}
        LOOP next
        HALT
    """, layers=layers, symbols={"samples": samples})


def scrub(layers: int) -> list[int]:
    """Compare the trits of all rows with the sums that are kept of them."""
    rows = "\n".join(f"        SCRUB {layer}" for layer in range(1, layers + 1))
    return assemble(f"{rows}\n        HALT", layers=layers)


def train(layers: int, samples: int, margin: int, trace: int = 0) -> list[int]:
    """The margin rule: forward, compare, and where the margin is violated, backward and update."""
    opened, told = _tracing(layers, trace)
    numbers = range(1, layers + 1)
    forward = "\n".join(f"        FWD {layer}" for layer in numbers)
    backward = "\n".join(f"        BWD {layer}" for layer in reversed(numbers) if layer > 1)
    update = "\n".join(f"        UPD {layer}" for layer in numbers)
    return assemble(f"""
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
        LOOP next
        HALT
    """, layers=layers, symbols={"samples": samples, "margin": margin})


def _tracing(layers: int, mode: int) -> tuple[str, str]:
    """What opens a sample's record, and what tells of all layers and ends it."""
    if not mode:
        return "", ""
    tell = "\n".join(f"        TELL {layer}" for layer in range(1, layers + 1))
    return f"        TRACE {mode}", f"{tell}\n        TRACE 0"


PROGRAMS = {"infer": infer, "scrub": scrub, "train": train}
