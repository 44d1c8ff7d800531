//! Which files are of a reader's tools: nothing of the workbook looks at them.

use std::ffi::OsStr;

/// All hidden files (`.x.swp`, `.#x`, `.DS_Store`, `.obsidian`), and what is locked or not yet saved.
const BEGINS: &[&str] = &[".", "#", "~"];

/// Copies of editors, of merges and of patches, of Python, of what is on its way, and marks of Windows.
const ENDS: &[&str] = &[
    "~",
    ".swp",
    ".swo",
    ".swn",
    ".kate-swp",
    ".autosave",
    ".backup",
    ".bak",
    ".bk",
    ".old",
    ".orig",
    ".rej",
    ".save",
    ".tmp",
    ".temp",
    ".part",
    ".crdownload",
    ".pyc",
    ".pyo",
    ".iml",
    ".lnk",
    ",v",
    ":zone.identifier",
    "___jb_tmp___",
    "___jb_old___",
];

/// Copies of two who wrote at once, by what synchronises files or merges them.
const HAS: &[&str] = &[
    ".sync-conflict-",
    "conflicted copy",
    "case conflict",
    "_conflict-",
    "_backup_",
    "_base_",
    "_local_",
    "_remote_",
];

const NAMES: &[&str] = &[
    "__macosx",
    "__pycache__",
    "$recycle.bin",
    "@eadir",
    "cvs",
    "desktop.ini",
    "ehthumbs.db",
    "icon\r",
    "lost+found",
    "tags",
    "thumbs.db",
];

/// Whether a file or a folder of this name is of an editor, a desktop, version control or whatever
/// copies files. The workbook's own names are such that none of them is taken for one.
pub fn is_of_a_tool(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    BEGINS.iter().any(|begin| name.starts_with(begin))
        || ENDS.iter().any(|end| name.ends_with(end))
        || HAS.iter().any(|part| name.contains(part))
        || NAMES.contains(&&*name)
        // Vim tries with `4913`, or a higher number, whether it may write beside a file.
        || name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_leave_is_told_from_what_a_reader_writes() {
        for name in [
            ".02-heartbeat.md.swp",
            ".#02-heartbeat.md",
            "#02-heartbeat.md#",
            "02-heartbeat.md~",
            "02-heartbeat.md.~1~",
            "02-heartbeat.md.orig",
            "02-heartbeat.md.rej",
            "02-heartbeat.MD.BAK",
            "02-heartbeat (conflicted copy 2026-01-02).md",
            "02-heartbeat.sync-conflict-20260102-030405-ABCDEFG.md",
            "02-heartbeat_BACKUP_4711.md",
            "02-heartbeat.md:Zone.Identifier",
            ".DS_Store",
            "._02-heartbeat.md",
            ".directory",
            ".obsidian",
            ".Trash-1000",
            ".main.rs.kate-swp",
            "Thumbs.db",
            "desktop.ini",
            "__pycache__",
            "heartbeat.cpython-312.pyc",
            "4913",
            "5036",
        ] {
            assert!(is_of_a_tool(OsStr::new(name)), "{name}");
        }
        for name in
            ["02-heartbeat.md", "SUMMARY.md", "notes.md", "try.py", "x", "map.svg", "old.md"]
        {
            assert!(!is_of_a_tool(OsStr::new(name)), "{name}");
        }
    }
}
