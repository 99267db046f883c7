//! `hublet-bind MODULE FOLDER worker|node` writes the bound module and its JavaScript to `FOLDER`, as `index_bg.wasm` and
//! `index.js`.

use std::{env, error::Error, process::ExitCode};

use wasm_bindgen_cli_support::Bindgen;

fn bind(module: &str, folder: &str, place: &str) -> Result<(), Box<dyn Error>> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("index").typescript(false);
    match place {
        // The entry module starts the program again after a panic.
        "worker" => bindgen.module(true)?.reset_state_function(true).force_enable_abort_handler(true),
        "node" => bindgen.nodejs(true)?,
        _ => return Err(format!("{place} is neither worker nor node").into()),
    };
    Ok(bindgen.generate(folder)?)
}

fn main() -> ExitCode {
    let words = env::args().skip(1).collect::<Vec<_>>();
    let [module, folder, place] = words.as_slice() else {
        eprintln!("hublet-bind MODULE FOLDER worker|node");
        return ExitCode::FAILURE;
    };
    match bind(module, folder, place) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hublet-bind: {error}");
            ExitCode::FAILURE
        }
    }
}
