//! Loading a plugin file, cheapest check first.
//!
//! 1. *Trust*: a regular file after resolving links, that nobody else can have put there or changed.
//! 2. *Look*: the bytes, without executing any ([`inspect()`]), and the rules that the marker's
//!    specification has to keep, as what the plugin says in the fifth stage must be equal to it.
//! 3. *Open*: dlopen of an image of the very bytes that were looked at ([`Image`]).
//! 4. *ABI*: header, version, layout of every type that crosses.
//! 5. *Specification*: the constructor, and `specify` equal to the marker.
//!
//! Each stage has its own errors ([`LoadError`]). No code of the file runs before the third (I7).

mod error;
mod examine;
mod image;
mod inspect;
mod marker;
mod trust;
mod watchdog;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use plugin_api::{Plugin, Specification};

pub use error::{LoadError, Stage};
use examine::open_untrusted;
pub use examine::{Examined, examine};
pub use image::{Image, LoadFrom};
pub use inspect::{GlibcVersion, Inspection, explain_open_failure, inspect};
use inspect::{judge_head, judge_kind, see};
pub use marker::Marker;
pub(crate) use trust::Trust;
pub use trust::Waypoint;
pub(crate) use watchdog::{Watchdog, stuck_file, stuck_loads};

use crate::ffi::{HostServices, Place, construct, open};
use crate::parameters;
use crate::specification;

/// The largest file that is read whole, 1 GiB: sixty times a plugin's debug build, and yet nothing
/// that takes a machine's memory, where it lies twice while it is opened.
const LARGEST: u64 = 1 << 30;
/// What is read of a file to see what it is: a block, the least that comes from a disk.
const HEAD: u64 = 4096;

/// A plugin that has passed every stage.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) plugin: Plugin,
    pub(crate) host: HostServices,
    pub(crate) specification: Specification,
    /// What the plugin's code was opened from; `None` for a builtin.
    image: Option<Arc<Image>>,
}

impl Loaded {
    /// SHA-256 of the file in hexadecimal, computed when it is first asked for; `None` for a
    /// builtin, or where the image can't be read back.
    pub(crate) fn hash(&self) -> Option<&str> {
        self.image.as_ref()?.hash().ok()
    }

    /// Whether it was opened from exactly these bytes.
    pub(crate) fn is_of(&self, looked: &Looked) -> bool {
        let image = self.image.as_ref();
        image.is_some_and(|image| image.is_of(&looked.bytes))
    }
}

/// A file that has passed [`look`]: nothing of it has run.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) inspection: Inspection,
    bytes: Vec<u8>,
}

impl Looked {
    /// SHA-256 of the file in hexadecimal.
    pub(crate) fn hash(&self) -> String {
        image::hash_of(&self.bytes)
    }
}

/// Stages 1 and 2, and of the fifth what can be told from the marker: a file that would be refused
/// anyway must not collide with a good one.
pub(crate) fn look(path: &Path, trust: &Trust) -> Result<Looked, LoadError> {
    let bytes = read(trust.open(path)?, judge_head)?;
    let inspection = inspect(&bytes, &stem(path))?;
    trust.check_run_paths(&inspection.run_paths)?;
    check_specification(&inspection.marker.specification)?;
    Ok(Looked { inspection, bytes })
}

/// What the marker of a file says that was refused, if it can be read all the same: also of one that
/// isn't trusted, as whoever put it there wants to know what it is kept from.
pub(crate) fn specification_of(path: &Path) -> Option<Specification> {
    let bytes = read(open_untrusted(path).ok()?, judge_kind).ok()?;
    Some(see(&bytes, &stem(path)).marker?.specification)
}

/// Reads a file whole, but only if its first bytes are found to be those of a library: others may be
/// of any size. The length is that of a moment ago; a file that grows is still bounded.
fn read(
    mut file: File,
    judge: impl Fn(&[u8]) -> Result<(), LoadError>,
) -> Result<Vec<u8>, LoadError> {
    let unreadable = |error: io::Error| LoadError::unreadable(&error);
    let length = file.metadata().map_err(unreadable)?.len();
    let mut bytes = Vec::new();
    let head = file.by_ref().take(HEAD).read_to_end(&mut bytes);
    head.map_err(unreadable)?;
    judge(&bytes)?;
    let too_large = |length| LoadError::TooLarge {
        length,
        limit: LARGEST,
    };
    if length > LARGEST {
        return Err(too_large(length));
    }
    // One byte more than expected, for the call that finds the end.
    bytes.reserve_exact(
        usize::try_from(length)
            .unwrap_or(0)
            .saturating_sub(bytes.len())
            + 1,
    );
    let mut rest = file.take(LARGEST + 1 - bytes.len() as u64);
    rest.read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() as u64 {
        length if length > LARGEST => Err(too_large(length)),
        _ => Ok(bytes),
    }
}

