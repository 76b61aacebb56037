project = "seqarith"
author = "The seqarith developers"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
