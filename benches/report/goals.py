"""Figures to reach, and how a measured one stands to them."""


def verdict(value, goal, gate, more_is_better=False):
    """Says so in words: a figure that is missed is written down as missed."""
    reached = (lambda wanted: value >= wanted) if more_is_better else (lambda wanted: value <= wanted)
    if reached(goal):
        return "goal reached"
    return "within the gate, goal missed" if reached(gate) else "**missed**"


def table(rows, more_is_better=False):
    """Rows of (what, measured, goal, gate, how to write a number)."""
    out = ["| | measured | goal | gate | |", "|---|---|---|---|---|"]
    for what, value, goal, gate, write in rows:
        more = more_is_better
        out.append(f"| {what} | {write(value)} | {write(goal)} | {write(gate)} | {verdict(value, goal, gate, more)} |")
    return "\n".join(out)
