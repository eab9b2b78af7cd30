//! The passes over the logs: the first finds what the key means, each further one the lines of the ids that were named.
//!
//! Nothing but the lines that may be meant is read; what is kept is their text, in the order of the log. Lines of at most
//! [`MOST_BYTES`] are kept and at most so many messages as are asked for are looked at, whatever the key finds.

use crate::aggregate::Window;
use crate::cli::args::{InputArgs, TraceArgs};
use crate::cli::resolve::{self, Input};
use crate::cli::time::Now;
use crate::input::{Chunk, Copied, Unreadable, own_logs};
use crate::pipeline::{self, Reader, Seen, host_matches};
use crate::trace::{Ends, Filter, Interest, Key, Named, Scan, Session, Trail};
use anyhow::Result;
use mailscope_parsers::model::{Event, Line, Micros};
use memchr::{memchr, memmem, memrchr};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// A chunk this large is searched faster than it can be handed over in pieces.
const CHUNK: usize = 1 << 20;
/// What `--first` is where it is not given.
const FIRST: usize = 1000;
/// So many messages are looked at where only some of them are wanted.
const FILTERED: usize = 20_000;
/// Text of lines that is kept at most.
const MOST_BYTES: usize = 64 << 20;
/// A connection's TLS line is looked for in so many bytes before the line that needs it.
const LOOK_BACK: usize = 128 << 10;
/// More passes than any chain needs.
const PASSES: usize = 64;

/// A line that belongs to a story.
pub struct Found {
    /// Its place in the log, in bytes.
    at: usize,
    /// The queue id that it belongs to where it names none.
    pub of: Box<[u8]>,
    pub time: Micros,
    pub said: Box<[u8]>,
    /// `last message repeated N times`, where that is the line.
    pub repeat: Option<Box<[u8]>>,
    pub count: u32,
}

/// What a line of the log is to the search.
enum Item {
    /// A line of an id that is followed.
    Line(Found),
    /// A line without an id that the key means.
    Door(Found),
    /// What belongs to a followed id and does not name it, as the TLS line of its connection, or says nothing of mail.
    Beside(Found),
    /// The connection of a followed line at this place, whose beginning lies before the chunk.
    Began { session: Session, id: Box<[u8]>, time: Micros, at: usize },
    /// An id that the key means, and what it goes on as.
    Hit { id: Box<[u8]>, time: Micros, queued_as: Box<[u8]> },
    /// An id that goes on with, or was before, one that is followed; or may be.
    Named { id: Box<[u8]>, time: Micros, how: Named },
}

/// One reading of the logs.
struct Pass<'p> {
    scan: Scan,
    interest: &'p Interest,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Looks for the key too.
    First,
    /// Ends where nothing more can come.
    Ends,
    /// Reads to the end.
    Whole,
}

/// What a look back came to.
enum Looked {
    Found(usize, Found),
    /// The connection began here, without TLS.
    Ended,
    /// It began before.
    Open,
}

/// What the passes came to.
pub struct Gathered {
    pub input: Input,
    pub lines: Vec<Found>,
    /// Messages that the key found, and lines that it found past the most that are looked at.
    pub messages: usize,
    pub beyond: u64,
    /// Lines were left out.
    pub cut: bool,
    pub unreadable: Vec<Unreadable>,
    pub overlong: u64,
}

pub struct Search<'a> {
    args: InputArgs,
    pub key: &'a Key,
    pub window: Window,
    pub reader: Reader,
    /// Messages to show.
    pub most: Option<usize>,
    /// Messages to look at.
    looked_at: usize,
    /// The first few are wanted and no others.
    pub stops: bool,
}

/// What a pass keeps in the order of the log.
#[derive(Default)]
struct Ordered {
    /// Bytes before the chunk, and the last of them.
    before: usize,
    tail: Vec<u8>,
    lines: Vec<Found>,
    bytes: usize,
    cut: bool,
    trail: Trail,
    seen: HashSet<Box<[u8]>>,
    messages: usize,
    beyond: u64,
}

impl<'a> Search<'a> {
    pub fn new(args: &TraceArgs, key: &'a Key, filter: &Filter) -> Result<Self> {
        let mut input = args.input.clone();
        let zone = input.tz.parse()?;
        let window = resolve::window(&input, Now { time: chrono::Utc::now().timestamp_micros(), zone })?;
        // A message goes on after the window that it was found in.
        (input.day, input.until) = (None, None);
        input.since = window.since.map(|since| zone.local(since).to_rfc3339());
        let own = input.files.is_empty() && !input.journal;
        input.copied = Copied::of(&if own { own_logs() } else { input.files.clone() })?;
        input.chunk_size.get_or_insert(CHUNK);
        let most = Some(args.first.unwrap_or(FIRST)).filter(|most| *most > 0);
        let stops = args.first.is_some_and(|most| most > 0) && filter.is_empty();
        let looked_at = most.map_or(usize::MAX, |most| if filter.is_empty() { most } else { most.max(FILTERED) });
        let reader = Reader::new(resolve::settings(&input, zone)?);
        Ok(Self { args: input, key, window, reader, most, looked_at, stops })
    }

