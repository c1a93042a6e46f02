//! `cargo xtask new-app NAME`: a program of one's own in one command.
//!
//! The sample `hello` is the template, so that it never falls behind the libraries. The copy gets its row in
//! `system.toml`, and everything else finds it by its folder: it builds and runs at once.

use crate::manifest;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

#[cfg(test)]
#[path = "new_app_tests.rs"]
mod tests;

const TEMPLATE: &str = "hello";
const TAGLINE: &str = "The smallest sample program";
/// Folders whose crates a new one may not be named as.
const SHELVES: [&str; 6] =
    ["source/apps", "source/drivers", "source/kernel", "source/libs", "source/services", "userspace"];
/// Names that the compiler keeps for itself.
const RESERVED: [&str; 6] = ["alloc", "core", "proc_macro", "std", "test", "xtask"];

/// Makes the program and says what to do with it.
pub fn run(args: &[String]) -> ExitCode {
    let [name] = args else {
        eprintln!("usage: cargo xtask new-app NAME");
        return ExitCode::from(2);
    };
    match create(&crate::root(), name) {
        Ok(()) => {
            println!("made source/apps/{name}, and its row in system.toml");
            println!("try it: `make run`, then `run {name}` at the prompt; its code is source/apps/{name}/src/main.rs");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the program in the tree at `root`; a refused name changes nothing.
fn create(root: &Path, name: &str) -> Result<(), String> {
    judge_name(root, name)?;
    let manifest_path = root.join("system.toml");
    let row = format!("\n[[program]]\nname = \"{name}\"\n");
    let manifest = read(&manifest_path)? + &row;
    manifest::parse("system.toml", &manifest).map_err(|refusal| refusal.to_string())?;

    let template = root.join("source/apps").join(TEMPLATE);
    let description = format!("The program {name}, begun as a copy of {TEMPLATE}");
    let package = read(&template.join("Cargo.toml"))?
        .replace(&format!("\"{TEMPLATE}\""), &format!("\"{name}\""))
        .replace(TAGLINE, &description);
    let code = read(&template.join("src/main.rs"))?.replace(TAGLINE, &description);

    let folder = root.join("source/apps").join(name);
    fs::create_dir_all(folder.join("src")).map_err(|error| format!("{}: {error}", folder.display()))?;
    write(&folder.join("Cargo.toml"), &package)?;
    write(&folder.join("src/main.rs"), &code)?;
    write(&manifest_path, &manifest)
}

fn judge_name(root: &Path, name: &str) -> Result<(), String> {
    let well_formed = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|character| matches!(character, 'a'..='z' | '0'..='9' | '-'))
        && !name.ends_with('-');
    if !well_formed {
        return Err(format!("`{name}`: a name has small letters, digits and hyphens, and begins with a letter"));
    }
    let identifier = name.replace('-', "_");
    if RESERVED.contains(&identifier.as_str()) || syn::parse_str::<syn::Ident>(&identifier).is_err() {
        return Err(format!("`{name}` is a word of the language"));
    }
    match SHELVES.iter().find(|shelf| root.join(shelf).join(name).exists()) {
        Some(shelf) => Err(format!("{shelf}/{name} exists")),
        None => Ok(()),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
