//! Runs the pages of `tests/wire`: in this process, or against the index at `INDEX_URL`.

use std::{
    fs,
    io::{Write, stderr},
    path::PathBuf,
};

use test_support::{
    TestApp,
    page::{Page, fresh_suffix},
    remote::Remote,
    runner::{Backend, Summary, run_page},
};

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire");

/// The pages, in the order of their names. `PAGE` runs only those whose name contains it; `PAGES` is a folder with those of
/// another release.
fn pages() -> Vec<PathBuf> {
    let only = std::env::var("PAGE").unwrap_or_default();
    let folder = std::env::var("PAGES").unwrap_or_else(|_| PAGES.to_owned());
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok().map(|entry| entry.path()));
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

/// Runs one page. In this process, pages share one app as they share a server, except those that change settings.
fn run_file(path: &PathBuf, backend: &mut dyn Backend, own: bool, summary: &mut Summary) -> Result<(), String> {
    let page = read(path)?;
    if own && page.changes_settings() {
        run_page(&page, &mut TestApp::new()?, summary)
    } else {
        run_page(&page, backend, summary)
    }
}

/// Prints the counts past the harness, which captures stdout when a test passes.
fn print_summary(summary: &Summary) {
    for line in &summary.unsupported {
        let _ = writeln!(stderr(), "skipped: {line}");
    }
    let _ = writeln!(stderr(), "{} exchanges played, {} skipped", summary.played, summary.skipped);
}

#[test]
fn pages_hold() {
    let mut remote = Remote::from_environment();
    let mut here = TestApp::new().unwrap();
    let own = remote.is_none();
    let backend = remote.as_mut().map_or(&mut here as &mut dyn Backend, |remote| remote);
    let mut summary = Summary::default();
    let failures =
        pages().iter().filter_map(|path| run_file(path, backend, own, &mut summary).err()).collect::<Vec<_>>();
    print_summary(&summary);
    assert!(failures.is_empty(), "{} pages failed\n\n{}", failures.len(), failures.join("\n\n"));
    assert!(summary.played > 0, "there is no page");
}
