//! What can't be delivered: the dead-letter queue, its limits, and its own failures.

use std::time::Duration;

use plugin_api::{
    AckMode, Acks, Batch, BatchWriter, Context, Destination, Error, ErrorKind, Parameters, Plugin,
    Position, Progress, Result, Source,
};
use plugin_host::store::{FileStore, PositionStore, StoreKey};
use plugin_host::{DeadLetterQueue, Outcome, PipelineConfig, PipelineError, RunOptions};
use tempfile::{TempDir, tempdir};

use super::{note, noted, pipeline};
use crate::support::{connector, engine, until};

/// Numbers from 1 to `last`, in batches of 4.
struct Numbers {
    next: u64,
    config: NumbersConfig,
}

#[derive(Parameters)]
struct NumbersConfig {
    /// Last number.
    last: u64,
    /// Numbers of which the source says that it can't read them whole.
    #[parameter(default = [])]
    unreadable: Vec<u64>,
    /// Name under which acks are noted.
    #[parameter(default = "")]
    journal: String,
    /// What it tells with a number that it can't read.
    #[parameter(default = "", secret)]
    password: String,
}

impl Source for Numbers {
    type Config = NumbersConfig;

    const ACKS: AckMode = AckMode::Each;

    fn open(config: NumbersConfig, position: Option<&Position>) -> Result<Self> {
        let next = position.map(Position::parse::<u64>).transpose()?;
        Ok(Self {
            next: next.map_or(1, |last| last + 1),
            config,
        })
    }

    fn read(&mut self, batch: &mut BatchWriter<'_>, _: &Context) -> Result<Progress> {
        while batch.has_room() && batch.len() < 4 {
            if self.next > self.config.last {
                return Ok(Progress::End);
            }
            let record = batch
                .create(self.next)
                .metadata([("of", "numbers")])
                .key("k")
                .payload(self.next);
            if self.config.unreadable.contains(&self.next) {
                let password = &self.config.password;
                record.nack(format_args!("{} is cut off{password}", self.next));
            }
            self.next += 1;
        }
        Ok(Progress::More)
    }

    fn ack(&mut self, position: &Position) -> Result<()> {
        note(&self.config.journal, position.to_string());
        Ok(())
    }
}

/// Notes what it is given, and refuses some of it.
struct Picky {
    config: PickyConfig,
    deferred: Vec<(u64, u64)>,
}

#[derive(Parameters)]
struct PickyConfig {
    /// Name under which records are noted.
    #[parameter(default = "")]
    journal: String,
    /// Numbers that are refused.
    #[parameter(default = [])]
    refuse: Vec<u64>,
    /// Whether answers wait for a flush, and come in the reverse order.
    #[parameter(default = false)]
    defer: bool,
}

impl Picky {
    fn answer(&self, acks: &mut Acks<'_>, sequence: u64, number: u64) {
        if self.config.refuse.contains(&number) {
            let error = Error::new(ErrorKind::Fatal, format!("no {number} here"));
            acks.nack_sequence(sequence, error);
        } else {
            acks.ok_range(sequence, sequence + 1);
        }
    }
}

impl Destination for Picky {
    type Config = PickyConfig;

    fn open(config: PickyConfig) -> Result<Self> {
        Ok(Self {
            config,
            deferred: Vec::new(),
        })
    }

    fn write(&mut self, batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context) -> Result<()> {
        for record in batch {
            let number = String::from_utf8_lossy(record.after()).parse();
            let number = number.map_err(Error::fatal)?;
            let sequence = record.sequence();
            note(&self.config.journal, format!("{sequence}: {number}"));
            if self.config.defer {
                self.deferred.push((sequence, number));
            } else {
                self.answer(acks, sequence, number);
            }
        }
        acks.defer();
        Ok(())
    }

    fn flush(&mut self, acks: &mut Acks<'_>, _: &Context) -> Result<()> {
        for (sequence, number) in std::mem::take(&mut self.deferred).into_iter().rev() {
            self.answer(acks, sequence, number);
        }
        Ok(())
    }
}

/// Notes letters, until it has had enough of them.
struct Letters {
    config: LettersConfig,
    taken: u64,
}

#[derive(Parameters)]
struct LettersConfig {
    /// Name under which letters are noted.
    journal: String,
    /// Letters that are taken; those behind them fail.
    #[parameter(default = 1000)]
    most: u64,
    /// Whether those are refused one by one.
    #[parameter(default = false)]
    refuse: bool,
    /// Whether answers wait for a flush.
    #[parameter(default = false)]
    defer: bool,
}

