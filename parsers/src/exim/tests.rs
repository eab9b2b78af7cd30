//! Each shape with the fields that it must give. Whole logs are in `samples/exim/shapes`.

use super::*;
