"""Checks the row in front of the layers, a convolution's, and counts its windows."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig
from ..parts.ports import LayerRecord

__all__ = ["FrontRow"]


class FrontRow(wiring.Component):
    """Windows of an image and groups of kernels, counted out: `model.front.convolution_of`.

    Latency: a cycle for each row and column of windows and for each Q outputs, and six more; of
    several channels also one for each row of the image, and one more.

    Members
    -------
    start : strobe: begin with
    rows, columns, outputs : of the row, `rows` of all channels; static until `done`.
    done, fault : strobe, and whether this core cannot do it.
    window_rows, window_columns, kernel_groups : fields of the row's record.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        fields = LayerRecord(config).members
        super().__init__({
            "start": In(1),
            "rows": In(range(config.max_words + 1)),
            "columns": In(8),
            "outputs": In(range(config.max_fan_in + 1)),
            "done": Out(1),
            "fault": Out(1),
            **{name: Out(fields[name]) for name in ("window_rows", "window_columns",
                                                    "kernel_groups")},
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        pool, at_once, channels = c.conv_pool, c.conv_at_once, c.conv_channels
        left = Signal(max(8, len(self.rows), len(self.outputs)))
        row, column = Signal.like(self.window_rows), Signal.like(self.window_columns)
        rows = self.rows if channels == 1 else Signal.like(self.rows)
        lines = (("ROWS", rows, c.conv_rows, self.window_rows),
                 ("COLUMNS", self.columns, c.conv_columns, self.window_columns))
        with m.FSM():
            with m.State("IDLE"):
                with m.If(self.start):
                    m.d.sync += [self.fault.eq(0), row.eq(0), column.eq(0),
                                 self.kernel_groups.eq(0)]
                    m.next = "ROWS"
                    if channels > 1:
                        m.d.sync += [left.eq(self.rows), rows.eq(0)]
                        m.next = "CHANNELS"
            if channels > 1:
                with m.State("CHANNELS"):
                    with m.If(left >= channels):
                        m.d.sync += [left.eq(left - channels), rows.eq(rows + 1)]
                    with m.Elif(left == 0):
                        m.next = "ROWS"
                    with m.Else():
                        m.d.sync += self.fault.eq(1)
                        m.next = "END"
            for (name, count, most, windows), following in zip(lines, ("COLUMNS", "OUTPUTS"),
                                                               strict=True):
                with m.State(name):
                    # Pixels that a window's first place does not begin at.
                    m.d.sync += [left.eq(count - (c.conv_kernel - 1)), windows.eq(0)]
                    m.next = f"COUNT {name}"
                    with m.If((count > most) | (count < c.conv_kernel + pool - 1)):
                        m.d.sync += self.fault.eq(1)
                        m.next = "END"
                with m.State(f"COUNT {name}"):
                    with m.If(left >= pool):
                        m.d.sync += [left.eq(left - pool), windows.eq(windows + 1)]
                    with m.Else():
                        m.d.sync += left.eq(self.outputs)
                        m.next = following
            with m.State("OUTPUTS"):
                # Q outputs of a window, column by column.
                m.d.sync += [left.eq(left - at_once), row.eq(row + 1)]
                with m.If(row + 1 == self.window_rows):
                    m.d.sync += [row.eq(0), column.eq(column + 1)]
                    with m.If(column + 1 == self.window_columns):
                        m.d.sync += [column.eq(0), self.kernel_groups.eq(self.kernel_groups + 1)]
                with m.If((row == 0) & (column == 0) & (left == 0) & self.kernel_groups.any()):
                    m.d.sync += self.kernel_groups.eq(self.kernel_groups)
                    m.next = "END"
                with m.Elif((left < at_once)
                            | (self.kernel_groups == c.conv_kernels // at_once)):
                    m.d.sync += self.fault.eq(1)
                    m.next = "END"
            with m.State("END"):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
        return m
