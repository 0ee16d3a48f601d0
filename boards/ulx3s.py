"""What the ULX3S boards' platforms have in common."""

from typing import Any

from .pins import with_resources

__all__ = ["with_pull_up"]


def with_pull_up(platform: type) -> Any:
    """A ULX3S platform whose line reads as idle while nothing drives it, not as a long break."""
    from amaranth.build import Attrs
    from amaranth_boards.resources import UARTResource

    return with_resources(platform, UARTResource(
        0, rx="M1", tx="L4", rts="M3", dtr="N1", role="dce",
        attrs=Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")))