/// Whether two files have the same content. Both were opened as what [`look`] takes.
pub(crate) fn same_content(left: File, right: File) -> io::Result<bool> {
    if left.metadata()?.len() != right.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (BufReader::new(left), BufReader::new(right));
    loop {
        let (ours, theirs) = (left.fill_buf()?, right.fill_buf()?);
        let length = ours.len().min(theirs.len());
        if ours[..length] != theirs[..length] {
            return Ok(false);
        }
        if length == 0 {
            return Ok(ours.len() == theirs.len());
        }
        left.consume(length);
        right.consume(length);
    }
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Stages 3 to 5. `opened` is called when the dynamic loader has done its part.
pub(crate) fn load(
    path: &Path,
    looked: &Looked,
    from: &LoadFrom,
    opened: impl FnOnce(),
) -> Result<Loaded, LoadError> {
    let marker = &looked.inspection.marker;
    let image = Image::from_bytes(&stem(path), &looked.bytes, from)?;
    let name = format!(
        "{}@{}",
        marker.specification.name, marker.specification.version
    );
    // A file that kills the process is the one that was logged last.
    log::info!("opening `{}`: {name}", path.display());
    let host = HostServices::new(name);
    let plugin = match open(image.path(), marker, host) {
        Ok(module) => Plugin::from_module(module),
        Err(error) => {
            // The file may be mapped and in use even so; only a failed dlopen gives it back.
            if matches!(
                error,
                LoadError::OpenFailed { .. }
                    | LoadError::LibraryMissing { .. }
                    | LoadError::NewerGlibc { .. }
            ) {
                image.discard();
            }
            return Err(error);
        }
    };
    opened();
    let specification = specify(&plugin, host)?;
    if let Some(difference) = specification::difference(&marker.specification, &specification) {
        return Err(LoadError::SpecificationDiffers {
            field: difference.field,
            marker: difference.left,
            specified: difference.right,
        });
    }
    check_sides(&plugin, &specification)?;
    Ok(Loaded {
        plugin,
        host,
        specification,
        image: Some(Arc::new(image)),
    })
}

/// A plugin that is linked in: stage 5 is all there is to check.
pub(crate) fn load_builtin(plugin: Plugin) -> Result<Loaded, LoadError> {
    let host = HostServices::of_builtin(format!("{} (builtin)", plugin.package()));
    let specification = specify(&plugin, host)?;
    check_specification(&specification)?;
    check_sides(&plugin, &specification)?;
    Ok(Loaded {
        plugin,
        host,
        specification,
        image: None,
    })
}

fn specify(plugin: &Plugin, host: HostServices) -> Result<Specification, LoadError> {
    let failed = |error: plugin_api::Error| match error.kind() {
        plugin_api::ErrorKind::Panic => LoadError::ConstructorPanicked {
            message: format!("{error:#}"),
        },
        _ => LoadError::ConstructorFailed {
            message: format!("{error:#}"),
        },
    };
    let place = Place {
        pipeline: "",
        connector: "",
        max_record_bytes: 0,
    };
    let mut specifier =
        construct(|host, info| plugin.new_specifier(host, info), host, &place).map_err(failed)?;
    crate::ffi::specify(&mut specifier, host.secrets()).map_err(failed)
}

fn check_specification(specification: &Specification) -> Result<(), LoadError> {
    specification::check(specification)?;
    for params in [
        &specification.source_params,
        &specification.destination_params,
    ] {
        let Some(params) = params else { continue };
        parameters::check_defaults(params).map_err(|error| LoadError::SpecificationInvalid {
            field: error
                .errors
                .first()
                .map_or_else(String::new, |first| first.name.clone()),
            why: error.to_string(),
        })?;
    }
    Ok(())
}

/// Whether the plugin has the connectors that the specification has parameters for.
fn check_sides(plugin: &Plugin, specification: &Specification) -> Result<(), LoadError> {
    let sides = [
        (
            "sourceParams",
            plugin.has_source(),
            specification.source_params.is_some(),
        ),
        (
            "destinationParams",
            plugin.has_destination(),
            specification.destination_params.is_some(),
        ),
    ];
    for (field, made, specified) in sides {
        if made != specified {
            return Err(LoadError::SpecificationInvalid {
                field: field.to_owned(),
                why: "it must be there exactly if the plugin has that connector".to_owned(),
            });
        }
    }
    Ok(())
}
