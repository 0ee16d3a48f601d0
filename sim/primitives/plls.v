// PLLs for simulating netlists: the clock goes through as it is, for the simulation's clock is the
// core's. They lock late: until then a board is to hold its reset.

module late_lock(input clock, reset, output locked);
    reg [12:0] cycles = 0;
    assign locked = &cycles;
    always @(posedge clock)
        if (reset)
            cycles <= 0;
        else if (!locked)
            cycles <= cycles + 1;
endmodule

module SB_PLL40_PAD(
    input PACKAGEPIN, RESETB, BYPASS, LATCHINPUTVALUE, EXTFEEDBACK, SDI, SCLK,
    input [7:0] DYNAMICDELAY,
    output PLLOUTCORE, PLLOUTGLOBAL, LOCK, SDO);
    parameter FEEDBACK_PATH = "SIMPLE";
    parameter PLLOUT_SELECT = "GENCLK";
    parameter [3:0] DIVR = 0;
    parameter [6:0] DIVF = 0;
    parameter [2:0] DIVQ = 0;
    parameter [2:0] FILTER_RANGE = 0;
    // What a bitstream has besides, all of it off.
    parameter DELAY_ADJUSTMENT_MODE_FEEDBACK = "FIXED";
    parameter DELAY_ADJUSTMENT_MODE_RELATIVE = "FIXED";
    parameter [1:0] SHIFTREG_DIV_MODE = 0;
    parameter [3:0] FDA_FEEDBACK = 0;
    parameter [3:0] FDA_RELATIVE = 0;
    parameter ENABLE_ICEGATE = 0;
    parameter TEST_MODE = 0;
    assign PLLOUTCORE = PACKAGEPIN;
    assign PLLOUTGLOBAL = PACKAGEPIN;
    late_lock lock(.clock(PACKAGEPIN), .reset(!RESETB), .locked(LOCK));
    assign SDO = 0;
endmodule

module EHXPLLL(
    input CLKI, CLKFB, PHASESEL1, PHASESEL0, PHASEDIR, PHASESTEP, PHASELOADREG, STDBY, PLLWAKESYNC,
    input RST, ENCLKOP, ENCLKOS, ENCLKOS2, ENCLKOS3,
    output CLKOP, CLKOS, CLKOS2, CLKOS3, LOCK, INTLOCK, REFCLK, CLKINTFB);
    parameter CLKI_DIV = 1;
    parameter CLKFB_DIV = 1;
    parameter CLKOP_DIV = 8;
    parameter CLKOS_DIV = 8;
    parameter CLKOS2_DIV = 8;
    parameter CLKOS3_DIV = 8;
    parameter CLKOP_ENABLE = "ENABLED";
    parameter CLKOS_ENABLE = "DISABLED";
    parameter CLKOS2_ENABLE = "DISABLED";
    parameter CLKOS3_ENABLE = "DISABLED";
    parameter CLKOP_CPHASE = 0;
    parameter CLKOS_CPHASE = 0;
    parameter CLKOS2_CPHASE = 0;
    parameter CLKOS3_CPHASE = 0;
    parameter CLKOP_FPHASE = 0;
    parameter CLKOS_FPHASE = 0;
    parameter CLKOS2_FPHASE = 0;
    parameter CLKOS3_FPHASE = 0;
    parameter FEEDBK_PATH = "CLKOP";
    assign CLKOP = CLKOP_ENABLE == "ENABLED" && CLKI;
    assign CLKOS = CLKOS_ENABLE == "ENABLED" && CLKI;
    assign CLKOS2 = CLKOS2_ENABLE == "ENABLED" && CLKI;
    assign CLKOS3 = CLKOS3_ENABLE == "ENABLED" && CLKI;
    assign CLKINTFB = CLKOP;
    assign REFCLK = CLKI;
    assign INTLOCK = LOCK;
    late_lock lock(.clock(CLKI), .reset(RST), .locked(LOCK));
endmodule

module rPLL(
    input CLKIN, CLKFB, RESET, RESET_P, input [5:0] FBDSEL, IDSEL, ODSEL,
    input [3:0] PSDA, FDLY, DUTYDA, output CLKOUT, LOCK, CLKOUTP, CLKOUTD, CLKOUTD3);
    parameter FCLKIN = "100.0";
    parameter DEVICE = "GW1N-1";
    parameter DYN_IDIV_SEL = "false";
    parameter IDIV_SEL = 0;
    parameter DYN_FBDIV_SEL = "false";
    parameter FBDIV_SEL = 0;
    parameter DYN_ODIV_SEL = "false";
    parameter ODIV_SEL = 8;
    parameter DYN_SDIV_SEL = 2;
    parameter DYN_DA_EN = "false";
    parameter PSDA_SEL = "0000";
    parameter DUTYDA_SEL = "1000";
    parameter CLKFB_SEL = "internal";
    parameter CLKOUT_BYPASS = "false";
    parameter CLKOUTP_BYPASS = "false";
    parameter CLKOUTD_BYPASS = "false";
    assign CLKOUT = CLKIN;
    assign CLKOUTP = CLKIN;
    assign CLKOUTD = CLKIN;
    assign CLKOUTD3 = CLKIN;
    late_lock lock(.clock(CLKIN), .reset(RESET || RESET_P), .locked(LOCK));
endmodule
