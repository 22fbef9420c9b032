"""Bars, as SVG: one figure needs no more."""

from html import escape

WIDTH, LABEL, RIGHT, ROW = 760, 270, 110, 24
OURS, OTHERS = "#2f6f4f", "#9aa7b0"


def bars(path, title, rows, unit, logarithmic=False):
    """Rows of (name, value, whether it is ours), in their order."""
    from math import log10

    height = 40 + ROW * len(rows) + 16
    top = max(value for _, value, _ in rows)
    least = min(value for _, value, _ in rows if value > 0)
    scale = (lambda value: log10(max(value, least / 2) / (least / 2)) / log10(top / (least / 2))) if logarithmic else (
        lambda value: value / top)
    room = WIDTH - LABEL - RIGHT
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="22" font-weight="600" fill="#1f2933">{escape(title)}</text>',
    ]
    for number, (name, value, ours) in enumerate(rows):
        y = 38 + ROW * number
        wide = max(2, scale(value) * room)
        shown = f"{value:,.0f}" if value >= 10 else f"{value:.2f}"
        out += [
            f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end" fill="#1f2933">{escape(name)}</text>',
            f'<rect x="{LABEL}" y="{y + 3}" width="{wide:.1f}" height="{ROW - 7}" fill="{OURS if ours else OTHERS}"/>',
            f'<text x="{LABEL + wide + 6:.1f}" y="{y + 15}" fill="#1f2933">{shown} {escape(unit)}</text>',
        ]
    out.append("</svg>\n")
    with open(path, "w") as file:
        file.write("\n".join(out))
