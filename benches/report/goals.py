"""Figures to reach, and how a measured one stands to them."""


def verdict(value, goal, gate, more_is_better=False):
    """Says so in words: a figure that is missed is written down as missed.

    One with an interval may be anywhere in it; what that spans is not decided.
    """
    low, high = (value["low"], value["high"]) if isinstance(value, dict) else (value, value)
    worst, best = (low, high) if more_is_better else (high, low)
    reached = (lambda value, wanted: value >= wanted) if more_is_better else (lambda value, wanted: value <= wanted)
    if not reached(best, gate):
        return "**missed**"
    if not reached(worst, gate):
        return "**not decided**"
    if reached(worst, goal):
        return "goal reached"
    return "within the gate, goal not decided" if reached(best, goal) else "within the gate, goal missed"


def spanned(value, write):
    """A number, or a median with its interval."""
    if not isinstance(value, dict):
        return write(value)
    return f"{write(value['median'])} ({write(value['low'])}–{write(value['high'])})"


def table(rows, more_is_better=False):
    """Rows of (what, measured, goal, gate, how to write a number)."""
    out = ["| | measured | goal | gate | |", "|---|---|---|---|---|"]
    for what, value, goal, gate, write in rows:
        more = more_is_better
        out.append(f"| {what} | {spanned(value, write)} | {write(goal)} | {write(gate)} | {verdict(value, goal, gate, more)} |")
    return "\n".join(out)
