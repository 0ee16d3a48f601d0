"""Input codings: from a data set's own numbers to the unsigned integers that a network reads."""
