"""Sphinx configuration; ``python -m sphinx -W -n -b html docs docs/_build/html`` builds the site, offline."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))
# The reference is of what this distribution ships, whatever else is installed beside it.
os.environ["FFZOO_LOAD_PLUGINS"] = ",".join(sorted(p.name.removeprefix("ffzoo_") for p in HERE.parent.glob("plugins/*_*")))

import ffzoo  # noqa: E402

project = "ffzoo"
author = "the ffzoo authors"
version = release = ffzoo.__version__
html_title = f"ffzoo {release}"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx.ext.doctest",
    "myst_parser",
    "sphinx_copybutton",
    "registry_tables",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_ext", "examples"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
add_module_names = False

# No inventory of another project is read, so what belongs to one cannot be linked.
nitpick_ignore_regex = [
    ("py:.*", r"(torch|numpy|np|nn|argparse|pathlib|collections|pluggy|importlib|contextlib|types|typing)\..*"),
    ("py:.*", r"(Tensor|Path|Any|T|optional)"),
]

html_theme = "furo"
html_static_path = ["_static"]
html_theme_options = {"navigation_with_keys": True, "footer_icons": []}
html_show_sphinx = False
html_copy_source = False
copybutton_exclude = ".linenos, .gp, .go"


def source_read(app, docname, source):
    """The changelog is the repository's; a checkout without one still builds."""
    if docname == "changelog" and not (HERE.parent / "CHANGELOG.md").exists():
        source[0] = "# Changelog\n\nNothing has been released yet.\n"


def setup(app):
    """Connect the above."""
    app.connect("source-read", source_read)
