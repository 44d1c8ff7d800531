//! Who listens on a port, as the kernel tells below `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The inodes of the sockets that listen on a port.
fn sockets(port: u16) -> BTreeSet<u64> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    tables.iter().flatten().flat_map(|table| listening(table, port)).collect()
}

/// Those in one table: its lines have the local address second, the state fourth and the inode tenth.
fn listening(table: &str, port: u16) -> impl Iterator<Item = u64> {
    const LISTEN: &str = "0A";
    let port = format!(":{port:04X}");
    table.lines().filter_map(move |line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let is_it = fields.get(1)?.ends_with(&port) && *fields.get(3)? == LISTEN;
        is_it.then(|| fields.get(9)?.parse().ok())?
    })
}

/// Whether anybody listens.
pub fn is_there(port: u16) -> bool {
    !sockets(port).is_empty()
}

/// Which of these processes listen.
pub fn owners(port: u16, processes: &[u32]) -> Vec<u32> {
    let sockets = sockets(port);
    let is_one = |link: &Path| {
        let inode = link.to_str().and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']'));
        inode.and_then(|inode| inode.parse().ok()).is_some_and(|inode| sockets.contains(&inode))
    };
    let listens = |pid: &u32| {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|link| is_one(&link))
    };
    processes.iter().copied().filter(listens).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_socket_is_found_by_its_port() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:2710 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1\n   \
             1: 0100007F:2710 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000     0        0 78 1\n";
        assert_eq!(listening(table, 10_000).collect::<Vec<_>>(), [77]);
        assert_eq!(listening(table, 10_001).count(), 0);
    }
}
