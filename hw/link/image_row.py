"""Checks the images that the first row of a table speaks of, and counts their rows."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import CoreConfig, ceil_div

__all__ = ["ImageRow"]


class ImageRow(wiring.Component):
    """Rows of an image, and the size of its record, counted out: `model.images.StoredImages`.

    Latency: a cycle for each row, one for each eight inputs of the record, and two more; one more
    where there are no images.

    Members
    -------
    start : strobe: begin with
    inputs : of the layer, at least 1.
    columns, planes : of the layer, static until `idle`; no columns: there are no images.
    idle, fault : it has ended; whether this core cannot do it.
    rows : of an image, 0 if there are none.
    record_inputs, record_bytes : see `hw.link.table.TableLoader`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        most = config.max_stored_inputs
        super().__init__({
            "start": In(1),
            "inputs": In(range(config.max_inputs + 1)),
            "columns": In(8),
            "planes": In(8),
            "idle": Out(1),
            "fault": Out(1),
            "rows": Out(range(config.store_rows + 1)),
            "record_inputs": Out(range(most + 1)),
            "record_bytes": Out(range(2 + config.input_planes * ceil_div(most, 8))),
        })

    def elaborate(self, platform):
        m = Module()
        c, left = self.config, Signal.like(self.record_inputs)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.idle.eq(1)
                with m.If(self.start):
                    m.d.sync += [
                        left.eq(self.inputs), self.rows.eq(0), self.record_bytes.eq(1),
                        self.record_inputs.eq(Mux(self.columns == 0, self.inputs, 0)),
                        self.fault.eq((self.columns > c.store_columns) | (
                            (self.columns != 0) & (self.planes > c.store_planes)))]
                    m.next = "ROWS"
                    with m.If(self.columns == 0):
                        m.next = "BYTES"
            with m.State("ROWS"):
                m.d.sync += [left.eq(left - self.columns), self.rows.eq(self.rows + 1),
                             self.record_inputs.eq(self.record_inputs + c.lanes)]
                with m.If(left == 0):
                    m.d.sync += [left.eq(self.record_inputs), self.rows.eq(self.rows),
                                 self.record_inputs.eq(self.record_inputs)]
                    m.next = "BYTES"
                with m.Elif((left < self.columns) | (self.rows == c.store_rows)):
                    m.d.sync += self.fault.eq(1)
                    m.next = "IDLE"
            with m.State("BYTES"):
                m.d.sync += [left.eq(left - 8),
                             self.record_bytes.eq(self.record_bytes + self.planes)]
                with m.If(left <= 8):
                    m.next = "IDLE"
        return m
