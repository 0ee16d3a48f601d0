"""Sphinx: Markdown by MyST, NumPy docstrings by napoleon; `make docs` builds without a network."""

import importlib.metadata
import re

project = "tritgrad"
author = "the tritgrad developers"
version = release = importlib.metadata.version("tritgrad")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
#: Pages made from tables may begin below a heading; one that no list names is found by search.
suppress_warnings = ["myst.header", "toc.not_included"]

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
