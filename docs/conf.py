"""Sphinx configuration; ``python -m sphinx -W -n -b html docs docs/_build/html`` builds the site, offline."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))
# The reference is of what this distribution ships, whatever else is installed beside it.
SHIPPED = sorted(folder.name.removeprefix("ffzoo_") for folder in HERE.parent.glob("plugins/ffzoo_*"))
os.environ["FFZOO_LOAD_PLUGINS"] = ",".join(SHIPPED)

from docutils import nodes  # noqa: E402
from sphinx.domains.python import PyObject  # noqa: E402
from sphinx.ext.napoleon.docstring import GoogleDocstring  # noqa: E402
from sphinx.util import logging  # noqa: E402

import ffzoo  # noqa: E402
import ffzoo.bench  # noqa: E402
import ffzoo.plots  # noqa: E402
import ffzoo.plugin  # noqa: E402
import ffzoo.testing  # noqa: E402

logger = logging.getLogger(__name__)
# What is imported from; the longest name first.
DOORS = (ffzoo.testing, ffzoo.plots, ffzoo.plugin, ffzoo.bench, ffzoo)
next(field for field in PyObject.doc_field_types if field.name == "variable").label = "Attributes"

# Types are in the annotations: a colon in the text of an attribute, a property or a result is just a colon.
GoogleDocstring._consume_inline_attribute = lambda self: ("", self._dedent(self._consume_to_end()))
GoogleDocstring._consume_returns_section = lambda self, preprocess_types=False: [
    ("", "", self._dedent(self._consume_to_next_section()))
]

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
exclude_patterns = ["_build", "_ext", "examples", "results"]
nitpicky = True

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
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
    ("py:.*", r"(matplotlib|annotated_types|datetime|sklearn)\..*"),
    # What is not promised is not in the reference, though signatures name it.
    ("py:.*", r"(ffzoo|ffzoo_zoo|ffzoo_experiments)\..*"),
    ("py:.*", r"(.*\.)?(T|Tensor|SearchStrategy|state_dict|named_parameters)"),
    ("py:.*", r"Ge|Gt|Le|Lt|Interval|MinLen|Path|Metrics|AlgorithmSpec|MissingCell|Model|Rule|parse_set"),
]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_js_files = ["board.js"]
html_theme_options = {"navigation_with_keys": True, "footer_icons": []}
html_show_sphinx = False
html_copy_source = False
html_show_copyright = False
copybutton_exclude = ".linenos, .gp, .go"


def source_read(app, docname, source):
    """The changelog is the repository's; a checkout without one still builds."""
    if docname == "changelog" and not (HERE.parent / "CHANGELOG.md").exists():
        source[0] = "# Changelog\n\nNothing has been released yet.\n"


def resolve(app, env, node, contnode):
    """A name as it is imported (``Recipe``, ``ffzoo.Algorithm``, ``ffzoo.plugin.Backbone``) -> where it is documented.

    A page written by hand may only name what the reference has; signatures also name what is not promised.
    """
    if node.get("refdomain") != "py":
        return None
    target, reference = node["reftarget"], None
    door = next((door for door in DOORS if target.startswith(f"{door.__name__}.")), None)
    first, _, rest = target.removeprefix(f"{door.__name__}." if door else "").partition(".")
    found = getattr(door or sys.modules.get(node.get("py:module")), first, None)
    if str(getattr(found, "__module__", "")).startswith("ffzoo"):
        name = ".".join([found.__module__, found.__qualname__, *([rest] if rest else [])])
        domain = env.domains["py"]
        reference = domain.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], name, node, contnode)
    if reference is None and not node["refdoc"].startswith("api/"):
        logger.warning("%s is not in the reference", target, location=node)
    return reference


def plain_text(app, what, name, obj, opts, lines):
    """A line that is one capital letter and a full stop would begin a list: "num_classes: K."."""
    lines[:] = [re.sub(r"((?:^|: ))([A-Z]\.)$", r"\1\\\2", line) for line in lines]


def signature(app, what, name, obj, opts, arguments, result):
    """The default of a field with a factory is no Python, and the signature would not be read."""
    return (arguments or "").replace("<factory>", "...") or arguments, result


def without_object(app, doctree):
    """Remove what says nothing of a class."""
    for paragraph in [p for p in doctree.findall(nodes.paragraph) if p.astext() == "Bases: object"]:
        paragraph.parent.remove(paragraph)


def setup(app):
    """Connect the above."""
    app.connect("autodoc-process-docstring", plain_text, priority=100)
    app.connect("autodoc-process-signature", signature)
    app.connect("doctree-read", without_object)
    app.connect("source-read", source_read)
    app.connect("missing-reference", resolve)
