//! How a plugin is named: `[builtin|standalone|any]:name@version|latest`.
//!
//! A name is parsed once, at the edge, and is a value from then on. Where Conduit takes any text
//! and finds out later, this refuses: an unknown prefix, an empty part, a separator too many. What
//! a name refers to is the registry's business.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The word for the newest version.
const LATEST: &str = "latest";

/// Where a plugin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PluginKind {
    /// Linked into the host.
    Builtin,
    /// Loaded from a file.
    Standalone,
    /// Either; a standalone plugin goes before a builtin of the same name.
    Any,
}

impl PluginKind {
    /// The word that stands for it in a name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Standalone => "standalone",
            Self::Any => "any",
        }
    }
}

impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which version of a plugin is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VersionRequest {
    /// The newest there is.
    Latest,
    /// This one; there are no ranges.
    Exact(String),
}

impl VersionRequest {
    /// Whether a plugin of exactly this version is meant; [`Latest`](Self::Latest) means none.
    ///
    /// `v1.2.0`, `1.2.0` and `v1.2` are one version. Text that isn't semantic means itself.
    #[must_use]
    pub fn names(&self, version: &str) -> bool {
        let Self::Exact(wanted) = self else {
            return false;
        };
        wanted == version
            || parse_version(wanted).is_some_and(|wanted| parse_version(version) == Some(wanted))
    }
}

impl fmt::Display for VersionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latest => LATEST,
            Self::Exact(version) => version,
        })
    }
}

/// Name of a plugin, in all its parts.
///
/// Made from text by [`FromStr`]: `file@v0.1.0` is read as `any:file@v0.1.0`, and is printed so;
/// [`short`](Self::short) is for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PluginName {
    kind: PluginKind,
    name: String,
    version: VersionRequest,
}

impl PluginName {
    /// Full name of a plugin that is there: its kind and version are known.
    ///
    /// # Errors
    /// [`NameError`] where a part isn't fit to be one, such as the version `latest`.
    pub fn explicit(kind: PluginKind, name: &str, version: &str) -> Result<Self, NameError> {
        if kind == PluginKind::Any {
            return Err(NameError::Prefix(kind.as_str().into()));
        }
        if version == LATEST {
            return Err(NameError::VersionLatest(name.into()));
        }
        format!("{kind}:{name}@{version}").parse()
    }

    /// Where it comes from.
    #[must_use]
    pub fn kind(&self) -> PluginKind {
        self.kind
    }

    /// The plugin's own name, without prefix and version.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As short as it can be written: `file` for `any:file@latest`. It parses back to this name.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = self.name.clone();
        if self.kind != PluginKind::Any {
            text.insert_str(0, &format!("{}:", self.kind));
        }
        if let VersionRequest::Exact(version) = &self.version {
            text += &format!("@{version}");
        }
        text
    }

    /// Which version is meant.
    #[must_use]
    pub fn version(&self) -> &VersionRequest {
        &self.version
    }
}

impl FromStr for PluginName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (kind, rest) = match text.split_once(':') {
            None => (PluginKind::Any, text),
            Some((prefix, rest)) => (parse_kind(prefix)?, rest),
        };
        let (name, version) = match rest.split_once('@') {
            None => (rest, VersionRequest::Latest),
            Some((_, "")) => return Err(NameError::EmptyVersion(text.into())),
            Some((name, LATEST)) => (name, VersionRequest::Latest),
            Some((name, version)) => (name, VersionRequest::Exact(version.into())),
        };
        if name.is_empty() {
            return Err(NameError::EmptyName(text.into()));
        }
        // The first of each was cut out above, so whatever is left is one too many.
        let mut parts = name.chars().chain(match &version {
            VersionRequest::Exact(version) => version.chars(),
            VersionRequest::Latest => "".chars(),
        });
        if let Some(separator) = parts.find(|c| matches!(c, ':' | '@')) {
            return Err(NameError::Separator {
                name: text.into(),
                separator,
            });
        }
        Ok(Self {
            kind,
            name: name.into(),
            version,
        })
    }
}

/// All three parts, whether they were given or not: `any:file@latest`.
impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}@{}", self.kind, self.name, self.version)
    }
}

fn parse_kind(prefix: &str) -> Result<PluginKind, NameError> {
    [PluginKind::Builtin, PluginKind::Standalone, PluginKind::Any]
        .into_iter()
        .find(|kind| kind.as_str() == prefix)
        .ok_or_else(|| NameError::Prefix(prefix.into()))
}

/// Why text isn't the name of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The prefix is none of the kinds that are possible here.
    #[error("invalid plugin name prefix {0:?}")]
    Prefix(String),
    /// There is nothing where the name should be.
    #[error("plugin name {0:?} has no name in it")]
    EmptyName(String),
    /// There is nothing after the `@`.
    #[error("plugin name {0:?} has no version after the `@`")]
    EmptyVersion(String),
    /// A `:` or `@` that separates nothing.
    #[error("plugin name {name:?} has a `{separator}` too many")]
    Separator {
        /// The whole text.
        name: String,
        /// The character.
        separator: char,
    },
    /// A plugin says that its version is `latest`, which is the word for whichever is newest.
    #[error("plugin {0:?} has the version `latest`, which names no version")]
    VersionLatest(String),
}

impl NameError {
    /// Stable identifier for tests and tools.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Prefix(_) => "name.prefix",
            Self::EmptyName(_) => "name.empty",
            Self::EmptyVersion(_) => "name.empty_version",
            Self::Separator { .. } => "name.separator",
            Self::VersionLatest(_) => "name.version_latest",
        }
    }

    /// One line that says how to mend it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Prefix(_) => "use `builtin:`, `standalone:` or `any:`, or leave the prefix out",
            Self::EmptyVersion(_) => "write a version such as `@v0.1.0`, or leave the `@` out",
            Self::EmptyName(_) | Self::Separator { .. } => {
                "write `name`, `name@version` or `kind:name@version`"
            }
            Self::VersionLatest(_) => "give the plugin a semantic version such as `v0.1.0`",
        }
    }
}

/// Reads a semantic version; a leading `v` and missing parts are allowed, as in `v1` and `0.1-rc1`.
#[must_use]
pub fn parse_version(text: &str) -> Option<semver::Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (core, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let missing = match core.matches('.').count() {
        0 => ".0.0",
        1 => ".0",
        _ => "",
    };
    semver::Version::parse(&format!("{core}{missing}{rest}")).ok()
}

/// Compares versions by their age: [`Ordering::Greater`] when `left` is the newer.
///
/// Semantic versions are newer than any other text, and a release is newer than what led to it;
/// build metadata doesn't count. Of other texts the alphabetically *first* is the newest, and
/// `latest`, which may also be written as nothing, is older than all. That is Conduit's order.
#[must_use]
pub fn compare_versions(left: &str, right: &str) -> Ordering {
    let is_latest = |text: &str| matches!(text, "" | LATEST);
    match (parse_version(left), parse_version(right)) {
        (Some(left), Some(right)) => left.cmp_precedence(&right),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => match (is_latest(left), is_latest(right)) {
            (false, false) => right.cmp(left),
            (left, right) => right.cmp(&left),
        },
    }
}

#[cfg(test)]
#[path = "name_tests.rs"]
mod tests;
