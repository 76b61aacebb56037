"""Pictures: each is a function that draws into a matplotlib ``Axes``.

They need matplotlib, the extra ``plot``, which is imported when a figure is made or drawn.

Draw into your own figure or one of these::

    with plots.style():
        figure, (axes,) = plots.new_figure()
        plots.margin_map(axes, Model.shipped("add"), bits=8)
        plots.save_figure(figure, "margins.svg")
"""

from seqarith.plots.accuracy import accuracy_by_chain as accuracy_by_chain
from seqarith.plots.accuracy import accuracy_by_width as accuracy_by_width
from seqarith.plots.figure import new_figure as new_figure
from seqarith.plots.figure import save_figure as save_figure
from seqarith.plots.figure import style as style
from seqarith.plots.learning import learning_curve as learning_curve
from seqarith.plots.machine import machine_diagram as machine_diagram
from seqarith.plots.pairs import error_map as error_map
from seqarith.plots.pairs import margin_map as margin_map
from seqarith.plots.trajectories import trajectories as trajectories
from seqarith.plots.weights import weights as weights
