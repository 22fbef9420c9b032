//! Bars over time, as SVG without a script.

use super::markup::Markup;
use super::texts::Texts;

/// Bars of the counts, the latest at the end; the whole is one picture with a name.
pub(super) fn bars(texts: &Texts, title: &str, counts: &[u64]) -> Markup {
    let bars = bundled(counts);
    let total: u64 = counts.iter().sum();
    let most = bars.iter().copied().max().unwrap_or(0);
    let mut chart = Markup::default();
    chart
        .raw("<figure><figcaption>")
        .text(title)
        .raw(": ")
        .text(total)
        .raw("</figcaption>");
    chart.raw(
        "<svg viewBox=\"0 0 600 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"",
    );
    chart.text(title).raw(": ").text(total).raw(". ");
    chart
        .text(texts.by_minute.replace("{most}", &most.to_string()))
        .raw("\">");
    chart.raw("<line x1=\"0\" y1=\"99.5\" x2=\"600\" y2=\"99.5\"/>");
    let width = 600.0 / bars.len().max(1) as f64;
    for (place, count) in bars.iter().enumerate().filter(|(_, count)| **count > 0) {
        // At least visible, so that one sign-in among thousands is.
        let height = (*count as f64 / most as f64 * 98.0).max(2.0);
        chart
            .raw("<rect x=\"")
            .text(format_args!("{:.2}", place as f64 * width));
        chart
            .raw("\" y=\"")
            .text(format_args!("{:.2}", 99.0 - height));
        chart
            .raw("\" width=\"")
            .text(format_args!("{:.2}", width * 0.8));
        chart
            .raw("\" height=\"")
            .text(format_args!("{height:.2}"))
            .raw("\"/>");
    }
    chart.raw("</svg></figure>");
    chart
}

/// At most so many bars as can be told apart.
fn bundled(counts: &[u64]) -> Vec<u64> {
    let size = counts.len().div_ceil(MOST_BARS).max(1);
    counts
        .chunks(size)
        .map(|bundle| bundle.iter().sum())
        .collect()
}

const MOST_BARS: usize = 72;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_bundled_and_nothing_gets_lost() {
        let counts: Vec<u64> = (0..1440).map(|minute| minute % 7).collect();
        let bundled = bundled(&counts);
        assert_eq!(bundled.len(), 72);
        assert_eq!(bundled.iter().sum::<u64>(), counts.iter().sum::<u64>());
    }

    #[test]
    fn nothing_at_all_is_drawn_as_an_empty_chart() {
        let drawn = bars(&Texts::english(), "Sign-ins", &[0; 60]).into_string();
        assert!(
            !drawn.contains("<rect") && !drawn.contains("NaN"),
            "{drawn}"
        );
        assert!(
            !bars(&Texts::english(), "x", &[])
                .into_string()
                .contains("inf")
        );
    }
}
