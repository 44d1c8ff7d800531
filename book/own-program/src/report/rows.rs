//! The threads of a run, one or a group a row.

use std::collections::{BTreeSet, HashMap};

use workbook::tracer::call::Doing;
use workbook::tracer::{Fate, Sight, Thread};

use super::jvm;
use super::words::{count, plain, seconds};

/// More threads than this are grouped: by name without digits, ending and kind of call.
pub const MOST_ALONE: usize = 20;

/// A thread, or several that are told together.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name, or how many they are and what their names have in common.
    pub name: String,
    /// Which threads, indexes into the run's.
    pub members: Vec<usize>,
    /// How it ended, and what it did then.
    pub ending: String,
    /// By whom it was seen awaited.
    pub awaited: Option<String>,
    /// The most telling come first.
    rank: u8,
}

impl Row {
    /// The ending, and by whom it was seen awaited.
    pub fn said(&self) -> String {
        match &self.awaited {
            Some(awaited) => format!("{}; {awaited}", self.ending),
            None => self.ending.clone(),
        }
    }
}

/// What threads of one group have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// The name without its digits.
    pub name: String,
    /// How they ended, or whatever else tells them apart.
    pub ending: String,
    /// What they did.
    pub call: String,
}

/// What is of one kind, as indexes, in the order of the first of each.
pub fn groups(kinds: impl IntoIterator<Item = Kind>) -> Vec<Vec<usize>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, kind) in kinds.into_iter().enumerate() {
        let place = *places.entry(kind).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push(index);
    }
    groups
}

/// A name without its digits: `worker-*` for `worker-12`.
pub fn without_digits(name: &str) -> String {
    let mut short = String::new();
    for letter in name.chars() {
        match letter {
            '0'..='9' if short.ends_with('*') => {}
            '0'..='9' => short.push('*'),
            letter => short.push(letter),
        }
    }
    short
}

/// What a reader sees as a thread's name: `thread 3 (python3)` where nobody gave it one. It is the third
/// one born.
pub fn label(index: usize, name: &str, named: bool) -> String {
    match (index, named) {
        (0, _) => "main".to_owned(),
        (_, true) => plain(name),
        (_, false) => format!("thread {} ({})", index + 1, plain(name)),
    }
}

/// The name of a group. One that is the program's own keeps its digits.
pub fn label_of(many: usize, name: &str, named: bool) -> String {
    if named {
        format!("{many} threads {}", plain(&without_digits(name)))
    } else {
        format!("{many} threads ({})", plain(name))
    }
}

/// What a reader sees as the threads' names, no two alike.
pub fn names(sight: &Sight) -> Vec<String> {
    let labels = sight.threads.iter().enumerate();
    let is_jvm = is_jvm(sight);
    let label = |(index, thread): (usize, &Thread)| match jvm::label(index, thread.named) {
        Some(label) if is_jvm => label.to_owned(),
        _ => label(index, &thread.name, thread.named),
    };
    let labels: Vec<_> = labels.map(label).collect();
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for label in &labels {
        *uses.entry(label).or_default() += 1;
    }
    let number = |(index, label): (usize, &String)| match uses[label.as_str()] {
        1 => label.clone(),
        _ if index == 0 => label.clone(),
        _ => format!("{label}, thread {}", index + 1),
    };
    labels.iter().enumerate().map(number).collect()
}

/// Whether it is a Java program, started as most are.
pub fn is_jvm(sight: &Sight) -> bool {
    let is_java = sight.threads.first().is_some_and(|main| main.name.starts_with("java"));
    is_java && jvm::is_one(sight.threads.iter().map(|thread| &*thread.name))
}

/// Which of the threads are not the program's but those of Java's machine. One that crashed is told all the same.
pub fn of_jvm(sight: &Sight) -> Vec<bool> {
    let is_jvm = is_jvm(sight);
    let is_own = |thread: &Thread| {
        is_jvm && jvm::is_own(&thread.name) && thread.fate != Fate::Cut(Doing::Crashed)
    };
    sight.threads.iter().map(is_own).collect()
}

