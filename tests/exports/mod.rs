//! Tables: their rows add up to the report's figures, conditions and columns choose among them, and every format holds them.

mod forms;
#[cfg(feature = "tables")]
mod frames;
#[cfg(feature = "tables")]
mod pyarrow;
mod sheets;
mod tables;
