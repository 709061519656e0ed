//! Gives the program the run path to libtorch, so that it also starts without cargo.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(unix)]
    if let Ok(libtorch) = std::env::var("DEP_GYMNAST_CORE_LIBTORCH") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{libtorch}");
    }
}
