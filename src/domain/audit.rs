//! The actions of the audit, in the Hub's names where it has one.

macro_rules! actions {
    ($($variant:ident = $name:literal, $description:literal;)*) => {
        /// An action that the audit records.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AuditAction {
            $(#[doc = $description] $variant,)*
        }

        impl AuditAction {
            /// Every action, group by group.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name as a row has it: the group, a dot, and the name within the group.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The words that stand before what it was done to.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $description,)*
                }
            }
        }
    };
}

actions! {
    RepoCreate = "repo.create", "created the repository";
    RepoDelete = "repo.delete", "deleted the repository";
    RepoRemove = "repo.remove", "finished the deletion of the repository";
    RepoTransfer = "repo.transfer", "moved the repository";
    RepoChangePrivacy = "repo.change_privacy", "changed who sees the repository";
    RepoCollaboratorAdd = "repo.collaborator.add", "gave a role in the repository";
    RepoCollaboratorRemove = "repo.collaborator.remove", "took away a role in the repository";
    RepoTagPush = "repo.tag.push", "pushed a tag to the repository";
    RepoTagDelete = "repo.tag.delete", "deleted a tag of the repository";
    RepoTagDeletionRequest = "repo.tag.deletion.request", "requested the deletion of a tag of the repository";
    RepoManifestPush = "repo.manifest.push", "pushed a manifest without a tag to the repository";
    RepoManifestDelete = "repo.manifest.delete", "deleted a manifest of the repository";
    RepoContentDelete = "repo.content.delete", "deleted from a registry all of the repository";
    RepoImagesPush = "repo.images.push", "pushed images to the repository";
    RepoImagesDelete = "repo.images.delete", "deleted all images of the repository";
    OrgCreate = "org.create", "created the namespace";
    OrgDelete = "org.delete", "removed the namespace";
    OrgMemberAdd = "org.member.add", "added the member";
    OrgMemberRoleChange = "org.member.role.change", "changed the role of the member";
    OrgMemberRemove = "org.member.remove", "removed the member";
    OrgMachineCreate = "org.machine.create", "created the service account";
    OrgMachineDelete = "org.machine.delete", "deleted the service account";
    OrgAccessTokenCreate = "org.access_token.create", "created the access token";
    OrgAccessTokenUpdate = "org.access_token.update", "updated the access token";
    OrgAccessTokenRenew = "org.access_token.renew", "gave a new secret to the access token";
    OrgAccessTokenDelete = "org.access_token.delete", "deleted the access token";
    OrgReconcilerCreate = "org.reconciler.create", "made a token for the tool beside the registry";
    OrgReconcilerDelete = "org.reconciler.delete", "ended the token of the tool beside the registry";
    OrgNoticeWrite = "org.notice.write", "wrote on every page the";
    OrgNoticeDelete = "org.notice.delete", "took from every page the";
    UserCreate = "user.create", "created the user";
    UserDelete = "user.delete", "removed the user";
    UserNameRelease = "user.name.release", "gave free the name";
    UserEmailAdd = "user.email.add", "added an e-mail address of the user";
    UserEmailConfirm = "user.email.confirm", "confirmed an e-mail address of the user";
    UserEmailPrimary = "user.email.primary", "chose where mail goes of the user";
    UserEmailRemove = "user.email.remove", "removed an e-mail address of the user";
    UserLogin = "user.login", "logged in as the user";
    UserLoginRefuse = "user.login.refuse", "was refused as the user";
    UserPasswordChange = "user.password.change", "changed the password of the user";
    UserPasswordLink = "user.password.link", "made a link that sets the password of the user";
    UserStatusChange = "user.status.change", "changed the status of the user";
    UserRoleChange = "user.role.change", "changed the rights of the user";
    UserSessionsEnd = "user.sessions.end", "ended the sessions of the user";
    UserRefreshTokenCreate = "user.refresh_token.create", "logged in, with the refresh token";
    UserRefreshTokenDelete = "user.refresh_token.delete", "ended the refresh token";
}

impl AuditAction {
    /// The action with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == name)
    }

    /// Its group, and its name within the group.
    #[must_use]
    pub fn group_and_name(self) -> (&'static str, &'static str) {
        self.as_str().split_once('.').unwrap_or_default()
    }
}

/// The groups with their labels.
pub const GROUPS: [(&str, &str); 3] = [("org", "Organization"), ("repo", "Repository"), ("user", "User")];

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
    fn every_action_has_a_name_and_a_group() {
        let names = AuditAction::ALL.iter().map(|action| action.as_str()).collect::<BTreeSet<_>>();
        assert_eq!(names.len(), AuditAction::ALL.len());
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::parse(action.as_str()), Some(*action));
            assert!(GROUPS.iter().any(|(group, _)| *group == action.group_and_name().0), "{action:?}");
        }
        assert_eq!(AuditAction::parse("repo.forget"), None);
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut(&"é".repeat(MAX_TEXT_LENGTH)).chars().count(), MAX_TEXT_LENGTH);
        assert_eq!(cut(&"é".repeat(MAX_TEXT_LENGTH + 1)), "é".repeat(MAX_TEXT_LENGTH));
    }
}
