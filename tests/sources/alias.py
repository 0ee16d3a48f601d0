"""A system's name for the module that stands for it, as its users would set it."""

import sys
from contextlib import contextmanager


@contextmanager
def alias(**modules):
    """Inside, ``import NAME`` gives the module; nothing of it stays."""
    before = dict(sys.modules)
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - set(before):
            if name.split(".")[0] in modules:
                del sys.modules[name]
        for name in modules:
            if name in before:
                sys.modules[name] = before[name]