/// One row a thread, and one for all that are no threads of the program's.
pub fn alone(sight: &Sight, names: &[String]) -> Vec<Row> {
    let (stood, of_jvm) = (stood(sight), of_jvm(sight));
    let (own, others): (Vec<_>, Vec<_>) =
        (0..sight.threads.len()).partition(|index| of_jvm[*index]);
    let rows = others.into_iter().map(|index| row(sight, names, &stood, vec![index]));
    rows.chain((!own.is_empty()).then(|| jvm_row(own))).collect()
}

fn jvm_row(members: Vec<usize>) -> Row {
    let (name, ending) = (jvm::row(members.len()), jvm::OWN.to_owned());
    Row { name, members, ending, awaited: None, rank: u8::MAX }
}

/// One row a group, the most telling first.
pub fn grouped(sight: &Sight, names: &[String]) -> Vec<Row> {
    let (stood, of_jvm) = (stood(sight), of_jvm(sight));
    let kinds = sight.threads.iter().enumerate().map(|(index, thread)| {
        if of_jvm[index] {
            return Kind { name: "\0".to_owned(), ending: String::new(), call: String::new() };
        }
        let (ending, call) = match &thread.fate {
            Fate::Ended(_) => ("ended", String::new()),
            Fate::EndedTheProcess => ("the process", String::new()),
            Fate::Cut(doing) => ("cut", doing.kind()),
            Fate::Ending => ("ending", String::new()),
            Fate::Replaced(_) => ("replaced", String::new()),
        };
        let then = stood.get(&index).map_or_else(String::new, |doing| doing.kind());
        // `main` is never one of many.
        let name = if index == 0 { "main\0" } else { &*thread.name };
        let name = format!("{} {}", thread.named, without_digits(name));
        Kind { name, ending: format!("{ending} {then}"), call }
    });
    let mut rows: Vec<_> = groups(kinds)
        .into_iter()
        .map(|members| match of_jvm[members[0]] {
            true => jvm_row(members),
            false => row(sight, names, &stood, members),
        })
        .collect();
    rows.sort_by_key(|row| row.rank);
    rows
}

/// What each thread did when the time was up that it was given.
fn stood(sight: &Sight) -> HashMap<usize, &Doing> {
    let threads = sight.stood.iter().flat_map(|stood| &stood.threads);
    threads.map(|(index, doing)| (*index, doing)).collect()
}

fn row(
    sight: &Sight,
    names: &[String],
    stood: &HashMap<usize, &Doing>,
    members: Vec<usize>,
) -> Row {
    let first = members[0];
    let thread = &sight.threads[first];
    let name = match members.len() {
        1 => names[first].clone(),
        many => label_of(many, &thread.name, thread.named),
    };
    let mut ending = ending(sight, &members);
    if let (Some(then), Some(doing)) = (&sight.stood, stood.get(&first)) {
        let at = seconds(then.at);
        let doings: Vec<_> = members.iter().filter_map(|index| stood.get(index).copied()).collect();
        match &thread.fate {
            Fate::Cut(last) if last.kind() == doing.kind() => {
                ending += &format!("; so already at {at}")
            }
            _ => ending = format!("at {at} {}; then {ending}", together(&doings)),
        }
    }
    Row {
        name,
        ending,
        awaited: awaited(sight, names, &members),
        rank: rank(first, thread),
        members,
    }
}

fn ending(sight: &Sight, members: &[usize]) -> String {
    let threads: Vec<&Thread> = members.iter().map(|index| &sight.threads[*index]).collect();
    let times = || {
        let times = threads.iter().filter_map(|thread| match thread.fate {
            Fate::Ended(at) | Fate::Replaced(at) => Some(at),
            _ => None,
        });
        let (first, last) =
            times.fold((f64::MAX, 0.0_f64), |(first, last), at| (at.min(first), at.max(last)));
        match (seconds(first), seconds(last)) {
            (first, last) if first == last => format!("at {last}"),
            (first, last) => format!("from {first} to {last}"),
        }
    };
    match &threads[0].fate {
        Fate::Ended(_) if threads.len() == 1 => format!("ended by itself {}", times()),
        Fate::Ended(_) => format!("ended by themselves {}", times()),
        Fate::EndedTheProcess => "ended the process".to_owned(),
        Fate::Cut(Doing::Unknown) => "cut off; what it did was not seen".to_owned(),
        Fate::Cut(_) => {
            let doings: Vec<_> = threads.iter().filter_map(|thread| cut_in(thread)).collect();
            format!("cut off, {}", together(&doings))
        }
        Fate::Ending => "ending as the process ended".to_owned(),
        Fate::Replaced(_) => format!("replaced by another program {}", times()),
    }
}

