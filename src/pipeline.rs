//! Chunks to results, on several threads, in order where order counts. The only place that uses rayon.
//!
//! Every worker does the same: it takes the next chunk, reads it on its own, waits for its turn, hands what needs the
//! order of the log to the one who keeps it, and goes on. Turns follow the order of the chunks, so whatever happens
//! inside a turn happens as if there were one thread. A chunk that is being worked on is all that a worker holds: memory
//! is bounded by the number of threads.

mod kept;
mod lines;

pub use kept::Kept;
pub use lines::{NO_TIME, Reader, Seen, Settings, host_matches};

use crate::input::{Chunk, Chunks};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What is done in turn, one chunk after the other.
struct Ordered<O> {
    state: Mutex<O>,
    /// Whose turn it is. It changes with `state` locked.
    next: AtomicU64,
    changed: Condvar,
}

/// Looks so often whether it may go on, some twenty microseconds, before it sleeps: turns are short, and to be woken takes
/// longer than most of them.
const LOOKS: u32 = 1000;

/// Waits a little until it is so, and no longer.
fn wait_a_little(mut is_so: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if is_so() {
            return;
        }
        std::hint::spin_loop();
    }
}

/// Waits until nobody else uses it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    let mut guard = None;
    wait_a_little(|| {
        guard = mutex.try_lock().ok();
        guard.is_some()
    });
    // A worker that panicked has been reported already; the others may finish.
    guard.unwrap_or_else(|| mutex.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A chunk's place in the order.
pub struct Turn<'a, O> {
    ordered: &'a Ordered<O>,
    number: u64,
    taken: bool,
}

impl<O> Turn<'_, O> {
    /// Waits until every earlier chunk has had its turn, and then uses what is kept in order.
    pub fn take<R>(mut self, with: impl FnOnce(&mut O) -> R) -> R {
        self.wait_and(with)
    }

    /// Uses what is kept in order, and keeps the turn, if every earlier chunk has had its own.
    pub fn now<R>(&mut self, with: impl FnOnce(&mut O) -> R) -> Option<R> {
        let Ordered { state, next, .. } = self.ordered;
        (next.load(Ordering::Acquire) == self.number).then(|| with(&mut lock(state)))
    }

    fn wait_and<R>(&mut self, with: impl FnOnce(&mut O) -> R) -> R {
        self.taken = true;
        let Ordered { state, next, changed } = self.ordered;
        let is_another_s = || next.load(Ordering::Acquire) != self.number;
        wait_a_little(|| !is_another_s());
        let state = lock(state);
        let mut state = changed.wait_while(state, |_| is_another_s()).unwrap_or_else(PoisonError::into_inner);
        let result = with(&mut state);
        next.store(self.number + 1, Ordering::Release);
        drop(state);
        changed.notify_all();
        result
    }
}

impl<O> Drop for Turn<'_, O> {
    fn drop(&mut self) {
        // A turn that nobody wanted must pass all the same, or the later ones would wait for ever.
        if !self.taken {
            self.wait_and(|_| ());
        }
    }
}

/// The threads of a run.
pub struct Crew(Option<rayon::ThreadPool>);

impl Crew {
    /// Does it where [`both`] has these threads.
    pub fn work<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}

/// Does two things, at the same time where a [`Crew`] is at work, which has a thread to spare.
pub fn both<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    // Elsewhere rayon would take threads that nobody asked for.
    if rayon::current_thread_index().is_some() { rayon::join(one, other) } else { (one(), other()) }
}

/// What comes out of a run.
pub struct Done<L, O> {
    /// What each worker kept for itself.
    pub locals: Vec<L>,
    pub ordered: O,
    pub chunks: Chunks,
    pub crew: Crew,
}

/// Works through all chunks on `threads` threads.
///
/// # Errors
/// Where the threads can't be had.
pub fn run<L, O>(
    chunks: Chunks,
    threads: usize,
    ordered: O,
    local: impl Fn() -> L + Sync,
    work: impl Fn(&mut L, &Chunk, Turn<'_, O>) -> ControlFlow<()> + Sync,
) -> anyhow::Result<Done<L, O>>
where
    L: Send,
    O: Send,
{
    let ordered = Ordered { state: Mutex::new(ordered), next: AtomicU64::new(0), changed: Condvar::new() };
    let source = Mutex::new((0, chunks));
    let worker = || {
        let mut mine = local();
        loop {
            let (number, chunk) = {
                let mut source = lock(&source);
                let Some(chunk) = source.1.next_chunk() else { break };
                source.0 += 1;
                (source.0 - 1, chunk)
            };
            let flow = work(&mut mine, &chunk, Turn { ordered: &ordered, number, taken: false });
            let mut source = lock(&source);
            if flow.is_break() {
                source.1.stop();
                break;
            }
            source.1.recycle(chunk);
        }
        mine
    };
    let crew = if threads > 1 { Some(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?) } else { None };
    let locals = crew.as_ref().map_or_else(|| vec![worker()], |pool| pool.broadcast(|_| worker()));
    let ordered = ordered.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let chunks = source.into_inner().unwrap_or_else(PoisonError::into_inner).1;
    Ok(Done { locals, ordered, chunks, crew: Crew(crew) })
}