impl Destination for Letters {
    type Config = LettersConfig;

    fn open(config: LettersConfig) -> Result<Self> {
        Ok(Self { config, taken: 0 })
    }

    fn write(&mut self, batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context) -> Result<()> {
        for record in batch {
            self.taken += 1;
            if self.taken > self.config.most {
                let error = Error::fatal("the queue is full");
                if !self.config.refuse {
                    return Err(error);
                }
                acks.nack(&record, error);
                continue;
            }
            let metadata = record.metadata();
            let get = |key| metadata.get(key).unwrap_or("none");
            note(
                &self.config.journal,
                format!(
                    "{} {}: {}",
                    String::from_utf8_lossy(record.position()),
                    get("conduit.dlq.nack.node.id"),
                    get("conduit.dlq.nack.error")
                ),
            );
        }
        if self.config.defer {
            acks.defer();
        }
        Ok(())
    }

    fn flush(&mut self, acks: &mut Acks<'_>, _: &Context) -> Result<()> {
        acks.ok_range(0, self.taken);
        Ok(())
    }
}

fn plugins() -> [Plugin; 3] {
    [
        Plugin::from_source("numbers", <Numbers as Source>::open),
        Plugin::from_destination("picky", <Picky as Destination>::open),
        Plugin::from_destination("letters", <Letters as Destination>::open),
    ]
}

fn config(source: &[(&str, &str)], destination: &[(&str, &str)]) -> PipelineConfig {
    pipeline(
        connector("src", "numbers", source),
        connector("out", "picky", destination),
    )
}

fn queue(journal: &str) -> DeadLetterQueue {
    let queue = DeadLetterQueue::new("letters").unwrap();
    queue.with("journal", format!("letters: {journal}"))
}

/// Runs a pipeline to its end; returns it and how it has ended.
fn run(state: &TempDir, config: &PipelineConfig) -> (plugin_host::Progress, Outcome) {
    let engine = engine(plugins(), state.path());
    let pipeline = engine.start(config, RunOptions::default()).unwrap();
    let outcome = pipeline.wait();
    (pipeline.progress(), outcome)
}

/// The letters that a queue was given.
fn letters(journal: &str) -> Vec<String> {
    noted(&format!("letters: {journal}"))
}

fn stored(state: &TempDir) -> Option<String> {
    let store = FileStore::open(state.path()).unwrap();
    let stored = store.load(&StoreKey::new("p", "src")).unwrap();
    stored.map(|it| String::from_utf8(it.position).unwrap())
}

