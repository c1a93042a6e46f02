//! How much kernel there is: lines that hold code, without comments, blank lines and tests.
//!
//! Reported, not judged: a limit at the last line would be met by longer lines.

use super::tree::{RustFile, Tree};

const KERNEL: &str = "source/kernel/";

/// The kernel's files with their lines of code, most first.
pub(crate) fn sizes(tree: &Tree) -> Vec<(usize, String)> {
    let tests: Vec<String> = tree.rust.iter().flat_map(test_modules).collect();
    let rust = tree.rust.iter().filter(|file| !tests.contains(&file.path)).map(|file| {
        let product = |line: &(usize, &str)| !file.is_test_line(line.0 + 1) && is_code(line.1, "//");
        (file.text.lines().enumerate().filter(product).count(), &file.path)
    });
    let assembly = tree.texts.iter().filter(|file| file.path.ends_with(".S"));
    let assembly = assembly.map(|file| (file.text.lines().filter(|line| is_code(line, "#")).count(), &file.path));
    let mut sizes: Vec<(usize, String)> = rust
        .chain(assembly)
        .filter(|(lines, path)| *lines > 0 && path.starts_with(KERNEL))
        .map(|(lines, path)| (lines, path[KERNEL.len()..].to_string()))
        .collect();
    sizes.sort_by(|one, other| other.cmp(one));
    sizes
}

/// The files beside this one that it declares for tests only.
fn test_modules(file: &RustFile) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let declared = file.text.lines().enumerate().filter(|(at, _)| file.is_test_line(at + 1));
    let names = declared.filter_map(|(_, line)| line.strip_prefix("mod ")?.strip_suffix(';'));
    names.map(|name| format!("{folder}/{name}.rs")).collect()
}

/// One line: how much there is, and where most of it is.
pub(super) fn summary(sizes: &[(usize, String)]) -> String {
    const SHOWN: usize = 10;
    let total: usize = sizes.iter().map(|(lines, _)| lines).sum();
    let largest: Vec<String> = sizes.iter().take(SHOWN).map(|(lines, path)| format!("{path} {lines}")).collect();
    format!("kernel: {total} lines of code in {} files; largest: {}", sizes.len(), largest.join(", "))
}

fn is_code(line: &str, comment: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with(comment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tree::TextFile;

    #[test]
    fn what_counts_is_code_of_the_kernel() {
        let rust = "//! A file.\n\nfn one() {\n    // why\n}\n\n#[cfg(test)]\nmod tests {\n    fn two() {}\n}\n";
        let parsed = |path: &str| RustFile::parse(path, rust).unwrap_or_else(|finding| panic!("{finding:?}"));
        let paths = ["source/kernel/core/src/a.rs", "source/kernel/core/src/a_tests.rs", "xtask/src/b.rs"];
        let text = |path: &str, text: &str| TextFile { path: path.into(), text: text.into() };
        let root = "//! A root.\n\n#[cfg(test)]\nmod testing;\n";
        let mut tree = Tree { rust: paths.map(parsed).into(), ..Tree::default() };
        for (path, text) in [("lib.rs", root), ("testing.rs", "//! For tests.\n\nfn three() {}\n")] {
            let path = format!("source/kernel/core/src/{path}");
            tree.rust.push(RustFile::parse(&path, text).expect("it parses"));
        }
        tree.texts.push(text("source/kernel/arch/src/a.S", "# in: a0\n\n    nop\n    ret\n    nop # why\n"));
        tree.texts.push(text("source/kernel/image/kernel.ld", "SECTIONS {}\n"));
        let sizes = sizes(&tree);
        assert_eq!(sizes, [(3, "arch/src/a.S".to_string()), (2, "core/src/a.rs".to_string())]);
        let told = "kernel: 5 lines of code in 2 files; largest: arch/src/a.S 3, core/src/a.rs 2";
        assert_eq!(summary(&sizes), told);
    }
}
