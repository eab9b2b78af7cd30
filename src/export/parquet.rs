//! Apache Parquet, for the data stack: row groups are written as they fill, so memory does not grow with the table.

use super::{Cell, Column, Rows, Sink};
use crate::tables::{Clock, Gathered};
use anyhow::{Context as _, Result};
use polars::io::parquet::write::{BatchedWriter, ParquetCompression, ParquetWriter};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of a row group.
const GROUP: usize = 1 << 16;

/// A place to write to that can be had back: the writer keeps what it was given for ever.
struct Shared<W>(Arc<Mutex<W>>);

impl<W: Write> Write for Shared<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

pub struct Parquet<W: Write> {
    to: Arc<Mutex<W>>,
    writer: BatchedWriter<Shared<W>>,
    rows: Gathered,
}

impl<W: Write + Send> Parquet<W> {
    /// # Errors
    /// Where the file can't be begun.
    pub fn new(to: W, columns: &[Column]) -> Result<Self> {
        let (to, rows) = (Arc::new(Mutex::new(to)), Gathered::new(columns, Clock::Moments));
        let writer = ParquetWriter::new(Shared(to.clone())).with_compression(ParquetCompression::Snappy).set_parallel(false);
        Ok(Self { to, writer: writer.batched(&rows.schema())?, rows })
    }
}

impl<W: Write + Send> Rows for Parquet<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.rows.row(cells)?;
        if self.rows.rows() >= GROUP {
            self.writer.write_batch(&self.rows.take()?)?;
        }
        Ok(())
    }
}

impl<W: Write + Send> Sink<W> for Parquet<W> {
    fn finish(mut self: Box<Self>) -> Result<W> {
        self.writer.write_batch(&self.rows.take()?)?;
        self.writer.finish()?;
        drop(self.writer);
        let to = Arc::into_inner(self.to).context("the file is still in use")?;
        Ok(to.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}
