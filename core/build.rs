//! Lets every program and test that depends on this crate find libtorch when it runs.
//!
//! Cargo puts the link search folders of build scripts on the library path of what it runs, for
//! all dependent packages and doctests, but only folders inside the target folder. So libtorch's
//! folder is linked into it. A program that is started without cargo needs a run path as well;
//! its own package sets that, from the folder passed on as `DEP_GYMNAST_CORE_LIBTORCH`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(unix)]
    if let Some(libtorch) = std::env::var_os("DEP_TCH_LIBTORCH_LIB") {
        let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
        let link = std::path::Path::new(&out).join("libtorch");
        if link.symlink_metadata().is_ok() {
            std::fs::remove_file(&link).expect("the link is ours to replace");
        }
        std::os::unix::fs::symlink(&libtorch, &link).expect("OUT_DIR is writable");
        println!("cargo::rustc-link-search=native={}", link.display());
        println!("cargo::metadata=LIBTORCH={}", libtorch.display());
    }
}
