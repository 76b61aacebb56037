"""Recurrent cells: one recurrence a file, behind one contract."""
