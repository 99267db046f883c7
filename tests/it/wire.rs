//! Plays the pages of `tests/wire`: in this process, or against the index at `INDEX_URL`.

use std::{
    fs,
    io::{Write, stderr},
    path::PathBuf,
};

use test_support::{
    Stage,
    page::{Page, fresh_suffix},
    remote::Remote,
    runner::{Tally, Theatre, play},
};

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire");

/// The pages, in the order of their names. `PAGE` plays only those whose name holds it.
fn pages() -> Vec<PathBuf> {
    let only = std::env::var("PAGE").unwrap_or_default();
    let entries = fs::read_dir(PAGES).into_iter().flatten().filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut pages = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter(|path| path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains(&only)))
        .collect::<Vec<_>>();
    pages.sort();
    pages
}

fn read(path: &PathBuf) -> Result<Page, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    Page::read(&format!("tests/wire/{name}"), &text, &fresh_suffix())
}

/// Plays one page. Here, pages share one stage as they share a server, except those that change
/// settings.
fn perform(path: &PathBuf, theatre: &mut dyn Theatre, own: bool, tally: &mut Tally) -> Result<(), String> {
    let page = read(path)?;
    if own && page.sets() { play(&page, &mut Stage::new()?, tally) } else { play(&page, theatre, tally) }
}

/// Tells whoever runs this what was played, also when all is well: what is printed in the usual way,
/// the harness keeps to itself.
fn tell(tally: &Tally) {
    for line in &tally.undone {
        let _ = writeln!(stderr(), "skipped: {line}");
    }
    let _ = writeln!(stderr(), "{} exchanges played, {} skipped", tally.played, tally.skipped);
}

#[test]
fn pages_hold() {
    let mut remote = Remote::from_environment();
    let mut here = Stage::new().unwrap();
    let own = remote.is_none();
    let theatre = remote.as_mut().map_or(&mut here as &mut dyn Theatre, |remote| remote);
    let mut tally = Tally::default();
    let failures = pages().iter().filter_map(|path| perform(path, theatre, own, &mut tally).err()).collect::<Vec<_>>();
    tell(&tally);
    assert!(failures.is_empty(), "{} pages failed\n\n{}", failures.len(), failures.join("\n\n"));
    assert!(tally.played > 0, "there is no page");
}
