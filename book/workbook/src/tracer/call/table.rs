//! The system calls that have a name here: where their arguments tell a file and a time limit.

/// A system call, as far as a reader needs it.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) about: About,
    pub(super) time: Time,
}

/// Which argument tells what a call is about.
#[derive(Clone, Copy)]
pub(super) enum About {
    Nothing,
    /// A file descriptor.
    Fd(usize),
    /// A path in memory.
    Path(usize),
    /// `connect`: a socket address in memory.
    Address,
    /// `epoll_wait`: a descriptor that watches others.
    Epoll,
    /// An array of `pollfd`.
    Poll,
    /// Three sets of file descriptors.
    Select,
    /// `wait4`: a process.
    Child,
    /// `waitid`: a kind and a process.
    ChildOfKind,
}

/// Which argument tells how long a call may wait.
#[derive(Clone, Copy)]
pub(super) enum Time {
    /// None.
    No,
    /// It waits until something comes.
    Forever,
    /// Milliseconds; negative is no limit.
    Millis(usize),
    /// A `timespec` from the call's beginning; null is no limit.
    Timespec(usize),
    /// The same, and the kernel writes what is left there when the call ends.
    Counted(usize),
    /// `select`: a `timeval`, with what is left written there.
    CountedMicros(usize),
    /// `nanosleep`: the time, and where to write what is left.
    Sleep,
    /// `clock_nanosleep`: a clock, a flag for absolute time, the time, where to write what is left.
    SleepByClock,
    /// `futex`: depends on the operation.
    Futex,
    /// An absolute `timespec` in one argument, its clock in the other.
    Until(usize, usize),
    /// An absolute `timespec` of the day's clock.
    UntilOfDay(usize),
    /// `io_uring_enter`: depends on the flags.
    Uring,
}

/// The call of that number on this machine, if it has a name here.
pub(super) fn known(number: i64) -> Option<&'static Known> {
    COMMON.iter().chain(OLD).find_map(|(at, known)| (*at == number).then_some(known))
}

const fn call(number: i64, name: &'static str, about: About, time: Time) -> (i64, Known) {
    (number, Known { name, about, time })
}

use About::{Address, Child, ChildOfKind, Epoll, Fd, Nothing, Path, Poll, Select};
use Time::{
    Counted, CountedMicros, Forever, Futex, Millis, No, Sleep, SleepByClock, Timespec, Until,
    UntilOfDay, Uring,
};

