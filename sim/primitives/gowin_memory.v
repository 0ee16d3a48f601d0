// Behaviour of Gowin's block and LUT memory, from Gowin UG285, "Gowin BSRAM & SSRAM User Guide", for
// simulating netlists: Yosys has only the ports of the blocks.
//
// A block has 2,048 bytes of nine bits; the kinds without a nine in their names leave one out. A port of
// 1, 2 or 4 bits takes a piece of a byte, wider ones one, two or four bytes. At 16 bits and more the
// low bits of the address are byte enables. In write mode 0 a port keeps its output while it
// writes, in 1 it shows the new word, in 2 the old one. What both ports do to one word in one cycle
// is undefined on the chip; here the write comes after the read. Only the bypass of the output
// register is modelled, no asynchronous reset; `netlist.py` puts INIT_RAM_00 .. 3F into INIT.

module gowin_block #(
    parameter WIDTH_A = 18, WIDTH_B = 18, NINE = 1,
    parameter [1:0] MODE_A = 0, MODE_B = 0,
    parameter [18431:0] INIT = 0
) (
    input CLKA, CEA, WREA, RESETA, input [13:0] ADA, input [35:0] DIA, output reg [35:0] DOA,
    input CLKB, CEB, WREB, RESETB, input [13:0] ADB, input [35:0] DIB, output reg [35:0] DOB
);
    localparam BYTE = NINE ? 9 : 8;
    reg [8:0] bytes [0:2047];
    integer place;
    initial begin
        for (place = 0; place < 2048; place = place + 1)
            bytes[place] = INIT[place * BYTE +: BYTE];
        DOA = 0;
        DOB = 0;
    end

    function [35:0] read(input integer width, input [13:0] address);
        case (width)
            1: read = {35'b0, bytes[address[13:3]][address[2:0]]};
            2: read = {34'b0, bytes[address[13:3]][{address[2:1], 1'b0} +: 2]};
            4: read = {32'b0, bytes[address[13:3]][{address[2], 2'b0} +: 4]};
            8, 9: read = {27'b0, bytes[address[13:3]]};
            16: read = {20'b0, bytes[{address[13:4], 1'd1}][7:0], bytes[{address[13:4], 1'd0}][7:0]};
            18: read = {18'b0, bytes[{address[13:4], 1'd1}], bytes[{address[13:4], 1'd0}]};
            32: read = {4'b0, bytes[{address[13:5], 2'd3}][7:0], bytes[{address[13:5], 2'd2}][7:0],
                        bytes[{address[13:5], 2'd1}][7:0], bytes[{address[13:5], 2'd0}][7:0]};
            default: read = {bytes[{address[13:5], 2'd3}], bytes[{address[13:5], 2'd2}],
                             bytes[{address[13:5], 2'd1}], bytes[{address[13:5], 2'd0}]};
        endcase
    endfunction

    // The word once it is written.
    function [35:0] merged(input integer width, input [13:0] address, input [35:0] data);
        integer lane;
        begin
            merged = data;
            if (width >= 16)
                for (lane = 0; lane < width / BYTE; lane = lane + 1)
                    if (!address[lane])
                        merged[lane * BYTE +: BYTE] = read_byte(width, address, lane);
        end
    endfunction

    function [BYTE - 1:0] read_byte(input integer width, input [13:0] address, input integer lane);
        read_byte = width >= 32 ? bytes[{address[13:5], lane[1:0]}][BYTE - 1:0]
                                : bytes[{address[13:4], lane[0]}][BYTE - 1:0];
    endfunction

    task write(input integer width, input [13:0] address, input [35:0] data);
        integer lane;
        case (width)
            1: bytes[address[13:3]][address[2:0]] <= data[0];
            2: bytes[address[13:3]][{address[2:1], 1'b0} +: 2] <= data[1:0];
            4: bytes[address[13:3]][{address[2], 2'b0} +: 4] <= data[3:0];
            8, 9: bytes[address[13:3]] <= data[8:0];
            16, 18:
                for (lane = 0; lane < 2; lane = lane + 1)
                    if (address[lane])
                        bytes[{address[13:4], lane[0]}] <= data[lane * BYTE +: BYTE];
            default:
                for (lane = 0; lane < 4; lane = lane + 1)
                    if (address[lane])
                        bytes[{address[13:5], lane[1:0]}] <= data[lane * BYTE +: BYTE];
        endcase
    endtask

    always @(posedge CLKA) begin
        if (RESETA)
            DOA <= 0;
        else if (CEA && (!WREA || MODE_A == 2))
            DOA <= read(WIDTH_A, ADA);
        else if (CEA && MODE_A == 1)
            DOA <= merged(WIDTH_A, ADA, DIA);
        if (CEA && WREA)
            write(WIDTH_A, ADA, DIA);
    end
    always @(posedge CLKB) begin
        if (RESETB)
            DOB <= 0;
        else if (CEB && (!WREB || MODE_B == 2))
            DOB <= read(WIDTH_B, ADB);
        else if (CEB && MODE_B == 1)
            DOB <= merged(WIDTH_B, ADB, DIB);
        if (CEB && WREB)
            write(WIDTH_B, ADB, DIB);
    end
endmodule

module DPX9B(
    input CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB,
    input [13:0] ADA, ADB, input [17:0] DIA, DIB, input [2:0] BLKSELA, BLKSELB,
    output [17:0] DOA, DOB);
    parameter READ_MODE0 = 0;
    parameter READ_MODE1 = 0;
    parameter [1:0] WRITE_MODE0 = 0;
    parameter [1:0] WRITE_MODE1 = 0;
    parameter BIT_WIDTH_0 = 18;
    parameter BIT_WIDTH_1 = 18;
    parameter [2:0] BLK_SEL_0 = 0;
    parameter [2:0] BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter [18431:0] INIT = 0;
    wire [35:0] wide_A, wide_B;
    assign DOA = wide_A[17:0];
    assign DOB = wide_B[17:0];
    gowin_block #(
        .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .NINE(1), .MODE_A(WRITE_MODE0),
        .MODE_B(WRITE_MODE1), .INIT(INIT)
    ) block (
        .CLKA(CLKA), .CEA(CEA && BLKSELA == BLK_SEL_0), .WREA(WREA), .RESETA(RESETA), .ADA(ADA),
        .DIA({18'b0, DIA}), .DOA(wide_A),
        .CLKB(CLKB), .CEB(CEB && BLKSELB == BLK_SEL_1), .WREB(WREB), .RESETB(RESETB), .ADB(ADB),
        .DIB({18'b0, DIB}), .DOB(wide_B));
endmodule

module DPB(
    input CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB,
    input [13:0] ADA, ADB, input [15:0] DIA, DIB, input [2:0] BLKSELA, BLKSELB,
    output [15:0] DOA, DOB);
    parameter READ_MODE0 = 0;
    parameter READ_MODE1 = 0;
    parameter [1:0] WRITE_MODE0 = 0;
    parameter [1:0] WRITE_MODE1 = 0;
    parameter BIT_WIDTH_0 = 16;
    parameter BIT_WIDTH_1 = 16;
    parameter [2:0] BLK_SEL_0 = 0;
    parameter [2:0] BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter [18431:0] INIT = 0;
    wire [35:0] wide_A, wide_B;
    assign DOA = wide_A[15:0];
    assign DOB = wide_B[15:0];
    gowin_block #(
        .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .NINE(0), .MODE_A(WRITE_MODE0),
        .MODE_B(WRITE_MODE1), .INIT(INIT)
    ) block (
        .CLKA(CLKA), .CEA(CEA && BLKSELA == BLK_SEL_0), .WREA(WREA), .RESETA(RESETA), .ADA(ADA),
        .DIA({20'b0, DIA}), .DOA(wide_A),
        .CLKB(CLKB), .CEB(CEB && BLKSELB == BLK_SEL_1), .WREB(WREB), .RESETB(RESETB), .ADB(ADB),
        .DIB({20'b0, DIB}), .DOB(wide_B));
endmodule

module SDPX9B(
    input CLKA, CEA, RESETA, CLKB, CEB, RESETB, OCE, input [13:0] ADA, ADB, input [2:0] BLKSELA, BLKSELB,
    input [35:0] DI, output [35:0] DO);
    parameter READ_MODE = 0;
    parameter BIT_WIDTH_0 = 36;
    parameter BIT_WIDTH_1 = 36;
    parameter [2:0] BLK_SEL_0 = 0;
    parameter [2:0] BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter [18431:0] INIT = 0;
    wire [35:0] unused, wide;
    assign DO = wide[35:0];
    gowin_block #(
        .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .NINE(1), .INIT(INIT)
    ) block (
        .CLKA(CLKA), .CEA(CEA && BLKSELA == BLK_SEL_0), .WREA(1'b1), .RESETA(RESETA), .ADA(ADA),
        .DIA({DI}), .DOA(unused),
        .CLKB(CLKB), .CEB(CEB && BLKSELB == BLK_SEL_1), .WREB(1'b0), .RESETB(RESETB), .ADB(ADB),
        .DIB(36'b0), .DOB(wide));
endmodule

module SDPB(
    input CLKA, CEA, RESETA, CLKB, CEB, RESETB, OCE, input [13:0] ADA, ADB, input [2:0] BLKSELA, BLKSELB,
    input [31:0] DI, output [31:0] DO);
    parameter READ_MODE = 0;
    parameter BIT_WIDTH_0 = 32;
    parameter BIT_WIDTH_1 = 32;
    parameter [2:0] BLK_SEL_0 = 0;
    parameter [2:0] BLK_SEL_1 = 0;
    parameter RESET_MODE = "SYNC";
    parameter [18431:0] INIT = 0;
    wire [35:0] unused, wide;
    assign DO = wide[31:0];
    gowin_block #(
        .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .NINE(0), .INIT(INIT)
    ) block (
        .CLKA(CLKA), .CEA(CEA && BLKSELA == BLK_SEL_0), .WREA(1'b1), .RESETA(RESETA), .ADA(ADA),
        .DIA({4'b0, DI}), .DOA(unused),
        .CLKB(CLKB), .CEB(CEB && BLKSELB == BLK_SEL_1), .WREB(1'b0), .RESETB(RESETB), .ADB(ADB),
        .DIB(36'b0), .DOB(wide));
endmodule

