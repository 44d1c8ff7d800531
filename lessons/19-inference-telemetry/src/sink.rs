//! Who outlives the job, and gets its last sample.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub type Delivery = Result<(), Box<dyn Error + Send + Sync>>;

// ANCHOR: deliver
/// To a Pushgateway, if it is an address that begins with `http://`, or to a file for the
/// textfile collector of a node exporter.
pub fn deliver(text: &str, sink: &OsStr) -> Delivery {
    match sink.to_str() {
        Some(url) if url.starts_with("http://") => push(text, url),
        _ => replace(text, Path::new(sink)),
    }
}
// ANCHOR_END: deliver

// ANCHOR: push
/// This client waits as long as it takes, unless it is told otherwise.
fn push(text: &str, url: &str) -> Delivery {
    let gateway = ureq::put(format!("{url}/metrics/job/inference"));
    // A redirect would be followed by a `GET`, which brings nothing.
    let gateway = gateway.config().proxy(None).max_redirects(0).build();
    let status = gateway.send(text)?.status();
    if !status.is_success() {
        return Err(format!("the gateway answers {status}").into());
    }
    Ok(())
}
// ANCHOR_END: push

// ANCHOR: replace
/// Whoever reads finds the old text or the new one, never a part of it.
fn replace(text: &str, path: &Path) -> Delivery {
    // The rename would replace a device or a link as well.
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(format!("{} is not a regular file", path.display()).into());
    }
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let mut new = tempfile::Builder::new()
        // A name that no other job has, and no `.prom`: nobody reads it yet.
        .prefix(".metrics.prom.")
        .tempfile_in(parent.unwrap_or(Path::new(".")))?;
    // By itself `tempfile` keeps it from other users, also from the exporter's.
    new.as_file().set_permissions(Permissions::from_mode(0o644))?;
    new.write_all(text.as_bytes())?;
    // Where this fails, as where the write does, the new file is removed.
    new.persist(path).map_err(|error| error.error)?;
    Ok(())
}
// ANCHOR_END: replace
