//! What happens in the shop, told to whoever wants to know: a log, a model checker, a test.

use std::fmt::{self, Display, Formatter};

pub enum Step {
    /// The ledger has looked and found nothing, up to a hundred times a second.
    QueueIsEmpty,
    /// `main` has set stop.
    StopIsSet,
    /// The ledger has seen stop and leaves.
    LedgerSawStop,
    /// The channel is closed and empty, and the ledger leaves.
    NoTillIsLeft,
    /// A sale came back, because the ledger had left.
    OnPaper(String),
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::QueueIsEmpty => f.write_str("the queue is empty"),
            Self::StopIsSet => f.write_str("stop is set"),
            Self::LedgerSawStop => f.write_str("stop is set: the ledger is closed"),
            Self::NoTillIsLeft => {
                f.write_str("no till is left: the ledger is closed")
            }
            Self::OnPaper(sale) => {
                write!(f, "the ledger has left; {sale} goes on paper")
            }
        }
    }
}
