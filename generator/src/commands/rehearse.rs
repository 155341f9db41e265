//! `arm rehearse`: one command, no AWS account, from footage to an alert and a clip.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::aws::Target;
use crate::aws::rehearsal::Observer;
use crate::commands::bundle::{self, BuildArgs};
use crate::commands::{self, AnswerFormat, StoresArgs, deploy};
use crate::console::{Console, count};
use crate::deploy::Failure;
use crate::diagnostic::suggest;
use crate::error::CommandError;
use crate::files;
use crate::input::CompiledFleet;
use crate::model::{Camera, Cell, Channel, Endpoint, Store};
use crate::name::{CellNames, StoreNames};
use crate::rehearsal::follow::{self, Ending, Scene};
use crate::rehearsal::local::{self, Local};
use crate::rehearsal::servers::{self, Servers, Settings};
use crate::rehearsal::story::{self, Chapter, Line};
use crate::rehearsal::{RehearsalError, python};
use crate::release;

/// Rehearse a store on this machine, without an AWS account: footage in, case, clip and alert out
#[derive(Debug, clap::Args)]
pub struct RehearseArgs {
    /// Id of the store; none: the first that is labelled `canary`, or else the first
    store: Option<String>,
    #[command(flatten)]
    folder: StoresArgs,
    /// Id of the camera that sees the footage; none: the first whose shelf sweep tells somebody
    #[arg(long, value_name = "CAMERA")]
    camera: Option<String>,
    #[command(flatten)]
    build: BuildArgs,
    /// Port of the local AWS; none: any that is free
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "PORT")]
    port: u16,
    /// Leave the local AWS up until Ctrl-C, and say how to reach it
    #[arg(long)]
    keep: bool,
    /// Folder for the Python environment, kept between runs, and for what the rehearsal leaves
    #[arg(long, default_value = ".arm", value_name = "DIR")]
    work: PathBuf,
    /// Lines for people, or NDJSON events (schema `arm.rehearse/1`)
    #[arg(long, value_enum, default_value = "human")]
    format: AnswerFormat,
}

/// What is rehearsed.
struct Stage<'a> {
    cell: &'a Cell,
    store: &'a Store,
    camera: &'a Camera,
    /// Where the rehearsal leaves what it made.
    folder: PathBuf,
}

pub fn run(args: &RehearseArgs, console: &mut Console<'_>) -> Result<(), CommandError> {
    let fleet = commands::load(&args.folder, args.format, console)?;
    let store = choose_store(args, &fleet)?;
    let cell = fleet.fleet.cell_of(store);
    let camera = choose_camera(args, &fleet, store)?;
    let name = store.id.as_str();
    writeln!(console.err, "rehearsing {}", story::describe(cell, store, camera))?;
    let python = python::environment(
        &args.work.join("local-aws"),
        local_aws::ministack::REQUIREMENTS,
        console,
    )?;
    let bundle = bundle::make(&args.build, cell.architecture, console)?;
    let zip = bundle::save(&bundle, &args.work.join("bundle"))?;
    writeln!(console.err, "bundle {}", zip.display())?;
    let release =
        release::assemble(&fleet, cell, &[store], &bundle).map_err(commands::stack_error)?;
    let folder = args.work.join("rehearsal").join(name);
    files::remove_folder(&folder)?;
    files::make_folder(&folder)?;
    let folder = files::absolute(&folder)?;
    let python = files::absolute(&python.with_file_name(""))?.join("python");
    let stage = Stage { cell, store, camera, folder };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let settings = Settings {
            python: &python,
            folder: &stage.folder,
            port: args.port,
            account: &cell.account,
            region: &cell.region,
        };
        let servers = servers::start(&settings).await.map_err(CommandError::environment)?;
        let outcome = tokio::select! {
            outcome = perform(args, &stage, &servers, &release, console) => outcome,
            () = interrupted() => Err(CommandError::environment(RehearsalError::Interrupted)),
        };
        if outcome.is_ok() && args.keep {
            keep(&servers, &stage, console)?;
            interrupted().await;
        }
        servers.stop().await;
        outcome
    })
}

fn choose_store<'a>(
    args: &RehearseArgs,
    fleet: &'a CompiledFleet,
) -> Result<&'a Store, CommandError> {
    let stores = &fleet.fleet.stores;
    let Some(wanted) = &args.store else {
        let canary =
            stores.iter().find(|it| it.labels.iter().any(|label| label.as_str() == "canary"));
        let first = canary.or(stores.first());
        return first.ok_or_else(|| {
            CommandError::Configuration("there is no store to rehearse".to_owned())
        });
    };
    stores.iter().find(|store| store.id.as_str() == wanted).ok_or_else(|| {
        let help = suggest(wanted, stores.iter().map(|it| it.id.as_str()));
        CommandError::Configuration(format!("there is no store `{wanted}`\n  help: {help}"))
    })
}

