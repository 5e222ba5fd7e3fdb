//! Single values that have a rule: ids, one word of a few, numbers.

use std::collections::BTreeMap;

use plugin_host::nearest;

use super::fields::{Fields, Scope, listed};
use super::problem::Place;

/// Longest id, in characters.
const ID_LENGTH_MAX: usize = 256;

/// Where each id stands first, among those that must differ from each other.
pub(super) type Ids = BTreeMap<String, Place>;

/// A required id. One that isn't well formed, or is in `ids` already, is told and returned all the
/// same, so that what it names can be checked; any other is noted in `ids`.
pub(super) fn id(fields: &Fields<'_>, ids: &mut Ids, scope: &mut Scope<'_>) -> Option<String> {
    let (id, place) = fields.required("id", "add `id: NAME`", scope)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_:.".contains(c);
    let length = id.chars().count();
    if let Some(wrong) = id.chars().find(|&c| !allowed(c)) {
        scope.report.problem(
            place,
            "pipeline.invalid_id",
            format!("the id `{id}` has {wrong:?} in it"),
            "use the letters a to z and A to Z, digits, `-`, `_`, `:` and `.`",
        );
        return Some(id);
    }
    if length > ID_LENGTH_MAX {
        scope.report.problem(
            place,
            "pipeline.invalid_id",
            format!("the id has {length} characters, and {ID_LENGTH_MAX} is the most"),
            "shorten the id; `name` and `description` may say more",
        );
        return Some(id);
    }
    if let Some(first) = ids.get(&id) {
        scope.report.problem(
            place,
            "pipeline.duplicate_id",
            format!("the id `{id}` is already used at {first}"),
            "rename one of the two; a connector's id need only differ within its pipeline",
        );
        return Some(id);
    }
    ids.insert(id.clone(), place.clone());
    Some(id)
}

/// A number of records, from 0 on; nothing where the field is absent or was refused.
pub(super) fn count(fields: &Fields<'_>, name: &str, scope: &mut Scope<'_>) -> Option<u64> {
    let (node, _) = fields.get(name)?;
    let text = scope.text(node, name)?;
    let count = text.parse().ok();
    if count.is_none() {
        scope.report.problem(
            &node.place,
            "pipeline.invalid_value",
            format!("`{name}` can't be `{text}`"),
            "it is a number of records, from 0 on",
        );
    }
    count
}

/// One of a few words; nothing where the field is absent or was refused.
pub(super) fn choice<T: Copy>(
    fields: &Fields<'_>,
    name: &str,
    choices: &[(&'static str, T)],
    scope: &mut Scope<'_>,
) -> Option<T> {
    let (text, place) = fields.text(name, scope)?;
    if let Some(&(_, value)) = choices.iter().find(|(word, _)| *word == text) {
        return Some(value);
    }
    let words: Vec<_> = choices.iter().map(|&(word, _)| word).collect();
    let help = match nearest(&text, words.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it can be {}", listed(&words).replace(" and ", " or ")),
    };
    scope.report.problem(
        place,
        "pipeline.invalid_value",
        format!("`{name}` can't be `{text}`"),
        help,
    );
    None
}
