//! Apache Parquet, for the data stack: row groups are written as they fill, so memory does not grow with the table.

use super::dictionary::{Numbers, Texts};
use super::{Cell, Column, Rows, Sink, Type};
use crate::tables::schema;
use anyhow::Result;
use polars::error::to_compute_err;
use polars::prelude::{CompatLevel, PolarsError, PolarsResult, SchemaExt as _, TimeZone};
use polars_arrow::array::Array;
use polars_parquet::parquet::compression::compress;
use polars_parquet::parquet::error::ParquetError;
use polars_parquet::write::{
    CompressionOptions, Compressor, DynIter, DynStreamingIterator, Encoding, FallibleStreamingIterator as _, FileWriter, StatisticsOptions,
    Version, WriteOptions, array_to_columns,
};
use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

/// Rows of a row group.
const GROUP: usize = 1 << 16;

/// A column of numbers. Each different one is there once: to pack them makes little of little.
const NUMBERS: WriteOptions = WriteOptions {
    statistics: StatisticsOptions {
        min_value: true,
        max_value: true,
        distinct_count: false,
        null_count: true,
        binary_statistics_truncate_length: None,
    },
    version: Version::V1,
    compression: CompressionOptions::Uncompressed,
    data_page_size: None,
};

/// A column of text. Of names in no order the first and the last tell a reader nothing.
const TEXTS: WriteOptions = WriteOptions {
    statistics: StatisticsOptions { min_value: false, max_value: false, ..NUMBERS.statistics },
    compression: CompressionOptions::Snappy,
    ..NUMBERS
};

/// So many bytes of a column show whether it is worth packing.
const SAMPLE: usize = 1 << 14;

/// Whether it gets smaller by a quarter. Ids do not, and take longer than anything else.
fn is_worth_packing(text: &[u8]) -> bool {
    let mut packed = Vec::new();
    compress(TEXTS.compression, text, &mut packed).is_ok_and(|()| packed.len() < text.len() / 4 * 3)
}

enum Values {
    Text(Texts),
    Integer(Numbers),
    Number(Numbers),
}

impl Values {
    fn of(column: &Column) -> Self {
        match column.holds {
            Type::Text => Self::Text(Texts::default()),
            Type::Integer | Type::Time => Self::Integer(Numbers::default()),
            Type::Number | Type::Share | Type::Seconds => Self::Number(Numbers::default()),
        }
    }

    #[inline]
    fn put(&mut self, cell: &Cell<'_>) {
        match self {
            Self::Text(texts) => texts.put(cell),
            Self::Integer(numbers) => {
                let number = if let Cell::Time(time) = cell { Some(*time) } else { cell.integer() };
                numbers.put(number.map(i64::cast_unsigned));
            }
            Self::Number(numbers) => numbers.put(cell.number().map(f64::to_bits)),
        }
    }

    fn options(&self) -> WriteOptions {
        match self {
            Self::Text(texts) if is_worth_packing(texts.first(SAMPLE)) => TEXTS,
            Self::Text(_) => WriteOptions { compression: NUMBERS.compression, ..TEXTS },
            Self::Integer(_) | Self::Number(_) => NUMBERS,
        }
    }

    fn take(&mut self) -> PolarsResult<Box<dyn Array>> {
        match self {
            Self::Text(texts) => texts.take(),
            Self::Integer(numbers) => numbers.take(u64::cast_signed),
            Self::Number(numbers) => numbers.take(f64::from_bits),
        }
    }
}

/// An allocator that gives large pieces back to the system at once would fetch every group's memory anew, page by page. glibc's
/// keeps what is no larger than the largest piece that it gave back: that is this one, which nobody touches.
fn keep_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(31 << 20)));
}

/// A place to write to, and why that failed: the writer of pages makes words of it, and a reader that goes away is no mistake.
struct Watched<W> {
    to: W,
    failed: Arc<OnceLock<io::Error>>,
}

impl<W> Watched<W> {
    fn watch<T>(&self, done: io::Result<T>) -> io::Result<T> {
        done.map_err(|error| {
            let same = io::Error::from(error.kind());
            _ = self.failed.set(error);
            same
        })
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.to.write(bytes);
        self.watch(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.to.flush();
        self.watch(done)
    }
}

pub struct Parquet<W: Write> {
    writer: FileWriter<Watched<W>>,
    failed: Arc<OnceLock<io::Error>>,
    columns: Vec<Values>,
    rows: usize,
}

impl<W: Write + Send> Parquet<W> {
    /// # Errors
    /// Where the columns can't be had in such a file.
    pub fn new(to: W, columns: &[Column]) -> Result<Self> {
        keep_memory();
        let schema = schema(columns, Some(TimeZone::UTC)).to_arrow(CompatLevel::newest());
        let columns = columns.iter().map(Values::of).collect();
        let failed = Arc::default();
        let to = Watched { to, failed: Arc::clone(&failed) };
        Ok(Self { writer: FileWriter::try_new(to, schema, NUMBERS)?, failed, columns, rows: 0 })
    }

    /// Writes the rows gathered as a group.
    fn write(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let fields = self.writer.parquet_schema().fields().to_vec();
        let rows = std::mem::take(&mut self.rows);
        // One after the other: what one column took serves the next one.
        let columns = self.columns.iter_mut().zip(fields).map(|(column, field)| {
            let options = column.options();
            let pages = array_to_columns(column.take()?, field, options, &[Encoding::RleDictionary])?.into_iter().flatten();
            let pages = pages.map(|page| page.map_err(|error| ParquetError::FeatureNotSupported(error.to_string())));
            Ok(DynStreamingIterator::new(Compressor::new(DynIter::new(pages), options.compression, Vec::new()).map_err(to_compute_err)))
        });
        let written = self.writer.write(rows as u64, DynIter::new(columns));
        written.map_err(|error| self.why(error))
    }

    /// Why something failed: where it was written to knows best.
    fn why(&self, error: PolarsError) -> anyhow::Error {
        self.failed.get().map_or_else(|| error.into(), |error| io::Error::new(error.kind(), error.to_string()).into())
    }
}

impl<W: Write + Send> Rows for Parquet<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.columns.iter_mut().zip(cells).for_each(|(column, cell)| column.put(cell));
        self.rows += 1;
        if self.rows >= GROUP { self.write() } else { Ok(()) }
    }
}

impl<W: Write + Send> Sink<W> for Parquet<W> {
    fn finish(mut self: Box<Self>) -> Result<W> {
        self.write()?;
        let ended = self.writer.end(None);
        ended.map_err(|error| self.why(error))?;
        Ok(self.writer.into_inner().to)
    }
}
