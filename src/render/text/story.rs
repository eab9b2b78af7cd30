use crate::input::Zone;
use crate::trace::Story;
use super::Look;
use std::io::{self, Write};
pub fn line(to: &mut impl Write, story: &Story<'_>, _zone: Zone, _look: Look) -> io::Result<()> {
    writeln!(to, "{:?}", story.first_queue_id)
}
pub fn write(to: &mut impl Write, story: &Story<'_>, _zone: Zone, _look: Look) -> io::Result<()> {
    writeln!(to, "{:?}", story.first_queue_id)
}
