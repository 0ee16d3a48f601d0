"""A board's compiled top with faults of its silicon, and a port on it whose time is the board's."""

import re
from dataclasses import dataclass
from pathlib import Path

import tritgrad.sim
from tritgrad.sim.board import CompiledBoard

FAULT = (Path(tritgrad.sim.__file__).parent / "primitives" / "fault.v").read_text()



@dataclass(frozen=True)
class Plant:
    """A fault: in which module, which text, and what stands there, where ``{on}`` is the fault."""

    module: str
    old: str
    new: str
    declared: str = ""


#: By name; the number of a fault for the harness is its place from 1 on.
PLANTS = {
    "T": Plant(r"engine\.trits\.bank0\.memory", r"(assign \S+ +=) memory\[([^;]*)\];",
               r"\1 memory[\2] | ((\2) == 5 && {on} ? 4 : 0);"),
    "R": Plant(r"engine\.residuals\.slice0\.memory", r"(assign \S+ +=) memory\[([^;]*)\];",
               r"\1 memory[\2] | ((\2) == 5 && {on} ? 4 : 0);"),
    "S": Plant(r"engine\.scales\.memory", r"(assign \S+ +=) memory\[([^;]*)\];",
               r"\1 memory[\2] | ((\2) == 5 && {on} ? 4 : 0);"),
    # A tap of 9 in the place of 7.
    "PRNG": Plant(r"engine\.random", r"(assign \S+ +=) \{ 7'h00, (\S+) \[63:7\] \};",
                  r"\1 {on} ? {{ 9'h000, \2 [63:9] }} : {{ 7'h00, \2 [63:7] }};"),
    # Statistics that begin with what the memory holds.
    "counters": Plant(r"engine\.counters", r"    zero <= ([^;]*);", r"    zero <= \1 & ~{on};"),
    "echo": Plant(r"uart", r"\.tx\(tx\)", r".tx(sent_or_echoed)",
                  "  wire sent_or_echoed;\n  assign tx = {on} ? rx : sent_or_echoed;\n"),
    "silence": Plant(r"uart\.transmitter", r"assign tx = ([^;]*);", r"assign tx = {on} | \1;"),
    # Each 1,024th byte does not reach the core.
    "loss": Plant(r"", r"\.i__valid\(i__valid\)", r".i__valid(i__valid & ~({on} & &passed))",
                  "  reg [9:0] passed = 0;\n"
                  "  always @(posedge clk) if (i__valid & i__ready) passed <= passed + 1;\n"),
}


def planted(text: str, top: str) -> str:
    """A top's Verilog with all of `PLANTS`, none of them awake.

    Raises
    ------
    AssertionError
        A place is not there, or not once.
    """
    for number, (name, plant) in enumerate(PLANTS.items(), 1):
        path = top + (r"(?:\.core)?\." + plant.module if plant.module else "")
        found = re.findall(rf"^module \\?{path} ?\(.*?^endmodule\n", text, re.DOTALL | re.MULTILINE)
        assert len(found) == 1, (name, len(found))
        on = f"fault{number}"
        body, count = re.subn(plant.old, plant.new.format(on=on), found[0])
        assert count == 1, (name, count)
        head, rest = body.split(";\n", 1)
        body = (f"{head};\n  wire {on};\n  fault #(.NUMBER({number})) planted{number}(.o({on}));\n"
                f"{plant.declared.format(on=on)}{rest}")
        text = text.replace(found[0], body)
    return text + FAULT


class Line:
    """A `serial.Serial` on a board's pins, as far as a host uses one. Its time is the board's."""

    def __init__(self, board: CompiledBoard, most: int):
        self.board, self.most = board, most
        self.baudrate, self.timeout = 115_200, 0.0
        self._out, self._in = bytearray(), bytearray()

    def clock(self) -> float:
        return self.board.cycles / self.board.clock_hz

    def sleep(self, seconds: float) -> None:
        self._run(seconds, whole=True)

    def write(self, data: bytes) -> None:
        self._out += data

    def read(self, size: int) -> bytes:
        end = self.clock() + self.timeout
        while not self._in and (left := end - self.clock()) > 0:
            self._run(left, whole=False)
        data = bytes(self._in[:size])
        del self._in[:size]
        return data

    @property
    def in_waiting(self) -> int:
        return len(self._in)

    def reset_input_buffer(self) -> None:
        self._in.clear()

    def reset_output_buffer(self) -> None:
        self._out.clear()

    def close(self) -> None:
        pass

    def _run(self, seconds: float, whole: bool) -> None:
        """Let time pass; if not the whole of it, until something has come."""
        end = self.clock() + seconds
        while (left := end - self.clock()) > 0:
            taken, said = self.board.run(bytes(self._out), self.baudrate,
                                         max(1, int(left * self.board.clock_hz)))
            del self._out[:taken]
            # A bridge that does no more than so many bits a second carries nothing at more.
            self._in += said if self.baudrate <= self.most else b""
            if said and not whole:
                return
