// Registers of double data rate at the ECP5's pins, from Lattice FPGA-TN-02035, "ECP5 and ECP5-5G
// High-Speed I/O Interface", and the FPGA Libraries Reference Guide: Yosys has only their ports. GSR
// is not modelled; RST is asynchronous.

// D0 and D1, taken at a rise of the clock, are at the pin two rises later: D0 while the clock is
// high, D1 while it is low.
module ODDRX1F(input SCLK, RST, D0, D1, output Q);
    parameter GSR = "ENABLED";
    reg [1:0] taken = 0, next = 0;
    reg high = 0, low = 0;
    always @(posedge SCLK or posedge RST)
        if (RST) begin
            taken <= 0;
            next <= 0;
            low <= 0;
        end else begin
            taken <= {D1, D0};
            next <= taken;
            low <= next[1];
        end
    always @(negedge SCLK or posedge RST)
        if (RST)
            high <= 0;
        else
            high <= next[0];
    assign Q = SCLK ? high : low;
endmodule

// The pin as it was at a rise of the clock, at Q0, and at the fall behind it, at Q1: both from the
// next rise on.
module IDDRX1F(input D, SCLK, RST, output reg Q0, Q1);
    parameter GSR = "ENABLED";
    reg rise = 0, fall = 0;
    initial begin
        Q0 = 0;
        Q1 = 0;
    end
    always @(posedge SCLK or posedge RST)
        if (RST) begin
            rise <= 0;
            Q0 <= 0;
            Q1 <= 0;
        end else begin
            rise <= D;
            Q0 <= rise;
            Q1 <= fall;
        end
    always @(negedge SCLK or posedge RST)
        if (RST)
            fall <= 0;
        else
            fall <= D;
endmodule
