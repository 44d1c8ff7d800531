//! What the tracer asks of the kernel, in safe words.
//!
//! It goes past nix, whose `waitpid` refuses real-time signals and whose `ptrace` has no `LISTEN`.
//! A thread is named by its id; one that is gone, or is not stopped, is an error like any other.

#![allow(unsafe_code, reason = "the calls of this module have no safe wrapper")]

use std::fs;
use std::io;
use std::mem;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use libc::{c_int, c_void, pid_t};

/// A stop that a seized thread makes at its birth, with its group, or when it is interrupted.
const STOP: c_int = 128;

/// Births, `execve` and ends are told; and all that is traced ends with the tracer.
const OPTIONS: c_int = libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACEEXIT
    | libc::PTRACE_O_EXITKILL;

/// What has become of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is gone, with this exit code.
    Exited(i32),
    /// A signal has ended it.
    Killed(i32),
    /// It stopped before a signal is delivered to it.
    Signal(i32),
    /// It stopped since its process is stopped, by this signal.
    Group(i32),
    /// It stopped at its birth, or because its process goes on.
    Trap,
    /// It has made a thread or a process.
    Birth,
    /// It has called `execve`, which has returned.
    Exec,
    /// It is about to end.
    Exit,
}

/// What is told of a signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Info {
    /// By what it came: above 0 by the kernel.
    pub(super) code: i32,
    /// Who sent it; meaningless if it came by the kernel.
    pub(super) pid: u32,
}

/// Has the kernel stop a program that this command starts as soon as it is there, for this thread. Where
/// that is not allowed the program runs untraced.
///
/// Until it is stopped its signals wait: one of them would stop it before, and the start would wait for it.
pub(super) fn to_be_traced(command: &mut Command) {
    let ask = || {
        if ptrace(libc::PTRACE_TRACEME, 0, 0, ptr::null_mut()).is_ok() {
            // SAFETY: the set is filled before it is read; the calls are async-signal-safe.
            unsafe {
                let mut all = mem::zeroed();
                libc::sigfillset(&mut all);
                libc::sigdelset(&mut all, libc::SIGTRAP);
                libc::sigprocmask(libc::SIG_SETMASK, &all, ptr::null_mut());
            }
        } else {
            // What the tracing would see to: it ends with the thread that starts it.
            // SAFETY: it takes numbers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        }
        Ok(())
    };
    // SAFETY: between fork and exec it only makes system calls.
    unsafe {
        command.pre_exec(ask);
    }
}

/// Lets go of a program that [`to_be_traced`] has stopped and takes hold of it in the newer way, in which
/// a stopped process stays stopped. It is left stopped, and a `SIGCONT` under way to it.
pub(super) fn seize(id: u32) -> io::Result<()> {
    ptrace(libc::PTRACE_DETACH, id, 0, libc::SIGSTOP as usize as *mut c_void)?;
    ptrace(libc::PTRACE_SEIZE, id, 0, OPTIONS as usize as *mut c_void)?;
    while !matches!(wait_for(id)?, Change::Group(_) | Change::Exited(_) | Change::Killed(_)) {
        go_on(id, 0)?;
    }
    send(id, libc::SIGCONT)
}

/// Takes hold of a process that runs, and goes on running, also where this one ends.
pub(super) fn seize_beside(id: u32) -> io::Result<()> {
    let options = OPTIONS & !libc::PTRACE_O_EXITKILL;
    ptrace(libc::PTRACE_SEIZE, id, 0, options as usize as *mut c_void).map(drop)
}

/// Makes this process two: the id of the new one in the old one, none in the new one.
///
/// # Errors
///
/// Also where it has more threads than the one that calls: the others, and what they hold, would be missing.
pub(super) fn fork() -> io::Result<Option<u32>> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("it has other threads"));
    }
    // SAFETY: there is no other thread whose lock could stay locked.
    match unsafe { libc::fork() } {
        0 => Ok(None),
        id => u32::try_from(id).map(Some).map_err(|_| io::Error::last_os_error()),
    }
}

/// Lets go of all that this process has open but for the three streams. No value may own any of it.
pub(super) fn close_all_but_streams() {
    // SAFETY: it takes numbers; whoever calls it has nothing open.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
}

/// Has a program that [`to_be_traced`] has stopped be followed without the right to take hold of it anew.
pub(super) fn follow(id: u32) -> io::Result<()> {
    ptrace(libc::PTRACE_SETOPTIONS, id, 0, OPTIONS as usize as *mut c_void).map(drop)
}

/// Lets the signals through that [`to_be_traced`] has held up.
pub(super) fn unblock(id: u32) -> io::Result<()> {
    let mut none = 0_u64;
    ptrace(libc::PTRACE_SETSIGMASK, id, size_of::<u64>(), (&raw mut none).cast()).map(drop)
}

/// Lets a stopped thread go on, with a signal or 0.
pub(super) fn go_on(id: u32, signal: i32) -> io::Result<()> {
    ptrace(libc::PTRACE_CONT, id, 0, signal as usize as *mut c_void).map(drop)
}

/// Lets a thread be stopped with its process, until that goes on.
pub(super) fn stay_stopped(id: u32) -> io::Result<()> {
    ptrace(libc::PTRACE_LISTEN, id, 0, ptr::null_mut()).map(drop)
}

/// Lets go of a stopped thread.
pub(super) fn let_go(id: u32) -> io::Result<()> {
    ptrace(libc::PTRACE_DETACH, id, 0, ptr::null_mut()).map(drop)
}

