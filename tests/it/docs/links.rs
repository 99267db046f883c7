//! Links and paths: each leads to something that is there.

use std::{fs, path::Path};

use super::{all, manual, markdown, name, root};

/// What is wrong with the links of a page.
fn broken(page: &Path, text: &str) -> Vec<String> {
    let (_, prose) = markdown::split(text);
    let links = prose.iter().flat_map(|(at, line)| markdown::links(line).into_iter().map(move |link| (*at, link)));
    let fault = |(at, link): (usize, String)| {
        let fault = why(page, text, &link)?;
        Some(format!("{}:{at}: {link}: {fault}", name(page)))
    };
    links.filter_map(fault).collect()
}

/// Why a link leads nowhere. What is elsewhere is not fetched.
fn why(page: &Path, text: &str, link: &str) -> Option<&'static str> {
    if link.starts_with("https://") {
        return None;
    }
    if link.contains(':') {
        return Some("an address is https, or relative");
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { page.to_owned() } else { page.parent()?.join(path) };
    if !path.is_empty() && !target.exists() {
        return Some("there is no such file");
    }
    let inside =
        |target: &Path| target.canonicalize().is_ok_and(|target| target.starts_with(root().canonicalize().unwrap()));
    if !path.is_empty() && !inside(&target) {
        return Some("it is outside of the repository");
    }
    let anchor = anchor?;
    let text = if path.is_empty() { text.to_owned() } else { fs::read_to_string(&target).ok()? };
    (!markdown::anchors(&text).iter().any(|known| known == anchor)).then_some("it has no such heading")
}

#[test]
fn links_lead_somewhere() {
    let pages = all();
    assert!(pages.len() > 50, "{} pages", pages.len());
    let broken = pages.iter().flat_map(|page| broken(page, &fs::read_to_string(page).unwrap())).collect::<Vec<_>>();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn planted_links_are_found() {
    let page = root().join("docs/planted.md");
    let text = "# A page\n[1](README.md) [2](gone.md) [3](#a-page) [4](#a-pager) [5](quickstart.md#start-it)\n\
                [6](quickstart.md#gone) [7](http://example.com) [8](https://example.com/x) [9](../../x)\n";
    let links = broken(&page, text);
    let found = ["gone.md", "#a-pager", "quickstart.md#gone", "http://example.com", "../../x"];
    assert_eq!(links.len(), found.len(), "{links:#?}");
    for (line, link) in links.iter().zip(found) {
        assert!(line.contains(&format!(": {link}: ")), "{line}");
    }
}

/// Folders whose files the manual names.
const FOLDERS: [&str; 7] = ["src/", "tests/", "tools/", "operator/", "docs/", ".ci/", ".github/"];

#[test]
fn files_that_the_manual_names_exist() {
    let mut missing = Vec::new();
    let mut named = 0;
    for page in manual() {
        let text = fs::read_to_string(&page).unwrap();
        let (_, prose) = markdown::split(&text);
        for (at, line) in prose {
            let paths =
                markdown::code(line).into_iter().filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder)));
            // One with capitals, a star or a blank is a pattern.
            let plain = |path: &&str| !path.contains(['*', ' ']) && !path.contains("NAME") && !path.contains("FILE");
            for path in paths.filter(plain) {
                named += 1;
                let known = root().join(path).exists() || root().join(format!("{path}.rs")).exists();
                if !known {
                    missing.push(format!("{}:{at}: {path}", name(&page)));
                }
            }
        }
    }
    assert!(named > 50, "{named} paths");
    assert!(missing.is_empty(), "there is no\n{}", missing.join("\n"));
}
