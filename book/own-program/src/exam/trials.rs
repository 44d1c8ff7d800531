//! All trials, in the order in which they are held.
