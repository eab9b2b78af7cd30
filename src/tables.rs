//! The tables as polars frames: rows in, columns out.
//!
//! In go rows as any table has them, out come frames of as many rows as were gathered. This, SQL over it and parquet, which has
//! the same columns and types, are the cargo feature `tables`; nothing on the path of the report knows of it.

use crate::export::{Cell, Column, Rows, Stamps, Type};
use anyhow::Result;
use polars::prelude::{
    ChunkedBuilder, Column as Series, DataFrame, DataType, Float64Type, Int64Type, IntoColumn, IntoSeries, PolarsResult,
    PrimitiveChunkedBuilder, Schema, StringChunkedBuilder, TimeUnit, TimeZone,
};

/// How times are kept.
pub enum Clock {
    /// As moments (UTC), for files that others read.
    Moments,
    /// As a clock on the wall shows them, so that they can be compared with what people type.
    Local(Stamps),
}

impl Clock {
    fn data_type(&self) -> DataType {
        let zone = match self {
            Self::Moments => Some(TimeZone::UTC),
            Self::Local(_) => None,
        };
        DataType::Datetime(TimeUnit::Microseconds, zone)
    }
}

enum Values {
    Text(StringChunkedBuilder),
    Integer(PrimitiveChunkedBuilder<Int64Type>),
    Number(PrimitiveChunkedBuilder<Float64Type>),
    Time(PrimitiveChunkedBuilder<Int64Type>),
}

/// Rows gathered by column.
pub struct Gathered {
    columns: Vec<Column>,
    values: Vec<Values>,
    clock: Clock,
    rows: usize,
}

impl Gathered {
    #[must_use]
    pub fn new(columns: &[Column], clock: Clock) -> Self {
        Self { columns: columns.to_vec(), values: values(columns), clock, rows: 0 }
    }

    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Names and types of the columns, as they are in every frame.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let data_type = |column: &Column| match column.holds {
            Type::Text => DataType::String,
            Type::Integer => DataType::Int64,
            Type::Number | Type::Share | Type::Seconds => DataType::Float64,
            Type::Time => self.clock.data_type(),
        };
        self.columns.iter().map(|column| (column.name.into(), data_type(column))).collect()
    }

    /// The frame of the rows gathered; the next ones begin another.
    ///
    /// # Errors
    /// Where polars can't make one.
    pub fn take(&mut self) -> PolarsResult<DataFrame> {
        let values = std::mem::replace(&mut self.values, values(&self.columns));
        let series = |values: Values| -> PolarsResult<Series> {
            Ok(match values {
                Values::Text(values) => values.finish().into_series().into_column(),
                Values::Integer(values) => values.finish().into_series().into_column(),
                Values::Number(values) => values.finish().into_series().into_column(),
                Values::Time(values) => values.finish().into_series().cast(&self.clock.data_type())?.into_column(),
            })
        };
        let columns = values.into_iter().map(series).collect::<PolarsResult<Vec<_>>>()?;
        DataFrame::new(std::mem::take(&mut self.rows), columns)
    }
}

fn values(columns: &[Column]) -> Vec<Values> {
    let of = |column: &Column| match column.holds {
        Type::Text => Values::Text(StringChunkedBuilder::new(column.name.into(), 0)),
        Type::Integer => Values::Integer(PrimitiveChunkedBuilder::new(column.name.into(), 0)),
        Type::Number | Type::Share | Type::Seconds => Values::Number(PrimitiveChunkedBuilder::new(column.name.into(), 0)),
        Type::Time => Values::Time(PrimitiveChunkedBuilder::new(column.name.into(), 0)),
    };
    columns.iter().map(of).collect()
}

impl Rows for Gathered {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        for (values, cell) in self.values.iter_mut().zip(cells) {
            match (values, cell) {
                (Values::Text(values), cell) => values.append_option(cell.text()),
                (Values::Integer(values), Cell::Integer(number)) => values.append_value(i64::try_from(*number).unwrap_or(i64::MAX)),
                (Values::Number(values), Cell::Number(number)) => values.append_value(*number),
                (Values::Number(values), Cell::Seconds(micros)) => values.append_value(*micros as f64 / 1e6),
                (Values::Time(values), Cell::Time(time)) => values.append_value(match &self.clock {
                    Clock::Moments => *time,
                    Clock::Local(stamps) => stamps.local(*time),
                }),
                (Values::Integer(values) | Values::Time(values), _) => values.append_null(),
                (Values::Number(values), _) => values.append_null(),
            }
        }
        self.rows += 1;
        Ok(())
    }
}
