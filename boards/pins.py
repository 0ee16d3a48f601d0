"""A platform of amaranth-boards with some pins otherwise than it says."""

from typing import Any

__all__ = ["with_resources", "with_two_lines"]


def with_resources(platform: type, *resources: Any) -> Any:
    """A subclass of a platform in which these resources stand in for those of their names.

    Parameters
    ----------
    platform
        An Amaranth platform.
    resources
        Of `amaranth.build`; each with the name and number of one that the platform has.

    Raises
    ------
    ValueError
        The platform has none of that name and number: it has changed, and so must we.
    """
    changed = {(resource.name, resource.number): resource for resource in resources}
    listed = platform.resources  # type: ignore[attr-defined]
    missing = changed.keys() - {(resource.name, resource.number) for resource in listed}
    if missing:
        raise ValueError(f"{platform.__name__} has no {', '.join(map(str, sorted(missing)))}")
    return type(platform.__name__, (platform,), {"resources": [
        changed.get((resource.name, resource.number), resource) for resource in listed]})


def with_two_lines(platform: type) -> Any:
    """A subclass of a platform whose flash, ``spi_flash_1x``, may send data by `copi` too.

    In the resource that amaranth-boards has for that, both lines are pins of one port; Yosys 0.70
    joins the one of them that is only read with the ground of a Gowin's netlist.
    """
    from amaranth.build import Pins, Resource, Subsignal

    flash = next(resource for resource in platform.resources  # type: ignore[attr-defined]
                 if (resource.name, resource.number) == ("spi_flash_1x", 0))
    ios = [Subsignal(io.name, Pins(" ".join(io.ios[0].names), dir="io"))
           if io.name == "copi" else io for io in flash.ios]
    return with_resources(platform, Resource(flash.name, 0, *ios, flash.attrs))
