//! Curves over the number of sessions, as SVG.

use std::fmt::Write as _;

/// How something grows.
#[derive(Debug)]
pub struct Curve {
    pub name: &'static str,
    /// How many sessions there are, and how many milliseconds it takes then.
    pub points: Vec<(f64, f64)>,
}

/// Curves over the same numbers, both axes by powers of ten.
pub fn svg(title: &str, curves: &[Curve]) -> String {
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let across = Axis::over(all().map(|point| point.0), LEFT, WIDTH - RIGHT);
    let up = Axis::over(all().map(|point| point.1), HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\" aria-label=\"{title}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"18\" font-size=\"14\">{title}</text>\n"
    );
    for power in across.powers() {
        let (x, label) = (across.place(10_f64.powi(power)), label(power));
        let (top, bottom) = (TOP, HEIGHT - BOTTOM);
        // Writing into a String cannot fail.
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {top}V{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            bottom + 18.0
        );
    }
    for power in up.powers() {
        let (y, label) = (up.place(10_f64.powi(power)), label(power));
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label} ms</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0
        );
    }
    let names = names(curves, &up);
    for ((curve, colour), name) in curves.iter().zip(COLOURS).zip(names) {
        let points: Vec<String> = curve
            .points
            .iter()
            .map(|(x, y)| format!("{:.1},{:.1}", across.place(*x), up.place(*y)))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
            points.join(" "),
            WIDTH - RIGHT + 6.0,
            name + 4.0,
            curve.name
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// How far down each curve's name stands: where the curve ends, and none over another.
fn names(curves: &[Curve], up: &Axis) -> Vec<f64> {
    let end = |curve: &Curve| curve.points.last().map_or(TOP, |point| up.place(point.1));
    let mut places: Vec<f64> = curves.iter().map(end).collect();
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|a, b| places[*a].total_cmp(&places[*b]));
    for pair in order.windows(2) {
        places[pair[1]] = places[pair[1]].max(places[pair[0]] + LINE);
    }
    places
}

/// From a power of ten to another.
struct Axis {
    first: i32,
    last: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let logs: Vec<f64> = values.map(|value| value.max(1e-6).log10()).collect();
        let first = logs.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let last = logs
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max)
            .ceil();
        let first = if first.is_finite() { first as i32 } else { 0 };
        let last = if last.is_finite() { last as i32 } else { 1 };
        Self {
            first,
            last: last.max(first + 1),
            from,
            to,
        }
    }

    fn powers(&self) -> impl Iterator<Item = i32> + use<> {
        self.first..=self.last
    }

    fn place(&self, value: f64) -> f64 {
        let whole = f64::from(self.last - self.first);
        let share = (value.max(1e-6).log10() - f64::from(self.first)) / whole;
        self.from + (self.to - self.from) * share
    }
}

fn label(power: i32) -> String {
    match power {
        ..0 => format!("{:.*}", power.unsigned_abs() as usize, 10_f64.powi(power)),
        0..3 => format!("{:.0}", 10_f64.powi(power)),
        3..6 => format!("{:.0} k", 10_f64.powi(power - 3)),
        _ => format!("{:.0} M", 10_f64.powi(power - 6)),
    }
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 40.0;
/// From one name to the next.
const LINE: f64 = 13.0;
const COLOURS: [&str; 5] = ["#0b62a4", "#b8440b", "#2c7d32", "#6a3d9a", "#8a6d00"];
