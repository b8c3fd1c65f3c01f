//! Comma-separated values for other programs, none of which takes a cell for a formula.

use crate::exit::Failure;
use crate::output::plain::plain;
use std::io;

/// RFC 4180, by the rows.
pub(crate) fn csv<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> Result<String, Failure> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell))).map_err(io::Error::other)?;
    }
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(String::from_utf8(bytes).map_err(io::Error::other)?)
}

/// A spreadsheet runs a cell that begins like a formula (OWASP, "CSV Injection"), and names are chosen by others:
/// an apostrophe makes it a text. What a terminal would obey is taken out, tabs and returns with it.
fn harmless(cell: &str) -> String {
    let text = plain(cell);
    // Some begin a formula with the wide forms, too; and spaces before are skipped.
    let formula = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    if text.trim_start().starts_with(formula) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_cell_is_read_back() {
        for (cell, written) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\t=1", "\u{fffd}=1"),
            ("＝1", "'＝1"),
            ("a=b", "a=b"),
            ("x,\"y\"", "x,\"y\""),
            ("", ""),
        ] {
            let text = csv([[cell.to_owned(), "end".to_owned()]]).unwrap();
            assert!(text.ends_with(",end\r\n"), "{text:?}");
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            assert_eq!(&record[0], written, "{cell:?}");
        }
    }
}
