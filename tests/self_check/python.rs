//! The interpreter that runs the twins.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use workbook::promise::PythonVersion;

/// The interpreter that runs the twins.
pub struct Python {
    /// Its own path.
    pub executable: PathBuf,
    /// Which Python it is.
    pub version: PythonVersion,
}

/// Asks `python3` once for itself: a version manager's shim would cost 0.1 s at every start.
pub fn find() -> Result<Python, String> {
    let question = "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])";
    let answer = Command::new("python3")
        .args(["-I", "-S", "-c", question])
        .stdin(Stdio::null())
        .output()
        .map_err(|_| "there is no python3".to_owned())?;
    let text = String::from_utf8_lossy(&answer.stdout);
    match text.lines().collect::<Vec<_>>()[..] {
        [executable, version] if answer.status.success() => {
            Ok(Python { executable: executable.into(), version: version.parse()? })
        }
        _ => Err("python3 does not run".to_owned()),
    }
}
