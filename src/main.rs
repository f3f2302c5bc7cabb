//! Kolaboree NG's tailnet node: joins a tailnet and keeps watch over the LXD servers in it.

use std::process::ExitCode;

fn main() -> ExitCode {
    kolaboree_node::cli::main()
}
