// One while the harness asks for this fault: behind a LUT that is to give the inverse.
module fault #(parameter NUMBER = 0) (output o);
    integer wanted;
    initial if (!$value$plusargs("fault=%d", wanted))
        wanted = 0;
    assign o = wanted == NUMBER;
endmodule
