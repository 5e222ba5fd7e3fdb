use std::borrow::Cow;

use plugin_api::{Parameter, ParameterType, Validation, ValidationType};

use super::table::table;
use super::*;

fn specification() -> Specification {
    let path = Parameter {
        default: "".into(),
        kind: ParameterType::File,
        description: "File that is read.".into(),
        validations: Cow::Owned(vec![Validation {
            kind: ValidationType::Required,
            value: "".into(),
        }]),
        secret: false,
    };
    let follow = Parameter {
        default: "true".into(),
        kind: ParameterType::Bool,
        description: "".into(),
        validations: Cow::Owned(Vec::new()),
        secret: true,
    };
    Specification {
        name: "file".into(),
        summary: "Reads lines".into(),
        version: "v0.1.0".into(),
        source_params: Some([("path".into(), path), ("follow".into(), follow)].into()),
        destination_params: Some([].into()),
        description: String::new(),
        author: String::new(),
        acks: plugin_api::AckMode::default(),
    }
}

fn ready(name: &str, kind: Kind, path: Option<&str>) -> Row {
    Row {
        name: name.into(),
        version: "v0.1.0".into(),
        kind,
        path: path.map(PathBuf::from),
        status: Status::Ready,
        specification: Some(specification()),
    }
}

fn reason(code: &str, message: &str) -> Reason {
    Reason {
        code: code.into(),
        stage: "look".into(),
        message: message.into(),
        help: "copy it again".into(),
    }
}

fn sorted() -> Vec<Row> {
    let file = "standalone:file@v0.1.0";
    let mut rows = vec![
        Row {
            status: Status::Quarantined(reason("load.truncated", "the file is cut")),
            specification: None,
            ..ready("standalone:torn", Kind::Standalone, Some("p/libtorn.so"))
        },
        Row {
            status: Status::Shadowed(reason("load.shadowed", "not used: `z`")),
            ..ready(file, Kind::Standalone, Some("a/libfile.so"))
        },
        ready(file, Kind::Standalone, Some("z/libfile.so")),
        ready("builtin:file@v0.1.0", Kind::Builtin, None),
    ];
    sort(&mut rows);
    rows
}

#[test]
fn the_table_is_aligned_and_says_what_is_wrong_beneath() {
    assert_eq!(
        table(&sorted(), false),
        "\
NAME                    SIDES                STATUS       PATH
builtin:file@v0.1.0     source, destination  ready        -
standalone:file@v0.1.0  source, destination  ready        z/libfile.so
standalone:file@v0.1.0  source, destination  shadowed     a/libfile.so
    not used: `z` (load.shadowed, look)
    help: copy it again
standalone:torn         -                    quarantined  p/libtorn.so
    the file is cut (load.truncated, look)
    help: copy it again
"
    );
    assert_eq!(table(&[], true), "no plugins\n");
}

#[test]
fn parameters_are_told_beneath_their_side() {
    let rows = [ready("builtin:file@v0.1.0", Kind::Builtin, None)];
    let text = table(&rows, true);
    let (plugin, host) = text.split_once("every source also has\n").unwrap();
    assert_eq!(
        plugin,
        "\
NAME                 SIDES                STATUS  PATH
builtin:file@v0.1.0  source, destination  ready   -
    Reads lines
    source
      follow  bool, default true, secret
      path    file, required
          File that is read.
    destination: no parameters
"
    );
    let (source, destination) = host.split_once("every destination also has\n").unwrap();
    let size = "sdk.batch.size    int, default 0, 0 or more, 65536 or less\n";
    assert!(source.contains(size), "{source}");
    let timeout = "duration, default 30s, greater than 0s\n";
    assert!(source.contains(timeout), "{source}");
    assert!(destination.contains("float, default 0, greater than -1\n"));
    assert!(
        destination.contains("one of opencdc/json,raw"),
        "{destination}"
    );
}

#[test]
fn the_json_has_exactly_the_documented_keys() {
    let document = document(&sorted());
    let specification = specification::to_json(&specification());
    assert_eq!(
        document["plugins"][0],
        json!({
            "name": "builtin:file@v0.1.0", "version": "v0.1.0", "kind": "builtin",
            "path": null, "status": "ready", "reason": null, "specification": specification,
        })
    );
    for (index, code) in [(2, "load.shadowed"), (3, "load.truncated")] {
        let row = &document["plugins"][index];
        assert_eq!(row["status"], "quarantined");
        assert_eq!(row["reason"]["code"], code);
    }
    assert_eq!(
        document["plugins"][3],
        json!({
            "name": "standalone:torn", "version": "v0.1.0", "kind": "standalone",
            "path": "p/libtorn.so", "status": "quarantined",
            "reason": {
                "code": "load.truncated",
                "stage": "look",
                "message": "the file is cut",
                "help": "copy it again",
            },
            "specification": null,
        })
    );
    assert_eq!(document.as_object().unwrap().len(), 1);
}
