"""cocotb bench of ECP5 block memories: random traffic, compared with the data sheet's rules.

`instances` names the blocks and their settings; `source` is their top level. Bits are kept here
one by one, so that nothing of how the Verilog cuts rows is repeated.
"""

import os
import random
from dataclasses import dataclass

SEED_VARIABLE = "TRITGRAD_SEED"
CYCLES = 1500
PINS = {"DIA": 18, "DIB": 18, "ADA": 14, "ADB": 14, "CSA": 3, "CSB": 3, "CEA": 1, "CEB": 1,
        "OCEA": 1, "OCEB": 1, "WEA": 1, "WEB": 1, "RSTA": 1, "RSTB": 1}


@dataclass
class Settings:
    """Parameters of a block; all `rows` values of 18 bits at the start."""

    widths: tuple[int, int]
    modes: tuple[str, str]
    registers: tuple[bool, bool]
    select: tuple[int, int]
    rows: list[int]


def instances(seed: int) -> list[Settings]:
    """Blocks of random widths and settings, among them the widest."""
    rng = random.Random(seed)
    pairs = [(a, b) for a in (1, 2, 4, 9, 18) for b in (1, 2, 4, 9, 18) if rng.random() < 0.2]
    pairs += [(18, 18), (36, 36), (36, rng.choice([18, 9, 4, 2, 1]))]
    modes = ["NORMAL", "WRITETHROUGH", "READBEFOREWRITE"]
    return [Settings(pair, (rng.choice(modes), rng.choice(modes)),
                     (rng.random() < 0.3, rng.random() < 0.3),
                     (rng.randrange(8), rng.randrange(8)),
                     [rng.getrandbits(18) for _ in range(1024)]) for pair in pairs]


def wide_instances(seed: int) -> list[Settings]:
    """Blocks of the pseudo dual port kind, whose first port writes 36 bits; one a read width."""
    rng = random.Random(~seed)
    return [Settings((36, width), ("NORMAL", "NORMAL"), (False, rng.random() < 0.5),
                     (rng.randrange(8), rng.randrange(8)),
                     [rng.getrandbits(18) for _ in range(1024)]) for width in (1, 2, 4, 9, 18, 36)]


def initial(rows: list[int]) -> str:
    """The parameters that set a block's first contents."""
    values = (sum(row << 20 * i for i, row in enumerate(rows[16 * k:16 * k + 16]))
              for k in range(64))
    return ", ".join(f".INITVAL_{k:02X}(320'h{value:x})" for k, value in enumerate(values))


def wide_source(number: int, block: Settings) -> str:
    """Verilog of a pseudo dual port block: written by the pins of port A, read by those of B."""
    write, read = block.select
    pins = [".CLKW(clk), .CLKR(clk), .CEW(CEA[0]), .CER(CEB[0]), .OCER(OCEB[0]), .RST(RSTB[0])"]
    pins += [f".CSW{i}(CSA[{i}]), .CSR{i}(CSB[{i}])" for i in range(3)]
    pins += [f".BE{i}(ADA[{i}])" for i in range(4)]
    pins += [f".ADW{i}(ADA[{i + 5}])" for i in range(9)]
    pins += [f".ADR{i}(ADB[{i}])" for i in range(14)]
    pins += [f".DI{i}(DI{'AB'[i // 18]}[{i % 18}]), .DO{i}(DO{number}_[{i}])" for i in range(36)]
    return (f'  PDPW16KD #(.DATA_WIDTH_W(36), .DATA_WIDTH_R({block.widths[1]}), '
            f'.CSDECODE_W("0b{write:03b}"), .CSDECODE_R("0b{read:03b}"), '
            f'.REGMODE("{"OUTREG" if block.registers[1] else "NOREG"}"), '
            f'{initial(block.rows)}) w{number} ({", ".join(pins)});')


