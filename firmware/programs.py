"""The programs: one function a program, each returns source text for the assembler.

A learning rule is such a program. `samples` is how many samples one run takes.
"""

from .assembler import assemble

__all__ = ["PROGRAMS", "infer", "train"]


def infer(layers: int, samples: int) -> list[int]:
    """Forward every sample and send its prediction and scores."""
    forward = "\n".join(f"        FWD {layer}" for layer in range(1, layers + 1))
    return assemble(f"""
        COUNT samples
next:   RECV
{forward}
        SEND
        LOOP next
        HALT
    """, layers=layers, symbols={"samples": samples})


def train(layers: int, samples: int, margin: int) -> list[int]:
    """The margin rule: forward, compare, and where the margin is violated, backward and update."""
    numbers = range(1, layers + 1)
    forward = "\n".join(f"        FWD {layer}" for layer in numbers)
    backward = "\n".join(f"        BWD {layer}" for layer in reversed(numbers) if layer > 1)
    update = "\n".join(f"        UPD {layer}" for layer in numbers)
    return assemble(f"""
        COUNT samples
next:   RECV
{forward}
        ERR margin      ; sets the flag where the margin is violated
        SKIP done
{backward}
{update}
done:   LOOP next
        HALT
    """, layers=layers, symbols={"samples": samples, "margin": margin})


PROGRAMS = {"infer": infer, "train": train}
