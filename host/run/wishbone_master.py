"""A bus master in Verilog for cores on Wishbone: byte streams, as a driver moves them."""

__all__ = ["wishbone_master"]

MASTER = """\
// Puts byte streams on the core's registers, as a driver does: it resets the core and enables the
// interrupt, reads RX when that is high, and writes TX while STATUS has shown room.
module {name}_master(
    input clk, input rst, input [7:0] i__payload, input i__valid, output i__ready,
    output reg [7:0] o__payload, output reg o__valid, input o__ready);
  localparam TX = 2'd0, RX = 2'd1, STATUS = 2'd2, CONTROL = 2'd3;
  reg cyc, we, begun;
  reg [1:0] adr;
  reg [31:0] dat_w;
  reg [7:0] room;
  wire [31:0] dat_r;
  wire ack, irq;
  {name} core (
    .clk(clk), .rst(rst), .wb_cyc(cyc), .wb_stb(cyc), .wb_we(we), .wb_adr(adr), .wb_sel(4'hf),
    .wb_dat_w(dat_w), .wb_dat_r(dat_r), .wb_ack(ack), .irq(irq));
  assign i__ready = cyc & ack & we & adr == TX;

  always @(posedge clk)
    if (rst) begin
      cyc <= 0;
      begun <= 0;
      o__valid <= 0;
      room <= 0;
    end else begin
      if (o__valid & o__ready) o__valid <= 0;
      if (cyc & ack) begin
        cyc <= 0;
        if (we & adr == TX) room <= room - 1;
        if (we & adr == CONTROL) begun <= 1;
        if (~we & adr == STATUS) room <= dat_r[7:0];
        if (~we & adr == RX) begin
          o__payload <= dat_r[7:0];
          o__valid <= dat_r[8];
        end
      end
      if (~cyc) begin
        cyc <= 1;
        we <= 0;
        adr <= STATUS;
        if (~begun) begin
          we <= 1;
          adr <= CONTROL;
          dat_w <= 3;
        end else if (irq & ~o__valid) adr <= RX;
        else if (i__valid & room != 0) begin
          we <= 1;
          adr <= TX;
          dat_w <= i__payload;
        end
      end
    end
endmodule
"""


def wishbone_master(name: str) -> str:
    """Verilog of ``NAME_master``, around the core `name`, with the ports of a core of streams."""
    return MASTER.format(name=name)
