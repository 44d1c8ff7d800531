//! Who is alive, told by the kernel.

use std::io;

// ANCHOR: names
/// The threads of this process, as Linux knows them: 15 bytes of each name.
#[cfg(target_os = "linux")]
pub fn names() -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for thread in std::fs::read_dir("/proc/self/task")? {
        let thread = thread?.path();
        match std::fs::read(thread.join("comm")) {
            // The cut may go through the middle of a character.
            Ok(name) => {
                let name = String::from_utf8_lossy(name.trim_ascii_end());
                names.push(name.into_owned());
            }
            // It has ended since the directory was read.
            Err(_) if !thread.exists() => {}
            // A list that lacks somebody is worse than none.
            Err(error) => return Err(error),
        }
    }
    names.sort();
    Ok(names)
}
// ANCHOR_END: names

/// Elsewhere there is no such file to read.
#[cfg(not(target_os = "linux"))]
pub fn names() -> io::Result<Vec<String>> {
    Err(io::ErrorKind::Unsupported.into())
}
