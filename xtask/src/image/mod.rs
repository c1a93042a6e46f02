//! `cargo xtask image`: from `system.toml` and the sources to `build/boot.img` and `build/kernel`.
//!
//! The manifest is judged first, so that a wrong one costs no build. Then the programs and the kernel are built, and
//! [`assemble()`] lays their bytes out: a pure function, so that the same input gives the same image, bit for bit.

mod assemble;
mod build;
mod executable;
mod sizes;

#[cfg(test)]
mod assemble_tests;

pub use assemble::{File, ImageError, Layout, assemble};
pub(crate) use build::program;
pub use executable::{Piece, strip, write};
pub(crate) use sizes::loaded;

use crate::manifest::{self, PROGRAM_PREFIX, Resolved};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `cargo xtask image` made.
#[derive(Clone, Debug)]
pub struct Built {
    /// The boot image.
    pub image: PathBuf,
    /// The kernel's ELF file.
    pub kernel: PathBuf,
    /// The table of sizes, ready to print.
    pub sizes: String,
}

/// The subcommand: builds and prints the table of sizes.
#[must_use]
pub fn run(args: &[String]) -> ExitCode {
    if !args.is_empty() {
        eprintln!("usage: cargo xtask image");
        return ExitCode::from(2);
    }
    match make(&crate::root()) {
        Ok(built) => {
            print!("{}", built.sizes);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("image: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What an image is made of.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The manifest.
    pub resolved: Resolved,
    /// The crate that becomes the first process.
    pub first: &'static str,
    /// Where image and kernel go.
    pub folder: PathBuf,
}

/// Builds everything below `root` and writes `build/boot.img` and `build/kernel`.
///
/// # Errors
/// The first thing that failed: manifest, compiler, program, file.
pub fn make(root: &Path) -> Result<Built, ImageError> {
    let resolved = manifest::load(&root.join("system.toml")).map_err(ImageError::Manifest)?;
    make_from(root, &Recipe { resolved, first: assemble::INIT, folder: root.join("build") })
}

/// [`make`] by another recipe.
///
/// # Errors
/// As for [`make`].
pub fn make_from(root: &Path, recipe: &Recipe) -> Result<Built, ImageError> {
    let Recipe { resolved, first, folder } = recipe;
    let bundled = bundled(resolved);
    let crates: Vec<String> = [(*first).to_owned()].into_iter().chain(bundled.iter().cloned()).collect();
    build::programs(root, &crates)?;
    build::kernel(root)?;
    std::fs::create_dir_all(folder).map_err(|error| ImageError::file(folder, &error))?;
    let mut files = bundled.iter().map(|name| build::program(root, name)).collect::<Result<Vec<_>, _>>()?;
    files.push(File { name: assemble::INIT.to_owned(), ..build::program(root, first)? });
    let (image, layout) = assemble(resolved, &files)?;
    let kernel = build::copy_kernel(root, folder)?;
    let path = folder.join("boot.img");
    std::fs::write(&path, image).map_err(|error| ImageError::file(&path, &error))?;
    let sizes = sizes::table(&layout, &kernel)?;
    Ok(Built { image: path, kernel, sizes })
}

/// The crates of the bundle: each is named as its service or program.
fn bundled(resolved: &Resolved) -> Vec<String> {
    let services = resolved.wiring.services.iter().map(|service| service.name.as_str());
    let programs = resolved.wiring.programs.iter().map(|program| {
        let name = program.name.as_str();
        name.strip_prefix(PROGRAM_PREFIX).expect("the resolver put the prefix there")
    });
    services.chain(programs).map(ToOwned::to_owned).collect()
}
