//! The threads of Java's machine, the JVM: a dozen and more, none of them the program's. The first thread of the process
//! only starts it and joins the one in which Java's `main` runs.

/// What a reader sees as the name of the process's first thread.
pub const LAUNCHER: &str = "the launcher";
/// What a reader sees as the name of the second.
pub const MAIN: &str = "Java's main";
/// What is said of the machine's own threads.
pub const OWN: &str = "its own: garbage collector, compiler and the like";

/// The beginnings of their names, of which the kernel has 15 bytes.
const OWN_NAMES: [&str; 27] = [
    "Attach Listener",
    "C1 Compiler",
    "C2 Compiler",
    "Cleaner-",
    "Common-Cleaner",
    "Concurrent Mark",
    "DestroyJavaVM",
    "Finalizer",
    "G1 ",
    "GC Thread#",
    "GC task thread#",
    "Gang worker#",
    "JVMCI",
    "Monitor Deflati",
    "Notification Th",
    "ParGC Thread#",
    "Reference Handl",
    "SIGHUP handler",
    "SIGINT handler",
    "SIGTERM handler",
    "Service Thread",
    "Shenandoah",
    "Signal Dispatch",
    "Surrogate Locke",
    "Sweeper thread",
    "VM ",
    "XWorker#",
];
/// Those of the collector ZGC.
const ZGC: [&str; 7] =
    ["ZDirector", "ZDriver", "ZStat", "ZUncommitter", "ZUnmapper", "ZWorker#", "Runtime Worker#"];

/// Whether the threads of these names are those of a Java machine.
pub fn is_one<'a>(mut names: impl Iterator<Item = &'a str>) -> bool {
    names.any(|name| name == "VM Thread")
}

/// Whether a thread of a Java machine is the machine's own.
pub fn is_own(name: &str) -> bool {
    OWN_NAMES.iter().chain(&ZGC).any(|own| name.starts_with(own))
}

/// What a reader sees as a thread's name where that is a special one. One that has a name has it from the program.
pub fn label(index: usize, named: bool) -> Option<&'static str> {
    match index {
        0 => Some(LAUNCHER),
        1 if !named => Some(MAIN),
        _ => None,
    }
}

/// The name of the row of so many of the machine's own threads.
pub fn row(many: usize) -> String {
    format!("{} of the JVM", super::words::count(many, "thread"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_threads_are_known_by_their_names() {
        let own =
            ["GC Thread#0", "G1 Conc#0", "VM Periodic Tas", "C2 CompilerThread0", "ZWorker#1"];
        assert!(own.into_iter().all(is_own));
        let others = ["settlement", "pool-1-thread-1", "java", "process reaper", "VMware", "G1"];
        assert_eq!(others.into_iter().find(|name| is_own(name)), None);
    }
}
