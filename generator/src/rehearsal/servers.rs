//! The local AWS: MiniStack as a child process, Kinesis Video and the model inside this one.
//!
//! Both listen on 127.0.0.1 only. Everything that was started is stopped, by its process group:
//! MiniStack's own children are the function binaries.
#![expect(clippy::disallowed_methods, reason = "shell: starts and stops the emulator")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::files;

use super::RehearsalError;

/// Longest start of the emulator. Our choice: it needs a second, a busy machine ten.
const START_SECONDS: u64 = 60;
/// Time that the emulator gets to end by itself.
const END_TIME: Duration = Duration::from_secs(5);

/// The running local AWS.
#[derive(Debug)]
pub struct Servers {
    /// MiniStack's address, such as `http://127.0.0.1:4566`.
    pub gateway: String,
    /// The address of Kinesis Video and the model.
    pub video: String,
    child: Child,
    video_server: tokio::task::JoinHandle<()>,
}

/// What the servers are started with.
#[derive(Debug)]
pub struct Settings<'a> {
    pub python: &'a Path,
    /// Folder for logs and the emulator's files.
    pub folder: &'a Path,
    /// 0: any that is free.
    pub port: u16,
    pub account: &'a str,
    pub region: &'a str,
}

impl Settings<'_> {
    /// The emulator's log.
    pub fn log(&self) -> PathBuf {
        self.folder.join("ministack.log")
    }
}

/// Starts both servers and waits until they answer.
pub async fn start(settings: &Settings<'_>) -> Result<Servers, RehearsalError> {
    let (video, video_server) = start_video(settings).await?;
    let port = free_port(settings.port).await?;
    let gateway = format!("http://127.0.0.1:{port}");
    let child = start_gateway(settings, port, &gateway, &video)?;
    let mut servers = Servers { gateway, video, child, video_server };
    match servers.wait_until_up(port, settings).await {
        Ok(()) => Ok(servers),
        Err(error) => {
            servers.stop().await;
            Err(error)
        }
    }
}

async fn start_video(
    settings: &Settings<'_>,
) -> Result<(String, tokio::task::JoinHandle<()>), RehearsalError> {
    let refused = |source| RehearsalError::Port { port: 0, source };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(refused)?;
    let address = format!("http://{}", listener.local_addr().map_err(refused)?);
    let server = local_aws::Settings {
        region: settings.region.to_owned(),
        account: settings.account.to_owned(),
        ..local_aws::Settings::default()
    };
    let task = tokio::spawn(async move {
        // It ends only when the rehearsal does; a failure shows in every call that follows.
        drop(local_aws::serve(listener, server, std::future::pending()).await);
    });
    Ok((address, task))
}

/// A port that nothing listens on; the wanted one, if one is wanted.
async fn free_port(wanted: u16) -> Result<u16, RehearsalError> {
    let refused = |source| RehearsalError::Port { port: wanted, source };
    let listener = TcpListener::bind(("127.0.0.1", wanted)).await.map_err(refused)?;
    Ok(listener.local_addr().map_err(refused)?.port())
}

fn start_gateway(
    settings: &Settings<'_>,
    port: u16,
    gateway: &str,
    video: &str,
) -> Result<Child, RehearsalError> {
    let script = settings.folder.join("start.py");
    let files = settings.folder.join("files");
    let log = settings.log();
    let help = "look whether the folder can be written to".to_owned();
    let failed = |source| RehearsalError::Start {
        program: "the emulator".to_owned(),
        help: help.clone(),
        source,
    };
    let saved = files::save(&script, local_aws::ministack::START.as_bytes())
        .and_then(|()| files::make_folder(&files));
    saved.map_err(|error| failed(std::io::Error::other(error)))?;
    let log = File::create(&log).map_err(failed)?;
    let errors = log.try_clone().map_err(failed)?;
    let mut command = Command::new(settings.python);
    command
        .arg(&script)
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("MINISTACK_ACCOUNT_ID", settings.account)
        .env("MINISTACK_REGION", settings.region)
        .env("TMPDIR", &files)
        // The function binaries inherit these: it is how they find AWS here.
        .env("AWS_ENDPOINT_URL", gateway)
        .env("AWS_ENDPOINT_URL_KINESIS_VIDEO", video)
        .env("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", video)
        .env("AWS_REGION", settings.region)
        .env("AWS_DEFAULT_REGION", settings.region)
        .env("AWS_ACCESS_KEY_ID", settings.account)
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        // A group of its own: Ctrl-C reaches us alone, and we end the group.
        .process_group(0)
        .kill_on_drop(true);
    command.spawn().map_err(failed)
}

impl Servers {
    async fn wait_until_up(
        &mut self,
        port: u16,
        settings: &Settings<'_>,
    ) -> Result<(), RehearsalError> {
        let not_up = || RehearsalError::NotUp {
            seconds: START_SECONDS,
            log: settings.log().display().to_string(),
        };
        for _ in 0..START_SECONDS * 5 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(());
            }
            if !matches!(self.child.try_wait(), Ok(None)) {
                return Err(not_up());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(not_up())
    }

    /// Ends everything that was started.
    pub async fn stop(mut self) {
        self.video_server.abort();
        if let Some(id) = self.child.id() {
            signal("-TERM", id).await;
            if tokio::time::timeout(END_TIME, self.child.wait()).await.is_err() {
                drop(self.child.start_kill());
            }
            // The functions may outlive the emulator.
            signal("-KILL", id).await;
        }
        drop(self.child.wait().await);
    }
}

/// Signals the child's process group. The group's number is the child's id.
async fn signal(kind: &str, group: u32) {
    let group = format!("-{group}");
    let status = Command::new("kill").args([kind, "--", &group]).stderr(Stdio::null()).status();
    drop(status.await);
}
