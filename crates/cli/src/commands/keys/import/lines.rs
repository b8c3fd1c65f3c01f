//! The lines of a file, of which none is kept that is longer than it may be.

use crate::exit::Failure;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// The longest line, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 64 << 10;

pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = File::open(path).map_err(|error| unusable(path, &error))?;
    Ok(Box::new(BufReader::new(file)))
}

pub(super) fn create(path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::local(
        format!("{} cannot be used: {error}.", path.display()),
        "Check its name and its permissions.",
    )
}

/// The next line with its end, of which no more is kept than one byte over the bound; `None` at the end.
pub(super) fn next_line(lines: &mut dyn BufRead, path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let mut line = Vec::new();
    let bound = u64::try_from(LINE_BYTES_MAX + 2).unwrap_or(u64::MAX);
    let mut limited = Read::take(&mut *lines, bound);
    limited.read_until(b'\n', &mut line).map_err(|error| unusable(path, &error))?;
    if line.len() > LINE_BYTES_MAX + 1 && line.last() != Some(&b'\n') {
        skip_line(lines).map_err(|error| unusable(path, &error))?;
    }
    Ok(if line.is_empty() { None } else { Some(line) })
}

fn skip_line(lines: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let (used, ended) = {
            let part = lines.fill_buf()?;
            match part.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (part.len(), part.is_empty()),
            }
        };
        lines.consume(used);
        if ended {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_line_is_cut_and_the_next_one_is_read() {
        let text = format!("{}\nnext\n", "x".repeat(LINE_BYTES_MAX * 3));
        let mut lines: Box<dyn BufRead> = Box::new(io::Cursor::new(text));
        let path = Path::new("x");
        assert!(next_line(&mut *lines, path).unwrap().unwrap().len() > LINE_BYTES_MAX);
        assert_eq!(next_line(&mut *lines, path).unwrap().unwrap(), b"next\n");
        assert_eq!(next_line(&mut *lines, path).unwrap(), None);
    }
}
