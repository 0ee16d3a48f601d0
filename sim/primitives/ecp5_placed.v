// Halves of an ECP5 slice as nextpnr places them, in the modes that are no plain table.

// A table and a carry: CCU2C of Lattice FPGA-TN-02205 is two of these.
module placed_ccu2 #(parameter [15:0] TABLE = 0, parameter INJECT = "NO") (
    input A, B, C, D, FCI, output F, FCO);
    wire four = TABLE[{D, C, B, A}];
    wire two = TABLE[{2'b00, B, A}];
    assign F = four ^ (INJECT == "YES" ? 1'b0 : FCI);
    assign FCO = four ? FCI : INJECT == "YES" ? 1'b0 : two;
endmodule

// A bit of LUT memory. Its read address is wired as that of TRELLIS_RAMW.
module placed_dpram #(parameter WCKMUX = "WCK", parameter WREMUX = "WRE") (
    input A, B, C, D, WAD0, WAD1, WAD2, WAD3, WD, WRE, WCK, output F);
    reg [15:0] words;
    initial if ($test$plusargs("power_up"))
        words = $urandom;
    wire clock = WCKMUX == "INV" ? !WCK : WCK;
    wire enable = WREMUX == "INV" ? !WRE : WRE;
    always @(posedge clock)
        if (enable)
            words[{WAD3, WAD2, WAD1, WAD0}] <= WD;
    assign F = words[{A, C, B, D}];
endmodule
