//! The `forebay` command: streams records between connector plugins.
//!
//! Reads the command line, starts the log and hands over to one module a command. What pipelines
//! and plugins do is `plugin_host`'s.

mod args;
mod inspect;
mod list;
mod logging;
mod output;
mod pipeline_file;
mod plugins;
mod progress;
mod quickstart;
mod run;
mod signals;
mod state;
mod validate;

use std::process::ExitCode;

use args::{Arguments, Command};
use output::{Exit, Failure};

fn main() -> ExitCode {
    let arguments = Arguments::of_process();
    logging::start(&arguments.global);
    let exit = dispatch(&arguments)
        .unwrap_or_else(|failure| output::print_failure(&failure, arguments.global.form));
    signals::leave(exit)
}

fn dispatch(arguments: &Arguments) -> Result<Exit, Failure> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Run(asked) => run::run(global, &asked.files, asked.options()),
        Command::Validate(asked) => validate::run(global, &asked.files),
        Command::List(asked) => {
            logging::leave_warnings_to_the_list(global);
            let rows = plugins::rows(&plugins::service(global)?);
            list::print(rows, asked.parameters, global.form)?;
            Ok(Exit::Ok)
        }
        Command::Inspect(asked) => inspect::run(global, &asked.plugin),
        Command::State(asked) => state::run(global, &asked.action),
        Command::Quickstart(asked) => {
            quickstart::run(&asked.folder, global.form, |pipeline, plugins, state| {
                run::quickstart(global, pipeline, plugins, state)
            })
        }
    }
}