def source(settings: list[Settings], wide: list[Settings]) -> str:
    """Verilog of a top level in which all blocks share their inputs."""
    text = ["module top(input clk,"]
    text += [f"    input [{bits - 1}:0] {name}," for name, bits in PINS.items()]
    text += [f"    output [17:0] DOA{n}_, DOB{n}_," for n in range(len(settings))]
    text += [f"    output [35:0] DO{n}_," for n in range(len(wide))]
    text[-1] = text[-1][:-1] + ");"
    for n, block in enumerate(settings):
        a, b = block.widths
        parameters = [f".DATA_WIDTH_A({a}), .DATA_WIDTH_B({b})"]
        for port, mode, register, select in zip("AB", block.modes, block.registers, block.select,
                                                strict=True):
            parameters.append(f'.WRITEMODE_{port}("{mode}"), .CSDECODE_{port}("0b{select:03b}"), '
                              f'.REGMODE_{port}("{"OUTREG" if register else "NOREG"}")')
        parameters.append(initial(block.rows))
        pins = [".CLKA(clk), .CLKB(clk)"]
        for name, bits in PINS.items():
            pins += [f".{name}{i if bits > 1 else ''}({name}[{i}])" for i in range(bits)]
        pins += [f".DO{port}{i}(DO{port}{n}_[{i}])" for port in "AB" for i in range(18)]
        text.append(f"  DP16KD #({', '.join(parameters)}) b{n} ({', '.join(pins)});")
    text += [wide_source(n, block) for n, block in enumerate(wide)]
    return "\n".join([*text, "endmodule", ""])


class Block:
    """What the data sheet says of a block."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.bits = [row >> k & 1 for row in settings.rows for k in range(18)]
        self.read = {"A": [0] * 18, "B": [0] * 18}
        self.held = {"A": [0] * 18, "B": [0] * 18}

    def places(self, width: int, address: int) -> list[int]:
        """Where the bits of a word are, lowest first."""
        if width == 36:
            return list(range((address >> 5) * 36, (address >> 5) * 36 + 36))
        if width == 18:
            return list(range((address >> 4) * 18, (address >> 4) * 18 + 18))
        byte = (address >> 3) * 9
        if width == 9:
            return list(range(byte, byte + 9))
        low = (address & 7) // width * width
        return [byte + low + k for k in range(width)]

    def cycle(self, pins: dict[str, int]) -> None:
        """A clock edge."""
        wide_write, wide_read = (width == 36 for width in self.settings.widths)
        before = list(self.bits)
        previous = {port: list(bits) for port, bits in self.read.items()}
        for number, port in enumerate("AB"):
            width, mode = self.settings.widths[number], self.settings.modes[number]
            selected = pins["CE" + port] and pins["CS" + port] == self.settings.select[number]
            address = pins["AD" + port]
            places = self.places(width, address)
            writes = pins["WE" + port] and not (port == "B" and (wide_write or wide_read))
            data = [pins["DI" + port] >> k & 1 for k in range(18)]
            if width == 36 and port == "A":
                data += [pins["DIB"] >> k & 1 for k in range(18)]
            after = list(before)
            if selected and writes:
                for k, place in enumerate(places):
                    if width < 18 or address >> k // 9 & 1:
                        after[place] = self.bits[place] = data[k]
            if selected and not (port == "A" and wide_write):
                shown = None
                if not writes or mode == "READBEFOREWRITE":
                    shown = [before[place] for place in places]
                elif mode == "WRITETHROUGH":
                    shown = [after[place] for place in places]
                if shown is not None and width == 36:
                    self.read["A"], self.read["B"] = shown[:18], shown[18:]
                elif shown is not None and not (port == "A" and wide_read):
                    self.read[port] = shown + [0] * (18 - width)
        for port in "AB":
            ruling = "B" if wide_read else port
            if pins["RST" + ruling] and not (port == "A" and wide_write and not wide_read):
                self.read[port] = [0] * 18
            if pins["RST" + ruling]:
                self.held[port] = [0] * 18
            elif pins["OCE" + ruling]:
                self.held[port] = previous[port]

    def output(self, port: str) -> int:
        """What the data pins of a port show."""
        ruling = "B" if self.settings.widths[1] == 36 else port
        bits = (self.held if self.settings.registers["AB".index(ruling)] else self.read)[port]
        return sum(bit << k for k, bit in enumerate(bits))


class WideBlock:
    """What the data sheet says of a pseudo dual port block, in rows of 36 bits.

    Nine bits a byte enable go in. A word of 36 bits comes out with its halves crossed, a narrower
    one on the lowest pins.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        self.rows = [settings.rows[2 * n] | settings.rows[2 * n + 1] << 18 for n in range(512)]
        self.read = self.held = 0

    def word(self, address: int) -> int:
        """What the read port finds."""
        width, row = self.settings.widths[1], self.rows[address >> 5]
        if width == 36:
            return row >> 18 | (row & 0x3FFFF) << 18
        nine = row >> 9 * (address >> 3 & 3)
        if width == 18:
            nine = row >> 18 * (address >> 4 & 1)
        elif width < 9:
            nine >>= (address & 7) // width * width
        return nine & ((1 << width) - 1)

    def cycle(self, pins: dict[str, int]) -> None:
        """A clock edge; `stimulus` never reads the row that is written."""
        write, read = self.settings.select
        before = self.read
        if pins["CEB"] and pins["CSB"] == read:
            self.read = self.word(pins["ADB"])
        if pins["CEA"] and pins["CSA"] == write:
            new, number = pins["DIA"] | pins["DIB"] << 18, pins["ADA"] >> 5
            mask = sum(0x1FF << 9 * k for k in range(4) if pins["ADA"] >> k & 1)
            self.rows[number] = new & mask | self.rows[number] & ~mask
        if pins["RSTB"]:
            self.read = self.held = 0
        elif pins["OCEB"]:
            self.held = before

    def output(self) -> int:
        """What the data pins show."""
        return self.held if self.settings.registers[1] else self.read


