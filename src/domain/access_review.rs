//! Access reviews: why an action on a repository is allowed or denied. A denied action has all its reasons, so that one
//! does not have to be repaired before the next is known.

use crate::domain::{
    RepositoryName, Role,
    access::Relations,
    names::LIBRARY,
    token_restrictions::{TokenRestrictions, TokenScope},
};

/// What is done with a repository, in the words of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Takes the role read.
    Pull,
    /// Takes the role write.
    Push,
    /// Takes the role admin.
    Delete,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 3] = [Self::Pull, Self::Push, Self::Delete];

    /// The action of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }

    /// The role that it takes.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Pull => Role::Read,
            Self::Push => Role::Write,
            Self::Delete => Role::Admin,
        }
    }
}

/// By which relation a user has a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The user administrates hublet.
    Administrator,
    /// The namespace is the user's own.
    Owner,
    /// Of the namespace.
    Member,
    /// Of the repository.
    Collaborator,
    /// The repository is public.
    Public,
}

impl Source {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Owner => "owner",
            Self::Member => "member",
            Self::Collaborator => "collaborator",
            Self::Public => "public",
        }
    }
}

/// Every relation that gives a role, with that role.
#[must_use]
pub fn sources(relations: &Relations) -> Vec<(Source, Role)> {
    let relations = [
        (Source::Administrator, relations.administrator.then_some(Role::Admin)),
        (Source::Owner, relations.owner.then_some(Role::Admin)),
        (Source::Member, relations.member),
        (Source::Collaborator, relations.collaborator),
        (Source::Public, relations.public.then_some(Role::Read)),
    ];
    relations.into_iter().filter_map(|(source, role)| Some((source, role?))).collect()
}

/// What stands against an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The account is not confirmed, or disabled.
    Account,
    /// The access token has expired or is not active.
    Credentials,
    /// No credentials: the client is not logged in here.
    Anonymous,
    /// There is no such namespace, and a push makes none.
    NamespaceMissing,
    /// Without a role in it, only administrators write to `library`.
    Library,
    /// It does not exist, or the user may not read it.
    NotVisible,
    /// A role that is too little.
    Role {
        /// The role.
        has: Role,
        /// What the action takes.
        needs: Role,
        /// What gives it.
        from: Source,
    },
    /// The scopes of the access token allow less.
    Scopes {
        /// All of them.
        has: Vec<TokenScope>,
    },
    /// The access token is limited to other repositories, or allows less in this one.
    Resources {
        /// The paths to which it is limited.
        has: Vec<String>,
    },
}

impl Reason {
    /// Its name in answers and records.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Credentials => "credentials",
            Self::Anonymous => "anonymous",
            Self::NamespaceMissing => "namespace_missing",
            Self::Library => "library",
            Self::NotVisible => "not_visible",
            Self::Role { .. } => "role",
            Self::Scopes { .. } => "scopes",
            Self::Resources { .. } => "resources",
        }
    }
}

/// What is known of a user and a repository when a review is made.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The repository.
    pub name: &'a RepositoryName,
    /// The user's, as with a password; an access token does not administrate.
    pub relations: Relations,
    /// What the access token allows that is used.
    pub restrictions: Option<&'a TokenRestrictions>,
    /// Whether there is the namespace.
    pub has_namespace: bool,
    /// Whether no user is asked about.
    pub anonymous: bool,
    /// Whether the account may do anything.
    pub active: bool,
    /// Whether the access token is valid.
    pub token_valid: bool,
    /// Whether the client may know that the repository exists.
    pub visible: bool,
}

