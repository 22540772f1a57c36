"""Pictures of numbers: one library for mails (PNG) and pages (SVG).

A picture brings its own background, so that it is read in light and in dark; its font
ships with the library. The same numbers are the same bytes each time.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 528, 264
"""In CSS pixels; a PNG has twice as many, for sharp screens."""

_BACK, _INK, _SOFT, _GRID = "#f7f9fc", "#1f2937", "#5b6472", "#d5dbe4"
_BLUE, _GREEN = "#1d4ed8", "#15803d"
_STEPS = ("#1d4ed8", "#2f62de", "#4a7ae6", "#6b93ec", "#15803d")

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _SOFT,
    "xtick.color": _SOFT,
    "ytick.color": _INK,
    "text.parse_math": False,
    "svg.hashsalt": "sidecar",
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class Bars:
    """A row of numbers over time, with its name."""

    name: str
    values: Sequence[int]


def funnel(
    steps: Sequence[tuple[str, int]], *, form: Literal["png", "svg"] = "png"
) -> bytes:
    """Draw how many are left at each step, the first on top, with the numbers."""

    def draw(axes: "Axes") -> None:
        names = [name for name, _ in steps]
        counts = [count for _, count in steps]
        places = list(range(len(steps)))
        most = max([*counts, 1])
        axes.barh(places, counts, height=0.68, color=_STEPS[: len(steps)])
        for place, count in zip(places, counts, strict=True):
            axes.text(
                count + most * 0.015,
                place,
                str(count),
                va="center",
                fontweight="bold",
            )
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        axes.set_xlim(0, most * 1.12)
        axes.xaxis.set_visible(False)
        for side in ("top", "right", "bottom", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(axis="y", length=0)

    return _drawn(draw, form)


def trend(
    ticks: Sequence[str],
    bars: tuple[Bars, Bars],
    *,
    form: Literal["png", "svg"] = "png",
) -> bytes:
    """Draw two rows of numbers over the same time, side by side."""

    def draw(axes: "Axes") -> None:
        places = range(len(ticks))
        for shift, row, colour in ((-1, bars[0], _BLUE), (1, bars[1], _GREEN)):
            at = [place + shift * 0.21 for place in places]
            axes.bar(at, row.values, width=0.4, color=colour, label=row.name)
            for place, count in zip(at, row.values, strict=True):
                if count:
                    axes.annotate(
                        str(count),
                        (place, count),
                        xytext=(0, 2),
                        textcoords="offset points",
                        ha="center",
                        fontsize=8.5,
                    )
        axes.set_ylim(0, max([1, *bars[0].values, *bars[1].values]) * 1.28)
        # Every second one, so that they do not touch; the last is always there.
        shown = list(places)[::-2]
        axes.set_xticks(shown, [ticks[place] for place in shown], fontsize=9)
        axes.yaxis.set_visible(False)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(_GRID)
        axes.tick_params(axis="x", length=0)
        axes.legend(
            loc="upper left",
            ncols=2,
            frameon=False,
            borderaxespad=0,
            handlelength=1.0,
            columnspacing=1.6,
        )

    return _drawn(draw, form)


def _drawn(draw: Callable[["Axes"], None], form: Literal["png", "svg"]) -> bytes:
    with _scratch():
        # Half a second and 40 MB: for whoever draws, not for every command.
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(
            figsize=(WIDTH / 96, HEIGHT / 96), facecolor=_BACK, layout="constrained"
        )
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.set_facecolor(_BACK)
        draw(axes)
        file = BytesIO()
        metadata = {"Software": None} if form == "png" else {"Date": None}
        figure.savefig(file, format=form, dpi=192, metadata=metadata)
    return file.getvalue()


@contextmanager
def _scratch() -> Iterator[None]:
    """
    Let the library keep its list of fonts in a folder that goes at once.

    It writes one when it is imported, into the home, which may be read-only; its own
    way out leaves a folder behind for each process that does not end by itself.
    MPLCONFIGDIR, where somebody has set it, stays.

    Source: Matplotlib, "Environment variables", MPLCONFIGDIR.
    """
    if "matplotlib" in sys.modules or "MPLCONFIGDIR" in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="sidecar-fonts-") as folder:
        os.environ["MPLCONFIGDIR"] = folder
        try:
            yield
        finally:
            del os.environ["MPLCONFIGDIR"]
