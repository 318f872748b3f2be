"""How the documentation is built; the reference pages are written from the code before each build."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from reference_pages import write_pages  # noqa: E402

from dapp_ext import __version__  # noqa: E402

project = "DAPP"
author = "The DAPP developers"
copyright = "The DAPP developers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
myst_enable_extensions = ["colon_fence", "attrs_block", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
add_module_names = False
napoleon_numpy_docstring = True
nitpicky = False

html_theme = "pydata_sphinx_theme"
html_title = "DAPP"
html_static_path = ["static"]
html_logo = "static/logo.svg"
html_favicon = "static/logo.svg"
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navigation_with_keys": False,
}

write_pages(Path(__file__).parent / "reference" / "generated")
