//! An export as it arrives: line by line, so that it need not fit into memory.

use crate::{Client, Error};
use keystead_api::{AuditExportLine, ExportLine};
use reqwest::{Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::time::Duration;

/// The longest line that is read, in bytes.
const LINE_BYTES_MAX: usize = 1 << 20;
/// How long an export may take.
const TIME_MAX: Duration = Duration::from_secs(24 * 3_600);

/// A line of an export.
pub trait Line: DeserializeOwned {
    /// Whether it is the last one, without which the export is not whole.
    fn is_last(&self) -> bool;
}

impl Line for ExportLine {
    fn is_last(&self) -> bool {
        matches!(self, Self::End(_))
    }
}

impl Line for AuditExportLine {
    fn is_last(&self) -> bool {
        matches!(self, Self::End(_))
    }
}

/// The lines of an export.
#[derive(Debug)]
pub struct Lines<T> {
    client: Client,
    response: Response,
    /// What has arrived of lines that were not given yet.
    rest: Vec<u8>,
    /// Up to where `rest` holds no line's end.
    searched: usize,
    is_whole: bool,
    line: PhantomData<fn() -> T>,
}

impl Client {
    pub(crate) async fn lines<T: Line, Q: Serialize + ?Sized>(
        &self,
        path: &[&str],
        query: &Q,
    ) -> Result<Lines<T>, Error> {
        let request = self.request(Method::GET, path)?.query(query).timeout(TIME_MAX);
        let response = self.begin(request).await?;
        let (client, rest) = (self.clone(), Vec::new());
        Ok(Lines { client, response, rest, searched: 0, is_whole: false, line: PhantomData })
    }
}

impl<T: Line> Lines<T> {
    /// The next line; `None` after the last.
    ///
    /// # Errors
    /// When the connection breaks off, or the export ends without its last line: it is not whole.
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        loop {
            if let Some(at) = self.rest.iter().skip(self.searched).position(|byte| *byte == b'\n') {
                let rest = self.rest.split_off(self.searched + at + 1);
                let line = std::mem::replace(&mut self.rest, rest);
                self.searched = 0;
                let line: T = serde_json::from_slice(&line)
                    .map_err(|_| self.client.protocol(200, "a line of it cannot be read".to_owned()))?;
                self.is_whole |= line.is_last();
                return Ok(Some(line));
            }
            self.searched = self.rest.len();
            if self.searched > LINE_BYTES_MAX {
                return Err(self
                    .client
                    .protocol(200, format!("a line is longer than {LINE_BYTES_MAX} bytes")));
            }
            match self.response.chunk().await.map_err(|error| self.client.failure(&error))? {
                Some(chunk) => self.rest.extend_from_slice(&chunk),
                None if self.is_whole && self.rest.is_empty() => return Ok(None),
                None => return Err(self.client.protocol(200, "it ended before its last line".to_owned())),
            }
        }
    }
}
