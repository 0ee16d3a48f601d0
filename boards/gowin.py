"""Gowin platforms of amaranth-boards with the tools that exist today.

Amaranth 0.5 calls nextpnr-gowin, which himbaechel has replaced; its command line differs.
"""

from typing import Any

__all__ = ["with_himbaechel"]


def with_himbaechel(platform: type) -> Any:
    """A subclass of a Gowin platform whose build script calls nextpnr-himbaechel.

    Parameters
    ----------
    platform
        A `GowinPlatform`.
    """
    class Himbaechel(platform):  # type: ignore[misc, valid-type]
        _apicula_required_tools = ["yosys", "nextpnr-himbaechel", "gowin_pack"]
        _apicula_command_templates = [
            platform._apicula_command_templates[0],  # type: ignore[attr-defined]
            r"""
            {{invoke_tool("nextpnr-himbaechel")}}
                {{quiet("--quiet")}}
                {{get_override("nextpnr_opts")|options}}
                --log {{name}}.tim
                --device {{platform.part}}
                --vopt family={{platform._chipdb_device}}
                --vopt cst={{name}}.cst
                --json {{name}}.syn.json
                --write {{name}}.pnr.json
            """,
            platform._apicula_command_templates[2],  # type: ignore[attr-defined]
        ]

    Himbaechel.__name__ = platform.__name__
    return Himbaechel
