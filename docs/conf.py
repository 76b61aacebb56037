import json
from pathlib import Path

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


def notebook_page(app, docname, source):
    """Put the cells of docs/tutorial.ipynb, with their outputs, on the page docs/notebook.md."""
    if docname != "notebook":
        return
    parts = []
    cells = json.loads((Path(app.srcdir) / "tutorial.ipynb").read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        for output in cell.get("outputs", ()):
            if output["output_type"] == "stream":
                parts.append(f"```text\n{''.join(output['text'])}```")
            elif "text/html" in output["data"]:
                parts.append(f"```{{raw}} html\n{''.join(output['data']['text/html'])}\n```")
            else:
                parts.append(f"```text\n{''.join(output['data']['text/plain'])}\n```")
    title, *others = parts
    source[0] = "\n\n".join([title, source[0], *others])


def setup(app):
    app.connect("source-read", notebook_page)
    app.connect("html-page-context", name_language)


def name_language(app, pagename, templatename, context, doctree):
    """Name the language of a page: screen readers, fonts and line breaks follow it."""
    if pagename.startswith("zh/"):
        context["language"] = "zh-Hans"
