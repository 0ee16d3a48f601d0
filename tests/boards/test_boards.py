"""The table of boards: rules that each row must keep, and the memory arithmetic behind it."""

import contextlib
import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from amaranth.build import ResourceError

from tritgrad.boards import BOARDS, find_board
from tritgrad.boards.memory import (
    BSRAM,
    DP16KD,
    EBR,
    SPRAM,
    check_fits,
    core_config,
    stores,
)
from tritgrad.errors import BadInput, ConfigError
from tritgrad.firmware.rates import SAFE_RATE
from tritgrad.model.config import ceil_div

REQUIRED = {"icebreaker", "icesugar", "ulx3s-12f", "ulx3s-25f", "ulx3s-85f", "icesugar-pro",
            "tang-nano-9k", "tang-primer-20k", "tang-nano-20k", "icepi-zero", "colorlight-i5",
            "colorlight-i9"}

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / "boards/reports"

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def test_the_boards_asked_for_are_there():
    assert set(BOARDS) >= REQUIRED


@each_board
def test_memories_fit(board):
    board.check()


@each_board
@pytest.mark.parametrize("number", range(2))
def test_networks_fit_the_configuration(board, number):
    if number >= len(board.networks):
        number = 0
    sizes, config = board.networks[number], board.config
    pairs = list(zip(sizes, sizes[1:], strict=False))
    assert sum(ceil_div(f, config.lanes) * ceil_div(n, config.banks)
               for f, n in pairs) <= config.trit_depth
    assert sum(ceil_div(f, config.lanes) * config.steps * n
               for f, n in pairs) <= config.residual_depth
    assert sum(ceil_div(n, config.lanes) for n in sizes[1:-1]) <= config.hidden_depth
    assert sizes[0] <= config.max_inputs and max(sizes[1:]) <= config.max_neurons
    assert sizes[-1] <= config.max_classes and len(pairs) <= config.max_layers


@each_board
def test_a_frame_holds_four_samples_of_mnist(board):
    assert board.config.slot_bytes >= 4 * (1 + 98) + 5


@each_board
def test_rates_begin_safe_and_reach_what_the_bridge_does(board):
    assert board.rates[0] == SAFE_RATE == 115_200
    # The bridges of iCELink and DAPLink are UARTs that run from 36 MHz, 16 times oversampled.
    slow = board.name.startswith(("icesugar", "colorlight"))
    # An FT2232H divides 12 MHz; an FT231X ends at 3 Mbaud, a Tang's bridge is no better.
    fast = 4_000_000 if board.name == "icebreaker" else 3_000_000
    assert board.rates[-1] == (2_000_000 if slow else fast)
    assert list(board.rates) == sorted(set(board.rates))


@each_board
def test_clock_is_made_exactly(board):
    assert round(board.pll.output_hz) == board.clock_hz  # in whole hertz
    assert board.pll.input_hz == board.input_hz


@each_board
def test_platform_has_the_clock_the_part_and_a_uart(board):
    platform = board.platform()
    assert platform.default_clk_frequency == board.input_hz
    part = getattr(platform, "part", None) or platform.device
    assert board.part.startswith(part)
    port = platform.request("uart", 0, dir="-")
    assert len(port.rx) == len(port.tx) == 1


#: SDRAMs: bits of data, of a row or column, and of the bank.
SDRAMS = {**dict.fromkeys(("ulx3s-12f", "ulx3s-25f", "ulx3s-85f", "icesugar-pro", "icepi-zero"),
                          (16, 13, 2)),
          **dict.fromkeys(("colorlight-i5", "colorlight-i9", "tang-nano-20k"), (32, 11, 2))}


@each_board
def test_the_sdram_of_a_board_has_pins(board):
    platform, found = board.platform(), None
    with contextlib.suppress(ResourceError):
        port = platform.request("sdram", 0, dir="-")
        found = len(port.dq), len(port.a), len(port.ba)
    assert found == SDRAMS.get(board.name)


@pytest.mark.parametrize(("name", "expected"), [
    ("icebreaker", (1, 3)), ("icesugar", (1, 3)), ("ulx3s-12f", (14, 36)), ("ulx3s-25f", (14, 36)),
    ("icesugar-pro", (14, 36)), ("ulx3s-85f", (56, 144)), ("tang-nano-9k", (6, 18)),
    ("tang-primer-20k", (16, 26)), ("tang-nano-20k", (16, 26)), ("icepi-zero", (14, 36)),
    ("colorlight-i5", (14, 36)), ("colorlight-i9", (24, 72))])
def test_blocks_of_weights_as_worked_out_by_hand(name, expected):
    assert tuple(store.blocks for store in BOARDS[name].stores[:2]) == expected


