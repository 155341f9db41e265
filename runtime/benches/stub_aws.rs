//! A stub of AWS for the benchmarks: canned but valid answers, at once. It owns no truth about AWS.
//!
//! `DynamoDB` keeps what is put and sets what an update sets, without conditions; a clip has as many
//! bytes as its stream's name ends in. `/bench/calls` tells and forgets how often each operation was
//! called, `/bench/queued` the messages that were sent, `/bench/save` and `/bench/restore` keep and
//! give back the table. To stub another operation, add it to `answer`. Prints its port.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};

/// The longest clip that anybody asks for, in bytes; our choice, 4 MB over what a clip may have.
const CLIP_BYTES_MAX: usize = 108_000_000;

/// How long the clip plays, in seconds: as long as any that is asked for.
const MOVIE_S: u32 = 600;

/// Length of a fragment in seconds, as `kvssink` makes them.
const FRAGMENT_S: f64 = 2.0;

/// Bytes of a fragment: one Mbit/s.
const FRAGMENT_BYTES: usize = 250_000;

type Item = Map<String, Value>;

#[derive(Default)]
struct World {
    table: HashMap<String, Item>,
    saved: HashMap<String, Item>,
    calls: BTreeMap<String, u64>,
    queued: Vec<Value>,
}

#[derive(Clone)]
struct Stub {
    world: Arc<Mutex<World>>,
    video: Bytes,
    address: SocketAddr,
}

impl Stub {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "whoever started it reads the port")]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("{}", address.port());
    let mut video = movie_head();
    video.extend((0_u8..=250).cycle().take(CLIP_BYTES_MAX - video.len()));
    let stub = Stub { world: Arc::default(), video: video.into(), address };
    let listener = axum::serve::ListenerExt::tap_io(listener, |connection| {
        connection.set_nodelay(true).expect("a connection that is open");
    });
    axum::serve(listener, Router::new().fallback(serve).with_state(stub)).await
}

async fn serve(State(stub): State<Stub>, request: Request) -> Response {
    let (head, mut body) = request.into_parts();
    let path = head.uri.path();
    let name = name(path, head.method.as_str(), &head.headers);
    if name == "PutObject" {
        // Read and dropped: this process must not be the one whose memory runs out.
        while let Some(Ok(_)) = body.frame().await {}
        *stub.world().calls.entry(name).or_default() += 1;
        let version = [("x-amz-version-id", "3sL4kqtJlcpXroDTDmJ"), ("etag", "\"d41d8cd9\"")];
        return version.into_response();
    }
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    answer(&stub, &name, &input).into_response()
}

/// The beginning of an MP4 with one video track that plays for [`MOVIE_S`]; all that follows is its
/// media, so that it may end anywhere.
fn movie_head() -> Vec<u8> {
    fn named(name: [u8; 4], content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let size = u32::try_from(content.len() + 8).expect("a few bytes");
        [&size.to_be_bytes()[..], &name, &content].concat()
    }
    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }
    // Version and flags, two moments, then what is asked for: a track of 1, a tick of 1 s.
    let (track, media) = (words(&[0, 0, 0, 1]), words(&[0, 0, 0, 1, MOVIE_S]));
    let kind = [&words(&[0, 0])[..], b"vide"].concat();
    let times = named(*b"stbl", &[&named(*b"stts", &[&words(&[0, 1, MOVIE_S, 1])])]);
    let media = [named(*b"mdhd", &[&media]), named(*b"hdlr", &[&kind]), named(*b"minf", &[&times])];
    let media = named(*b"mdia", &[&media.concat()]);
    let movie = named(*b"moov", &[&named(*b"trak", &[&named(*b"tkhd", &[&track]), &media])]);
    // A size of 0: to the end of the file.
    [&movie[..], &words(&[0]), b"mdat"].concat()
}

