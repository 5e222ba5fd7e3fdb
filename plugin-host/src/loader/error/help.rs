//! How to mend each [`LoadError`].

use super::{LoadError, Waypoint};

impl LoadError {
    /// How to mend it, in one line.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NotRegularFile { .. } => {
                "put the library itself there, or a link to it".into()
            }
            Self::DanglingLink { .. } => {
                "remove the link, or put the library where it leads".into()
            }
            Self::ForeignOwner { at, owner, trusted } => format!(
                "`chown {}{} {}` as root, or `--trust-owner {owner}` if that user may run code here",
                if at.what == "link" { "-h " } else { "" },
                trusted.first().unwrap_or(&0),
                at.quoted(),
            ),
            Self::WorldWritable { at, mode } => writable_by_all(at, *mode),
            Self::GroupWritable { at, .. } => format!("`chmod g-w {}`", at.quoted()),
            Self::Unreadable { .. } => {
                "give the user that runs the host the right to read it (chmod u+r)".into()
            }
            Self::TooLarge { .. } => {
                "keep only plugin files in this folder; `strip --strip-debug` makes a plugin smaller".into()
            }
            Self::Empty | Self::Truncated { .. } => {
                "copy or download the file again; to replace a plugin, write a new file and rename it".into()
            }
            Self::Damaged { .. } => {
                "copy or download the file again; if it is as the linker wrote it, report it with the name and version of the linker (`readelf -p .comment`)".into()
            }
            Self::NotLibrary { .. } => {
                "keep only plugin files in this folder; build one with crate-type = [\"cdylib\"]".into()
            }
            Self::WrongBitness { .. }
            | Self::ForeignCpu { .. }
            | Self::ForeignPlatform { .. }
            | Self::ForeignTarget { .. } => format!(
                "get the file for this machine, or build the plugin with a cargo --target of {}-{}",
                std::env::consts::ARCH,
                std::env::consts::OS,
            ),
            Self::NoMarker => {
                "if it is a plugin, add `plugin_api::export_plugin!` to its root; if not, move it elsewhere".into()
            }
            Self::MarkerDamaged { .. } => {
                "take the file as the linker wrote it; if it already is, build it again".into()
            }
            Self::MarkerField { .. } => {
                "build the plugin with the plugin-api of this host, or update the host".into()
            }
            Self::PrereleaseAbi { .. } => {
                "rebuild the plugin with a current forebay-plugin-api".into()
            }
            Self::NewerFormat { .. } => {
                "update the host, or build the plugin with an older forebay-plugin-api".into()
            }
            Self::TwoPlugins { packages, .. } => format!(
                "rename the file after the package that it is, such as `{}`, or don't link the other plugin",
                packages.first().map_or_else(String::new, |package| file_name(package)),
            ),
            Self::AbiMajor { expected, .. } | Self::AbiVersion { expected, .. } => format!(
                "build the plugin with a forebay-plugin-api for ABI {}, or use the host that it was built for",
                expected.split('.').next().unwrap_or(expected),
            ),
            Self::AbiStable { expected, .. } => format!(
                "build the plugin with the abi_stable {expected} that forebay-plugin-api brings"
            ),
            Self::PanicAbort { .. } => {
                "build it with panic = \"unwind\" in the profile of its Cargo.toml".into()
            }
            Self::NewerGlibc { running, .. } => format!(
                "build the plugin on a system with glibc {running} or older, or update this one"
            ),
            Self::RunPath { .. } => {
                "link it without that rpath (`patchelf --remove-rpath`), or with an absolute folder".into()
            }
            Self::NeededPath { entry } => format!(
                "link it against the library's name (`patchelf --replace-needed {entry} {}`)",
                entry.rsplit('/').next().unwrap_or(entry),
            ),
            Self::LibraryMissing { library } => format!(
                "install the package that has `{}`, or link the plugin with it statically",
                super::one_line(library),
            ),
            Self::OpenFailed { .. } => {
                "run `ldd -r` on the file to see what it lacks".into()
            }
            Self::TimedOut { .. } => {
                "look for work in its static constructors; restart the host without the file".into()
            }
            Self::Image { .. } => {
                "check that there is room and /proc is mounted; `--load-from` chooses between memory and a copy".into()
            }
            Self::SymbolMissing { .. } => {
                "link it without a version script of its own, and strip only with `strip --strip-unneeded`".into()
            }
            Self::HeaderInvalid { .. } | Self::Layout { .. } => {
                "rebuild the plugin with the forebay-plugin-api of this host, unpatched".into()
            }
            Self::ConstructorPanicked { .. } | Self::ConstructorFailed { .. } => {
                "tell the plugin's author; its constructor needs something that isn't here".into()
            }
            Self::ModuleDiffers { .. } | Self::SpecificationDiffers { .. } => {
                "build the plugin again from clean; its marker and its code are of different builds".into()
            }
            Self::SpecificationInvalid { .. } => {
                "correct it in the plugin's source or Cargo.toml and build it again".into()
            }
            Self::Duplicate { .. } => {
                "remove one of the two, or give the newer one a higher version".into()
            }
            Self::Shadowed { is_copy: true, .. } => "remove one of the two files".into(),
            Self::Shadowed { is_copy: false, .. } => {
                "remove one of the two files, or name its folder first".into()
            }
        }
    }
}

fn writable_by_all(at: &Waypoint, mode: u32) -> String {
    let path = at.quoted();
    match (&at.run_path, mode & 0o1000 != 0, mode & 0o020 != 0) {
        // Such a folder is meant for all.
        (None, true, _) if at.what == "folder" => {
            format!(
                "`mkdir -m 755 {}/plugins`, and move the file there",
                path.trim_end_matches('/')
            )
        }
        (Some(_), true, _) => "link it without that rpath (`patchelf --remove-rpath`)".into(),
        (_, _, true) => format!("`chmod go-w {path}`"),
        (_, _, false) => format!("`chmod o-w {path}`"),
    }
}

/// Name of the file that cargo makes of a package.
fn file_name(package: &str) -> String {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    format!("{DLL_PREFIX}{}{DLL_SUFFIX}", package.replace('-', "_"))
}
