"""Fences: the cores whose hash, cells and cycles must not change unawares, and their hash."""

import hashlib
import json
from pathlib import Path

from amaranth.back import rtlil

from tritgrad.boards import BOARDS
from tritgrad.hw.core import Core
from tritgrad.model.config import CoreConfig

FENCES = Path(__file__).with_name("fences.json")


def fences() -> dict[str, dict[str, object]]:
    """The committed numbers, by the core's name."""
    return json.loads(FENCES.read_text())["cores"]


def core_config(name: str, fence: dict[str, object]) -> CoreConfig:
    """The configuration of a fence: its own, or that of the board it is named after."""
    return CoreConfig(**fence["config"]) if "config" in fence else BOARDS[name].config


def rtlil_sha256(config: CoreConfig) -> str:
    """Hash of a core as Amaranth writes it, which its Verilog and its cells follow from."""
    text = rtlil.convert(Core(config), name="tritgrad_core", emit_src=False)
    return hashlib.sha256(text.encode()).hexdigest()
