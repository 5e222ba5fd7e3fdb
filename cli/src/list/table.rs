//! The table of `forebay list`.

use super::{Row, parameters};

/// Aligned columns; beneath a row what keeps it from being used, and its parameters if they are
/// asked for.
pub(super) fn table(rows: &[Row], with_parameters: bool) -> String {
    if rows.is_empty() {
        return "no plugins\n".into();
    }
    let cells: Vec<_> = rows.iter().map(cells).collect();
    let header = ["NAME", "SIDES", "STATUS", "PATH"].map(String::from);
    let width = |column: usize| {
        let lines = cells.iter().chain([&header]);
        let widths = lines.map(|line| line[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let (name_width, sides_width, status_width) = (width(0), width(1), width(2));
    let line = |[name, sides, status, path]: &[String; 4]| {
        format!("{name:name_width$}  {sides:sides_width$}  {status:status_width$}  {path}\n")
    };
    let mut text = line(&header);
    for (row, cells) in rows.iter().zip(&cells) {
        text += &line(cells);
        if let Some(reason) = row.status.reason() {
            let (code, stage) = (&reason.code, &reason.stage);
            text += &format!("    {} ({code}, {stage})\n", reason.message);
            text += &format!("    help: {}\n", reason.help);
        } else if with_parameters && let Some(specification) = &row.specification {
            text += &parameters::of_plugin(specification);
        }
    }
    if with_parameters {
        text += &parameters::of_host();
    }
    text
}

fn cells(row: &Row) -> [String; 4] {
    let sides = row.specification.as_ref().map(|specification| {
        let source = specification.source_params.as_ref().map(|_| "source");
        let destination = specification.destination_params.as_ref();
        let destination = destination.map(|_| "destination");
        let sides: Vec<_> = source.into_iter().chain(destination).collect();
        sides.join(", ")
    });
    let path = row.path.as_ref().map(|path| path.display().to_string());
    [
        row.name.clone(),
        sides.unwrap_or_else(|| "-".into()),
        row.status.name().into(),
        path.unwrap_or_else(|| "-".into()),
    ]
}
