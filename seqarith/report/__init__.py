"""One self-contained page about a model: what is known of it, its pictures, and it at work."""

from seqarith.report.page import write_report as write_report
