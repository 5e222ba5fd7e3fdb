//! What the dynamic loader's message means.
//!
//! A library that isn't there is found by the dynamic loader's own search, which has too many rules
//! to be done twice (cache, `LD_LIBRARY_PATH`, hardware folders, what is mapped already). It runs
//! before any code of the file, so asking it is as safe as looking; only its words need reading.

use super::LoadError;
use super::glibc::GlibcVersion;

/// Makes an error of the message that a failed dlopen left.
#[must_use]
pub fn explain_open_failure(text: &str) -> LoadError {
    let text = text.trim();
    if let Some(library) = missing_library(text) {
        return LoadError::LibraryMissing {
            library: library.to_owned(),
        };
    }
    if let Some(needed) = missing_glibc(text) {
        return LoadError::NewerGlibc {
            needed: needed.to_string(),
            running: GlibcVersion::running()
                .map_or_else(|| "an older one".into(), |v| v.to_string()),
        };
    }
    LoadError::OpenFailed {
        text: text.to_owned(),
    }
}

fn missing_library(text: &str) -> Option<&str> {
    // glibc, then musl. A path instead of a name is the file itself, or one that was found.
    let name = text
        .split_once(": cannot open shared object file: No such file or directory")
        .map(|(name, _)| name)
        .or_else(|| {
            let rest = text.strip_prefix("Error loading shared library ")?;
            rest.split_once(": No such file or directory")
                .map(|(name, _)| name)
        })?;
    (!name.is_empty() && !name.contains(['/', ' '])).then_some(name)
}

fn missing_glibc(text: &str) -> Option<GlibcVersion> {
    let (_, rest) = text.split_once(": version `")?;
    let (version, _) = rest.split_once("' not found")?;
    GlibcVersion::parse(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named() {
        let missing = |library: &str| LoadError::LibraryMissing {
            library: library.into(),
        };
        let glibc = "libnope.so.1: cannot open shared object file: No such file or directory";
        assert_eq!(explain_open_failure(glibc), missing("libnope.so.1"));
        let musl = "Error loading shared library libnope.so.1: No such file or directory (needed by /x/y.so)";
        assert_eq!(explain_open_failure(musl), missing("libnope.so.1"));
    }

    #[test]
    fn a_newer_version_of_a_library_of_glibc_is_named() {
        let text = "/lib/x86_64-linux-gnu/libm.so.6: version `GLIBC_2.99' not found (required by /proc/self/fd/3)";
        let error = explain_open_failure(text);
        assert_eq!(error.code(), "load.newer_glibc");
        assert!(error.to_string().contains("glibc 2.99"), "{error}");
    }

    #[test]
    fn everything_else_keeps_its_text() {
        for text in [
            "/proc/self/fd/3: undefined symbol: nope",
            "/x/y.so: cannot open shared object file: No such file or directory",
            "/lib/libz.so: version `ZLIB_9' not found (required by /x/y.so)",
            "/proc/self/fd/3: failed to map segment from shared object",
            "",
        ] {
            let same = LoadError::OpenFailed {
                text: text.to_owned(),
            };
            assert_eq!(explain_open_failure(text), same);
        }
    }
}