static COMMON: &[(i64, Known)] = &[
    call(libc::SYS_accept, "accept", Fd(0), No),
    call(libc::SYS_accept4, "accept4", Fd(0), No),
    call(libc::SYS_brk, "brk", Nothing, No),
    call(libc::SYS_clock_nanosleep, "clock_nanosleep", Nothing, SleepByClock),
    call(libc::SYS_clone, "clone", Nothing, No),
    call(libc::SYS_clone3, "clone3", Nothing, No),
    call(libc::SYS_close, "close", Fd(0), No),
    call(libc::SYS_connect, "connect", Address, No),
    call(libc::SYS_copy_file_range, "copy_file_range", Fd(2), No),
    call(libc::SYS_epoll_pwait, "epoll_pwait", Epoll, Millis(3)),
    call(libc::SYS_epoll_pwait2, "epoll_pwait2", Epoll, Timespec(3)),
    call(libc::SYS_execve, "execve", Path(0), No),
    call(libc::SYS_exit, "exit", Nothing, No),
    call(libc::SYS_exit_group, "exit_group", Nothing, No),
    call(libc::SYS_fallocate, "fallocate", Fd(0), No),
    call(libc::SYS_fcntl, "fcntl", Fd(0), No),
    call(libc::SYS_fdatasync, "fdatasync", Fd(0), No),
    call(libc::SYS_flock, "flock", Fd(0), No),
    call(libc::SYS_fsync, "fsync", Fd(0), No),
    call(libc::SYS_ftruncate, "ftruncate", Fd(0), No),
    call(libc::SYS_futex, "futex", Nothing, Futex),
    call(libc::SYS_futex_waitv, "futex_waitv", Nothing, Until(3, 4)),
    // The three that Linux 6.7 added have the same numbers everywhere.
    call(454, "futex_wake", Nothing, No),
    call(455, "futex_wait", Nothing, Until(4, 5)),
    call(456, "futex_requeue", Nothing, No),
    call(libc::SYS_getdents64, "getdents64", Fd(0), No),
    call(libc::SYS_getrandom, "getrandom", Nothing, No),
    call(libc::SYS_io_getevents, "io_getevents", Nothing, Timespec(4)),
    call(libc::SYS_io_uring_enter, "io_uring_enter", Nothing, Uring),
    call(libc::SYS_ioctl, "ioctl", Fd(0), No),
    call(libc::SYS_kill, "kill", Nothing, No),
    call(libc::SYS_lseek, "lseek", Fd(0), No),
    call(libc::SYS_madvise, "madvise", Nothing, No),
    call(libc::SYS_membarrier, "membarrier", Nothing, No),
    call(libc::SYS_mmap, "mmap", Nothing, No),
    call(libc::SYS_mprotect, "mprotect", Nothing, No),
    call(libc::SYS_mq_timedreceive, "mq_timedreceive", Fd(0), UntilOfDay(4)),
    call(libc::SYS_mq_timedsend, "mq_timedsend", Fd(0), UntilOfDay(4)),
    call(libc::SYS_mremap, "mremap", Nothing, No),
    call(libc::SYS_msgrcv, "msgrcv", Nothing, No),
    call(libc::SYS_msgsnd, "msgsnd", Nothing, No),
    call(libc::SYS_msync, "msync", Nothing, No),
    call(libc::SYS_munmap, "munmap", Nothing, No),
    call(libc::SYS_nanosleep, "nanosleep", Nothing, Sleep),
    call(libc::SYS_openat, "openat", Path(1), No),
    call(libc::SYS_ppoll, "ppoll", Poll, Counted(2)),
    call(libc::SYS_pread64, "pread64", Fd(0), No),
    call(libc::SYS_preadv, "preadv", Fd(0), No),
    call(libc::SYS_preadv2, "preadv2", Fd(0), No),
    call(libc::SYS_pselect6, "pselect6", Select, Counted(4)),
    call(libc::SYS_pwrite64, "pwrite64", Fd(0), No),
    call(libc::SYS_pwritev, "pwritev", Fd(0), No),
    call(libc::SYS_pwritev2, "pwritev2", Fd(0), No),
    call(libc::SYS_read, "read", Fd(0), No),
    call(libc::SYS_readv, "readv", Fd(0), No),
    call(libc::SYS_recvfrom, "recvfrom", Fd(0), No),
    call(libc::SYS_recvmmsg, "recvmmsg", Fd(0), No),
    call(libc::SYS_recvmsg, "recvmsg", Fd(0), No),
    call(libc::SYS_restart_syscall, "restart_syscall", Nothing, No),
    call(libc::SYS_rt_sigsuspend, "rt_sigsuspend", Nothing, Forever),
    call(libc::SYS_rt_sigtimedwait, "rt_sigtimedwait", Nothing, Timespec(2)),
    call(libc::SYS_sched_yield, "sched_yield", Nothing, No),
    call(libc::SYS_semop, "semop", Nothing, No),
    call(libc::SYS_semtimedop, "semtimedop", Nothing, Timespec(3)),
    call(libc::SYS_sendfile, "sendfile", Fd(0), No),
    call(libc::SYS_sendmmsg, "sendmmsg", Fd(0), No),
    call(libc::SYS_sendmsg, "sendmsg", Fd(0), No),
    call(libc::SYS_sendto, "sendto", Fd(0), No),
    call(libc::SYS_shutdown, "shutdown", Fd(0), No),
    call(libc::SYS_splice, "splice", Fd(0), No),
    call(libc::SYS_sync, "sync", Nothing, No),
    call(libc::SYS_syncfs, "syncfs", Fd(0), No),
    call(libc::SYS_tgkill, "tgkill", Nothing, No),
    call(libc::SYS_wait4, "wait4", Child, No),
    call(libc::SYS_waitid, "waitid", ChildOfKind, No),
    call(libc::SYS_write, "write", Fd(0), No),
    call(libc::SYS_writev, "writev", Fd(0), No),
];

/// Calls that only the older of the two architectures has.
#[cfg(target_arch = "x86_64")]
static OLD: &[(i64, Known)] = &[
    call(libc::SYS_epoll_wait, "epoll_wait", Epoll, Millis(3)),
    call(libc::SYS_fork, "fork", Nothing, No),
    call(libc::SYS_open, "open", Path(0), No),
    call(libc::SYS_pause, "pause", Nothing, Forever),
    call(libc::SYS_poll, "poll", Poll, Millis(2)),
    call(libc::SYS_select, "select", Select, CountedMicros(4)),
    call(libc::SYS_vfork, "vfork", Nothing, No),
];
#[cfg(not(target_arch = "x86_64"))]
static OLD: &[(i64, Known)] = &[];
