"""Sums of many bits: columns of equal weight, reduced by full adders and shared carry chains.

A column holds bits of one weight. A level of reduction takes three bits of a column to one of the
same and one of the next weight, in two LUTs or, where the next columns have pairs as well, along a
carry chain that goes through them: one LUT a bit less. What a chain costs beyond that is to get a
carry in and out of it. The chains of a level therefore are one addition, in which a position
between two chains has the next one's carry in both operands: its sum is the carry of the chain
before, its carry is the next one's, whatever came in.

Three bits into two is the carry-save adder of Wallace, "A suggestion for a fast multiplier" (1964);
larger counters for the columns of FPGA compressor trees are those of Parandeh-Afshar,
Brisk and Ienne, "Efficient synthesis of compressor trees on FPGAs" (ASP-DAC 2008).
"""

from collections.abc import Sequence

from amaranth import *

__all__ = ["Columns", "chains", "cuts", "heights_after", "levels", "pipelined_sum", "reduce_level"]

#: Bits by weight: the n-th list holds those of weight 2^n.
Columns = list[list[Value]]

#: Positions of an addition at most. Timing analysis does not see that carries end within it.
LONGEST_CHAIN = 24


def chains(heights: Sequence[int]) -> list[tuple[int, int]]:
    """Chains of one level: lowest weight and length, for so many bits of each weight.

    A chain takes a carry of its lowest weight and two bits of each weight.
    """
    left = list(heights)
    found = []
    for weight in range(len(left)):
        while left[weight] >= 3:
            left[weight] -= 1
            length = 0
            while weight + length < len(left) and left[weight + length] >= 2:
                left[weight + length] -= 2
                length += 1
            found.append((weight, length))
    return found


def heights_after(heights: Sequence[int]) -> list[int]:
    """Bits of each weight after a level."""
    left = [*heights, 0]
    for weight, length in chains(heights):
        left[weight] -= 1
        for n in range(weight, weight + length):
            left[n] -= 1
        left[weight + length] += 1
    return left if left[-1] else left[:-1]


def levels(heights: Sequence[int]) -> int:
    """Levels until no column has more than two bits, so that one addition is left."""
    count = 0
    while max(heights) > 2:
        heights = heights_after(heights)
        count += 1
    return count


def reduce_level(m: Module, columns: Columns) -> Columns:
    """One level, combinational. Bits that no chain takes pass through."""
    left = [list(column) for column in columns] + [[]]
    made: Columns = [[] for _ in left]
    shared = _Chain()
    for weight, length in chains([len(column) for column in columns]):
        carry = left[weight].pop(0)
        pairs = [(left[n].pop(0), left[n].pop(0)) for n in range(weight, weight + length)]
        if length == 1:
            (a, b), = pairs
            sums = [a ^ b ^ carry, (a & b) | (a & carry) | (b & carry)]
        else:
            if len(shared.first) + length >= LONGEST_CHAIN:
                shared.add(m)
                shared = _Chain()
            sums = shared.append(carry, pairs)
        for n, bit in enumerate(sums, weight):
            made[n].append(bit)
    shared.add(m)
    columns = [new + old for new, old in zip(made, left, strict=True)]
    return columns if columns[-1] else columns[:-1]


def cuts(heights: Sequence[int], depth: int) -> list[int]:
    """Levels before which `pipelined_sum` has registers: the first, then every `depth` levels.

    A level at least and the last addition follow the last register.
    """
    return list(range(0, max(levels(heights), 1), depth))


def pipelined_sum(m: Module, columns: Columns, depth: int) -> Value:
    """The sum, as many cycles later as there are `cuts`.

    The registers are not reset: the first sums after a reset are of no use.
    """
    heights = [len(column) for column in columns]
    registers = cuts(heights, depth)
    for level in range(levels(heights) + 1):
        if level:
            columns = reduce_level(m, columns)
        if level in registers:
            columns = [_delayed(m, column) for column in columns]
    first, second = (Cat(column[n] if len(column) > n else Const(0, 1) for column in columns)
                     for n in range(2))
    return first + second


def _delayed(m: Module, column: Sequence[Value]) -> list[Value]:
    register = Signal(len(column), reset_less=True)
    m.d.sync += register.eq(Cat(column))
    return list(register)


class _Chain:
    """One addition that holds several."""

    def __init__(self) -> None:
        self.first: list[Value] = []
        self.second: list[Value] = []
        self.total = Signal(LONGEST_CHAIN + 1)

    def append(self, carry: Value, pairs: Sequence[tuple[Value, Value]]) -> list[Value]:
        """Bits of a carry and pairs of ascending weight added; one bit more than pairs."""
        begin = len(self.first) + 1
        self.first += [carry, *(a for a, _ in pairs)]
        self.second += [carry, *(b for _, b in pairs)]
        return [self.total[begin + n] for n in range(len(pairs) + 1)]

    def add(self, m: Module) -> None:
        m.d.comb += self.total.eq(Cat(self.first) + Cat(self.second))
