//! The figures as a table, in Markdown, so that a page can have them as they are.

use std::time::Duration;

use crate::measure::{Figure, Figures};

/// One table: a row for each measure, a column for each server.
pub fn write(title: &str, columns: &[(&str, Figures)]) -> String {
    let mut rows = vec![columns.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>()];
    let mut names = vec![title.to_owned()];
    let mut push = |name: &str, cell: &dyn Fn(&Figures) -> String| {
        names.push(name.to_owned());
        rows.push(columns.iter().map(|(_, figures)| cell(figures)).collect());
    };
    push("start-up", &|figures| format!("{:.0} ms", figures.start.as_secs_f64() * 1e3));
    for (row, (name, _)) in
        columns.first().map(|(_, figures)| figures.rows.as_slice()).into_iter().flatten().enumerate()
    {
        push(name, &|figures| {
            let Some((own, Some(figure))) = figures.rows.get(row) else { return "–".to_owned() };
            let note = if own == name { String::new() } else { format!(" ({own})") };
            format!("{}{note}", cell(figure))
        });
    }
    let peak = |peak: Option<u64>| peak.map_or("–".to_owned(), |bytes| format!("{} MB", bytes / 1_000_000));
    push("peak memory, small calls", &|figures| peak(figures.peaks[0]));
    push("peak memory, large bodies", &|figures| peak(figures.peaks[1]));
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for (index, (name, cells)) in names.iter().zip(&rows).enumerate() {
        let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:<30}")).collect();
        text.push_str(&format!("| {name:<width$} | {} |\n", cells.join(" | ")));
        if index == 0 {
            text.push_str(&format!(
                "|{}|{}\n",
                "-".repeat(width + 2),
                format!("{}|", "-".repeat(32)).repeat(columns.len())
            ));
        }
    }
    text
}

fn cell(figure: &Figure) -> String {
    let shown = |cpu: &Option<Duration>| match cpu {
        None => String::new(),
        Some(cpu) if *cpu < Duration::from_millis(10) => format!(", {:.1} µs CPU", cpu.as_secs_f64() * 1e6),
        Some(cpu) => format!(", {:.0} ms CPU", cpu.as_secs_f64() * 1e3),
    };
    match figure {
        Figure::Rate { per_second, cpu } => format!("{per_second:.0}/s{}", shown(cpu)),
        Figure::Throughput { bytes_per_second, cpu } => {
            format!("{:.0} MB/s{}", bytes_per_second / 1e6, shown(cpu))
        }
    }
}
