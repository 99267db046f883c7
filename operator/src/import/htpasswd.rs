//! Files of passwords, as distribution and zot read them.

use crate::import::source::{Account, Refused};

/// The users of a file of passwords: of two lines for one, the last counts.
#[must_use]
pub fn read(text: &str) -> (Vec<Account>, Vec<Refused>) {
    let mut users = Vec::<Account>::new();
    let mut refused = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once(':').filter(|(name, _)| !name.is_empty()) {
            Some((name, hash)) => {
                users.retain(|user| user.name != name);
                users.push(Account { name: name.to_owned(), hash: hash.to_owned() });
            }
            None => refused.push(Refused::new(format!("line {}", at + 1), "it is not NAME:HASH")),
        }
    }
    (users, refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_read_as_distribution_reads_it() {
        let (users, refused) = read("# us\n\n alice:1 \nbob:2:3\r\nalice:4\nnothing\n:5\n");
        let users = users.iter().map(|user| (user.name.as_str(), user.hash.as_str())).collect::<Vec<_>>();
        assert_eq!(users, [("bob", "2:3"), ("alice", "4")]);
        assert_eq!(refused.iter().map(|one| one.what.as_str()).collect::<Vec<_>>(), ["line 6", "line 7"]);
    }
}
