//! What the file system tells by itself: that something changed, so that nobody has to wait for the next look. Directories
//! are watched and not files: a watch on a file goes deaf when it is renamed.

use super::Waker;
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub struct Watch {
    /// `None` where the system has none to give: then the regular looks have to do.
    watcher: Option<RecommendedWatcher>,
    directories: HashSet<PathBuf>,
    /// Files came, went or were renamed.
    moved: Arc<AtomicBool>,
}

impl Watch {
    pub fn new(waker: Waker) -> Self {
        let moved = Arc::new(AtomicBool::new(false));
        let seen = moved.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            match event.map(|event| event.kind) {
                // Our own reading.
                Ok(EventKind::Access(_)) => return,
                Ok(EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any)) => {}
                // Names, or events that were lost.
                _ => seen.store(true, Ordering::Relaxed),
            }
            waker();
        });
        Self { watcher: watcher.ok(), directories: HashSet::new(), moved }
    }

    /// Watches a directory, once it is there.
    pub fn watch(&mut self, directory: &Path) {
        if let Some(watcher) = &mut self.watcher
            && !self.directories.contains(directory)
            && watcher.watch(directory, RecursiveMode::NonRecursive).is_ok()
        {
            self.directories.insert(directory.to_path_buf());
        }
    }

    /// Where a link leads, too.
    pub fn watch_target(&mut self, path: &Path) {
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            self.watch(directory);
        }
    }

    pub fn take_moved(&self) -> bool {
        self.moved.swap(false, Ordering::Relaxed)
    }
}
