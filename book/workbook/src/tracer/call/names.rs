//! What a descriptor leads to, in words: a file, a pipe, a socket by its addresses.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self, UnixStream};
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::Raw;

/// So many bytes of the kernel's lists of sockets are read: some 50,000 connections.
const LISTED: u64 = 8 << 20;

/// The sockets of a process, by the inode that its descriptors lead to.
#[derive(Clone, Debug, Default)]
pub struct Names(HashMap<u64, String>);

impl Names {
    /// Names the sockets that these looks are about, as the thread `tid`, which lives, has them open now. Without such
    /// a socket nothing is done.
    pub fn of<'a>(tid: u32, looks: impl IntoIterator<Item = &'a Raw>) -> Names {
        let wanted = looks.into_iter().flat_map(Raw::sockets).collect::<HashMap<_, _>>();
        if wanted.is_empty() {
            return Names::default();
        }
        // The lists take 10 ms even when they are short: the kernel goes through all of a large table.
        Names(asked(tid, &wanted).unwrap_or_else(|| listed(tid, wanted.into_keys().collect())))
    }

    /// What the descriptor `fd` that leads to `to` is, in words.
    pub(super) fn file(&self, fd: i32, to: &Path, dir: &Path) -> String {
        if let Some(inode) = socket(to) {
            let name = self.0.get(&inode).map_or("a socket", String::as_str);
            return name.to_owned();
        }
        let text = to.to_string_lossy();
        let terminal = text.starts_with("/dev/pts/") || text.starts_with("/dev/tty");
        let pipe = text.starts_with("pipe:[");
        match text.strip_prefix("anon_inode:") {
            Some(kind) => format!("a descriptor of kind {}", kind.trim_matches(['[', ']'])),
            None if (terminal || pipe) && (0..3).contains(&fd) => {
                ["standard input", "standard output", "standard error"][fd as usize].to_owned()
            }
            None if terminal => "the terminal".to_owned(),
            None if pipe => "a pipe".to_owned(),
            None => below(to, dir),
        }
    }
}

/// A path from `dir` on, if it is below.
pub(super) fn below(path: &Path, dir: &Path) -> String {
    path.strip_prefix(dir).unwrap_or(path).display().to_string()
}

