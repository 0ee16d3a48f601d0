"""The networks whose rows can have scales on each board: what memory S takes, and what fits.

A board that has no blocks left for S beside the network it is built for gets the largest hidden
layer, in steps of eight neurons, with which all memories fit. Only the blocks of the large
memories are counted; what the unit takes in LUTs is in `flags_cost`.
"""

from dataclasses import replace

from _rtl import write
from rich.console import Console
from rich.table import Table

from tritgrad.boards import BOARDS
from tritgrad.boards.board import Board
from tritgrad.errors import ConfigError


def largest(board: Board) -> Board | None:
    """The board with scales, and its own network or the largest that leaves room for them."""
    inputs, *hidden, classes = board.networks[0]
    for size in [hidden[0], *range((hidden[0] - 1) // 8 * 8, 0, -8)]:
        try:
            return replace(board, sizes=dict(board.sizes)).resized(
                network=(inputs, size, *hidden[1:], classes), units={"scales": True})
        except ConfigError:
            continue
    return None


def main() -> None:
    """Print the table and keep it as JSON."""
    table = Table("board", "network", "with scales", "S", "blocks of all", "of")
    rows = {}
    for name, board in BOARDS.items():
        made = largest(board)
        if made is None:
            continue
        store = next(store for store in made.stores if store.name == "S (scales)")
        blocks = {kind: (sum(s.blocks for s in made.stores if s.primitive.name == kind), limit)
                  for kind, limit in board.fpga.blocks.items()}
        rows[name] = {"network": board.networks[0], "with_scales": made.networks[0],
                      "scale_words": store.memory.depth, "scale_blocks": store.blocks,
                      "blocks": blocks}
        table.add_row(name, "-".join(map(str, board.networks[0])),
                      "-".join(map(str, made.networks[0])), f"{store.memory.depth} words, "
                      f"{store.blocks} {store.primitive.name}", *(" + ".join(
                          f"{pair[n]} {kind}" for kind, pair in blocks.items()) for n in (0, 1)))
    Console(width=160).print(table)
    write("scales_fit", rows)


if __name__ == "__main__":
    main()
