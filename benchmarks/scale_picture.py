"""Draw the curves of ``benchmarks.scale`` as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

Runs = Mapping[int, Mapping[str, Mapping[str, float]]]

_PANELS = (
    ("A question, median (CPU ms)", "ask", "question, CPU ms"),
    ("Memory of a process that asks (MB)", "ask", "resident MB"),
    ("Disk (MB)", "ask at last", "disk MB"),
    ("One changed article (CPU s)", "change one", "CPU s"),
)
_WIDTH, _HEIGHT, _MARGIN = 230, 190, 36
_COLOUR = "#4668c5"


def drawn(runs: Runs) -> str:
    """Draw a panel for each of the figures that matter most, both axes logarithmic."""
    panels = [
        f'<g transform="translate({place * _WIDTH} 0)">{_panel(runs, *panel)}</g>'
        for place, panel in enumerate(_PANELS)
    ]
    size = f"{_WIDTH * len(_PANELS)} {_HEIGHT}"
    style = "text{font:11px sans-serif;fill:#777}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}">'
        f"<style>{style}</style>{''.join(panels)}</svg>\n"
    )


def _panel(runs: Runs, title: str, step: str, name: str) -> str:
    values = {size: run[step][name] for size, run in sorted(runs.items()) if name in run[step]}
    lowest, highest = math.log10(min(values.values())), math.log10(max(values.values()))
    # At least a factor of ten, so that noise makes no cliff.
    middle, spread = (lowest + highest) / 2, max(1.0, highest - lowest)
    sizes = [math.log10(size) for size in values]
    points = [
        (
            _MARGIN + (_WIDTH - 2 * _MARGIN) * (size - sizes[0]) / max(1.0, sizes[-1] - sizes[0]),
            _HEIGHT / 2 - (_HEIGHT - 3 * _MARGIN) * (math.log10(value) - middle) / spread,
        )
        for size, value in zip(sizes, values.values(), strict=True)
    ]
    path = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    parts = [
        f'<text x="{_WIDTH / 2}" y="16" text-anchor="middle">{escape(title)}</text>',
        f'<polyline points="{path}" fill="none" stroke="{_COLOUR}" stroke-width="2"/>',
    ]
    for (x, y), (size, value) in zip(points, values.items(), strict=True):
        parts += [
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{_COLOUR}"/>',
            f'<text x="{x:.0f}" y="{y - 9:.0f}" text-anchor="middle">{value:,.3g}</text>',
            f'<text x="{x:.0f}" y="{_HEIGHT - 10}" text-anchor="middle">{size:,}</text>',
        ]
    return "".join(parts)
