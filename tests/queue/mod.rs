//! `mailscope queue`: listings of every server, what is made of them, and what is said of those that are none.

mod corpora;
