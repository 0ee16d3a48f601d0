// Behaviour of the ECP5's block memory, from Lattice FPGA-TN-02204, "ECP5 and ECP5-5G Memory Usage
// Guide", for simulating netlists: Yosys has only the ports of these cells.
//
// 1,024 rows of 18 bits; a row is two bytes of nine. A port of 9 bits takes a byte, ports of 4, 2
// and 1 bits take pieces of a byte's low eight bits, a port of 36 bits two rows. At 18 and 36 bits
// the low bits of the address are byte enables. Chip selects are compared with CSDECODE; a port
// that is not selected or not enabled keeps its output. What both ports do to one address in one
// cycle is undefined on the chip; here the write comes after the read. GSR and asynchronous resets
// are not modelled.

module DP16KD(
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
        DIA4, DIA3, DIA2, DIA1, DIA0, input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6,
        ADA5, ADA4, ADA3, ADA2, ADA1, ADA0, input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11,
        DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0, input ADB13, ADB12,
        ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0, input CEA, OCEA,
        CLKA, WEA, RSTA, CSA2, CSA1, CSA0, input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
        output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
        DOA4, DOA3, DOA2, DOA1, DOA0, output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10,
        DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0);
    parameter DATA_WIDTH_A = 18;
    parameter DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG";
    parameter REGMODE_B = "NOREG";
    parameter RESETMODE = "SYNC";
    parameter ASYNC_RESET_RELEASE = "SYNC";
    parameter WRITEMODE_A = "NORMAL";
    parameter WRITEMODE_B = "NORMAL";
    parameter CSDECODE_A = "0b000";
    parameter CSDECODE_B = "0b000";
    parameter CLKAMUX = "CLKA";
    parameter CLKBMUX = "CLKB";
    parameter GSR = "ENABLED";
    parameter INIT_DATA = "STATIC";
    parameter [319:0] INITVAL_00 = 320'h0;
    parameter [319:0] INITVAL_01 = 320'h0;
    parameter [319:0] INITVAL_02 = 320'h0;
    parameter [319:0] INITVAL_03 = 320'h0;
    parameter [319:0] INITVAL_04 = 320'h0;
    parameter [319:0] INITVAL_05 = 320'h0;
    parameter [319:0] INITVAL_06 = 320'h0;
    parameter [319:0] INITVAL_07 = 320'h0;
    parameter [319:0] INITVAL_08 = 320'h0;
    parameter [319:0] INITVAL_09 = 320'h0;
    parameter [319:0] INITVAL_0A = 320'h0;
    parameter [319:0] INITVAL_0B = 320'h0;
    parameter [319:0] INITVAL_0C = 320'h0;
    parameter [319:0] INITVAL_0D = 320'h0;
    parameter [319:0] INITVAL_0E = 320'h0;
    parameter [319:0] INITVAL_0F = 320'h0;
    parameter [319:0] INITVAL_10 = 320'h0;
    parameter [319:0] INITVAL_11 = 320'h0;
    parameter [319:0] INITVAL_12 = 320'h0;
    parameter [319:0] INITVAL_13 = 320'h0;
    parameter [319:0] INITVAL_14 = 320'h0;
    parameter [319:0] INITVAL_15 = 320'h0;
    parameter [319:0] INITVAL_16 = 320'h0;
    parameter [319:0] INITVAL_17 = 320'h0;
    parameter [319:0] INITVAL_18 = 320'h0;
    parameter [319:0] INITVAL_19 = 320'h0;
    parameter [319:0] INITVAL_1A = 320'h0;
    parameter [319:0] INITVAL_1B = 320'h0;
    parameter [319:0] INITVAL_1C = 320'h0;
    parameter [319:0] INITVAL_1D = 320'h0;
    parameter [319:0] INITVAL_1E = 320'h0;
    parameter [319:0] INITVAL_1F = 320'h0;
    parameter [319:0] INITVAL_20 = 320'h0;
    parameter [319:0] INITVAL_21 = 320'h0;
    parameter [319:0] INITVAL_22 = 320'h0;
    parameter [319:0] INITVAL_23 = 320'h0;
    parameter [319:0] INITVAL_24 = 320'h0;
    parameter [319:0] INITVAL_25 = 320'h0;
    parameter [319:0] INITVAL_26 = 320'h0;
    parameter [319:0] INITVAL_27 = 320'h0;
    parameter [319:0] INITVAL_28 = 320'h0;
    parameter [319:0] INITVAL_29 = 320'h0;
    parameter [319:0] INITVAL_2A = 320'h0;
    parameter [319:0] INITVAL_2B = 320'h0;
    parameter [319:0] INITVAL_2C = 320'h0;
    parameter [319:0] INITVAL_2D = 320'h0;
    parameter [319:0] INITVAL_2E = 320'h0;
    parameter [319:0] INITVAL_2F = 320'h0;
    parameter [319:0] INITVAL_30 = 320'h0;
    parameter [319:0] INITVAL_31 = 320'h0;
    parameter [319:0] INITVAL_32 = 320'h0;
    parameter [319:0] INITVAL_33 = 320'h0;
    parameter [319:0] INITVAL_34 = 320'h0;
    parameter [319:0] INITVAL_35 = 320'h0;
    parameter [319:0] INITVAL_36 = 320'h0;
    parameter [319:0] INITVAL_37 = 320'h0;
    parameter [319:0] INITVAL_38 = 320'h0;
    parameter [319:0] INITVAL_39 = 320'h0;
    parameter [319:0] INITVAL_3A = 320'h0;
    parameter [319:0] INITVAL_3B = 320'h0;
    parameter [319:0] INITVAL_3C = 320'h0;
    parameter [319:0] INITVAL_3D = 320'h0;
    parameter [319:0] INITVAL_3E = 320'h0;
    parameter [319:0] INITVAL_3F = 320'h0;

    reg [17:0] rows [0:1023];
    integer row;

    task set(input [6:0] block, input [319:0] value);
        for (row = 0; row < 16; row = row + 1)
            rows[block * 16 + row] = value[row * 20 +: 18];
    endtask

    initial begin
        set(7'h00, INITVAL_00);
        set(7'h01, INITVAL_01);
        set(7'h02, INITVAL_02);
        set(7'h03, INITVAL_03);
        set(7'h04, INITVAL_04);
        set(7'h05, INITVAL_05);
        set(7'h06, INITVAL_06);
        set(7'h07, INITVAL_07);
        set(7'h08, INITVAL_08);
        set(7'h09, INITVAL_09);
        set(7'h0A, INITVAL_0A);
        set(7'h0B, INITVAL_0B);
        set(7'h0C, INITVAL_0C);
        set(7'h0D, INITVAL_0D);
        set(7'h0E, INITVAL_0E);
        set(7'h0F, INITVAL_0F);
        set(7'h10, INITVAL_10);
        set(7'h11, INITVAL_11);
        set(7'h12, INITVAL_12);
        set(7'h13, INITVAL_13);
        set(7'h14, INITVAL_14);
        set(7'h15, INITVAL_15);
        set(7'h16, INITVAL_16);
        set(7'h17, INITVAL_17);
        set(7'h18, INITVAL_18);
        set(7'h19, INITVAL_19);
        set(7'h1A, INITVAL_1A);
        set(7'h1B, INITVAL_1B);
        set(7'h1C, INITVAL_1C);
        set(7'h1D, INITVAL_1D);
        set(7'h1E, INITVAL_1E);
        set(7'h1F, INITVAL_1F);
        set(7'h20, INITVAL_20);
        set(7'h21, INITVAL_21);
        set(7'h22, INITVAL_22);
        set(7'h23, INITVAL_23);
        set(7'h24, INITVAL_24);
        set(7'h25, INITVAL_25);
        set(7'h26, INITVAL_26);
        set(7'h27, INITVAL_27);
        set(7'h28, INITVAL_28);
        set(7'h29, INITVAL_29);
        set(7'h2A, INITVAL_2A);
        set(7'h2B, INITVAL_2B);
        set(7'h2C, INITVAL_2C);
        set(7'h2D, INITVAL_2D);
        set(7'h2E, INITVAL_2E);
        set(7'h2F, INITVAL_2F);
        set(7'h30, INITVAL_30);
        set(7'h31, INITVAL_31);
        set(7'h32, INITVAL_32);
        set(7'h33, INITVAL_33);
        set(7'h34, INITVAL_34);
        set(7'h35, INITVAL_35);
        set(7'h36, INITVAL_36);
        set(7'h37, INITVAL_37);
        set(7'h38, INITVAL_38);
        set(7'h39, INITVAL_39);
        set(7'h3A, INITVAL_3A);
        set(7'h3B, INITVAL_3B);
        set(7'h3C, INITVAL_3C);
        set(7'h3D, INITVAL_3D);
        set(7'h3E, INITVAL_3E);
        set(7'h3F, INITVAL_3F);
    end

    // The piece of a row that a port narrower than 18 bits takes: its first bit.
    function [4:0] first(input integer width, input [13:0] address);
        case (width)
            9: first = address[3] ? 9 : 0;
            4: first = (address[3] ? 9 : 0) + (address[2] ? 4 : 0);
            2: first = (address[3] ? 9 : 0) + 2 * address[2:1];
            1: first = (address[3] ? 9 : 0) + address[2:0];
            default: first = 0;
        endcase
    endfunction

    function [17:0] piece(input integer width, input [13:0] address, input [17:0] row_value);
        piece = (row_value >> first(width, address)) & (18'h3FFFF >> (18 - width));
    endfunction

    function [17:0] merged(input integer width, input [13:0] address, input [17:0] old,
                           input [17:0] value);
        reg [17:0] mask;
        begin
            if (width == 18)
                mask = {{9{address[1]}}, {9{address[0]}}};
            else
                mask = (18'h3FFFF >> (18 - width)) << first(width, address);
            merged = (old & ~mask) | ((value << first(width, address)) & mask);
        end
    endfunction

    function [2:0] decoded(input [39:0] text);  // "0b101"
        decoded = {text[16], text[8], text[0]};
    endfunction

    // Port A.
    wire [13:0] address_A = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3,
        ADA2, ADA1, ADA0};
    wire [17:0] in_A = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7,
        DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
    wire selected_A = CEA && {CSA2, CSA1, CSA0} == decoded(CSDECODE_A);
    wire clock_A = CLKAMUX == "INV" ? !CLKA : CLKA;
    reg [17:0] read_A = 0, held_A = 0;
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
        DOA4, DOA3, DOA2, DOA1, DOA0} = out_A;

    // Port B.
    wire [13:0] address_B = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3,
        ADB2, ADB1, ADB0};
    wire [17:0] in_B = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7,
        DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
    wire selected_B = CEB && {CSB2, CSB1, CSB0} == decoded(CSDECODE_B);
    wire clock_B = CLKBMUX == "INV" ? !CLKB : CLKB;
    reg [17:0] read_B = 0, held_B = 0;
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
        DOB4, DOB3, DOB2, DOB1, DOB0} = out_B;

    // A port of 36 bits takes the data pins of both: A the low half, B the high one.
    localparam wide_write = DATA_WIDTH_A == 36;
    localparam wide_read = DATA_WIDTH_B == 36;
    wire [9:0] row_A = address_A[13:4], row_B = address_B[13:4];
    wire [17:0] old_A = rows[row_A], old_B = rows[row_B];
    wire [17:0] new_A = merged(wide_write ? 18 : DATA_WIDTH_A, address_A, old_A, in_A);
    wire [17:0] new_B = merged(DATA_WIDTH_B, address_B, old_B, in_B);

    always @(posedge clock_A) begin
        if (selected_A) begin
            if (wide_write) begin
                if (WEA) begin
                    rows[{address_A[13:5], 1'b0}] <= merged(
                        18, address_A, rows[{address_A[13:5], 1'b0}], in_A);
                    rows[{address_A[13:5], 1'b1}] <= merged(
                        18, address_A >> 2, rows[{address_A[13:5], 1'b1}], in_B);
                end
            end else begin
                if (WEA)
                    rows[row_A] <= new_A;
                if (!WEA || WRITEMODE_A == "READBEFOREWRITE")
                    read_A <= piece(DATA_WIDTH_A, address_A, old_A);
                else if (WRITEMODE_A == "WRITETHROUGH")
                    read_A <= piece(DATA_WIDTH_A, address_A, new_A);
            end
        end
        if (RSTA && !wide_write)
            read_A <= 0;
    end

    reg [17:0] low_B = 0;
    always @(posedge clock_B) begin
        if (selected_B) begin
            if (wide_read) begin
                low_B <= rows[{address_B[13:5], 1'b0}];
                read_B <= rows[{address_B[13:5], 1'b1}];
            end else begin
                if (WEB && !wide_write)
                    rows[row_B] <= new_B;
                if (!WEB || wide_write || WRITEMODE_B == "READBEFOREWRITE")
                    read_B <= piece(DATA_WIDTH_B, address_B, old_B);
                else if (WRITEMODE_B == "WRITETHROUGH")
                    read_B <= piece(DATA_WIDTH_B, address_B, new_B);
            end
        end
        if (RSTB) begin
            read_B <= 0;
            low_B <= 0;
        end
    end

    wire [17:0] first_A = wide_read ? low_B : read_A;
    wire register_clock_A = wide_read ? clock_B : clock_A;
    wire register_reset_A = wide_read ? RSTB : RSTA;
    wire register_enable_A = wide_read ? OCEB : OCEA;
    always @(posedge register_clock_A)
        if (register_reset_A)
            held_A <= 0;
        else if (register_enable_A)
            held_A <= first_A;
    always @(posedge clock_B)
        if (RSTB)
            held_B <= 0;
        else if (OCEB)
            held_B <= read_B;
    wire [17:0] out_A = (wide_read ? REGMODE_B : REGMODE_A) == "OUTREG" ? held_A : first_A;
    wire [17:0] out_B = REGMODE_B == "OUTREG" ? held_B : read_B;
endmodule

// One port that writes 36 bits and one that reads: DP16KD under other names. As on the chip, the
// halves of a word come out crossed.
module PDPW16KD(
    input DI35, DI34, DI33, DI32, DI31, DI30, DI29, DI28, DI27, DI26, DI25, DI24, DI23, DI22, DI21,
        DI20, DI19, DI18, DI17, DI16, DI15, DI14, DI13, DI12, DI11, DI10, DI9, DI8, DI7, DI6, DI5,
        DI4, DI3, DI2, DI1, DI0, input ADW8, ADW7, ADW6, ADW5, ADW4, ADW3, ADW2, ADW1, ADW0, BE3,
        BE2, BE1, BE0, CEW, CLKW, CSW2, CSW1, CSW0, input ADR13, ADR12, ADR11, ADR10, ADR9, ADR8,
        ADR7, ADR6, ADR5, ADR4, ADR3, ADR2, ADR1, ADR0, CER, OCER, CLKR, CSR2, CSR1, CSR0, RST,
        output DO35, DO34, DO33, DO32, DO31, DO30, DO29, DO28, DO27, DO26, DO25, DO24, DO23, DO22,
        DO21, DO20, DO19, DO18, DO17, DO16, DO15, DO14, DO13, DO12, DO11, DO10, DO9, DO8, DO7, DO6,
        DO5, DO4, DO3, DO2, DO1, DO0);
    parameter CLKRMUX = "CLKR";
    parameter CLKWMUX = "CLKW";
    parameter DATA_WIDTH_W = 36;
    parameter DATA_WIDTH_R = 36;
    parameter GSR = "ENABLED";
    parameter REGMODE = "NOREG";
    parameter RESETMODE = "SYNC";
    parameter ASYNC_RESET_RELEASE = "SYNC";
    parameter CSDECODE_W = "0b000";
    parameter CSDECODE_R = "0b000";
    parameter INIT_DATA = "STATIC";
    parameter [319:0] INITVAL_00 = 320'h0;
    parameter [319:0] INITVAL_01 = 320'h0;
    parameter [319:0] INITVAL_02 = 320'h0;
    parameter [319:0] INITVAL_03 = 320'h0;
    parameter [319:0] INITVAL_04 = 320'h0;
    parameter [319:0] INITVAL_05 = 320'h0;
    parameter [319:0] INITVAL_06 = 320'h0;
    parameter [319:0] INITVAL_07 = 320'h0;
    parameter [319:0] INITVAL_08 = 320'h0;
    parameter [319:0] INITVAL_09 = 320'h0;
    parameter [319:0] INITVAL_0A = 320'h0;
    parameter [319:0] INITVAL_0B = 320'h0;
    parameter [319:0] INITVAL_0C = 320'h0;
    parameter [319:0] INITVAL_0D = 320'h0;
    parameter [319:0] INITVAL_0E = 320'h0;
    parameter [319:0] INITVAL_0F = 320'h0;
    parameter [319:0] INITVAL_10 = 320'h0;
    parameter [319:0] INITVAL_11 = 320'h0;
    parameter [319:0] INITVAL_12 = 320'h0;
    parameter [319:0] INITVAL_13 = 320'h0;
    parameter [319:0] INITVAL_14 = 320'h0;
    parameter [319:0] INITVAL_15 = 320'h0;
    parameter [319:0] INITVAL_16 = 320'h0;
    parameter [319:0] INITVAL_17 = 320'h0;
    parameter [319:0] INITVAL_18 = 320'h0;
    parameter [319:0] INITVAL_19 = 320'h0;
    parameter [319:0] INITVAL_1A = 320'h0;
    parameter [319:0] INITVAL_1B = 320'h0;
    parameter [319:0] INITVAL_1C = 320'h0;
    parameter [319:0] INITVAL_1D = 320'h0;
    parameter [319:0] INITVAL_1E = 320'h0;
    parameter [319:0] INITVAL_1F = 320'h0;
    parameter [319:0] INITVAL_20 = 320'h0;
    parameter [319:0] INITVAL_21 = 320'h0;
    parameter [319:0] INITVAL_22 = 320'h0;
    parameter [319:0] INITVAL_23 = 320'h0;
    parameter [319:0] INITVAL_24 = 320'h0;
    parameter [319:0] INITVAL_25 = 320'h0;
    parameter [319:0] INITVAL_26 = 320'h0;
    parameter [319:0] INITVAL_27 = 320'h0;
    parameter [319:0] INITVAL_28 = 320'h0;
    parameter [319:0] INITVAL_29 = 320'h0;
    parameter [319:0] INITVAL_2A = 320'h0;
    parameter [319:0] INITVAL_2B = 320'h0;
    parameter [319:0] INITVAL_2C = 320'h0;
    parameter [319:0] INITVAL_2D = 320'h0;
    parameter [319:0] INITVAL_2E = 320'h0;
    parameter [319:0] INITVAL_2F = 320'h0;
    parameter [319:0] INITVAL_30 = 320'h0;
    parameter [319:0] INITVAL_31 = 320'h0;
    parameter [319:0] INITVAL_32 = 320'h0;
    parameter [319:0] INITVAL_33 = 320'h0;
    parameter [319:0] INITVAL_34 = 320'h0;
    parameter [319:0] INITVAL_35 = 320'h0;
    parameter [319:0] INITVAL_36 = 320'h0;
    parameter [319:0] INITVAL_37 = 320'h0;
    parameter [319:0] INITVAL_38 = 320'h0;
    parameter [319:0] INITVAL_39 = 320'h0;
    parameter [319:0] INITVAL_3A = 320'h0;
    parameter [319:0] INITVAL_3B = 320'h0;
    parameter [319:0] INITVAL_3C = 320'h0;
    parameter [319:0] INITVAL_3D = 320'h0;
    parameter [319:0] INITVAL_3E = 320'h0;
    parameter [319:0] INITVAL_3F = 320'h0;

    DP16KD #(
        .DATA_WIDTH_A(36), .DATA_WIDTH_B(DATA_WIDTH_R), .REGMODE_B(REGMODE), .RESETMODE(RESETMODE),
            .CSDECODE_A(CSDECODE_W), .CSDECODE_B(CSDECODE_R), .CLKAMUX(CLKWMUX == "INV" ? "INV" :
            "CLKA"), .CLKBMUX(CLKRMUX == "INV" ? "INV" : "CLKB"), .INITVAL_00(INITVAL_00),
            .INITVAL_01(INITVAL_01), .INITVAL_02(INITVAL_02), .INITVAL_03(INITVAL_03),
            .INITVAL_04(INITVAL_04), .INITVAL_05(INITVAL_05), .INITVAL_06(INITVAL_06),
            .INITVAL_07(INITVAL_07), .INITVAL_08(INITVAL_08), .INITVAL_09(INITVAL_09),
            .INITVAL_0A(INITVAL_0A), .INITVAL_0B(INITVAL_0B), .INITVAL_0C(INITVAL_0C),
            .INITVAL_0D(INITVAL_0D), .INITVAL_0E(INITVAL_0E), .INITVAL_0F(INITVAL_0F),
            .INITVAL_10(INITVAL_10), .INITVAL_11(INITVAL_11), .INITVAL_12(INITVAL_12),
            .INITVAL_13(INITVAL_13), .INITVAL_14(INITVAL_14), .INITVAL_15(INITVAL_15),
            .INITVAL_16(INITVAL_16), .INITVAL_17(INITVAL_17), .INITVAL_18(INITVAL_18),
            .INITVAL_19(INITVAL_19), .INITVAL_1A(INITVAL_1A), .INITVAL_1B(INITVAL_1B),
            .INITVAL_1C(INITVAL_1C), .INITVAL_1D(INITVAL_1D), .INITVAL_1E(INITVAL_1E),
            .INITVAL_1F(INITVAL_1F), .INITVAL_20(INITVAL_20), .INITVAL_21(INITVAL_21),
            .INITVAL_22(INITVAL_22), .INITVAL_23(INITVAL_23), .INITVAL_24(INITVAL_24),
            .INITVAL_25(INITVAL_25), .INITVAL_26(INITVAL_26), .INITVAL_27(INITVAL_27),
            .INITVAL_28(INITVAL_28), .INITVAL_29(INITVAL_29), .INITVAL_2A(INITVAL_2A),
            .INITVAL_2B(INITVAL_2B), .INITVAL_2C(INITVAL_2C), .INITVAL_2D(INITVAL_2D),
            .INITVAL_2E(INITVAL_2E), .INITVAL_2F(INITVAL_2F), .INITVAL_30(INITVAL_30),
            .INITVAL_31(INITVAL_31), .INITVAL_32(INITVAL_32), .INITVAL_33(INITVAL_33),
            .INITVAL_34(INITVAL_34), .INITVAL_35(INITVAL_35), .INITVAL_36(INITVAL_36),
            .INITVAL_37(INITVAL_37), .INITVAL_38(INITVAL_38), .INITVAL_39(INITVAL_39),
            .INITVAL_3A(INITVAL_3A), .INITVAL_3B(INITVAL_3B), .INITVAL_3C(INITVAL_3C),
            .INITVAL_3D(INITVAL_3D), .INITVAL_3E(INITVAL_3E), .INITVAL_3F(INITVAL_3F)
    ) memory (
        .DIA0(DI0), .DIA1(DI1), .DIA2(DI2), .DIA3(DI3), .DIA4(DI4), .DIA5(DI5), .DIA6(DI6),
            .DIA7(DI7), .DIA8(DI8), .DIA9(DI9), .DIA10(DI10), .DIA11(DI11), .DIA12(DI12),
            .DIA13(DI13), .DIA14(DI14), .DIA15(DI15), .DIA16(DI16), .DIA17(DI17), .DIB0(DI18),
            .DIB1(DI19), .DIB2(DI20), .DIB3(DI21), .DIB4(DI22), .DIB5(DI23), .DIB6(DI24),
            .DIB7(DI25), .DIB8(DI26), .DIB9(DI27), .DIB10(DI28), .DIB11(DI29), .DIB12(DI30),
            .DIB13(DI31), .DIB14(DI32), .DIB15(DI33), .DIB16(DI34), .DIB17(DI35), .ADA0(BE0),
            .ADA1(BE1), .ADA2(BE2), .ADA3(BE3), .ADA4(1'b0), .ADA5(ADW0), .ADA6(ADW1), .ADA7(ADW2),
            .ADA8(ADW3), .ADA9(ADW4), .ADA10(ADW5), .ADA11(ADW6), .ADA12(ADW7), .ADA13(ADW8),
            .CEA(CEW), .OCEA(1'b0), .CLKA(CLKW), .WEA(1'b1), .RSTA(1'b0), .CSA0(CSW0), .CSA1(CSW1),
            .CSA2(CSW2), .ADB0(ADR0), .ADB1(ADR1), .ADB2(ADR2), .ADB3(ADR3), .ADB4(ADR4),
            .ADB5(ADR5), .ADB6(ADR6), .ADB7(ADR7), .ADB8(ADR8), .ADB9(ADR9), .ADB10(ADR10),
            .ADB11(ADR11), .ADB12(ADR12), .ADB13(ADR13), .CEB(CER), .OCEB(OCER), .CLKB(CLKR),
            .WEB(1'b0), .RSTB(RST), .CSB0(CSR0), .CSB1(CSR1), .CSB2(CSR2), .DOA0(DO18), .DOA1(DO19),
            .DOA2(DO20), .DOA3(DO21), .DOA4(DO22), .DOA5(DO23), .DOA6(DO24), .DOA7(DO25),
            .DOA8(DO26), .DOA9(DO27), .DOA10(DO28), .DOA11(DO29), .DOA12(DO30), .DOA13(DO31),
            .DOA14(DO32), .DOA15(DO33), .DOA16(DO34), .DOA17(DO35), .DOB0(DO0), .DOB1(DO1),
            .DOB2(DO2), .DOB3(DO3), .DOB4(DO4), .DOB5(DO5), .DOB6(DO6), .DOB7(DO7), .DOB8(DO8),
            .DOB9(DO9), .DOB10(DO10), .DOB11(DO11), .DOB12(DO12), .DOB13(DO13), .DOB14(DO14),
            .DOB15(DO15), .DOB16(DO16), .DOB17(DO17)
    );
endmodule
