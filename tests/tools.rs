//! Programs that only some tests need.

use std::env;
use std::path::PathBuf;

/// Where a program is, if it is installed.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}