def stimulus(rng: random.Random) -> dict[str, int]:
    """Inputs of a cycle; the ports never meet in two rows of which one is written."""
    pins = {name: rng.getrandbits(bits) for name, bits in PINS.items()}
    for port in "AB":
        pins["AD" + port] = rng.randrange(8) << 6 | rng.getrandbits(6)
        pins["RST" + port] = int(rng.random() < 0.05)
        pins["CE" + port] = int(rng.random() < 0.9)
    if pins["ADA"] >> 5 == pins["ADB"] >> 5:
        pins["ADB"] ^= 1 << 13
    return pins


if SEED_VARIABLE in os.environ:
    import cocotb
    from cocotb.triggers import Timer

    @cocotb.test()
    async def follows_the_data_sheet(dut):
        seed = int(os.environ[SEED_VARIABLE])
        rng = random.Random(seed)
        blocks = [Block(settings) for settings in instances(seed)]
        wide = [WideBlock(settings) for settings in wide_instances(seed)]
        for cycle in range(CYCLES):
            pins = stimulus(rng)
            chosen = rng.choice([*blocks, *wide]).settings.select  # type: ignore[attr-defined]
            if rng.random() < 0.8:
                pins["CSA"], pins["CSB"] = chosen
            dut.clk.value = 0
            for name, value in pins.items():
                getattr(dut, name).value = value
            await Timer(1, "ns")
            dut.clk.value = 1
            await Timer(1, "ns")
            for n, block in enumerate(blocks):
                block.cycle(pins)
                for port in "AB":
                    if port == "A" and block.settings.widths[0] == 36 \
                            and block.settings.widths[1] != 36:
                        continue  # its pins show nothing
                    found = int(getattr(dut, f"DO{port}{n}_").value)
                    assert found == block.output(port), (
                        f"seed {seed}, cycle {cycle}, block {n} {block.settings.widths} "
                        f"{block.settings.modes}, port {port}: {found:05x}, "
                        f"not {block.output(port):05x}")
            for n, block in enumerate(wide):
                block.cycle(pins)
                found = int(getattr(dut, f"DO{n}_").value)
                assert found == block.output(), (
                    f"seed {seed}, cycle {cycle}, pseudo dual port block {n} "
                    f"{block.settings.widths}: {found:09x}, not {block.output():09x}")