/// What several threads of one kind did.
fn together(doings: &[&Doing]) -> String {
    let said: BTreeSet<_> = doings.iter().map(|doing| plain(&doing.words())).collect();
    match said.first() {
        Some(words) if said.len() == 1 => words.clone(),
        _ => plain(&doings[0].kind()),
    }
}

fn awaited(sight: &Sight, names: &[String], members: &[usize]) -> Option<String> {
    let waiting: Vec<_> =
        members.iter().filter_map(|index| sight.threads[*index].joined_by).collect();
    let by: BTreeSet<_> = waiting.iter().collect();
    let who = match by.first()? {
        by_one if by.len() == 1 => {
            names.get(**by_one).map_or_else(|| "a thread".to_owned(), String::clone)
        }
        _ => count(by.len(), "thread"),
    };
    let was = if by.len() > 1 { "were" } else { "was" };
    let whom = match (members.len(), waiting.len()) {
        (1, _) => "it".to_owned(),
        (all, some) if some == all => "them".to_owned(),
        (_, some) => format!("{some} of them"),
    };
    Some(format!("{who} {was} seen waiting for {whom}"))
}

/// For which of the threads nobody was seen waiting, in one sentence; nothing if there is none such.
pub fn unawaited(sight: &Sight, names: &[String]) -> Option<String> {
    /// So many are named.
    const NAMED: usize = 3;
    let of_jvm = of_jvm(sight);
    let threads = sight.threads.iter().enumerate().skip(1);
    let others: Vec<_> = threads
        .filter(|(_, thread)| !matches!(thread.fate, Fate::EndedTheProcess | Fate::Replaced(_)))
        .filter(|(index, _)| !of_jvm[*index])
        .collect();
    let nobodys: Vec<_> = others.iter().filter(|(_, thread)| thread.joined_by.is_none()).collect();
    let of_them: Vec<&str> =
        nobodys.iter().filter_map(|(index, _)| names.get(*index).map(String::as_str)).collect();
    let whom = match &of_them[..] {
        [] => return None,
        [one] => (*one).to_owned(),
        all if all.len() == others.len() => "any of them".to_owned(),
        [first @ .., last] if of_them.len() <= NAMED => format!("{} and {last}", first.join(", ")),
        some => format!("{} of them", some.len()),
    };
    Some(format!("nobody was seen waiting for {whom}"))
}

/// What a thread that was cut off did.
pub fn cut_in(thread: &Thread) -> Option<&Doing> {
    match &thread.fate {
        Fate::Cut(doing) => Some(doing),
        _ => None,
    }
}

/// Whether a thread only waited: for somebody else, or for time to pass.
pub fn waits(doing: &Doing) -> bool {
    const WAITING: [&str; 22] = [
        "accept",
        "accept4",
        "clock_nanosleep",
        "epoll_pwait",
        "epoll_pwait2",
        "epoll_wait",
        "futex",
        "futex_wait",
        "futex_waitv",
        "io_getevents",
        "nanosleep",
        "pause",
        "poll",
        "ppoll",
        "pselect6",
        "read",
        "restart_syscall",
        "rt_sigsuspend",
        "rt_sigtimedwait",
        "select",
        "wait4",
        "waitid",
    ];
    matches!(doing, Doing::Call(call) if WAITING.contains(&&*call.name) || call.name.starts_with("recv"))
}

fn rank(index: usize, thread: &Thread) -> u8 {
    match &thread.fate {
        _ if index == 0 => 0,
        Fate::EndedTheProcess => 1,
        Fate::Cut(Doing::Crashed) => 2,
        Fate::Cut(doing @ Doing::Call(_)) if !waits(doing) => 3,
        Fate::Cut(Doing::Computing) => 4,
        Fate::Cut(_) => 5,
        Fate::Ending => 6,
        Fate::Replaced(_) => 7,
        Fate::Ended(_) => 8,
    }
}
