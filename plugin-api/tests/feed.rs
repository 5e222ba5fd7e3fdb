//! A source whose client has only blocking calls: a feed over a TCP connection that stays open.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use plugin_api::{
    BatchWriter, Capacity, Context, Feed, Parameters, Position, Progress, Record, Result, Source,
    export_plugin, testing,
};

/// Settings of the source.
#[derive(Debug, Parameters)]
pub struct Config {
    /// Host and port of the server.
    address: String,
    /// Number of records that the feed takes.
    #[parameter(default = 4_096)]
    capacity: usize,
}

/// Asks a server for all lines behind a number, and reads them.
struct Lines {
    feed: Feed,
}

impl Source for Lines {
    type Config = Config;

    fn open(config: Config, position: Option<&Position>) -> Result<Self> {
        let reached = position
            .map(Position::parse::<u64>)
            .transpose()?
            .unwrap_or(0);
        let capacity = Capacity {
            records: config.capacity,
            ..Capacity::default()
        };
        let feed = Feed::spawn_with(capacity, move |feeder| {
            let mut client = TcpStream::connect(config.address)?;
            writeln!(client, "{reached}")?;
            for (number, line) in (reached + 1..).zip(BufReader::new(client).lines()) {
                feeder.push(Record::create(number).with_payload(line?))?;
            }
            Ok(())
        })?;
        Ok(Self { feed })
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        self.feed.read(batch, context)
    }
}

export_plugin! { source: Lines }

/// Serves so many lines; returns its address. The connection then stays open, or not.
fn server(lines: u64, stays_open: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.expect("a client");
            thread::spawn(move || {
                let mut asked = BufReader::new(&client).lines();
                let reached = asked.next().expect("a line").expect("a line");
                let reached: u64 = reached.parse().expect("a number");
                for number in reached + 1..=lines {
                    if writeln!(&client, "number {number}").is_err() {
                        return;
                    }
                }
                if stays_open {
                    // Until the client goes.
                    let _end = asked.next();
                }
            });
        }
    });
    address
}

#[test]
fn a_source_on_a_feed_keeps_the_contract() {
    for (lines, stays_open, capacity) in [
        (5, false, "4096"),
        (1_000, false, "1"),
        (1_000, true, "4096"),
    ] {
        let address = server(lines, stays_open);
        testing::source(plugin(), &[("address", &address), ("capacity", capacity)]);
    }
}
