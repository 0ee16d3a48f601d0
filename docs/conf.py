"""Sphinx: Markdown by MyST, NumPy docstrings by napoleon; `make docs` builds without a network.

Tutorials are notebooks in Markdown; MyST-NB runs them and shows what their cells print.
"""

import importlib.metadata
import os
import re
import sys
from pathlib import Path

project = "tritgrad"
author = "the tritgrad developers"
version = release = importlib.metadata.version("tritgrad")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
#: Pages made from tables may begin below a heading; one that no list names is found by search.
suppress_warnings = ["myst.header", "toc.not_included"]

nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
nb_output_stderr = "remove"  # progress of other packages
nb_ipywidgets_js: dict[str, object] = {}  # nothing is loaded from elsewhere
#: Cells call the command that belongs to this Python, and no profile of the user's takes part.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ["COLUMNS"] = "100"

html_theme = "furo"
html_title = "tritgrad"
html_show_sourcelink = False
html_static_path: list[str] = []
exclude_patterns = ["_build"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # they are in the signatures
napoleon_google_docstring = False
napoleon_use_rtype = False
add_module_names = False

#: Pages link to files of the repository, which the site does not have: their names stay, as text.
OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./(?!docs/)[^)]*\)")


def setup(app: object) -> None:
    """Take the links to files outside the pages away."""
    def read(app: object, name: str, source: list[str]) -> None:
        source[0] = OUTSIDE.sub(r"\1", source[0])
    app.connect("source-read", read)  # type: ignore[attr-defined]