    /// Whether the key means the line, and the line lies in the window.
    pub fn is_hit(&self, seen: &Seen<'_>) -> bool {
        self.window.contains(seen.record.time) && host_matches(seen.record.host, self.args.host.as_deref()) && self.key.matches(seen)
    }

    pub fn host(&self) -> Option<&str> {
        self.args.host.as_deref()
    }

    /// The logs, once more.
    ///
    /// # Errors
    /// Where they can't be read any more.
    pub fn again(&self) -> Result<Input> {
        resolve::input(&self.args.again())
    }

    /// All passes.
    pub fn run(&self) -> Result<Gathered> {
        let mut input = resolve::input(&self.args)?;
        // Where nothing is found, that is said in other words.
        input.held = None;
        let mut ordered = Ordered::default();
        if let Some(word) = self.key.as_word().filter(|_| !self.stops) {
            // An id's own lines are found along with the key.
            ordered.trail.follow(word, Micros::MIN);
        }
        let interest = ordered.trail.next_pass();
        let first = Pass { scan: self.key.scan(), interest: &interest, kind: Kind::First };
        let done = self.pass(&mut input, &first, ordered)?;
        // Where there is one log its times tell when nothing more can come.
        let kind = if self.args.files.len() == 1 { Kind::Ends } else { Kind::Whole };
        let (mut ordered, mut from) = (done.ordered.0, 0);
        for _ in 0..PASSES {
            from = self.note(&mut ordered, from);
            let interest = ordered.trail.next_pass();
            if interest.is_empty() {
                break;
            }
            (ordered.before, ordered.tail) = (0, Vec::new());
            let pass = Pass { scan: Scan::ids(&interest.words()), interest: &interest, kind };
            ordered = self.pass(&mut self.again()?, &pass, ordered)?.ordered.0;
        }
        ordered.lines.sort_by_key(|line| line.at);
        // A line may be of two ids.
        ordered.lines.dedup_by_key(|line| line.at);
        Ok(Gathered {
            input,
            lines: ordered.lines,
            messages: ordered.messages,
            beyond: ordered.beyond,
            cut: ordered.cut,
            unreadable: done.chunks.unreadable,
            overlong: done.locals.iter().sum(),
        })
    }

    /// Notes what the lines from this one on name; gives the number of all.
    fn note(&self, ordered: &mut Ordered, from: usize) -> usize {
        let Ordered { lines, trail, .. } = ordered;
        let again = |line: &Found, each: &mut dyn FnMut(&Seen<'_>)| each(&self.reader.again(&line.said, line.time));
        lines[from..].iter().for_each(|line| again(line, &mut |seen| trail.note(seen)));
        lines.iter().for_each(|line| again(line, &mut |seen| trail.note_message_id(seen)));
        lines.len()
    }

    fn pass<'p>(&self, input: &mut Input, pass: &Pass<'p>, ordered: Ordered) -> Result<pipeline::Done<u64, (Ordered, Ends<'p>)>> {
        let chunks = input.take_chunks()?;
        let progress = input.progress.clone();
        let done = pipeline::run(
            chunks,
            input.threads,
            (ordered, Ends::new(pass.interest)),
            || 0_u64,
            |overlong, chunk, turn| {
                *overlong += chunk.overlong;
                let items = self.items(chunk, pass);
                if let Some(progress) = &progress {
                    progress.show();
                }
                turn.take(|(ordered, ends): &mut (Ordered, Ends<'p>)| {
                    items.into_iter().for_each(|item| self.take(ordered, ends, item));
                    ordered.passed(chunk);
                    let over = match pass.kind {
                        Kind::First => self.stops && ordered.messages >= self.looked_at,
                        Kind::Ends => ends.all_seen(chunk.near.saturating_mul(1_000_000)),
                        Kind::Whole => false,
                    };
                    if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })
            },
        )?;
        if let Some(progress) = &input.progress {
            progress.clear();
        }
        Ok(done)
    }

    /// What a chunk holds.
    fn items(&self, chunk: &Chunk, pass: &Pass<'_>) -> Vec<Item> {
        let mut items = Vec::new();
        let context = pass.scan.finds(&chunk.context);
        self.reader.read_at(chunk, context, pass.scan.lines(chunk.lines()), |seen, said, at| {
            if !host_matches(seen.record.host, self.args.host.as_deref()) {
                return;
            }
            let Line::Event(event) = &seen.line else {
                let own = pass.interest.own(&seen.record.text);
                items.extend(own.map(|id| Item::Beside(Found { of: id.into(), ..found(seen, said, at) })));
                return;
            };
            let (id, time) = (event.queue_id(), seen.record.time);
            if pass.interest.has(event) {
                items.extend(self.session(chunk.lines(), seen, at));
                items.push(Item::Line(found(seen, said, at)));
            } else if let Some(how) = pass.interest.named_by(event, time) {
                items.push(Item::Named { id: id.0.into(), time, how });
            }
            if pass.kind == Kind::First && self.is_hit(seen) {
                let door = id.is_empty() && matches!(event, Event::Reject(_) | Event::AuthFailure(_) | Event::Delivery(_));
                if door {
                    items.push(Item::Door(found(seen, said, at)));
                } else if !id.is_empty() {
                    let queued_as = if let Event::Delivery(e) = event { e.queued_as.0 } else { b"" };
                    items.push(Item::Hit { id: id.0.into(), time, queued_as: queued_as.into() });
                }
            }
        });
        items
    }

