//! The credential under which a token was issued.

use std::fmt;

use crate::domain::{AccessTokenId, UserId};

/// Identifies the credential under which a token was issued: a password, by its epoch, or an access token. Revoking the
/// credential revokes the token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CredentialId {
    /// Nothing: it opens what is public.
    #[default]
    Anonymous,
    /// A password, of this epoch.
    Password {
        /// The user's id.
        user: UserId,
        /// Ends with the password.
        epoch: i64,
    },
    /// An access token.
    AccessToken {
        /// The user's id.
        user: UserId,
        /// The access token's id.
        token: AccessTokenId,
    },
}

impl CredentialId {
    /// The user, if it is one's.
    #[must_use]
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::Anonymous => None,
            Self::Password { user, .. } | Self::AccessToken { user, .. } => Some(user),
        }
    }

    /// As three numbers: the kind, the user, and the epoch or the token.
    #[must_use]
    pub fn fields(self) -> (u8, i64, i64) {
        match self {
            Self::Anonymous => (0, 0, 0),
            Self::Password { user, epoch } => (1, user.get(), epoch),
            Self::AccessToken { user, token } => (2, user.get(), token.get()),
        }
    }

    /// From three such numbers.
    #[must_use]
    pub fn from_fields(fields: (u8, i64, i64)) -> Option<Self> {
        match fields {
            (0, 0, 0) => Some(Self::Anonymous),
            (1, user, epoch) => Some(Self::Password { user: UserId::new(user), epoch }),
            (2, user, token) => Some(Self::AccessToken { user: UserId::new(user), token: AccessTokenId::new(token) }),
            _ => None,
        }
    }

    /// From the text that it prints as.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let fields = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Self::from_fields(fields).filter(|credential| credential.to_string() == text)
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, user, number) = self.fields();
        write!(f, "{kind}.{user}.{number}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credential_round_trips() {
        for credential in [
            CredentialId::Anonymous,
            CredentialId::Password { user: 3.into(), epoch: 9 },
            CredentialId::AccessToken { user: 3.into(), token: 5.into() },
        ] {
            assert_eq!(CredentialId::parse(&credential.to_string()), Some(credential));
        }
        for other in ["", "1.2", "3.1.1", "0.1.1", "1.+2.3", "1.2.3.4", "01.2.3"] {
            assert_eq!(CredentialId::parse(other), None, "{other}");
        }
    }
}
