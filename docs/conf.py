project = "seqarith"
author = "The seqarith developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
default_role = "code"
smartquotes = False

myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Source", "notes_style"), ("Yields", "returns_style")]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
pygments_dark_style = "github-dark"
html_title = "seqarith"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False


def setup(app):
    app.connect("html-page-context", name_language)


def name_language(app, pagename, templatename, context, doctree):
    """Name the language of a page: screen readers, fonts and line breaks follow it."""
    if pagename.startswith("zh/"):
        context["language"] = "zh-Hans"
