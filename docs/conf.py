"""Sphinx settings of the pages; CONTRIBUTING.md has the command that builds them."""

project = "mlindex"
copyright = "the authors of mlindex"
extensions = ["myst_parser"]
exclude_patterns: list[str] = []

# Links to headings are checked as links to pages are.
myst_heading_anchors = 3
nitpicky = True
smartquotes = False

# The theme brings its own files and uses the reader's fonts: the pages need no network.
html_theme = "furo"
html_title = "mlindex"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["static"]
html_css_files = ["wide.css"]
