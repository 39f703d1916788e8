# SPDX-License-Identifier: Apache-2.0
"""Sphinx configuration: `make docs` builds the site into build/docs, without a single warning."""

import re
import sys
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / name) for name in ("library", "base", "spec", "golden", "measure", "report", "data", "host")]

project = "Hysteron"
author = "The Hysteron developers"
copyright = "the Hysteron developers, Apache-2.0"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinxcontrib.mermaid",
]
html_theme = "furo"
html_title = "Hysteron"
html_static_path = ["_static"]
html_css_files = ["wide-tables.css"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 4
# Links from a page to a file of the repository that is no page.
myst_all_links_external = False

# A tutorial that fails is a failed build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_format = "short"
napoleon_google_docstring = False
napoleon_use_rtype = False
add_module_names = False

# The docstrings refer to modules by their full names, many of which have no page of their own.
nitpicky = False


def setup(app: Any) -> None:
    """Show the specification's worked examples, which tests read by their own marks, as plain text."""
    text = (ROOT / "docs" / "specification.md").read_text()
    for mark in set(re.findall(r"^```(spec-[\w-]+)", text, re.MULTILINE)):
        app.add_lexer(mark, TextLexer)
