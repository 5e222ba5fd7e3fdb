//! The samples as a picture, and how far memory grows.

use std::fmt::Write as _;

use super::Sample;

/// Size of a panel and what is left of it for numbers, in pixels.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 30.0;
const PANEL: f64 = HEIGHT + 50.0;

/// A value of a sample, as it is drawn.
type Drawn = fn(&Sample) -> f64;

/// The samples of a run.
#[derive(Debug)]
pub struct Curve<'a>(pub &'a [Sample]);

impl Curve<'_> {
    /// How much the resident memory grows in the second half of the run, in KiB: by the line that fits the
    /// samples best, over the length of that half. Less than nothing where it shrinks.
    #[must_use]
    pub fn growth(&self) -> f64 {
        let half = &self.0[self.0.len() / 2..];
        let [first, .., last] = half else {
            return 0.0;
        };
        let count = half.len() as f64;
        let mean = |value: Drawn| half.iter().map(value).sum::<f64>() / count;
        let (time, memory) = (mean(|it| it.seconds), mean(|it| it.resident as f64));
        let (mut product, mut square) = (0.0, 0.0);
        for sample in half {
            let away = sample.seconds - time;
            product += away * (sample.resident as f64 - memory);
            square += away * away;
        }
        product / square * (last.seconds - first.seconds)
    }

    /// Highest and lowest of a value in the second half.
    #[must_use]
    pub fn range(&self, value: impl Fn(&Sample) -> u64) -> (u64, u64) {
        let half = self.0[self.0.len() / 2..].iter().map(value);
        half.fold((u64::MAX, 0), |(low, high), it| (low.min(it), high.max(it)))
    }

    /// An SVG picture of memory, threads and descriptors over time, each from zero.
    #[must_use]
    pub fn to_svg(&self, title: &str) -> String {
        let panels: [(&str, Drawn); 3] = [
            ("resident memory, MiB", |it| it.resident as f64 / 1024.0),
            ("threads", |it| it.threads as f64),
            ("descriptors", |it| it.descriptors as f64),
        ];
        let (width, height) = (LEFT + WIDTH + 20.0, TOP + PANEL * panels.len() as f64);
        let mut svg = String::new();
        // A String takes everything.
        writeln!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">
<rect width="{width}" height="{height}" fill="white"/>
<text x="{LEFT}" y="18" font-size="14">{title}</text>"#
        )
        .ok();
        for (number, (name, value)) in panels.into_iter().enumerate() {
            self.panel(&mut svg, TOP + PANEL * number as f64, name, value);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn panel(&self, svg: &mut String, top: f64, name: &str, value: Drawn) {
        let end = self.0.last().map_or(1.0, |it| it.seconds.max(1.0));
        let most = self.0.iter().map(value).fold(1.0, f64::max).ceil();
        let bottom = top + 15.0 + HEIGHT;
        let points = self.0.iter().map(|sample| {
            let x = LEFT + WIDTH * sample.seconds / end;
            let y = bottom - HEIGHT * value(sample) / most;
            format!("{x:.1},{y:.1}")
        });
        let points = points.collect::<Vec<_>>().join(" ");
        let (right, middle, title) = (LEFT + WIDTH, LEFT + WIDTH / 2.0, top + 10.0);
        let (high, base, numbers) = (bottom - HEIGHT, bottom + 15.0, LEFT - 6.0);
        writeln!(
            svg,
            r##"<text x="{LEFT}" y="{title}">{name}</text>
<path d="M{LEFT} {high}V{bottom}H{right}M{LEFT} {high}H{right}" stroke="#999" fill="none"/>
<g text-anchor="end"><text x="{numbers}" y="{bottom}">0</text><text x="{numbers}" y="{high}">{most}</text></g>
<g text-anchor="middle"><text x="{middle}" y="{base}">{:.0} min</text><text x="{right}" y="{base}">{:.0} min</text></g>
<polyline points="{points}" stroke="#06c" stroke-width="1.5" fill="none"/>"##,
            end / 120.0,
            end / 60.0,
        )
        .ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(resident: impl Fn(u64) -> u64) -> Vec<Sample> {
        let sample = |number: u64| Sample {
            seconds: number as f64 * 5.0,
            resident: resident(number),
            threads: 4,
            descriptors: 20,
            stored: 0,
            written: 0,
            arrived: 0,
        };
        (0..100).map(sample).collect()
    }

    #[test]
    fn growth_is_that_of_the_second_half() {
        let leak = samples(|number| 5000 + 10 * number);
        assert!((Curve(&leak).growth() - 490.0).abs() < 1e-6);
        let begin = samples(|number| 5000 + 100 * number.min(40));
        assert!(Curve(&begin).growth().abs() < 1e-6);
        let noise = samples(|number| 5000 + 300 * (number % 2));
        assert!(Curve(&noise).growth().abs() < 50.0);
        assert_eq!(Curve(&leak).range(|it| it.resident), (5500, 5990));
    }

    #[test]
    fn the_picture_has_every_sample() {
        let samples = samples(|_| 5000);
        let svg = Curve(&samples).to_svg("a run");
        let lines = svg.lines().filter(|line| line.starts_with("<polyline"));
        let points = lines.map(|line| line.matches(',').count());
        assert_eq!(points.collect::<Vec<_>>(), [100, 100, 100]);
    }
}
