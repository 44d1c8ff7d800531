//! Which tests run, and what has to be built for them.

use std::collections::{BTreeMap, BTreeSet};

use libtest_mimic::{Arguments, Trial};
use workbook::promise::Profile;
use workbook::workbook::Workbook;

/// The packages to build, by profile.
pub type Packages = BTreeMap<Profile, BTreeSet<String>>;

/// Which tests run.
pub struct Selection {
    /// What was asked for.
    pub arguments: Arguments,
    /// The name of a lesson, if just that was asked for.
    lesson: Option<String>,
}

impl Selection {
    /// A lesson's name picks that lesson's tests and no others; any other filter, what it is part of.
    pub fn new(arguments: Arguments, workbook: &Workbook) -> Self {
        let name = arguments.filter.clone().filter(|_| !arguments.exact);
        let lesson = name.filter(|name| workbook.chapter(name).is_some());
        Self { arguments, lesson }
    }

    /// Whether the test of this name runs.
    pub fn picks(&self, name: &str) -> bool {
        let belongs = match &self.lesson {
            Some(lesson) => name.split("::").any(|segment| segment == lesson),
            None => true,
        };
        belongs && !self.arguments.is_filtered_out(&Trial::test(name, || Ok(())))
    }
}
