// Memories that hold anything at power-up, for simulating netlists: the iCE40's SPRAM and Gowin's LUT
// memory, which no bitstream writes, and the ECP5's LUT memory. The harness asks for random words.

// Lattice FPGA-TN-02022. A write leaves anything at the output.
module SB_SPRAM256KA(
    input [13:0] ADDRESS, input [15:0] DATAIN, input [3:0] MASKWREN,
    input WREN, CHIPSELECT, CLOCK, STANDBY, SLEEP, POWEROFF, output reg [15:0] DATAOUT);
    reg [15:0] words [0:16383];
    wire [15:0] mask = {{4{MASKWREN[3]}}, {4{MASKWREN[2]}}, {4{MASKWREN[1]}}, {4{MASKWREN[0]}}};
    integer place;
    initial if ($test$plusargs("power_up"))
        for (place = 0; place < 16384; place = place + 1)
            words[place] = $urandom;
    // POWEROFF is active low, whatever its name says.
    wire runs = CHIPSELECT && !STANDBY && !SLEEP && POWEROFF;
    always @(posedge CLOCK)
        if (runs && WREN) begin
            words[ADDRESS] <= words[ADDRESS] & ~mask | DATAIN & mask;
            DATAOUT <= ~DATAIN ^ {ADDRESS, 2'b01};
        end else if (runs)
            DATAOUT <= words[ADDRESS];
        else if (SLEEP || !POWEROFF)
            DATAOUT <= 0;
endmodule

// Gowin UG285. Four bits a word, one INIT a bit.
module RAM16SDP4(
    input [3:0] DI, WAD, RAD, input WRE, CLK, output [3:0] DO);
    parameter INIT_0 = 16'h0000;
    parameter INIT_1 = 16'h0000;
    parameter INIT_2 = 16'h0000;
    parameter INIT_3 = 16'h0000;
    reg [3:0] words [0:15];
    integer place;
    initial if ($test$plusargs("power_up"))
        for (place = 0; place < 16; place = place + 1)
            words[place] = $urandom;
    always @(posedge CLK)
        if (WRE)
            words[WAD] <= DI;
    assign DO = words[RAD];
endmodule

// Lattice FPGA-TN-02204.
module TRELLIS_DPR16X4(
    input [3:0] DI, WAD, RAD, input WRE, WCK, output [3:0] DO);
    parameter WCKMUX = "WCK";
    parameter WREMUX = "WRE";
    parameter [63:0] INITVAL = 64'h0;
    reg [3:0] words [0:15];
    integer place;
    initial if ($test$plusargs("power_up"))
        for (place = 0; place < 16; place = place + 1)
            words[place] = $urandom;
    wire clock = WCKMUX == "INV" ? !WCK : WCK;
    wire enable = WREMUX == "INV" ? !WRE : WREMUX == "1" ? 1'b1 : WREMUX == "0" ? 1'b0 : WRE;
    always @(posedge clock)
        if (enable)
            words[WAD] <= DI;
    assign DO = words[RAD];
endmodule
