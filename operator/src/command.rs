//! What commands there are.

use futures_util::future::LocalBoxFuture;

use crate::{
    Operator, Output, Result, Words, access, accounts, after_restore, compromised, emails, invalid, log, names,
    passwords, reconcilers, removal, repositories, roles, tokens,
};

/// A command.
pub struct Command {
    /// How it is typed: its first word, and its parameters, of which one in brackets may be missing.
    pub usage: &'static str,
    /// What it does, in one sentence.
    pub purpose: &'static str,
    /// Why it is refused; empty where it never is.
    pub refusal: &'static str,
    /// Whether a password on standard input is for it.
    pub takes_password: bool,
    /// Whether it prints a link on which a password is chosen.
    pub links: bool,
    /// Runs it.
    pub run: Run,
}

/// How a command is run.
pub type Run = for<'a> fn(&'a Operator, &'a Words) -> LocalBoxFuture<'a, Result<Output>>;

impl Command {
    const fn new(usage: &'static str, purpose: &'static str, refusal: &'static str, run: Run) -> Self {
        Self { usage, purpose, refusal, takes_password: false, links: false, run }
    }

    /// One that prints a link, unless a password is given.
    const fn with_link(self) -> Self {
        Self { links: true, ..self }
    }

    /// One for which a password may come on standard input.
    const fn with_password(self) -> Self {
        Self { takes_password: true, ..self }
    }

    /// Its first word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.usage.split(' ').next().unwrap_or_default()
    }

    /// Its parameters, as the usage has them.
    fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.usage.split(' ').skip(1)
    }

    /// Whether it takes this number of words.
    fn takes(&self, number: usize) -> bool {
        let least = self.parameters().filter(|parameter| !parameter.starts_with('[')).count();
        (least..=self.parameters().count()).contains(&number)
    }
}

/// The command for these words and the words of its parameters: of those that begin alike, the one that takes this number of words.
/// `add --machine` is `add-machine`.
pub fn find(words: &[String], machine: bool) -> Result<(&'static Command, Words)> {
    let (first, rest) = words.split_first().map_or(("", words), |(first, rest)| (first.as_str(), rest));
    let first = if machine && first == "add" { "add-machine" } else { first };
    let alike = COMMANDS.iter().filter(|command| command.name() == first).collect::<Vec<_>>();
    if alike.is_empty() {
        let word = serde_json::Value::from(first);
        return invalid(format!("there is no command {word}: see `npm run admin -- --help`"));
    }
    let Some(command) = alike.iter().find(|command| command.takes(rest.len())) else {
        let usages = alike.iter().map(|command| format!("npm run admin -- {}", command.usage)).collect::<Vec<_>>();
        return invalid(format!("usage: {}", usages.join(", or ")));
    };
    let names = command.parameters().map(|parameter| parameter.trim_matches(['[', ']']));
    Ok((command, Words::new(names, rest)))
}

