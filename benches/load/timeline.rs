//! Lines over time, panel below panel, as SVG.

use std::fmt::Write as _;

/// What is drawn over the same minutes as the others.
pub struct Panel {
    pub title: &'static str,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub name: &'static str,
    /// Minutes, and how much it was then.
    pub points: Vec<(f64, f64)>,
}

/// Panels from zero to the highest value of each, above bands of time.
pub fn svg(minutes: f64, panels: &[Panel], bands: &[[f64; 2]]) -> String {
    let height = EACH * panels.len() as f64 + BOTTOM;
    let x = |minute: f64| LEFT + (WIDTH - LEFT - RIGHT) * (minute / minutes).min(1.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\" role=\"img\" aria-label=\"Over {minutes} minutes\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for [from, to] in bands {
        let (left, width) = (x(*from), (x(*to) - x(*from)).max(0.5));
        let tall = height - BOTTOM;
        // Writing into a String cannot fail.
        let _ = writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"0\" width=\"{width:.1}\" height=\"{tall}\" fill=\"#e8e8e8\"/>"
        );
    }
    for (number, panel) in panels.iter().enumerate() {
        draw(&mut svg, panel, EACH * number as f64, x);
    }
    for tenth in 0..=6 {
        let minute = minutes * f64::from(tenth) / 6.0;
        let (at, below) = (x(minute), height - BOTTOM / 3.0);
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{below:.1}\" text-anchor=\"middle\">{minute:.0} min</text>"
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, panel: &Panel, top: f64, x: impl Fn(f64) -> f64) {
    let values = panel.lines.iter().flat_map(|line| &line.points);
    let most = values.map(|point| point.1).fold(0.0, f64::max).max(1e-9);
    let (floor, room) = (top + EACH - 6.0, EACH - 30.0);
    let y = |value: f64| floor - room * value / most;
    let (highest, right) = (y(most), WIDTH - RIGHT);
    let label = if most < 10.0 { 1 } else { 0 };
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{:.1}\" font-size=\"12\">{}</text>\
         <path d=\"M{LEFT} {floor:.1}H{right}M{LEFT} {highest:.1}H{right}\" stroke=\"#bbb\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{most:.label$}</text>\
         <text x=\"{:.1}\" y=\"{floor:.1}\" text-anchor=\"end\">0</text>",
        top + 16.0,
        panel.title,
        LEFT - 5.0,
        highest + 4.0,
        LEFT - 5.0,
    );
    for (number, (line, colour)) in panel.lines.iter().zip(COLOURS).enumerate() {
        let points: Vec<String> = line
            .points
            .iter()
            .map(|(minute, value)| format!("{:.1},{:.1}", x(*minute), y(*value)))
            .collect();
        let name_at = highest + 12.0 + 14.0 * number as f64;
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.2\"/>\
             <text x=\"{:.1}\" y=\"{name_at:.1}\" fill=\"{colour}\">{}</text>",
            points.join(" "),
            right + 6.0,
            line.name
        );
    }
}

const WIDTH: f64 = 760.0;
const EACH: f64 = 130.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 70.0;
const BOTTOM: f64 = 26.0;
const COLOURS: [&str; 2] = ["#0b62a4", "#b8440b"];
