//! Apache Parquet, for the data stack: row groups are written as they fill, so memory does not grow with the table.

use super::dictionary::{Numbers, Texts};
use super::{Cell, Column, Rows, Sink, Type};
use crate::tables::{Clock, Gathered};
use anyhow::{Context as _, Result};
use polars::prelude::{CompatLevel, PolarsResult, SchemaExt as _};
use polars_arrow::array::Array;
use polars_arrow::record_batch::RecordBatchT;
use polars_parquet::write::{CompressionOptions, Encoding, FileWriter, StatisticsOptions, Version, WriteOptions, row_group_iter};
use std::io::Write;

/// Rows of a row group.
const GROUP: usize = 1 << 16;

const OPTIONS: WriteOptions = WriteOptions {
    statistics: StatisticsOptions {
        min_value: true,
        max_value: true,
        distinct_count: false,
        null_count: true,
        binary_statistics_truncate_length: None,
    },
    version: Version::V1,
    compression: CompressionOptions::Snappy,
    data_page_size: None,
};

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
            Self::Integer(numbers) => numbers.put(match cell {
                Cell::Integer(number) => Some(i64::try_from(*number).unwrap_or(i64::MAX).cast_unsigned()),
                Cell::Time(time) => Some(time.cast_unsigned()),
                _ => None,
            }),
            Self::Number(numbers) => numbers.put(match cell {
                Cell::Number(number) => Some(number.to_bits()),
                Cell::Seconds(micros) => Some((*micros as f64 / 1e6).to_bits()),
                _ => None,
            }),
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

pub struct Parquet<W: Write> {
    writer: FileWriter<W>,
    columns: Vec<Values>,
    rows: usize,
}

impl<W: Write + Send> Parquet<W> {
    /// # Errors
    /// Where the columns can't be had in such a file.
    pub fn new(to: W, columns: &[Column]) -> Result<Self> {
        let schema = Gathered::new(columns, Clock::Moments).schema().to_arrow(CompatLevel::newest());
        let columns = columns.iter().map(Values::of).collect();
        Ok(Self { writer: FileWriter::try_new(to, schema, OPTIONS)?, columns, rows: 0 })
    }

    fn write(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        if rows > 0 {
            let arrays = self.columns.iter_mut().map(Values::take).collect::<PolarsResult<Vec<_>>>()?;
            let encodings = vec![vec![Encoding::RleDictionary]; arrays.len()].into();
            let fields = self.writer.parquet_schema().fields().to_vec();
            let batch = RecordBatchT::try_new(rows, self.writer.schema().clone().into(), arrays)?;
            self.writer.write(rows as u64, row_group_iter(batch, encodings, fields, OPTIONS))?;
        }
        Ok(())
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
        self.writer.end(None).context("the end of the file")?;
        Ok(self.writer.into_inner())
    }
}
