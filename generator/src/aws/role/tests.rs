//! What is asked of STS, and how often, by a server of our own that notes every request.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::*;
use crate::aws::{Aws, Emulator, Target};
use crate::deploy::{Cloud, CloudError, Trouble};

/// An answer of STS to `AssumeRole`.
fn session(key: &str, expiration: &str) -> (u16, String) {
    let credentials = format!(
        "<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
         <SessionToken>t</SessionToken><Expiration>{expiration}</Expiration>"
    );
    let user = "<AssumedRoleUser><AssumedRoleId>A:b</AssumedRoleId>\
                <Arn>arn:aws:sts::123456789012:assumed-role/arm-deploy/arm-us-west</Arn></AssumedRoleUser>";
    let result = format!("<Credentials>{credentials}</Credentials>{user}");
    (
        200,
        format!(
            "<AssumeRoleResponse><AssumeRoleResult>{result}</AssumeRoleResult></AssumeRoleResponse>"
        ),
    )
}

/// Its answer to `GetCallerIdentity`.
fn identity() -> (u16, String) {
    let result = "<Account>123456789012</Account><Arn>a</Arn><UserId>u</UserId>";
    let result = format!("<GetCallerIdentityResult>{result}</GetCallerIdentityResult>");
    (200, format!("<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>"))
}

/// Gives these answers, one to a connection, and returns the requests.
fn serve(answers: Vec<(u16, String)>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            requests.push(request(&mut stream));
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n");
            stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        }
        requests
    });
    (endpoint, requests)
}

/// One request, up to the end of its form.
fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut bytes = [0; 4_096];
    loop {
        let read = stream.read(&mut bytes).unwrap();
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if read == 0 || body.len() >= length.map_or(0, |it| it.parse().unwrap()) {
            return text;
        }
    }
}

fn target(endpoint: String) -> Target {
    let role = Role {
        cell: "us-west".to_owned(),
        arn: "arn:aws:iam::123456789012:role/arm-deploy".to_owned(),
        external_id: Some("ours:1".to_owned()),
        session_name: "arm-us-west".to_owned(),
    };
    let emulator = Some(Emulator { endpoint });
    Target { region: "us-west-2".to_owned(), emulator, role: Some(role) }
}

/// Asks so often whose credentials these are.
fn ask(endpoint: String, times: usize) -> Result<String, CloudError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let aws = Aws::connect(&target(endpoint)).await;
        for _ in 1..times {
            aws.account().await?;
        }
        aws.account().await
    })
}

#[test]
fn a_role_is_assumed_once_and_calls_are_made_as_it() {
    let later = session("AKIAROLE", "2999-01-01T00:00:00Z");
    let (endpoint, requests) = serve(vec![later, identity(), identity()]);
    assert_eq!(ask(endpoint, 2).unwrap(), "123456789012");
    let requests = requests.join().unwrap();
    let form = requests[0].rsplit("\r\n").next().unwrap();
    let mut asked: Vec<_> = form.split('&').collect();
    asked.sort_unstable();
    let right = [
        "Action=AssumeRole",
        "ExternalId=ours%3A1",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Farm-deploy",
        "RoleSessionName=arm-us-west",
        "Version=2011-06-15",
    ];
    assert_eq!(asked, right);
    let is_by = |request: &String, key: &str| request.contains(&format!("Credential={key}/"));
    assert!(is_by(&requests[0], "local"), "{}", requests[0]);
    assert!(requests[1..].iter().all(|it| is_by(it, "AKIAROLE")), "{requests:?}");
}

#[test]
fn a_session_that_has_ended_is_renewed_before_the_next_call() {
    let ended = || "2009-01-01T00:00:00Z";
    let answers =
        vec![session("FIRST", ended()), identity(), session("SECOND", ended()), identity()];
    let (endpoint, requests) = serve(answers);
    ask(endpoint, 2).unwrap();
    let requests = requests.join().unwrap();
    assert!(requests[1].contains("Credential=FIRST/"), "{}", requests[1]);
    assert!(requests[3].contains("Credential=SECOND/"), "{}", requests[3]);
}

/// An error with its causes, one to a line.
fn causes(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}\ncaused by: {}", causes(cause)),
        None => error.to_string(),
    }
}

#[test]
fn a_role_that_cannot_be_assumed_is_named_with_its_cell_and_the_cause() {
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/ci \
                  is not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>";
    let (endpoint, requests) = serve(vec![(403, denied.to_owned())]);
    let error = ask(endpoint, 1).unwrap_err();
    requests.join().unwrap();
    assert_eq!(error.trouble, Trouble::Credentials);
    insta::assert_snapshot!(causes(&error), @r#"
    cannot assume the role arn:aws:iam::123456789012:role/arm-deploy of the cell `us-west` as arm-us-west
      help: give credentials that may do `sts:AssumeRole` with it (AWS_PROFILE, `aws sso login`), and look whether its trust policy lets them in with the external id `ours:1` and AWS can be reached from here
    caused by: dispatch failure
    caused by: other
    caused by: an error occurred while loading credentials
    caused by: service error
    caused by: unhandled error (AccessDenied)
    caused by: Error { code: "AccessDenied", message: "User: arn:aws:iam::1:user/ci is not authorized to perform: sts:AssumeRole" }
    "#);
}