fn choose_camera<'a>(
    args: &RehearseArgs,
    fleet: &CompiledFleet,
    store: &'a Store,
) -> Result<&'a Camera, CommandError> {
    let Some(wanted) = &args.camera else {
        let found = story::choose_camera(fleet, store, now_ms());
        return found
            .ok_or_else(|| CommandError::Configuration(RehearsalError::NoCamera.to_string()));
    };
    let found = store.cameras.iter().find(|camera| camera.id.as_str() == wanted);
    let found = found.ok_or_else(|| {
        let help = suggest(wanted, store.cameras.iter().map(|it| it.id.as_str()));
        CommandError::Configuration(format!("the store has no camera `{wanted}`\n  help: {help}"))
    })?;
    if !story::tells_somebody(fleet, store, found, now_ms()) {
        let message = format!(
            "the camera `{wanted}` is not watched now, or its shelf sweep would tell nobody\n  help: choose another, or change its `watch` or the rules"
        );
        return Err(CommandError::Configuration(message));
    }
    Ok(found)
}

#[expect(clippy::disallowed_methods, reason = "shell: the rehearsal plays in real time")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The performance: deploy, play, follow, sum up.
async fn perform(
    args: &RehearseArgs,
    stage: &Stage<'_>,
    servers: &Servers,
    release: &release::Release,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let emulator = crate::aws::Emulator { endpoint: servers.gateway.clone() };
    let target = Target { emulator: Some(emulator), role: None, ..Target::of_cell(stage.cell) };
    writeln!(
        console.err,
        "local AWS at {} (MiniStack), Kinesis Video and model at {}",
        servers.gateway, servers.video
    )?;
    for (reference, value) in stand_ins(stage.cell, stage.store) {
        let kept = local::keep(&servers.gateway, &reference, value).await;
        kept.map_err(CommandError::environment)?;
    }
    let summary = deploy::carry_out(release, &target, args.format, console).await?;
    if let Some(Failure { stack, cause, .. }) = summary.failed.first() {
        return Err(CommandError::Partly(format!("the stack {stack} failed: {cause}")));
    }
    let names = StoreNames::new(&stage.cell.id, &stage.store.id);
    let stream = names.stream(&stage.camera.id);
    let observer = Observer::connect(&target).await;
    let Cell { region, account, .. } = stage.cell;
    let topic = format!("arn:aws:sns:{region}:{account}:{}", names.alerts_topic());
    let queue_url =
        observer.subscribe(&topic, "rehearsal").await.map_err(CommandError::environment)?;
    let local = Local::new(&servers.video);
    let begins_ms = scene_begins_ms(now_ms());
    local.play(&stream, begins_ms, QUIET_SECONDS).await.map_err(CommandError::environment)?;
    let teller = Teller::new(args.format);
    let wait_s = (begins_ms - now_ms()) / 1_000;
    let text = format!(
        "{stream} gets H.264 video; the schedule ticks on the minute, the scene begins in {wait_s} s"
    );
    teller.tell(console, Chapter::Stream, text);
    let scene = Scene {
        observer: &observer,
        local: &local,
        table: CellNames::new(stage.cell).case_table(),
        store: stage.store.id.to_string(),
        timezone: stage.store.hours.timezone.clone(),
        stream,
        queue_url,
        log: stage.folder.join("ministack.log").display().to_string(),
    };
    let ending =
        follow::follow(&scene, &mut |chapter, text| teller.tell(console, chapter, text)).await;
    let ending = ending.map_err(CommandError::environment)?;
    conclude(args, stage, &ending, console)
}

/// The values that stand in for addresses that the store and its cell keep elsewhere.
fn stand_ins(cell: &Cell, store: &Store) -> BTreeMap<Endpoint, &'static str> {
    let ops = cell.ops_email.iter().map(|it| (it.clone(), Channel::Email));
    let all = store.subscribers.iter().map(|it| (it.endpoint.clone(), it.channel)).chain(ops);
    let kept = all.filter(|(endpoint, _)| !matches!(endpoint, Endpoint::Literal(_)));
    let stand_in = |channel| match channel {
        Channel::Email => "rehearsal@example.com",
        Channel::Sms => "+12065550123",
        Channel::Https => "https://hooks.example.com/rehearsal",
        Channel::Push => "arn:aws:sns:us-west-2:123456789012:endpoint/GCM/rehearsal/0",
    };
    kept.map(|(endpoint, channel)| (endpoint, stand_in(channel))).collect()
}

