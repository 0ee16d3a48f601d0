"""The systems that tritgrad follows, under their own names and with their own interfaces.

Each module is a thin cover over the vectorised library in `tritgrad.model`: a program written for
the system runs after one line, such as ``sys.modules["gay"] = tritgrad.sources.gay``.
"""
