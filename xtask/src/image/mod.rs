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
pub use build::Kernel;
pub(crate) use build::program;
pub use executable::{Piece, strip, write};
pub(crate) use sizes::loaded;

use crate::manifest::{self, PROGRAM_PREFIX, Resolved};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where image and kernels of the system go, below the root.
const FOLDER: &str = "build";

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

/// The subcommand: builds and prints the table of sizes. `--checked`: `build/kernel-checked` too.
#[must_use]
pub fn run(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let root = crate::root();
    let made = match words[..] {
        [] => make(&root),
        ["--checked"] => checked_kernel(&root).and_then(|_| make(&root)),
        _ => {
            eprintln!("usage: cargo xtask image [--checked]");
            return ExitCode::from(2);
        }
    };
    match made {
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
    /// The kernel under it.
    pub kernel: Kernel,
    /// Where image and kernel go.
    pub folder: PathBuf,
}

/// Builds everything below `root` and writes `build/boot.img` and `build/kernel`.
///
/// # Errors
/// The first thing that failed: manifest, compiler, program, file.
pub fn make(root: &Path) -> Result<Built, ImageError> {
    let resolved = manifest::load(&root.join("system.toml")).map_err(ImageError::Manifest)?;
    let (first, kernel, folder) = (assemble::INIT, Kernel::Shipped, root.join(FOLDER));
    make_from(root, &Recipe { resolved, first, kernel, folder })
}

/// Builds `build/kernel-checked`, which looks at its own invariants when a program asks.
///
/// # Errors
/// The compiler failed, or a file.
pub fn checked_kernel(root: &Path) -> Result<PathBuf, ImageError> {
    build::kernel(root, Kernel::Checked)?;
    place_kernel(root, Kernel::Checked, &root.join(FOLDER))
}

/// Puts a kernel that was built into a folder.
fn place_kernel(root: &Path, kernel: Kernel, folder: &Path) -> Result<PathBuf, ImageError> {
    std::fs::create_dir_all(folder).map_err(|error| ImageError::file(folder, &error))?;
    build::copy_kernel(root, kernel, folder)
}

/// [`make`] by another recipe.
///
/// # Errors
/// As for [`make`].
pub fn make_from(root: &Path, recipe: &Recipe) -> Result<Built, ImageError> {
    let Recipe { resolved, first, kernel, folder } = recipe;
    let bundled = bundled(resolved);
    let crates: Vec<String> = [(*first).to_owned()].into_iter().chain(bundled.iter().cloned()).collect();
    build::programs(root, &crates)?;
    build::kernel(root, *kernel)?;
    let mut files = bundled.iter().map(|name| build::program(root, name)).collect::<Result<Vec<_>, _>>()?;
    files.push(File { name: assemble::INIT.to_owned(), ..build::program(root, first)? });
    let (image, layout) = assemble(resolved, &files)?;
    let kernel = place_kernel(root, *kernel, folder)?;
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
