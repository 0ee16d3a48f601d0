"""Boards named on the command line: ``BOARD@PORT``, or ``@PORT`` where the board tells all."""

from typing import TYPE_CHECKING

from ...errors import BadInput
from ...firmware import programs
from ...firmware.rates import SAFE_RATE
from ...model.config import CoreConfig
from ...model.layout import TableError, check_table
from ...model.recipe import Recipe
from .address import board_and_port
from .driver import Driver, layer_table
from .serial_port import BRIDGE_RATES, SerialTransport
from .session import Session
from .table import check_front

if TYPE_CHECKING:
    from ...boards.board import Board

__all__ = ["board_holds", "board_of", "check_holds", "open_board", "open_port"]


def open_board(device: str, recipe: Recipe) -> Driver:
    """A driver on the board that the text names, if its core can hold the network.

    Raises
    ------
    BadInput
        No such board, or the network does not fit.
    DeviceError
        The port or what is on it is not usable, see `SerialTransport`.
    """
    transport = open_port(device)
    try:
        session = Session(transport)
        check_holds(session.config, recipe, transport.name)
        driver = Driver(session)
        driver.board = board_of(device)
        return driver
    except BaseException:
        transport.close()
        raise


def open_port(device: str) -> SerialTransport:
    """The port of a board that the text names; see `open_board` for what is raised.

    ``,RATE`` behind it caps the rate, for a bridge that does less than it should.
    """
    board, port = board_and_port(device) or ("", device)
    port, comma, cap = port.partition(",")
    if comma and not (cap.isdecimal() and int(cap) >= SAFE_RATE):
        raise BadInput(f"the rate behind the port must be an integer from {SAFE_RATE}, "
                       f"not {cap!r}")
    rates = BRIDGE_RATES
    if board:
        from ...boards import find_board

        rates = find_board(board).rates
    return SerialTransport(port, [rate for rate in rates if not cap or rate <= int(cap)])


def board_of(device: str) -> "Board | None":
    """The board of ``BOARD@PORT``; None where none is named. Raises `BadInput` for an unknown one.
    """
    board, _ = board_and_port(device) or ("", "")
    if not board:
        return None
    from ...boards import find_board

    return find_board(board)


def board_holds(device: str, recipe: Recipe) -> bool:
    """Whether the core of a board named by ``BOARD@PORT`` has room; any other device has."""
    board = board_of(device)
    if board is None:
        return True
    try:
        check_holds(board.config, recipe, board.name)
    except BadInput:
        return False
    return True


def check_holds(config: CoreConfig, recipe: Recipe, where: str) -> None:
    """Refuse a network that the core in question cannot train.

    Raises
    ------
    BadInput
        One line: the network, the core, and the limit.
    """
    network = "-".join(map(str, recipe.layers))
    for name in ("counter_bits", "activation_bits"):
        has, wants = getattr(config, name), getattr(recipe, name)
        if has != wants:
            kind = name.replace("_", " ")
            raise BadInput(f"the core on {where} has {kind} {has}, the network {network} "
                           f"wants {wants}")
    check_front(config, recipe, where)
    try:
        check_table(config, layer_table(recipe, recipe.gains, config))
        length = len(programs.train(recipe.depth, 1, recipe.margin,
                                    front="learns" if recipe.conv else "",
                                    wrong=recipe.wrong))
        if length > config.program_depth:
            raise TableError(f"its program needs {length} instructions, the core has room for "
                             f"{config.program_depth}")
    except TableError as error:
        raise BadInput(f"the core on {where} cannot hold the network {network}: {error}") from None
