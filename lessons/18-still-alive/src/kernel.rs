//! Who is alive, told by the kernel.

use std::io;

// ANCHOR: names
/// The threads of this process, as Linux knows them: 15 bytes of each name.
#[cfg(target_os = "linux")]
pub fn names() -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for thread in std::fs::read_dir("/proc/self/task")? {
        // A thread may end between the two calls.
        let Ok(name) = std::fs::read(thread?.path().join("comm")) else { continue };
        // The cut may go through the middle of a character.
        names.push(String::from_utf8_lossy(name.trim_ascii_end()).into_owned());
    }
    names.sort();
    Ok(names)
}

/// Elsewhere there is no such file to read.
#[cfg(not(target_os = "linux"))]
pub fn names() -> io::Result<Vec<String>> {
    Err(io::ErrorKind::Unsupported.into())
}
// ANCHOR_END: names