/// What belongs to a stop: the id of the newborn, or the id that a thread had before its `execve`.
pub(super) fn message(id: u32) -> io::Result<u32> {
    let mut message: libc::c_ulong = 0;
    ptrace(libc::PTRACE_GETEVENTMSG, id, 0, (&raw mut message).cast())?;
    Ok(message as u32)
}

/// Of the signal before which a thread has stopped.
pub(super) fn info(id: u32) -> io::Result<Info> {
    // SAFETY: all zeros are a value of this type.
    let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
    ptrace(libc::PTRACE_GETSIGINFO, id, 0, (&raw mut info).cast())?;
    // SAFETY: the kernel has filled it; the field is a number whatever is in it.
    Ok(Info { code: info.si_code, pid: unsafe { info.si_pid() } as u32 })
}

/// Waits for the next change of a child of this thread, or of what it traces; none if one of its [`Ticks`] came
/// first.
///
/// # Errors
///
/// `ECHILD` if there is nothing left to wait for.
pub(super) fn change() -> io::Result<Option<(u32, Change)>> {
    match wait(-1, 0) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
        result => result.map(Some),
    }
}

/// Interrupts what the thread that made it waits for, again and again, until it is dropped: `waitpid` knows
/// no time limit.
///
/// By a signal that is ignored in all programs that do not ask for it; one that comes between two waits is
/// missed, and the next one is not.
pub(super) struct Ticks(#[allow(dead_code, reason = "its end tells the thread")] Sender<()>);

impl Ticks {
    pub(super) fn new(each: Duration) -> io::Result<Self> {
        extern "C" fn nothing(_: c_int) {}
        // SAFETY: the handler does nothing; the action is ours, and all zeros are a value of it.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = nothing as extern "C" fn(c_int) as usize;
            done(libc::sigaction(libc::SIGURG, &action, ptr::null_mut()).into())?;
        }
        // SAFETY: it takes nothing.
        let (process, thread) = unsafe { (libc::getpid(), libc::gettid()) };
        let (sender, over) = mpsc::channel();
        let tick = move || {
            while over.recv_timeout(each) == Err(RecvTimeoutError::Timeout) {
                // SAFETY: it takes no pointer, and no other process can have these ids as long as we live.
                unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGURG) };
            }
        };
        thread::Builder::new().name("ticks".to_owned()).spawn(tick)?;
        Ok(Self(sender))
    }
}

/// Waits for a thread's next change.
pub(super) fn wait_for(id: u32) -> io::Result<Change> {
    loop {
        match wait(id.cast_signed(), 0) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map(|(_, change)| change),
        }
    }
}

/// A thread's change, if there is one already.
pub(super) fn change_of(id: u32) -> Option<Change> {
    wait(id.cast_signed(), libc::WNOHANG).ok().map(|(_, change)| change)
}

fn wait(id: pid_t, options: c_int) -> io::Result<(u32, Change)> {
    let mut status = 0;
    let options = options | libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: the status is a place of ours.
    let id = match unsafe { libc::waitpid(id, &mut status, options) } {
        // Nothing has changed yet.
        0 => return Err(io::ErrorKind::WouldBlock.into()),
        id => u32::try_from(id).map_err(|_| io::Error::last_os_error())?,
    };
    Ok((id, Change::of(status)))
}

impl Change {
    fn of(status: c_int) -> Self {
        if libc::WIFEXITED(status) {
            return Self::Exited(libc::WEXITSTATUS(status));
        }
        if libc::WIFSIGNALED(status) {
            return Self::Killed(libc::WTERMSIG(status));
        }
        let signal = libc::WSTOPSIG(status);
        match status >> 16 {
            libc::PTRACE_EVENT_CLONE | libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK => {
                Self::Birth
            }
            libc::PTRACE_EVENT_EXEC => Self::Exec,
            libc::PTRACE_EVENT_EXIT => Self::Exit,
            STOP if signal == libc::SIGTRAP => Self::Trap,
            STOP => Self::Group(signal),
            _ => Self::Signal(signal),
        }
    }
}

/// Sends a signal to a process.
pub(super) fn send(pid: u32, signal: i32) -> io::Result<()> {
    // SAFETY: it takes no pointer.
    done(unsafe { libc::kill(pid.cast_signed(), signal) }.into()).map(drop)
}

/// Whether a thread belongs to a process.
pub(super) fn is_of(pid: u32, id: u32) -> bool {
    // SAFETY: it takes no pointer; signal 0 is none.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, pid as pid_t, id as pid_t, 0) };
    result == 0
}

/// Ends this process by a signal, as the default is, and without a core.
pub fn end_by(signal: i32) {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: all places are ours; at its default no signal has a handler that could run.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        libc::signal(signal, libc::SIG_DFL);
        let mut only = mem::zeroed();
        libc::sigemptyset(&mut only);
        libc::sigaddset(&mut only, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &only, ptr::null_mut());
        libc::raise(signal);
    }
}

fn ptrace(request: libc::c_uint, id: u32, address: usize, data: *mut c_void) -> io::Result<()> {
    let address = address as *mut c_void;
    // SAFETY: where a request writes, `data` points to a place of ours of the size it wants; others take
    // it as a number. It writes nothing at `address`, which is of the other process or a number.
    let result = unsafe { libc::ptrace(request as _, id as pid_t, address, data) };
    done(result).map(drop)
}

fn done(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