/// Waits for Ctrl-C, or for what ends a job: a runner's SIGTERM, a terminal that closes.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let heard = async |kind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        // Without a handler the signal ends the process itself.
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = heard(SignalKind::interrupt()) => {}
        () = heard(SignalKind::terminate()) => {}
        () = heard(SignalKind::hangup()) => {}
    }
}

/// Quiet seconds of video before the scene and after it: more than any evidence wants.
const QUIET_SECONDS: u32 = 150;

/// When the scene begins: shortly after the next minute, because the schedule ticks on the minute.
fn scene_begins_ms(now_ms: i64) -> i64 {
    let soonest_ms = now_ms + 3_000;
    soonest_ms - soonest_ms.rem_euclid(60_000) + 62_000
}

/// Tells the story as it happens.
struct Teller {
    start: Instant,
    format: AnswerFormat,
}

impl Teller {
    #[expect(clippy::disallowed_methods, reason = "shell: the story's clock")]
    fn new(format: AnswerFormat) -> Self {
        Self { start: Instant::now(), format }
    }

    fn tell(&self, console: &mut Console<'_>, chapter: Chapter, text: String) {
        let line = Line { at: self.start.elapsed(), chapter, text };
        // The rehearsal goes on when nobody reads along.
        drop(match self.format {
            AnswerFormat::Human => writeln!(console.err, "{}", line.human()),
            AnswerFormat::Json => writeln!(console.out, "{}", line.json()),
        });
    }
}

/// Saves what was found, and says where it lies.
fn conclude(
    args: &RehearseArgs,
    stage: &Stage<'_>,
    ending: &Ending,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let Ending { case, clip, told, delivered } = ending;
    let save = |name: &str, bytes: &[u8]| -> Result<PathBuf, CommandError> {
        let path = stage.folder.join(name);
        files::save(&path, bytes)?;
        Ok(path)
    };
    let clip_path = save("clip.mp4", clip)?;
    let case_json = serde_json::to_string_pretty(case).map_err(CommandError::environment)?;
    let case_path = save("case.json", case_json.as_bytes())?;
    let told: Vec<_> = told
        .iter()
        .map(|it| json!({ "protocol": it.protocol, "endpoint": it.endpoint, "subject": it.subject, "text": it.text }))
        .collect();
    let messages_path = save("messages.json", format!("{:#}\n", json!(told)).as_bytes())?;
    let alert = delivered.first().map(|it| it.text.clone()).unwrap_or_default();
    let digest = case.evidence.sha256.clone().unwrap_or_default();
    if args.format == AnswerFormat::Json {
        let end = json!({
            "schema": "arm.rehearse/1", "event": "end", "store": stage.store.id.as_str(), "camera": stage.camera.id.as_str(),
            "case": case.case_id, "alert": alert, "sha256": digest, "clip": clip_path, "case_file": case_path,
            "messages": messages_path, "told": told.len(), "detections": case.detections,
        });
        writeln!(console.out, "{end}")?;
        return Ok(());
    }
    writeln!(console.out, "{alert}")?;
    writeln!(console.out, "  case      {}", case_path.display())?;
    writeln!(console.out, "  clip      {}  ({} bytes)", clip_path.display(), clip.len())?;
    writeln!(console.out, "  SHA-256   {digest}  (of the clip; the case says the same)")?;
    writeln!(
        console.out,
        "  messages  {}  ({})",
        messages_path.display(),
        count(told.len(), "subscriber")
    )?;
    Ok(())
}

/// Says how to reach what is left up.
fn keep(
    servers: &Servers,
    stage: &Stage<'_>,
    console: &mut Console<'_>,
) -> Result<(), CommandError> {
    let Cell { account, region, .. } = stage.cell;
    writeln!(console.err, "\nthe local AWS stays up until Ctrl-C; any AWS client reaches it with")?;
    writeln!(console.err, "  export AWS_ENDPOINT_URL={}", servers.gateway)?;
    writeln!(
        console.err,
        "  export AWS_ENDPOINT_URL_KINESIS_VIDEO={} AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME={}",
        servers.video, servers.video
    )?;
    writeln!(
        console.err,
        "  export AWS_REGION={region} AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=local"
    )?;
    Ok(())
}
