//! A source and a destination whose client is async: tokio's TCP connections.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use plugin_api::tokio::{Runtime, Writes};
use plugin_api::{
    Acks, Batch, BatchWriter, Context, Destination, Feed, Parameters, Position, Progress, Record,
    Result, Source, export_plugin, testing,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Settings of both.
#[derive(Debug, Parameters)]
pub struct Config {
    /// Host and port of the server.
    address: String,
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
        let feed = Runtime::new()?.feed(async move |feeder| {
            let mut client = TcpStream::connect(config.address).await?;
            client.write_all(format!("{reached}\n").as_bytes()).await?;
            let mut lines = tokio::io::BufReader::new(client).lines();
            let mut number = reached;
            while let Some(line) = lines.next_line().await? {
                number += 1;
                feeder
                    .push(Record::create(number).with_payload(line))
                    .await?;
            }
            Ok(())
        });
        Ok(Self { feed })
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        self.feed.read(batch, context)
    }
}

/// Sends each batch by a connection of its own, several at a time, and waits for the server's byte.
struct Connections {
    address: String,
    runtime: Runtime,
    writes: Writes,
}

impl Destination for Connections {
    type Config = Config;

    fn open(config: Config) -> Result<Self> {
        let runtime = Runtime::new()?;
        Ok(Self {
            address: config.address,
            writes: Writes::new(&runtime, 2),
            runtime,
        })
    }

    fn write(&mut self, batch: &Batch, acks: &mut Acks, context: &Context) -> Result<()> {
        let mut client = self.runtime.block_on(context, async {
            Ok(TcpStream::connect(&self.address).await?)
        })?;
        let lines: String = batch.iter().map(|_| "record\n").collect();
        self.writes
            .spawn(batch.sequences(), acks, context, async move {
                client.write_all(lines.as_bytes()).await?;
                client.shutdown().await?;
                client.read_u8().await?;
                Ok(())
            })
    }

    fn flush(&mut self, acks: &mut Acks, _: &Context) -> Result<()> {
        self.writes.answer(acks)
    }
}

export_plugin! { source: Lines, destination: Connections }

/// Serves each client on a thread; returns the address.
fn server(serve: impl Fn(std::net::TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for client in listener.incoming() {
            let serve = serve.clone();
            let client = client.expect("a client");
            thread::spawn(move || serve(client));
        }
    });
    address
}

#[test]
fn a_source_on_an_async_feed_keeps_the_contract() {
    for (lines, stays_open) in [(5, false), (10_000, true)] {
        let address = server(move |client| {
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
        testing::source(plugin(), &[("address", &address)]);
    }
}

#[test]
fn a_destination_that_writes_in_tasks_keeps_the_contract() {
    let address = server(|mut client| {
        let mut lines = String::new();
        client.read_to_string(&mut lines).expect("lines");
        assert!(lines.ends_with("record\n"));
        client.write_all(&[1]).expect("an answer");
    });
    testing::destination(plugin(), &[("address", &address)]);
}