impl Facts<'_> {
    /// Every reason that stands against an action; none where it is allowed.
    #[must_use]
    pub fn against(&self, action: Action) -> Vec<Reason> {
        let needs = action.role();
        let mut reasons = Vec::new();
        if !self.active {
            reasons.push(Reason::Account);
        }
        if !self.token_valid {
            reasons.push(Reason::Credentials);
        }
        let sources = sources(&self.relations);
        let best = sources.iter().max_by_key(|(_, role)| *role).filter(|_| self.visible);
        match best {
            // The relations of an account that is not active are not read.
            _ if !self.active => {}
            Some((_, role)) if *role >= needs => {
                if !self.has_namespace {
                    reasons.push(Reason::NamespaceMissing);
                }
            }
            best => {
                if self.anonymous {
                    reasons.push(Reason::Anonymous);
                }
                reasons.push(match best {
                    Some((from, has)) => Reason::Role { has: *has, needs, from: *from },
                    None => Reason::NotVisible,
                });
                if self.name.namespace == LIBRARY && needs > Role::Read {
                    reasons.push(Reason::Library);
                }
            }
        }
        if let Some(restrictions) = self.restrictions {
            // What is public is so only for who may know of it.
            let public = self.relations.public && self.visible;
            if restrictions.role_of_scopes(public) < Some(needs) {
                reasons.push(Reason::Scopes { has: restrictions.scopes.clone() });
            }
            if restrictions.role_of_resources(self.name, public) < Some(needs) {
                let resources = restrictions.resources.iter().flatten();
                reasons.push(Reason::Resources { has: resources.map(|resource| resource.path.clone()).collect() });
            }
        }
        reasons
    }
}

/// How a text begins that is about no user.
pub const ANONYMOUS: &str = "A request without credentials";

/// An action with the decision and what it is because of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedAction {
    /// The action.
    pub action: Action,
    /// Whether it is allowed.
    pub allowed: bool,
    /// Every relation that allows it.
    pub sources: Vec<(Source, Role)>,
    /// Every reason that stands against it.
    pub reasons: Vec<Reason>,
}

impl ReviewedAction {
    /// The review of an action that is allowed, or not.
    #[must_use]
    pub fn new(facts: &Facts<'_>, action: Action, allowed: bool) -> Self {
        let sources = sources(&facts.relations).into_iter();
        let sources = sources.filter(|(_, role)| allowed && *role >= action.role()).collect();
        let reasons = if allowed { Vec::new() } else { facts.against(action) };
        Self { action, allowed, sources, reasons }
    }

    /// One sentence, about a user, or about an anonymous request if the name is empty.
    #[must_use]
    pub fn text(&self, username: &str, name: &RepositoryName) -> String {
        let user = if username.is_empty() { ANONYMOUS } else { username };
        let action = self.action.as_str();
        if let Some((source, role)) = self.sources.first() {
            return format!("{user} may {action} {name}, with the role {} as {}.", role.as_str(), phrase(*source));
        }
        let reasons = self.reasons.iter().map(|reason| sentence(reason, user, name)).collect::<Vec<_>>();
        format!("{user} may not {action} {name}: {}.", reasons.join("; "))
    }
}

/// A relation in a sentence.
fn phrase(source: Source) -> &'static str {
    match source {
        Source::Administrator => "an administrator",
        Source::Owner => "the owner of the namespace",
        Source::Member => "a member of the namespace",
        Source::Collaborator => "a collaborator",
        Source::Public => "anybody: it is public",
    }
}