/// All commands, in the order of the help.
pub const COMMANDS: &[Command] = &[
    Command::new(
        "add NAME",
        "Makes an active user with a namespace of the same name; they choose the password by the link that is printed.",
        "NAME is taken or reserved, or was the name of what is gone (`release NAME`).",
        |operator, words| Box::pin(accounts::add(operator, words)),
    )
    .with_link()
    .with_password(),
    Command::new(
        "add-machine NAME",
        "Makes a service account of no namespace: a user without a password, whose access tokens the operator alone makes \
         (`token`): the admins of no namespace see or renew them.",
        "NAME is taken or reserved, or was the name of what is gone (`release NAME`).",
        |operator, words| Box::pin(accounts::add_machine(operator, words)),
    ),
    Command::new(
        "after-restore",
        "After a database was brought back: ends all that is logged in or signed, and access tokens \
         (--keep-access-tokens: not).",
        "",
        |operator, _| Box::pin(after_restore::after_restore(operator)),
    ),
    Command::new(
        "collaborator REPOSITORY USER ROLE",
        "Gives a user the role read, write or admin in one repository, given as namespace/name, or none.",
        "there is no repository REPOSITORY or no user USER.",
        |operator, words| Box::pin(roles::collaborator(operator, words)),
    ),
    Command::new(
        "compromised NAME",
        "Ends all that opens anything for a user or a service account whose secret leaked, and says what it did since \
         --since (7d) with the command that undoes each.",
        "there is no user NAME.",
        |operator, words| Box::pin(compromised::compromised(operator, words)),
    )
    .with_link(),
    Command::new(
        "disable NAME",
        "Shuts a user out from the next request on, with the service accounts of their own namespace; what they have \
         stays.",
        "there is no user NAME.",
        |operator, words| Box::pin(accounts::disable(operator, words)),
    ),
    Command::new(
        "email NAME",
        "Shows the e-mail addresses of a user: whether each is confirmed, and which one is told.",
        "there is no user NAME.",
        |operator, words| Box::pin(emails::list(operator, words)),
    ),
    Command::new(
        "email NAME ADDRESS CHANGE",
        "Takes an e-mail address of a user away (remove), says that it is theirs, new or not (confirm), or where mail \
         goes (primary).",
        "there is no user NAME with ADDRESS, or it is another user's, or not confirmed.",
        |operator, words| Box::pin(emails::change(operator, words)),
    ),
    Command::new(
        "enable NAME",
        "Lets a user in: one who was disabled, or whose e-mail was never confirmed.",
        "there is no user NAME.",
        |operator, words| Box::pin(accounts::enable(operator, words)),
    ),
    Command::new("ending", "Lists the access tokens that end within 60 days.", "", |operator, _| {
        Box::pin(tokens::ending(operator))
    }),
    Command::new(
        "grant NAME",
        "Makes a user an administrator of the whole index.",
        "there is no active user NAME.",
        |operator, words| Box::pin(accounts::grant(operator, words)),
    ),
    Command::new("list", "Shows every user with status, kind, rights and e-mail addresses.", "", |operator, _| {
        Box::pin(accounts::list(operator))
    }),
    Command::new(
        "log",
        "Shows who did what, the newest last; --name, --actor, --json, --days for more of it, and --follow to go on.",
        "",
        |operator, _| Box::pin(log::log(operator)),
    ),
    Command::new(
        "member NAMESPACE USER ROLE",
        "Gives a user the role read, write or admin in everything of a namespace, or none.",
        "there is no namespace NAMESPACE or no user USER.",
        |operator, words| Box::pin(roles::member(operator, words)),
    ),
    Command::new(
        "namespace NAME",
        "Makes a namespace that belongs to no single user.",
        "NAME is the name of a user, or of what is gone (`release NAME`).",
        |operator, words| Box::pin(names::namespace(operator, words)),
    ),
    Command::new(
        "namespaces",
        "Shows every namespace: whose it is, how many members, service accounts and repositories it has.",
        "",
        |operator, _| Box::pin(names::namespaces(operator)),
    ),
    Command::new(
        "password NAME",
        "Lets a user who forgot it choose a new password by the link that is printed; until then the old one works.",
        "there is no user NAME with a password.",
        |operator, words| Box::pin(passwords::password(operator, words)),
    )
    .with_link()
    .with_password(),
    Command::new(
        "peppers",
        "Counts the passwords that are hashed under each id of PASSWORD_PEPPER: an id without any may go.",
        "",
        |operator, _| Box::pin(passwords::count_by_pepper(operator)),
    ),
    Command::new(
        "privacy REPOSITORY VISIBILITY",
        "Makes a repository, given as namespace/name, public or private; search is told within a minute.",
        "there is no repository REPOSITORY.",
        |operator, words| Box::pin(repositories::privacy(operator, words)),
    ),
    Command::new(
        "reconciler SERVICE",
        "Makes the token of the tool beside a registry and prints it, once; an earlier one ends.",
        "SERVICE is none of SERVICES.",
        |operator, words| Box::pin(reconcilers::create(operator, words)),
    ),
    Command::new(
        "reconciler SERVICE end",
        "Ends the token of the tool beside a registry, and what it was to delete there.",
        "there is no token of a tool beside SERVICE.",
        |operator, words| Box::pin(reconcilers::end(operator, words)),
    ),
    Command::new(
        "reconcilers",
        "Lists the tools beside registries: when each was seen, and what it has to delete.",
        "",
        |operator, _| Box::pin(reconcilers::list(operator)),
    ),
    Command::new(
        "refusals [NAMESPACE]",
        "Shows the pulls and pushes that were refused in the last seven days, in all namespaces or in one, the last one \
         first, with the command that prints why.",
        "there is no namespace NAMESPACE.",
        |operator, words| Box::pin(access::refusals(operator, words)),
    ),
    Command::new(
        "release ACCOUNT",
        "Gives the name of somebody or something that is gone free again, and says what is known under it: registries \
         keep their images, and whoever gets the name gets those.",
        "ACCOUNT is not a name that is kept (`remove ACCOUNT`).",
        |operator, words| Box::pin(removal::release(operator, words)),
    ),
    Command::new(
        "remove ACCOUNT",
        "Removes a user, a service account or a namespace with all that is theirs.",
        "there is no ACCOUNT, it is `library`, or it has repositories (`transfer` them first, or --repositories).",
        |operator, words| Box::pin(removal::remove(operator, words)),
    ),
    Command::new(
        "repositories [NAMESPACE]",
        "Shows every repository, or those of one namespace: who sees it, its tags and pulls, and when it was pushed.",
        "there is no namespace NAMESPACE.",
        |operator, words| Box::pin(repositories::list(operator, words)),
    ),
    Command::new(
        "revoke NAME",
        "Makes an administrator a user like any other.",
        "there is no user NAME.",
        |operator, words| Box::pin(accounts::revoke(operator, words)),
    ),
    Command::new(
        "sessions NAME end",
        "Ends what a user is logged in with: refresh tokens, access tokens, those of service accounts of their own \
         namespace too, links, and the tokens that stand for the password.",
        "there is no user NAME.",
        |operator, words| Box::pin(tokens::end_sessions(operator, words)),
    ),
    Command::new(
        "token NAME",
        "Makes an access token for a user or a service account and prints it, once; --resource, --scope and --days limit it.",
        "there is no user NAME.",
        |operator, words| Box::pin(tokens::create(operator, words)),
    ),
    Command::new(
        "token UUID end",
        "Ends one access token, of a user or of a service account.",
        "there is no access token UUID.",
        |operator, words| Box::pin(tokens::end(operator, words)),
    ),
    Command::new(
        "tokens [NAME]",
        "Lists the access tokens of a user or a service account, or of all, with the UUIDs by which `token UUID end` \
         ends one.",
        "there is no user NAME.",
        |operator, words| Box::pin(tokens::list(operator, words)),
    ),
    Command::new(
        "transfer REPOSITORY NAMESPACE",
        "Moves a repository, given as namespace/name, into another namespace; collaborators stay with \
         --keep-collaborators alone.",
        "there is no repository REPOSITORY, no namespace NAMESPACE, or it has such a repository already.",
        |operator, words| Box::pin(repositories::transfer(operator, words)),
    ),
    Command::new(
        "why NAME ACTION REPOSITORY",
        "Says whether a user, or `anonymous`, may pull, push or delete a repository, and why not, with the commands that \
         would allow it; --token for one of their access tokens.",
        "there is no user NAME, or no such access token of theirs.",
        |operator, words| Box::pin(access::why(operator, words)),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &str) -> String {
        let words = words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        find(&words, false).map_or_else(|failure| format!("{failure:?}"), |(command, _)| command.usage.to_owned())
    }

    #[test]
    fn command_is_found_by_name_and_word_count() {
        for (words, usage) in [
            ("token alice", "token NAME"),
            ("token uuid end", "token UUID end"),
            ("email alice", "email NAME"),
            ("email alice a@b remove", "email NAME ADDRESS CHANGE"),
            ("tokens", "tokens [NAME]"),
            ("tokens alice", "tokens [NAME]"),
        ] {
            assert_eq!(found(words), usage);
        }
        assert!(found("token").contains("usage: npm run admin -- token NAME, or npm run admin -- token UUID end"));
        assert!(found("token-end uuid").contains(r#"there is no command \"token-end\""#));
    }

    #[test]
    fn texts_have_the_words_of_the_manual() {
        for command in COMMANDS {
            let texts = format!("{} {}", command.purpose, command.refusal).to_lowercase();
            let words = texts.split(|letter: char| !letter.is_ascii_alphanumeric()).collect::<Vec<_>>();
            for other in ["machine", "machines", "person", "persons"] {
                assert!(!words.contains(&other), "{}: {other}", command.usage);
            }
        }
    }

    #[test]
    fn commands_are_in_the_order_of_their_usage() {
        assert!(COMMANDS.iter().map(|command| command.usage).is_sorted());
    }
}
