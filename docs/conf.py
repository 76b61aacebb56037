project = "seqarith"
author = "The seqarith developers"
extensions = ["myst_parser"]
myst_heading_anchors = 2
exclude_patterns = ["_build"]
html_theme = "alabaster"
