//! The command `gymnast`.

use std::process::ExitCode;

use gymnast::Registry;

fn main() -> ExitCode {
    gymnast::command::main(Registry::builtin())
}