/// What is called, from where each protocol says so.
fn name(path: &str, method: &str, headers: &HeaderMap) -> String {
    if let Some(target) = headers.get("x-amz-target").and_then(|it| it.to_str().ok()) {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    match (method, path) {
        ("PUT", _) => "PutObject".to_owned(),
        // The one service here that speaks forms.
        ("POST", "/") => "Publish".to_owned(),
        _ => path.trim_start_matches('/').to_owned(),
    }
}

fn answer(stub: &Stub, name: &str, input: &Value) -> Response {
    let mut world = stub.world();
    if !name.starts_with("bench/") {
        *world.calls.entry(name.to_owned()).or_default() += 1;
    }
    let json = |answer: Value| {
        let body = Body::from(answer.to_string());
        ([("content-type", "application/x-amz-json-1.0")], body).into_response()
    };
    match name {
        "GetItem" => {
            let item = world.table.get(&key(at(input, "/Key"))).cloned();
            json(item.map_or_else(|| json!({}), |item| json!({ "Item": item })))
        }
        "TransactWriteItems" => {
            for part in at(input, "/TransactItems").as_array().into_iter().flatten() {
                write(&mut world.table, part);
            }
            json(json!({}))
        }
        "UpdateItem" => {
            write(&mut world.table, &json!({ "Update": input }));
            json(json!({}))
        }
        "SendMessage" => {
            world.queued.push(at(input, "/MessageBody").clone());
            json(json!({ "MessageId": "7f5b9b2e", "MD5OfMessageBody": "" }))
        }
        "Publish" => PUBLISHED.into_response(),
        "getDataEndpoint" => json(json!({ "DataEndpoint": format!("http://{}", stub.address) })),
        "listFragments" => json(json!({ "Fragments": fragments(input) })),
        "getClip" => {
            let stream = at(input, "/StreamName").as_str().unwrap_or_default();
            let bytes = stream.rsplit('-').next().and_then(|it| it.parse().ok()).unwrap_or(1);
            let video = stub.video.slice(..CLIP_BYTES_MAX.min(bytes));
            ([("content-type", "video/mp4")], video).into_response()
        }
        "getMediaForFragmentList" => {
            let count = at(input, "/Fragments").as_array().map_or(0, Vec::len);
            let video = stub.video.slice(..CLIP_BYTES_MAX.min(count * FRAGMENT_BYTES));
            ([("content-type", "video/webm")], video).into_response()
        }
        // Nothing seen: the answer to all but a few windows.
        "endpoints/model/invocations" => json(json!({ "detections": [] })),
        "bench/calls" => json(json!(std::mem::take(&mut world.calls))),
        "bench/queued" => json(json!(std::mem::take(&mut world.queued))),
        "bench/save" => {
            let World { table, saved, .. } = &mut *world;
            saved.clone_from(table);
            json(json!({}))
        }
        "bench/restore" => {
            let World { table, saved, .. } = &mut *world;
            table.clone_from(saved);
            json(json!({}))
        }
        _ => (StatusCode::NOT_IMPLEMENTED, format!("nobody calls {name}")).into_response(),
    }
}

const PUBLISHED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
    <PublishResult><MessageId>567910cd-659e-55d4</MessageId></PublishResult><ResponseMetadata>\
    <RequestId>d74b8436-ae13-5ab4</RequestId></ResponseMetadata></PublishResponse>";

/// The value at a pointer, null where there is none.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn key(item: &Value) -> String {
    let part = |pointer| at(item, pointer).as_str().unwrap_or_default().to_owned();
    format!("{}|{}", part("/pk/S"), part("/sk/S"))
}

/// Puts an item, or sets what an update's expression sets: `SET #a = :a, #b.#c = :b REMOVE #d`.
fn write(table: &mut HashMap<String, Item>, part: &Value) {
    let put = at(part, "/Put/Item");
    if let Some(item) = put.as_object() {
        table.insert(key(put), item.clone());
    }
    let update = at(part, "/Update");
    let Some(expression) = at(update, "/UpdateExpression").as_str() else { return };
    let item = table.entry(key(at(update, "/Key"))).or_default();
    let names = at(update, "/ExpressionAttributeNames");
    let name = |it: &str| names.get(it).and_then(Value::as_str).unwrap_or(it).to_owned();
    let (sets, removes) = expression.split_once(" REMOVE ").unwrap_or((expression, ""));
    let sets = sets.trim_start_matches("SET ").split(", ");
    for (path, value) in sets.filter_map(|it| it.split_once(" = ")) {
        let value = at(update, &format!("/ExpressionAttributeValues/{value}"));
        let path: Vec<String> = path.split('.').map(name).collect();
        set(item, &path, value);
    }
    for path in removes.split(", ") {
        item.remove(&name(path));
    }
}

fn set(item: &mut Item, path: &[String], value: &Value) {
    let [name, rest @ ..] = path else { return };
    let inner = |it| Value::pointer_mut(it, "/M").and_then(Value::as_object_mut);
    if rest.is_empty() {
        item.insert(name.clone(), value.clone());
    } else if let Some(inner) = item.get_mut(name).and_then(inner) {
        set(inner, rest, value);
    }
}

/// Fragments without a gap from the first asked second to the last.
fn fragments(input: &Value) -> Vec<Value> {
    let range = at(input, "/FragmentSelector/TimestampRange");
    let moment = |pointer| at(range, pointer).as_f64().unwrap_or_default();
    let (start, end) = (moment("/StartTimestamp"), moment("/EndTimestamp"));
    let starts = std::iter::successors(Some(start), |start| Some(start + FRAGMENT_S));
    let fragment = |(number, start): (usize, f64)| {
        json!({
            "FragmentNumber": format!("9134385233318150{start:.0}"),
            // Pictures that move: sizes that are all the same would be those of a frozen one.
            "FragmentSizeInBytes": FRAGMENT_BYTES - number % 5 * 40_000,
            "ProducerTimestamp": start,
            "ServerTimestamp": start + 1.0,
            "FragmentLengthInMilliseconds": 2_000,
        })
    };
    starts.take_while(|start| *start < end).enumerate().map(fragment).collect()
}