def test_rows_at_once_only_where_they_divide_the_banks_and_there_is_an_update():
    board = replace(BOARDS["ulx3s-85f"], sizes=BOARDS["ulx3s-85f"].sizes | {
        "banks": 24, "update_rows": 4})
    assert board.config.update_rows == board.resized(units={"watchdog": 24}).config.update_rows == 4
    for other in {"banks": 14}, {"infer_only": True}, {"units": {"trace": True}}:
        assert board.resized(**other).config.update_rows == 1
    assert BOARDS["ulx3s-85f"].resized(update_rows=2).config.update_rows == 2
    for asked, message in (
            ({"update_rows": 4},
             r"^update_rows must be 1, or 2 or 4 and divide banks \(14\), not 4$"),
            ({"update_rows": 2, "infer_only": True},
             "^update_rows must be 1 where trainable is False$"),
            ({"update_rows": 2, "units": {"trace": True}},
             "^trace must be False where update_rows is 2$"),
            ({"update_rows": 0}, "^update_rows must be at least 1, not 0$")):
        with pytest.raises(ConfigError, match=message):
            BOARDS["ulx3s-85f"].resized(**asked)


def test_networks_on_chip_are_those_promised():
    assert BOARDS["icebreaker"].networks[0] == (784, 128, 10)
    assert BOARDS["tang-nano-9k"].networks[0] == (784, 64, 10)
    assert BOARDS["ulx3s-25f"].networks[0] == (784, 128, 10)
    assert BOARDS["ulx3s-85f"].networks == ((784, 512, 10), (784, 128, 10))
    assert BOARDS["tang-primer-20k"].networks[0] == (784, 96, 10)
    assert BOARDS["colorlight-i9"].networks[0] == (784, 256, 10)


def test_powers_of_two_do_not_fit_the_ecp5():
    """32 x 16 and 32 x 8 lanes waste bits of each block; the sizes chosen are why it fits."""
    with pytest.raises(ConfigError, match="residual_depth"):
        BOARDS["ulx3s-85f"].resized(lanes=32, banks=16, update_lanes=32)
    with pytest.raises(ConfigError, match="residual_depth"):
        BOARDS["ulx3s-25f"].resized(lanes=32, banks=8, update_lanes=32)
    with pytest.raises(ConfigError, match="residual_depth"):
        BOARDS["tang-nano-9k"].resized(lanes=32, banks=4, update_lanes=32)


def test_what_does_not_fit_names_field_value_and_limit():
    with pytest.raises(ConfigError, match=r"residual_depth 49152 does not fit on icebreaker: 1 x "
                                          r"49152 words of 24 bits take 6 SPRAM, and 2 of 4 are "
                                          r"left for them; lower --hidden"):
        BOARDS["icebreaker"].resized(network=(784, 167, 10))


@pytest.mark.parametrize("sizes", [{"lanes": 0}, {"banks": -1}, {"update_lanes": 5}])
def test_sizes_no_core_can_have_are_refused(sizes):
    name = next(iter(sizes))
    with pytest.raises(ConfigError, match=name):
        BOARDS["ulx3s-25f"].resized(**sizes)


def test_other_lanes_bring_update_lanes_along():
    made = BOARDS["icebreaker"].resized(lanes=4, network=(784, 16, 10))
    assert (made.config.lanes, made.config.update_lanes) == (4, 4)
    assert made.networks == ((784, 16, 10),)


@pytest.mark.parametrize(("primitive", "depth", "width", "blocks", "shape"), [
    (DP16KD, 512, 36, 1, (512, 36)), (DP16KD, 513, 36, 2, (1024, 18)),
    (DP16KD, 16384, 1, 1, (16384, 1)), (DP16KD, 11414, 216, 138, (512, 36)),
    (BSRAM, 537, 72, 4, (1024, 18)), (EBR, 256, 16, 1, (256, 16)), (EBR, 257, 16, 2, (512, 8)),
    (SPRAM, 1, 1, 1, (16384, 16)), (SPRAM, 16385, 16, 2, (16384, 16)),
    (SPRAM, 25408, 24, 3, (32768, 8)), (SPRAM, 50816, 12, 3, (65536, 4))])
def test_block_arithmetic(primitive, depth, width, blocks, shape):
    assert primitive.blocks(depth, width) == blocks
    assert primitive.shape_for(depth, width) == shape
    assert primitive.filled(depth, width) % shape[0] == 0
    assert primitive.blocks(primitive.filled(depth, width), width) == blocks


def test_a_network_without_layers_is_refused():
    with pytest.raises(ConfigError, match="a network needs inputs and classes"):
        core_config([(784,)], DP16KD, lanes=4, banks=1, update_lanes=4)


def test_missing_primitive_is_no_room():
    config = core_config([(16, 8, 4)], SPRAM, lanes=4, banks=1, update_lanes=4)
    with pytest.raises(ConfigError, match="0 of 0 are left"):
        check_fits(config, stores(config, SPRAM, EBR), {"EBR": 30}, "a board")


def test_unknown_board_lists_the_known():
    with pytest.raises(BadInput, match="must be one of icebreaker, .*, not 'icebraker'"):
        find_board("icebraker")


