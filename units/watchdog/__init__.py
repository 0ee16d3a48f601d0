"""The watchdog: a core that owes an answer and makes no progress for long is reset.

An upset in a state machine can leave a unit that never ends, or a link that waits for one, which no
frame reaches any more. After the reset the core answers as after power-up; the host takes it for
one that was switched off, loads its last snapshot, and repeats from there.
"""

from ..record import Option, Unit

__all__ = ["WATCHDOG"]

WATCHDOG = Unit(
    name="watchdog",
    title="with a watchdog",
    options=(Option(
        "watchdog", "Reset the core when it has owed an answer for 2^N cycles without progress, "
                    "more than any instruction takes; 24 are 0.7 s at 24 MHz.",
        default=0, limits=(0, 31), trial=24),),
    circuit="Watchdog",
    sockets=("guard",),
)
