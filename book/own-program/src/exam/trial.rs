//! A trial: what is done to a service, and what it has to do then.

/// A page of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// Its file below `book/chapters`, without `.md`.
    pub page: &'static str,
    /// Its title.
    pub title: &'static str,
}
