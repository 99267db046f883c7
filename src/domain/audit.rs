//! The words of the audit: what can be done, in the Hub's names where it has one.

/// An action: its group, its name within the group, and the words that stand before what it was done
/// to.
pub type Action = (&'static str, &'static str, &'static str);

/// Every action that is ever written down, group by group.
pub const ACTIONS: [Action; 41] = [
    ("repo", "create", "created the repository"),
    ("repo", "delete", "deleted the repository"),
    ("repo", "remove", "finished the deletion of the repository"),
    ("repo", "transfer", "moved the repository"),
    ("repo", "change_privacy", "changed who sees the repository"),
    ("repo", "collaborator.add", "gave a role in the repository"),
    ("repo", "collaborator.remove", "took away a role in the repository"),
    ("repo", "tag.push", "pushed a tag to the repository"),
    ("repo", "tag.delete", "deleted a tag of the repository"),
    ("repo", "manifest.push", "pushed a manifest without a tag to the repository"),
    ("repo", "manifest.delete", "deleted a manifest of the repository"),
    ("repo", "content.delete", "deleted from a registry all of the repository"),
    ("repo", "images.push", "pushed images to the repository"),
    ("repo", "images.delete", "deleted all images of the repository"),
    ("org", "create", "created the namespace"),
    ("org", "delete", "removed the namespace"),
    ("org", "member.add", "added the member"),
    ("org", "member.role.change", "changed the role of the member"),
    ("org", "member.remove", "removed the member"),
    ("org", "machine.create", "created the machine"),
    ("org", "machine.delete", "deleted the machine"),
    ("org", "access_token.create", "created the access token"),
    ("org", "access_token.update", "updated the access token"),
    ("org", "access_token.renew", "gave a new secret to the access token"),
    ("org", "access_token.delete", "deleted the access token"),
    ("user", "create", "created the user"),
    ("user", "delete", "removed the user"),
    ("user", "name.release", "gave free the name"),
    ("user", "email.add", "added an e-mail address of the user"),
    ("user", "email.confirm", "confirmed an e-mail address of the user"),
    ("user", "email.primary", "chose where mail goes of the user"),
    ("user", "email.remove", "removed an e-mail address of the user"),
    ("user", "login", "logged in as the user"),
    ("user", "login.refuse", "was refused as the user"),
    ("user", "password.change", "changed the password of the user"),
    ("user", "password.link", "made a link that sets the password of the user"),
    ("user", "status.change", "changed the status of the user"),
    ("user", "role.change", "changed the rights of the user"),
    ("user", "sessions.end", "ended the sessions of the user"),
    ("user", "refresh_token.create", "logged in, with the refresh token"),
    ("user", "refresh_token.delete", "ended the refresh token"),
];

/// The groups with their labels.
pub const GROUPS: [(&str, &str); 3] = [("org", "Organization"), ("repo", "Repository"), ("user", "User")];

/// The words of an action that is written as `group.name`.
#[must_use]
pub fn words(action: &str) -> &'static str {
    let (group, name) = action.split_once('.').unwrap_or_default();
    let found = ACTIONS.iter().find(|(of, known, _)| *of == group && *known == name);
    found.map_or("did something to", |(_, _, words)| words)
}

/// The longest text in the data of a row, in characters: what says no more is not worth its place.
const MAX_TEXT_LENGTH: usize = 1_000;

/// The beginning of a text, as a row has it.
#[must_use]
pub fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_TEXT_LENGTH).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_has_a_description_and_a_group() {
        let names = ACTIONS.map(|(group, name, words)| (format!("{group}.{name}"), words));
        assert!(names.iter().all(|(name, said)| words(name) == *said));
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), ACTIONS.len());
        assert!(ACTIONS.iter().all(|(group, ..)| GROUPS.iter().any(|(known, _)| known == group)));
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut(&"é".repeat(MAX_TEXT_LENGTH)).chars().count(), MAX_TEXT_LENGTH);
        assert_eq!(cut(&"é".repeat(MAX_TEXT_LENGTH + 1)), "é".repeat(MAX_TEXT_LENGTH));
    }
}
