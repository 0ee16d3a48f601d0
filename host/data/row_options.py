"""Options that say where rows come from, and how they are read and split."""

from ...option import Option

__all__ = ["MISSING_RULES", "READING", "SOURCES", "SPLITS"]

MISSING_RULES = ("refuse", "drop", "mean")
SPLITS = ("random", "stratified", "ordered", "group:COL")

#: How files are read and rows split, the fields of `host.data.reading.Reading`.
READING = (
    Option("label", "Take this column of a CSV file as the label, by name or number.  [default: "
                    "the one called label, class, target or y, else the last one]", None,
           metavar="NAME"),
    Option("header", "Say whether the first row of a CSV file names the columns.  [default: auto]",
           None, metavar="yes|no|auto"),
    Option("delimiter", "Take this character between cells, or comma, semicolon, tab, pipe or "
                        "space.  [default: found out]", None, metavar="CHAR"),
    Option("decimal", "Take this decimal mark.  [default: found out]", None, metavar=".|,"),
    Option("missing", "Refuse rows that lack a value, drop them, or put in the mean of the "
                      "training rows.  [default: refuse, or as in training]", None,
           choices=MISSING_RULES),
    Option("drop", "Leave these columns of a CSV file out; more than one --drop adds up.", (),
           metavar="COL[,COL...]", repeats=True),
    Option("classes", "Name all classes, in the order of the outputs; also those that only later "
                      "rows will have.  [default: those of the training rows, sorted]", None,
           many=True, metavar="A,B,..."),
    Option("accept_labels", "Take labels that look like measured numbers, ids or dates."),
    Option("split", "Split off test and validation rows at random, stratified (at random in each "
                    "class), ordered (the last rows), or group:COL (whole groups of equal values "
                    "in a column).  [default: random; with --window ordered]", None,
           metavar="HOW"),
    Option("split_seed", "Choose the rows split off at random by this number.", 0),
    Option("window", "Make one sample of each N rows in succession, one every STRIDE rows.  "
                     "[default: no; STRIDE N]", None, kind=int, many=True,
           count=2, metavar="N[,STRIDE]"),
    Option("balance", "Repeat the training rows of rare classes up to the largest class."),
)

#: Where rows come from, and which are held back.
SOURCES = (
    Option("dataset", "Train on digits, mnist, fashion-mnist, kmnist, qmnist, emnist-letters and "
                      "such, or a .npz, .csv or .tsv file.", "digits", metavar="NAME", free=True),
    Option("data_dir", "Read the IDX files of the MNIST family from this folder.", None,
           metavar="DIR", free=True),
    Option("test", "Take the test rows from this CSV or NPZ file.", None, metavar="FILE",
           free=True),
    Option("test_fraction", "Split off this part of the rows for the test, where the data have no "
                            "test set.", 0.2, metavar="F"),
    Option("val_fraction", "Hold back this part of the training rows, report it, and keep the "
                           "model of the best epoch.  [default: none]", None, kind=float,
           metavar="F"),
    Option("limit", "Use the first N training rows only.  [default: all]", None, kind=int),
)
