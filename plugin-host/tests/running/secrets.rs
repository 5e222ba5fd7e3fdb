//! Secrets of plugins that are linked in, in texts that don't come through the library.

use std::borrow::Cow;

use plugin_api::{BatchWriter, Context, Parameters, Plugin, Position, Progress, Result, Source};
use plugin_host::{PluginService, Registry, redacted};

struct Quiet;

#[derive(Parameters)]
struct QuietConfig {
    /// What nobody may see.
    #[parameter(secret)]
    password: String,
}

impl Source for Quiet {
    type Config = QuietConfig;

    fn open(config: QuietConfig, _: Option<&Position>) -> Result<Self> {
        drop(config.password);
        Ok(Self)
    }

    fn read(&mut self, _: &mut BatchWriter, _: &Context) -> Result<Progress> {
        Ok(Progress::End)
    }
}

#[test]
fn a_host_can_mark_what_its_builtins_say_past_it() {
    let text = "GET /?p=open-sesame-7";
    assert!(matches!(redacted(text), Cow::Borrowed(same) if same == text));
    let builtin = Registry::builtin([Plugin::from_source("quiet", Quiet::open)]);
    let service = PluginService::new(builtin, Registry::default());
    let settings = [("password".to_owned(), "open-sesame-7".to_owned())].into();
    let context = plugin_host::Context::background();
    service
        .validate_source_config(&context, "quiet", &settings)
        .unwrap();
    assert_eq!(redacted(text), "GET /?p=[secret password]");
}