fn failure(outcome: &Outcome) -> &PipelineError {
    match outcome {
        Outcome::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_refused_goes_to_the_queue_and_is_done_with() {
    for (journal, defer) in [("at once", "false"), ("later", "true")] {
        let state = tempdir().unwrap();
        let acks = format!("{journal}: acks");
        let source = [("last", "11"), ("journal", &acks)];
        let destination = [("refuse", "2,3,9"), ("defer", defer)];
        let config = config(&source, &destination).dead_letters(queue(journal));
        let (progress, outcome) = run(&state, &config);
        assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
        assert_eq!(
            letters(journal),
            [
                "p:src/2 p:out: no 2 here",
                "p:src/3 p:out: no 3 here",
                "p:src/9 p:out: no 9 here"
            ]
        );
        let all: Vec<_> = (1..=11).map(|number| number.to_string()).collect();
        assert_eq!(noted(&acks), all, "{journal}");
        assert_eq!((progress.records, progress.dead_letters), (11, 3));
        assert_eq!(stored(&state).as_deref(), Some("11"));
    }
}

#[test]
fn one_that_several_have_refused_makes_one_letter_and_the_others_get_it() {
    let state = tempdir().unwrap();
    let beside = [
        ("journal", "refused beside"),
        ("refuse", "2"),
        ("defer", "true"),
    ];
    let config = config(&[("last", "3")], &[("refuse", "2")])
        .to(connector("beside", "picky", &beside))
        .to(connector("third", "picky", &[("journal", "third")]))
        .dead_letters(queue("one letter"));
    let (progress, outcome) = run(&state, &config);
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    let [letter] = &letters("one letter")[..] else {
        panic!("{:?}", letters("one letter"));
    };
    assert!(letter.starts_with("p:src/2 p:"), "{letter}");
    for journal in ["refused beside", "third"] {
        assert_eq!(noted(journal), ["0: 1", "1: 2", "2: 3"]);
    }
    assert_eq!((progress.records, progress.committed), (3, 3));
}

#[test]
fn more_refusals_than_it_takes_end_the_pipeline_before_the_first_of_them() {
    let state = tempdir().unwrap();
    let config = config(&[("last", "100")], &[("refuse", "2,3,5,50")])
        .dead_letters(queue("limited").at_most(2, 10));
    let (progress, outcome) = run(&state, &config);
    let error = failure(&outcome);
    assert_eq!(error.code(), "record.refused");
    assert_eq!(
        error.to_string(),
        "connector `p:out`: record 5 of the run, position `5`, was refused: no 5 here; the \
         dead-letter queue takes 2 of 10 records"
    );
    assert!(error.help().contains("nack threshold"), "{}", error.help());
    let taken = ["p:src/2 p:out: no 2 here", "p:src/3 p:out: no 3 here"];
    assert_eq!(letters("limited"), taken);
    assert_eq!((progress.records, progress.dead_letters), (4, 2));
    assert_eq!(stored(&state).as_deref(), Some("4"));
    // The next run begins with the one that was too much, and with a tally of its own.
    let (_, outcome) = run(&state, &config);
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    assert_eq!(letters("limited").len(), 4);
}

#[test]
fn a_queue_that_fails_ends_the_pipeline_and_nothing_is_lost() {
    for (name, refuse, code) in [
        ("fails", "false", ""),
        ("refuses", "true", "letter.refused"),
    ] {
        let state = tempdir().unwrap();
        let full = queue(name).with("most", "1").with("refuse", refuse);
        let source = [("last", "40")];
        let destination = [("refuse", "3,20")];
        let (progress, outcome) = run(&state, &config(&source, &destination).dead_letters(full));
        let error = failure(&outcome);
        let text = error.to_string();
        assert!(text.contains("p:dead-letter-queue"), "{text}");
        assert!(text.contains("the queue is full"), "{text}");
        // One that refuses a letter says whose it is.
        assert_eq!(
            text.contains("the letter `p:src/20`"),
            refuse == "true",
            "{text}"
        );
        assert!(code.is_empty() || error.code() == code, "{error:?}");
        assert_eq!(progress.dead_letters, 1);
        assert_eq!(stored(&state).as_deref(), Some("19"), "{name}");
        let (_, outcome) = run(
            &state,
            &config(&source, &destination).dead_letters(queue(name)),
        );
        assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
        assert_eq!(letters(name)[1], "p:src/20 p:out: no 20 here");
        assert_eq!(stored(&state).as_deref(), Some("40"));
    }
}

#[test]
fn a_queue_may_answer_later() {
    let state = tempdir().unwrap();
    let late = queue("late").with("defer", "true");
    let config = config(&[("last", "4")], &[("refuse", "2")]).dead_letters(late);
    let (progress, outcome) = run(&state, &config);
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    assert_eq!((progress.records, progress.dead_letters), (4, 1));
}

#[test]
fn what_its_source_has_nacked_is_given_to_no_destination() {
    let state = tempdir().unwrap();
    let source = [("last", "10"), ("unreadable", "1,3,4,8,10")];
    let destination = [("journal", "readable"), ("refuse", "5")];
    let beside = connector(
        "beside",
        "picky",
        &[("journal", "readable too"), ("defer", "true")],
    );
    let config = config(&source, &destination)
        .to(beside)
        .dead_letters(queue("unreadable"));
    let (progress, outcome) = run(&state, &config);
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    // A destination's own numbers have no gaps.
    let given = ["0: 2", "1: 5", "2: 6", "3: 7", "4: 9"];
    assert_eq!(
        (noted("readable"), noted("readable too")),
        (
            given.map(String::from).to_vec(),
            given.map(String::from).to_vec()
        )
    );
    assert_eq!(
        letters("unreadable"),
        [
            "p:src/1 p:src: 1 is cut off",
            "p:src/3 p:src: 3 is cut off",
            "p:src/4 p:src: 4 is cut off",
            "p:src/5 p:out: no 5 here",
            "p:src/8 p:src: 8 is cut off",
            "p:src/10 p:src: 10 is cut off",
        ]
    );
    assert_eq!((progress.records, progress.dead_letters), (10, 6));
    assert_eq!(stored(&state).as_deref(), Some("10"));
}

#[test]
fn without_a_queue_the_first_one_that_its_source_has_nacked_ends_the_pipeline() {
    for delay in ["0s", "1h"] {
        let state = tempdir().unwrap();
        let source = [
            ("last", "10"),
            ("unreadable", "7,9"),
            ("sdk.batch.delay", delay),
        ];
        let (progress, outcome) = run(&state, &config(&source, &[("defer", "true")]));
        assert_eq!(
            failure(&outcome).to_string(),
            "connector `p:src`: record 7 of the run, position `7`, was refused: 7 is cut off"
        );
        assert_eq!((progress.records, progress.dead_letters), (6, 0));
        assert_eq!(stored(&state).as_deref(), Some("6"));
    }
}

#[test]
fn a_threshold_that_lets_all_pass_is_refused_before_anything_starts() {
    let state = tempdir().unwrap();
    let engine = engine(plugins(), state.path());
    let config = config(&[("last", "1")], &[]).dead_letters(queue("none").at_most(5, 5));
    let error = engine.start(&config, RunOptions::default()).unwrap_err();
    assert_eq!(error.code(), "pipeline.dead_letter_threshold");
    assert!(error.to_string().contains("threshold 5"), "{error}");
}

#[test]
fn what_a_source_says_with_a_nack_is_without_its_secrets() {
    let state = tempdir().unwrap();
    let source = [
        ("last", "1"),
        ("unreadable", "1"),
        ("password", "open-sesame-99"),
    ];
    let (_, outcome) = run(&state, &config(&source, &[]));
    let text = failure(&outcome).to_string();
    assert!(text.ends_with("1 is cut off[secret password]"), "{text}");
    let config = config(&source, &[]).dead_letters(queue("secret"));
    let (_, outcome) = run(&state, &config);
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    assert_eq!(
        letters("secret"),
        ["p:src/1 p:src: 1 is cut off[secret password]"]
    );
}

/// Answers nothing, or all of it at its stop.
struct Mute {
    answers: bool,
    given: u64,
    stopped: bool,
}

#[derive(Parameters)]
struct MuteConfig {
    /// Whether it answers at its stop.
    answers: bool,
}

impl Destination for Mute {
    type Config = MuteConfig;

    fn open(config: MuteConfig) -> Result<Self> {
        Ok(Self {
            answers: config.answers,
            given: 0,
            stopped: false,
        })
    }

    fn write(&mut self, batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context) -> Result<()> {
        self.given += batch.len() as u64;
        acks.defer();
        Ok(())
    }

    fn flush(&mut self, acks: &mut Acks<'_>, _: &Context) -> Result<()> {
        if self.answers && self.stopped {
            acks.ok_range(0, std::mem::take(&mut self.given));
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        self.stopped = true;
        Ok(())
    }
}

#[test]
fn a_stop_ends_a_pipeline_that_can_keep_no_more_for_the_queue() {
    for (answers, timeout) in [("true", "1m"), ("false", "1s")] {
        let state = tempdir().unwrap();
        let large = plugin_host::embedded::source("large", |_| {
            let mut next = 0_u64;
            Ok(move |batch: &mut BatchWriter<'_>, context: &Context| {
                if context.is_stopping() {
                    return Ok(Progress::End);
                }
                next += 1;
                batch.create(next).payload(vec![b'x'; 4 << 20]);
                Ok(Progress::More)
            })
        });
        let [_, _, letters] = plugins();
        let mute = Plugin::from_destination("mute", <Mute as Destination>::open);
        let engine = engine([large, letters, mute], state.path());
        let settings = [("answers", answers), ("sdk.call.timeout", timeout)];
        let config = pipeline(
            connector("src", "large", &[]),
            connector("out", "mute", &settings),
        );
        let config = config.dead_letters(queue("never"));
        let pipeline = engine.start(&config, RunOptions::default()).unwrap();
        // As much as is kept, or what is on its way besides.
        until("no more is kept", || {
            pipeline.progress().unacknowledged >= 16
        });
        pipeline.stop();
        let outcome = pipeline.wait_timeout(Duration::from_secs(60));
        let outcome = outcome.expect("an end");
        if answers == "true" {
            assert!(matches!(outcome, Outcome::Stopped), "{outcome:?}");
            assert!(pipeline.progress().committed >= 16);
        } else {
            assert_eq!(failure(&outcome).code(), "connector.unanswered");
        }
    }
}
