//! Lines and functions, counts, and the list of reasons.

use super::super::{measure, reasons};
use super::{Gap, Source, Tally, functions, test_modules};
use crate::check::tree::RustFile;
use std::path::{Path, PathBuf};

const TEXT: &str = "\
struct A;
impl A {
    fn one() {
        two();
    }
}
fn two() {}
#[cfg(test)]
mod inside {
    fn three() {}
}
#[cfg(test)]
mod outside;
";

fn source() -> Source {
    let rust = RustFile::parse("x/a.rs", TEXT).expect("it parses");
    Source { functions: functions(&rust), rust, absolute: PathBuf::from("/r/x/a.rs") }
}

#[test]
fn a_line_belongs_to_its_function() {
    assert_eq!([3, 4, 7, 1].map(|line| source().function(line)), ["A::one", "A::one", "two", ""]);
}

#[test]
fn lines_that_are_not_run_are_gaps_and_tests_do_not_count() {
    let counts = measure::read("SF:/r/x/a.rs\nDA:3,1\nDA:4,0\nDA:7,2\nDA:10,0\nend_of_record\n");
    let (mut tally, mut gaps) = (Tally::default(), Vec::new());
    tally.add(&source(), &counts, &mut gaps);
    assert_eq!((tally.lines, tally.run, tally.share()), (3, 2, 666));
    assert_eq!(gaps, [Gap { file: "x/a.rs".into(), function: "A::one".into(), lines: vec![4] }]);
}

#[test]
fn a_module_for_tests_is_found_by_its_declaration() {
    let file = syn::parse_file(TEXT).expect("it parses");
    assert_eq!(test_modules(&file.items, Path::new("x/a.rs")), [PathBuf::from("x/a/outside")]);
    assert_eq!(test_modules(&file.items, Path::new("x/lib.rs")), [PathBuf::from("x/outside")]);
}

#[test]
fn gaps_and_reasons_must_be_the_same() {
    let gap = |function: &str| Gap { file: "x/a.rs".into(), function: function.into(), lines: vec![4, 5] };
    let list = reasons::parse("[\"x/a.rs\"]\none = 'cannot happen'\nfour = 'never called'").expect("sound");
    assert_eq!(
        reasons::compare(&list, &[gap("one"), gap("two")]),
        ["x/a.rs: `two` is not run in lines 4 5, and nobody says why", "x/a.rs: `four` has a reason and is run"]
    );
    assert!(reasons::parse("[\"x/a.rs\"]\none = ''").is_err());
    assert!(reasons::parse("a = 1").is_err());
}
