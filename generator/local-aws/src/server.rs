//! The HTTP side: which path is which operation, and the life of the server.
//!
//! One port serves every service, as an endpoint override of the SDKs needs it. Signatures are not
//! checked. To add an operation: its function in the service's file, one line in [`OPERATIONS`].

use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::app::{App, respond};
use crate::aws_error::AwsError;
use crate::state::{Call, Reply, Request, Settings, State, StreamRef};
use crate::{admin, archived_media, kinesis_video, put_media, sagemaker_runtime};

/// How long open connections may take to end once the service stops.
const GRACE: Duration = Duration::from_secs(1);

type Operation = fn(&mut Request<'_>) -> Result<Reply, AwsError>;

/// Path, name and function of each operation with a JSON request.
const OPERATIONS: [(&str, &str, Operation); 12] = [
    ("/createStream", "CreateStream", kinesis_video::create_stream),
    ("/describeStream", "DescribeStream", kinesis_video::describe_stream),
    ("/deleteStream", "DeleteStream", kinesis_video::delete_stream),
    ("/listStreams", "ListStreams", kinesis_video::list_streams),
    ("/updateDataRetention", "UpdateDataRetention", kinesis_video::update_data_retention),
    ("/tagStream", "TagStream", kinesis_video::tag_stream),
    ("/untagStream", "UntagStream", kinesis_video::untag_stream),
    ("/listTagsForStream", "ListTagsForStream", kinesis_video::list_tags_for_stream),
    ("/getDataEndpoint", "GetDataEndpoint", kinesis_video::get_data_endpoint),
    ("/listFragments", "ListFragments", archived_media::list_fragments),
    (
        "/getMediaForFragmentList",
        "GetMediaForFragmentList",
        archived_media::get_media_for_fragment_list,
    ),
    ("/getClip", "GetClip", archived_media::get_clip),
];

/// Serves until `shutdown` is over.
pub async fn serve(
    listener: TcpListener,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let url = format!("http://{}", listener.local_addr()?);
    let app = App::new(State::new(settings, url));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router(app.clone())).with_graceful_shutdown(async {
        // A sender that is gone means the same as one that has spoken.
        stopped.await.ok();
    });
    let outcome = tokio::select! {
        outcome = server.into_future() => outcome,
        () = async {
            shutdown.await;
            stop.send(()).ok();
            sleep(GRACE).await;
        } => Ok(()),
    };
    app.abort_tasks();
    outcome
}

fn router(app: App) -> Router {
    let mut router = Router::new();
    for (path, name, operation) in OPERATIONS {
        let handler = move |Shared(app): Shared<App>, body: Bytes| async move {
            json_call(&app, name, operation, &body)
        };
        router = router.route(path, post(handler));
    }
    router
        .route("/putMedia", post(put_media::put_media))
        .route("/endpoints/{name}/invocations", post(invoke_endpoint))
        .merge(admin::routes())
        .fallback(async || respond(Err(AwsError::unknown_operation())))
        .layer(DefaultBodyLimit::max(2 * sagemaker_runtime::BODY_BYTES_MAX))
        .with_state(app)
}

fn json_call(app: &App, name: &str, operation: Operation, body: &[u8]) -> Response<Body> {
    let read: Result<Value, _> =
        if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(body) };
    let input = read.as_ref().cloned().unwrap_or_default();
    let named: Option<StreamRef> = serde_json::from_value(input.clone()).ok();
    let stream = named.and_then(|it| it.name().map(str::to_owned));
    let call = Call { operation: name.to_owned(), stream, ..Call::default() };
    app.call(call, input, |request| match read {
        Ok(_) => operation(request),
        Err(error) => Err(AwsError::invalid_argument(format!("the request is not JSON: {error}"))),
    })
}

async fn invoke_endpoint(
    Shared(app): Shared<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let content_type = header("content-type").unwrap_or_default();
    let call = Call {
        operation: "InvokeEndpoint".to_owned(),
        endpoint: Some(name.clone()),
        inference_id: header("x-amzn-sagemaker-inference-id").map(str::to_owned),
        ..Call::default()
    };
    let mut response = app.call(call, Value::Null, |request| {
        sagemaker_runtime::invoke_endpoint(request, &name, content_type, &body).map(Reply::Json)
    });
    if response.status() == StatusCode::OK {
        let variant = HeaderValue::from_static("primary");
        response.headers_mut().insert("x-amzn-invoked-production-variant", variant);
    }
    response
}

#[cfg(test)]
mod tests;
