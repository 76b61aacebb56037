"""One self-contained HTML page about a model: facts, pictures, and the network at work."""

from seqarith.report.page import write_report as write_report