def test_boards_are_listed_without_their_tools():
    code = ("import sys; sys.modules['amaranth'] = sys.modules['amaranth_boards'] = None\n"
            "from tritgrad.boards import BOARDS\n"
            "print(*(board.memory_map for board in BOARDS.values()))")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "SPRAM" in said.stdout


def test_a_core_that_only_infers_has_no_residuals():
    whole, made = BOARDS["ulx3s-25f"], BOARDS["ulx3s-25f"].resized(infer_only=True)
    assert not made.config.trainable
    names = {store.name for store in made.stores}
    assert [store.name for store in whole.stores if store.name not in names] == [
        "R (residuals)", "errors", "rows to update"]
    assert whole.lutram and not made.lutram
    # A network whose counters would not fit.
    BOARDS["ulx3s-25f"].resized(network=(784, 256, 10), infer_only=True)
    with pytest.raises(ConfigError, match="residual_depth"):
        BOARDS["ulx3s-25f"].resized(network=(784, 256, 10))


@pytest.mark.parametrize("name, network, message", [
    ("ulx3s-25f", (784, 128, 10), None), ("ulx3s-85f", (784, 512, 10), None),
    ("tang-nano-9k", (784, 56, 10), None), ("tang-nano-9k", (784, 64, 10), "are left for them")])
def test_memory_s_counts_where_rows_have_scales(name, network, message):
    if message is not None:
        with pytest.raises(ConfigError, match=message):
            BOARDS[name].resized(network=network, units={"scales": True})
        return
    made = BOARDS[name].resized(network=network, units={"scales": True})
    stores = [store for store in made.stores if store.name == "S (scales)"]
    assert made.config.scales and len(stores) == made.config.drain
    for store in stores:
        assert (store.memory.depth, store.memory.width) == (made.config.scale_depth, 56)
        assert store.blocks > 1


#: What each unit's memories are called.
ADDED = {"resident": {"labels of samples", "direction, rows", "direction, columns"},
         "row_sums": {"SUMS (row sums)"}, "support": {"SUPPORT"},
         "trace": {"steps to tell", "pieces of records"},
         "skip": {"activations (skip)", "errors (skip)"}}


@pytest.mark.parametrize("name, units", [
    ("icebreaker", {"resident": 3}), *((name, {unit: True}) for name in ("icebreaker", "ulx3s-85f")
                                       for unit in ("row_sums", "trace", "support", "skip"))])
def test_units_are_built_in_where_they_are_asked_for(name, units):
    made = BOARDS[name].resized(units=units)
    for field, value in units.items():
        assert getattr(made.config, field) == value != getattr(BOARDS[name].config, field)
    assert made.config.drain == (2 if name == "ulx3s-85f" else 1)
    assert made.config.update_rows == 1  # none of them takes several rows at once
    names = {store.name for store in made.stores} - {store.name for store in BOARDS[name].stores}
    assert names == ADDED[next(iter(units))]


@pytest.mark.parametrize("name, units, sizes, message", [
    ("icebreaker", {"resident": 1023}, {},
     (r"^resident 1023 does not fit on icebreaker: 1 x 131072 words of 43 bits take 1408 EBR, and "
      r"3 of 30 are left for them; lower --resident or leave it away$")),
    ("icebreaker", {"resident": 7}, {}, "^resident 7 does not fit on icebreaker: "),
    ("ulx3s-25f", {"resident": 1023}, {"lanes": 32, "network": (784, 64, 10)},
     r"^resident 1023 does not fit on ulx3s-25f: .* take \d+ LUT RAM, and \d+ of 6072 are left"),
])
def test_a_unit_whose_memories_do_not_fit_is_refused(name, units, sizes, message):
    with pytest.raises(ConfigError, match=message):
        BOARDS[name].resized(units=units, **sizes)


@pytest.mark.parametrize("units, network, blocks", [
    ({}, None, 21), ({"row_sums": True}, None, 23), ({"trace": True}, None, 24),
    ({"skip": True}, (784, 96, 96, 10), 25)])
def test_the_icebreakers_blocks_are_those_that_were_placed(units, network, blocks):
    """docs/boards.md has what nextpnr reported: with no other RAM, nothing is left to choose."""
    made = BOARDS["icebreaker"].resized(units=units, network=network)
    assert sum(store.blocks for store in made.stores if store.primitive == EBR) == blocks


@each_board
def test_the_estimate_is_no_more_than_what_was_placed(board):
    report = json.loads((REPORTS / f"{board.name}.json").read_text())
    for name, limit in board.fpga.blocks.items():
        blocks = sum(store.blocks for store in board.stores if store.primitive.name == name)
        assert report["resources"][name]["used"] - 2 <= blocks <= limit
        assert blocks <= report["resources"][name]["used"]


def test_the_table_of_the_results_says_what_the_reports_say():
    spec = importlib.util.spec_from_file_location("board_table", ROOT / "bench" / "board_table.py")
    table = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(table)
    for page in table.PAGES:
        lines = page.read_text().splitlines()
        first, end = table.place(lines)
        assert lines[first:end] == list(table.rows()), f"run: python {spec.origin} --write"