/// The inode of a socket, of a link like `socket:[4026]`.
pub(super) fn socket(to: &Path) -> Option<u64> {
    to.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// A `sockaddr` in words.
pub(super) fn address(bytes: &[u8]) -> Option<String> {
    let family = u16::from_ne_bytes([*bytes.first()?, *bytes.get(1)?]);
    let port = || Some(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
    match i32::from(family) {
        libc::AF_INET => {
            let ip: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            Some(SocketAddr::new(Ipv4Addr::from(ip).into(), port()?).to_string())
        }
        libc::AF_INET6 => {
            let ip: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            Some(SocketAddr::new(IpAddr::from(ip).to_canonical(), port()?).to_string())
        }
        libc::AF_UNIX => {
            let path = &bytes[2..];
            // An abstract name starts with a zero byte and is shown with an @.
            let (sign, path) = match path.first()? {
                0 => ("@", &path[1..]),
                _ => ("", path),
            };
            let path = path.split(|byte| *byte == 0).next()?;
            Some(format!("unix socket {sign}{}", String::from_utf8_lossy(path)))
        }
        _ => None,
    }
}

/// Asks the sockets themselves, by copies of their descriptors that are closed at once. None where that is not
/// allowed, or the kernel is older than Linux 5.6.
fn asked(tid: u32, wanted: &HashMap<u64, i32>) -> Option<HashMap<u64, String>> {
    let id = Pid::from_raw(i32::try_from(tid).ok()?)?;
    let process = pidfd_open(id, PidfdFlags::empty())
        // Of a thread that is not the first one, from Linux 6.9 on.
        .or_else(|_| pidfd_open(id, PidfdFlags::from_bits_retain(libc::PIDFD_THREAD)))
        .ok()?;
    let mut names = HashMap::new();
    for (inode, fd) in wanted {
        match pidfd_getfd(&process, *fd, PidfdGetfdFlags::empty()) {
            // A process that runs on may have closed it, and opened another.
            Ok(copy) if rustix::fs::fstat(&copy).is_ok_and(|is| is.st_ino == *inode) => {
                names.extend(told(copy).map(|name| (*inode, name)));
            }
            Ok(_) | Err(Errno::BADF) => (),
            Err(_) => return None,
        }
    }
    Some(names)
}

/// What a socket says of itself. The standard library asks without looking at what kind it is.
fn told(socket: OwnedFd) -> Option<String> {
    let socket = TcpStream::from(socket);
    if let Ok(own) = socket.local_addr() {
        return Some(match socket.peer_addr() {
            Ok(peer) => ends(own, Some(peer)),
            // Only TCP has this option.
            Err(_) if socket.nodelay().is_err() => format!("UDP socket {}", ends(own, None)),
            Err(_) => ends(own, None),
        });
    }
    let socket = UnixStream::from(OwnedFd::from(socket));
    let own = socket.local_addr().ok()?;
    // The end that connected has no name of its own.
    let name = path(&own).or_else(|| path(&socket.peer_addr().ok()?));
    Some(name.map_or_else(|| "a unix socket".to_owned(), |path| format!("unix socket {path}")))
}

fn path(address: &net::SocketAddr) -> Option<String> {
    match address.as_abstract_name() {
        Some(name) => Some(format!("@{}", String::from_utf8_lossy(name))),
        None => Some(address.as_pathname()?.display().to_string()),
    }
}

/// A socket by its ends; one that listens, or is not connected, has no other.
fn ends(own: SocketAddr, peer: Option<SocketAddr>) -> String {
    let shown = |end: SocketAddr| SocketAddr::new(end.ip().to_canonical(), end.port());
    match peer {
        None => shown(own).to_string(),
        Some(peer) => format!("{} (own end {})", shown(peer), shown(own)),
    }
}

/// Looks for the sockets in the kernel's lists.
fn listed(tid: u32, mut wanted: HashSet<u64>) -> HashMap<u64, String> {
    let mut names = HashMap::new();
    for (list, read) in LISTS {
        let Ok(file) = File::open(format!("/proc/{tid}/net/{list}")) else {
            continue;
        };
        for line in BufReader::with_capacity(1 << 16, file.take(LISTED)).lines() {
            if wanted.is_empty() {
                return names;
            }
            if let Some((inode, name)) = line.ok().and_then(|line| read(&line, &wanted)) {
                wanted.remove(&inode);
                names.insert(inode, name);
            }
        }
    }
    names
}

/// Reads a line of a list, if its socket is wanted.
type Reader = fn(&str, &HashSet<u64>) -> Option<(u64, String)>;

const LISTS: [(&str, Reader); 5] =
    [("tcp", internet), ("tcp6", internet), ("unix", unix), ("udp", datagram), ("udp6", datagram)];

/// A line like `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4026 …`.
fn internet(line: &str, wanted: &HashSet<u64>) -> Option<(u64, String)> {
    let mut words = line.split_whitespace().skip(1);
    let own = words.next()?;
    let peer = words.next()?;
    let inode = words.nth(6)?.parse().ok()?;
    if !wanted.contains(&inode) {
        return None;
    }
    let peer = end(peer)?;
    Some((inode, ends(end(own)?, (peer.port() != 0).then_some(peer))))
}

/// The same; one that is not connected reads from anyone.
fn datagram(line: &str, wanted: &HashSet<u64>) -> Option<(u64, String)> {
    let (inode, name) = internet(line, wanted)?;
    let connected = name.contains(' ');
    Some((inode, if connected { name } else { format!("UDP socket {name}") }))
}

/// A line like `ffff8d…: 00000002 00000000 00010000 0001 01 4026 /run/app.sock`.
fn unix(line: &str, wanted: &HashSet<u64>) -> Option<(u64, String)> {
    let mut words = line.splitn(8, ' ').skip(6);
    // The inode is padded to five columns.
    let rest = words.by_ref().collect::<Vec<_>>().join(" ");
    let (inode, path) = match rest.trim_start().split_once(' ') {
        Some((inode, path)) => (inode, path),
        None => (rest.trim(), ""),
    };
    let inode = inode.parse().ok()?;
    if !wanted.contains(&inode) {
        return None;
    }
    let name = match path {
        "" => "a unix socket".to_owned(),
        path => format!("unix socket {path}"),
    };
    Some((inode, name))
}

/// An address like `0100007F:1F90`: words in this machine's order of bytes, the port as one writes it.
fn end(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::new();
    for at in (0..ip.len()).step_by(8) {
        bytes.extend(u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    }
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::from(four),
        Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into(),
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use std::collections::HashSet;

    use super::{address, internet, unix};

    #[test]
    fn a_socket_is_named_by_its_other_end_if_it_has_one() {
        let wanted = HashSet::from([4026, 77]);
        let named = |line| internet(line, &wanted).map(|(_, name)| name);
        assert_eq!(
            named(
                "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4026 1 0"
            ),
            Some("127.0.0.1:8080".to_owned())
        );
        assert_eq!(
            named(
                "1: 0100007F:1F90 0200007F:C000 01 00000000:00000000 00:00000000 00000000 0 0 77 1 0"
            ),
            Some("127.0.0.2:49152 (own end 127.0.0.1:8080)".to_owned())
        );
        assert_eq!(
            named(
                "0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A \
                 00000000:00000000 00:00000000 00000000 0 0 4026 1"
            ),
            Some("[::1]:8080".to_owned())
        );
        assert_eq!(
            named(
                "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 5 1 0"
            ),
            None
        );
        assert_eq!(named("sl local_address rem_address st tx_queue"), None);
    }

    #[test]
    fn a_unix_socket_is_named_by_its_path() {
        let wanted = HashSet::from([4026]);
        let named = |line| unix(line, &wanted).map(|(_, name)| name);
        assert_eq!(
            named("00000000d5e3c8f5: 00000002 00000000 00010000 0001 01  4026 /run/my app.sock"),
            Some("unix socket /run/my app.sock".to_owned())
        );
        assert_eq!(
            named("00000000d5e3c8f5: 00000003 00000000 00000000 0001 03 4026"),
            Some("a unix socket".to_owned())
        );
    }

    #[test]
    fn an_address_in_memory_is_read() {
        let mut v4 = vec![2, 0, 0x1f, 0x90, 10, 0, 0, 1];
        v4.resize(16, 0);
        assert_eq!(address(&v4).as_deref(), Some("10.0.0.1:8080"));
        assert_eq!(address(b"\x01\0/run/a.sock\0\0").as_deref(), Some("unix socket /run/a.sock"));
        assert_eq!(address(b"\x01\0\0bus").as_deref(), Some("unix socket @bus"));
        assert_eq!(address(b"\x01"), None);
    }
}
