//! Tells the linker where the kernel goes.

fn main() {
    println!("cargo::rerun-if-changed=kernel.ld");
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("riscv64") {
        let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets the folder of every build script");
        println!("cargo::rustc-link-arg-bins=-T{folder}/kernel.ld");
    }
}
