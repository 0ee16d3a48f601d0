"""Controllers of the memories beside an FPGA that hold a data set."""