/// A reason in words, about a user, or [`ANONYMOUS`].
#[must_use]
pub fn sentence(reason: &Reason, user: &str, name: &RepositoryName) -> String {
    match reason {
        Reason::Account => "the account is not active".into(),
        Reason::Credentials => "the access token has expired or is not active".into(),
        Reason::Anonymous => "log in first".into(),
        Reason::NamespaceMissing => format!("there is no namespace {}", name.namespace),
        Reason::Library => "in this namespace only administrators and members may".into(),
        Reason::NotVisible if user == ANONYMOUS => "it does not exist, or is not public".into(),
        Reason::NotVisible => format!("it does not exist, or {user} may not read it"),
        Reason::Role { has, needs, from } => {
            format!("it takes the role {}, and {user} has {} as {}", needs.as_str(), has.as_str(), phrase(*from))
        }
        Reason::Scopes { .. } => "the scopes of the access token do not allow it".into(),
        Reason::Resources { .. } => "the resources of the access token do not allow it here".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token_restrictions::Resource;

    fn codes(facts: &Facts<'_>, action: Action) -> Vec<&'static str> {
        facts.against(action).iter().map(Reason::code).collect()
    }

    #[test]
    fn every_reason_is_given() {
        let name = RepositoryName::parse("acme", "app").unwrap();
        let member = Relations { member: Some(Role::Read), ..Relations::default() };
        let restrictions = TokenRestrictions {
            scopes: vec![TokenScope::Read],
            resources: Some(vec![Resource { path: "acme/other".into(), scopes: Vec::new() }]),
        };
        let facts = Facts {
            name: &name,
            relations: member,
            restrictions: None,
            has_namespace: true,
            anonymous: false,
            active: true,
            token_valid: true,
            visible: true,
        };
        assert!(facts.against(Action::Pull).is_empty());
        let role = Reason::Role { has: Role::Read, needs: Role::Write, from: Source::Member };
        assert_eq!(facts.against(Action::Push), [role]);
        let limited = Facts { restrictions: Some(&restrictions), ..facts };
        assert_eq!(codes(&limited, Action::Pull), ["resources"]);
        assert_eq!(codes(&limited, Action::Push), ["role", "scopes", "resources"]);
        assert_eq!(
            codes(&Facts { active: false, token_valid: false, ..limited }, Action::Push)[..2],
            ["account", "credentials"]
        );
        let administrator = Facts { relations: Relations { administrator: true, ..Relations::default() }, ..facts };
        assert!(administrator.against(Action::Delete).is_empty());
        assert_eq!(codes(&Facts { has_namespace: false, ..administrator }, Action::Push), ["namespace_missing"]);
    }

    #[test]
    fn invisible_and_missing_have_the_same_reasons() {
        let name = RepositoryName::parse("library", "app").unwrap();
        let facts = Facts {
            name: &name,
            relations: Relations { public: true, collaborator: Some(Role::Read), ..Relations::default() },
            restrictions: None,
            has_namespace: true,
            anonymous: true,
            active: true,
            token_valid: true,
            visible: false,
        };
        let missing = Facts { relations: Relations::default(), has_namespace: false, ..facts };
        for action in Action::ALL {
            assert_eq!(facts.against(action), missing.against(action));
        }
        assert_eq!(codes(&facts, Action::Push), ["anonymous", "not_visible", "library"]);
    }

    #[test]
    fn action_without_reason_is_allowed_by_the_role() {
        let name = RepositoryName::parse("acme", "app").unwrap();
        let roles = [None, Some(Role::Read), Some(Role::Write), Some(Role::Admin)];
        let scopes = [TokenScope::PublicRead, TokenScope::Read, TokenScope::Write, TokenScope::Admin];
        let tokens = scopes.into_iter().flat_map(|scope| {
            [None, Some("acme/app"), Some("acme/other")].map(|path| TokenRestrictions {
                scopes: vec![scope],
                resources: path.map(|path| vec![Resource { path: path.into(), scopes: vec![TokenScope::Read] }]),
            })
        });
        let tokens = tokens.map(Some).chain([None]).collect::<Vec<_>>();
        let mut cases = 0;
        for restrictions in &tokens {
            for (member, collaborator) in roles.into_iter().flat_map(|a| roles.map(|b| (a, b))) {
                for (public, owner) in [(false, false), (true, false), (true, true), (false, true)] {
                    let relations = Relations { administrator: false, owner, member, collaborator, public };
                    let own = relations.effective_role();
                    let role = restrictions.as_ref().map_or(own, |token| own.min(token.role(&name, public)));
                    let facts = Facts {
                        name: &name,
                        relations,
                        restrictions: restrictions.as_ref(),
                        has_namespace: true,
                        anonymous: false,
                        active: true,
                        token_valid: true,
                        visible: true,
                    };
                    for action in Action::ALL {
                        cases += 1;
                        assert_eq!(facts.against(action).is_empty(), role >= Some(action.role()), "{facts:?}");
                    }
                }
            }
        }
        assert_eq!(cases, 13 * 16 * 4 * 3);
    }
}
