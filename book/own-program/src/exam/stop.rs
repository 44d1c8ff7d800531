//! Why a trial does not go on.

use std::io;

/// What a trial comes to when it is not passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The service did what it must not; in a sentence.
    Failed(String),
    /// The trial cannot be held here; the reason.
    NotTried(String),
    /// The whole exam cannot be held; the reason.
    CannotHold(String),
}

impl Stop {
    /// The same, with another sentence where the service has failed.
    pub fn retold(self, tell: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Failed(why) => Self::Failed(tell(why)),
            other => other,
        }
    }
}

/// What comes of a part of a trial.
pub type Held<T = ()> = Result<T, Stop>;

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::CannotHold(format!("this machine refused what the exam needs: {error}"))
    }
}

/// What is to be said where a thread of the exam itself has panicked.
pub fn broken() -> Stop {
    Stop::CannotHold("a part of the exam itself has failed".to_owned())
}

/// Ends a trial as failed, with a sentence.
macro_rules! fail {
    ($($text:tt)*) => { return Err($crate::exam::stop::Stop::Failed(format!($($text)*))) };
}

/// Ends a trial as failed unless something holds.
macro_rules! demand {
    ($holds:expr, $($text:tt)*) => { if !$holds { $crate::exam::stop::fail!($($text)*) } };
}

pub(crate) use {demand, fail};