    /// The connection of a line: its TLS line, or that it began before the chunk.
    fn session(&self, text: &[u8], seen: &Seen<'_>, at: usize) -> Option<Item> {
        let session = Session::of(seen)?;
        let Line::Event(event) = &seen.line else { return None };
        let (id, time) = (event.queue_id().0, seen.record.time);
        let from = at.saturating_sub(LOOK_BACK);
        match self.look_back(&text[from..at], at < LOOK_BACK, &session, id, time) {
            Looked::Found(start, line) => Some(Item::Beside(Found { at: from + start, ..line })),
            Looked::Open if at < LOOK_BACK => Some(Item::Began { session, id: id.into(), time, at }),
            _ => None,
        }
    }

    /// Looks for a connection's TLS line from the end of a text on; its first line is whole only where that is said.
    fn look_back(&self, text: &[u8], whole: bool, session: &Session, id: &[u8], time: Micros) -> Looked {
        let mut end = text.len();
        while let Some(at) = memmem::rfind(&text[..end], session.word()) {
            let start = memrchr(b'\n', &text[..at]).map_or(0, |before| before + 1);
            if start == 0 && !whole {
                break;
            }
            let length = memchr(b'\n', &text[start..]).unwrap_or(text.len() - start);
            let said = &text[start..start + length];
            match session.is_told_by(&self.reader.again(said, time)) {
                Some(true) => {
                    let seen = self.reader.again(said, time);
                    return Looked::Found(start, Found { of: id.into(), ..found(&seen, said, start) });
                }
                Some(false) => return Looked::Ended,
                None => end = start,
            }
        }
        Looked::Open
    }

    /// Takes what a line is, in the order of the log.
    fn take(&self, ordered: &mut Ordered, ends: &mut Ends<'_>, item: Item) {
        let full = ordered.messages >= self.looked_at;
        match item {
            Item::Line(line) => {
                ends.see(&self.reader.again(&line.said, line.time));
                ordered.keep(line);
            }
            Item::Beside(line) => ordered.keep(line),
            Item::Began { session, id, time, at } => {
                let from = ordered.tail.len().saturating_sub(LOOK_BACK - at);
                let log_begins = ordered.tail.len() == ordered.before;
                if let Looked::Found(start, line) = self.look_back(&ordered.tail[from..], log_begins && from == 0, &session, &id, time) {
                    // Its place is told from the chunk's beginning, as all others are.
                    let back = ordered.tail.len() - from - start;
                    ordered.keep(Found { at: 0_usize.wrapping_sub(back), ..line });
                }
            }
            Item::Named { id, time, how: Named::Surely } => ordered.trail.follow(&id, time),
            Item::Named { id, how: Named::Perhaps, .. } => ordered.trail.resemble(&id),
            Item::Door(_) if full => ordered.beyond += 1,
            Item::Hit { id, .. } if full && !ordered.seen.contains(&id) => ordered.beyond += 1,
            Item::Door(line) => {
                ordered.messages += 1;
                ordered.keep(line);
            }
            Item::Hit { id, time, queued_as } => {
                ordered.trail.follow(&id, time);
                ordered.trail.follow(&queued_as, time);
                ordered.messages += usize::from(ordered.seen.insert(id));
            }
        }
    }
}

impl Ordered {
    fn keep(&mut self, line: Found) {
        self.bytes += line.said.len() + size_of::<Found>();
        if self.bytes > MOST_BYTES {
            self.cut = true;
            return;
        }
        let at = self.before.wrapping_add(line.at);
        self.lines.push(Found { at, ..line });
    }

    /// The chunk is done; its end is kept for the connections that go on.
    fn passed(&mut self, chunk: &Chunk) {
        let text = chunk.lines();
        self.before += text.len();
        self.tail.extend_from_slice(&text[text.len().saturating_sub(LOOK_BACK)..]);
        if self.tail.len() > 2 * LOOK_BACK {
            self.tail.drain(..self.tail.len() - LOOK_BACK);
        }
    }
}

fn found(seen: &Seen<'_>, said: &[u8], at: usize) -> Found {
    let repeat = (seen.raw.as_ptr() != said.as_ptr()).then(|| seen.raw.into());
    Found { at, of: Box::default(), time: seen.record.time, said: said.into(), repeat, count: seen.count }
}
