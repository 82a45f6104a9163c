//! Parses arguments, runs, maps the outcome to an exit code; nothing else.

fn main() -> std::process::ExitCode {
    remit::cli::run(std::env::args_os())
}
