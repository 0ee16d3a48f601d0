"""A platform of amaranth-boards with some pins otherwise than it says."""

from typing import Any

__all__ = ["with_resources"]


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
