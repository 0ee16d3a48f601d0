// Words of 16 bits for a simulation, in pages of 64 that are there once one of them is written. What
// nobody has written reads as noise: a hash of its place, another one at each power-up.

module sparse_words #(parameter BITS = 24) (
    input clk, read, write, input [BITS-1:0] at, input [15:0] data, output reg [15:0] word);
    typedef bit [BITS-7:0] number_t;
    reg [1023:0] pages [number_t];
    reg [1023:0] page;
    reg [31:0] salt = 0;
    integer n;
    wire [BITS-7:0] number = at[BITS-1:6];

    initial if ($test$plusargs("power_up"))
        salt = $urandom;

    function [15:0] noise(input [BITS-1:0] place);
        reg [31:0] z;
        z = ({{32 - BITS{1'b0}}, place} ^ salt) * 32'h9E3779B9 + 32'h7F4A7C15;
        z = (z ^ z >> 15) * 32'h85EBCA6B;
        noise = z[31:16] ^ z[15:0];
    endfunction

    always @(posedge clk) begin
        if (write) begin
            if (pages.exists(number) != 0)
                page = pages[number];
            else
                for (n = 0; n < 64; n = n + 1)
                    page[16 * n +: 16] = noise({number, n[5:0]});
            page[16 * at[5:0] +: 16] = data;
            pages[number] = page;
        end
        if (read) begin
            if (pages.exists(number) != 0) begin
                page = pages[number];
                word <= page[16 * at[5:0] +: 16];
            end else
                word <= noise(at);
        end
    end
endmodule
