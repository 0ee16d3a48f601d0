"""A trace as a picture: a box an event, in ProgramGrad's layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

__all__ = ["MOST_OPS", "as_svg"]

WIDTH, TOP, PITCH = 900, 70, 108
BOX_X, BOX_Y, BOX_WIDTH, BOX_HEIGHT = 20, 82, 860, 92
MOST_OPS = 20
FONT = "DejaVu Sans, Helvetica, sans-serif"
LONGEST = 118
FILLS = {"branch": "#e8f1fb", "search": "#fdf0e3", "loop": "#eaf5ea", "op": "#f4f4f4",
         "empty": "#f4f4f4"}
EDGES = {"branch": "#2563a8", "search": "#d9730d", "loop": "#3d8b40", "op": "#8a9099",
         "empty": "#8a9099"}


def as_svg(trace: dict[str, Any], labels: Mapping[int, str] | None = None) -> str:
    """The picture of a trace as `TraceContext.to_dict` gives it: branches, searches, loops, ops.

    900 wide, 70 + 108 a row high; the first 20 operations only.

    Parameters
    ----------
    labels
        What events are about, by their numbers.
    """
    names = labels or {}
    rows = [*map(_branch, trace["branches"]), *map(_search, trace["searches"]),
            *map(_loop, trace["loops"]), *map(_op, trace["ops"][:MOST_OPS])]
    numbers = [event["id"] for name in ("branches", "searches", "loops") for event in trace[name]]
    for n, number in enumerate(numbers):
        if number in names:
            kind, title, lines = rows[n]
            rows[n] = kind, f"{names[number]}  {title}", lines
    rows = rows or [("empty", "Empty trace", ["no decision and no operation was recorded"])]
    height = TOP + PITCH * len(rows)
    config = ", ".join(f"{name}: {str(trace[name]).lower()}" for name in (
        "mode", "relaxation", "fidelity", "record_ops", "hard_shadow"))
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        '<text x="20" y="34" font-size="20" font-weight="bold">ProgramGrad Trace</text>',
        f'<text x="20" y="58" font-size="12" fill="#555555">{escape(config)}</text>']
    for n, (kind, title, lines) in enumerate(rows):
        y = BOX_Y + PITCH * n
        parts.append(f'<rect class="row" x="{BOX_X}" y="{y}" width="{BOX_WIDTH}" '
                     f'height="{BOX_HEIGHT}" rx="6" fill="{FILLS[kind]}" '
                     f'stroke="{EDGES[kind]}"/>')
        parts.append(f'<text x="34" y="{y + 24}" font-size="14" font-weight="bold">'
                     f'{escape(_short(title))}</text>')
        parts += [f'<text x="34" y="{y + 45 + 18 * k}" font-size="12">{escape(_short(line))}'
                  '</text>' for k, line in enumerate(lines[:3])]
    return "\n".join([*parts, "</svg>", ""])


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST - 3] + "..."


def _number(value: Any) -> str:
    """A number with six digits, or how many there are."""
    if isinstance(value, list):
        inside = ", ".join(_number(item) for item in value[:6])
        return f"[{inside}{', ...' if len(value) > 6 else ''}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _quality(fidelity: dict[str, Any] | None) -> str:
    if fidelity is None:
        return "no metrics"
    return (f"gap {_number(fidelity['output_gap'])}, paths agree: "
            f"{_number(fidelity['path_agreement'])}, entropy {_number(fidelity['gate_entropy'])}, "
            f"temperature {_number(fidelity['temperature'])}")


def _branch(event: dict[str, Any]) -> tuple[str, str, list[str]]:
    condition = event["condition"]
    surrogate = condition["relaxation"]["surrogate_type"]
    return ("branch", f"#{event['id']} branch: {_number(event['selected_path'])}", [
        f"score {_number(condition['score'])} > 0, gate {_number(condition['gate'])}, {surrogate}",
        f"hard {_number(event['output_hard'])}, soft {_number(event['output_soft'])}",
        _quality(event["fidelity"])])


def _search(event: dict[str, Any]) -> tuple[str, str, list[str]]:
    chosen = event["candidates"][event["selected_index"]]
    values = f"hard {_number(event['output_hard'])}, soft {_number(event['output_soft'])}"
    return ("search", f"#{event['id']} search: {chosen}", [
        f"scores {_number(event['scores'])}, weights {_number(event['soft_weights'])}",
        f"{values}, {event['relaxation']['surrogate_type']}",
        _quality(event["fidelity"])])


def _loop(event: dict[str, Any]) -> tuple[str, str, list[str]]:
    state = "goes on" if event["hard_alive"] else "stopped"
    return ("loop", f"#{event['id']} loop, iteration {event['iteration_index']}: {state}", [
        f"score {_number(event['continue_score'])}, gate {_number(event['continue_gate'])}",
        f"state {_number(event['carried_state'])}, hard {_number(event['hard_carried_state'])}",
        _quality(event["fidelity"]) if event["fidelity"] else ""])


def _op(event: dict[str, Any]) -> tuple[str, str, list[str]]:
    slopes = ", ".join(f"d/d{name} {_number(value)}"
                       for name, value in event["local_derivative"].items())
    return ("op", f"#{event['id']} {event['op_name']}", [
        f"{', '.join(event['inputs'])} -> {event['output']} = {_number(event['value'])}", slopes])
