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

/// Names and types of the columns. Times are moments where there is a zone, for files that others read; without one they are what
/// a clock on the wall shows, so that they can be compared with what people type.
#[must_use]
pub fn schema(columns: &[Column], zone: Option<TimeZone>) -> Schema {
    let data_type = |column: &Column| match column.holds {
        Type::Text => DataType::String,
        Type::Integer => DataType::Int64,
        Type::Number | Type::Share | Type::Seconds => DataType::Float64,
        Type::Time => times(zone.clone()),
    };
    columns.iter().map(|column| (column.name.into(), data_type(column))).collect()
}

fn times(zone: Option<TimeZone>) -> DataType {
    DataType::Datetime(TimeUnit::Microseconds, zone)
}

enum Values {
    Text(StringChunkedBuilder),
    Integer(PrimitiveChunkedBuilder<Int64Type>),
    Number(PrimitiveChunkedBuilder<Float64Type>),
    Time(PrimitiveChunkedBuilder<Int64Type>),
}

/// Rows gathered by column; times as a clock on the wall shows them.
pub struct Gathered {
    columns: Vec<Column>,
    values: Vec<Values>,
    stamps: Stamps,
    rows: usize,
}

impl Gathered {
    #[must_use]
    pub fn new(columns: &[Column], stamps: Stamps) -> Self {
        Self { columns: columns.to_vec(), values: values(columns), stamps, rows: 0 }
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
                Values::Time(values) => values.finish().into_series().cast(&times(None))?.into_column(),
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
            match values {
                Values::Text(values) => values.append_option(cell.text()),
                Values::Integer(values) => values.append_option(cell.integer()),
                Values::Number(values) => values.append_option(cell.number()),
                Values::Time(values) => {
                    values.append_option(if let Cell::Time(time) = cell { Some(self.stamps.local(*time)) } else { None });
                }
            }
        }
        self.rows += 1;
        Ok(())
    }
}
