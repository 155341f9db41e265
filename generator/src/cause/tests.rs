//! Stories of stacks as CloudFormation tells them, and what is made of them.

use super::*;

const STACK: &str = "arm-us-west-store-seattle-001";

/// Events from lines of `logical id`, `status`, `reason`; `=` is the stack itself.
fn events(lines: &[(&str, &str, &str)]) -> Vec<StackEvent> {
    let event = |(place, (logical_id, status, reason)): (usize, &(&str, &str, &str))| {
        let is_own = *logical_id == "=";
        let resource_type = if is_own { STACK_TYPE } else { "AWS::KinesisVideo::Stream" };
        StackEvent {
            id: place.to_string(),
            logical_id: if is_own { STACK } else { logical_id }.to_owned(),
            resource_type: resource_type.to_owned(),
            status: (*status).to_owned(),
            reason: (*reason).to_owned(),
            at_ms: i64::try_from(place).unwrap(),
            token: String::new(),
        }
    };
    lines.iter().enumerate().map(event).collect()
}

fn cause(lines: &[(&str, &str, &str)]) -> String {
    first_cause(STACK, &events(lines)).map_or("none".to_owned(), |it| it.to_string())
}

#[test]
fn the_first_failure_that_was_not_a_cancellation_is_the_cause_in_its_own_words() {
    let story = [
        ("=", "REVIEW_IN_PROGRESS", "User Initiated"),
        ("=", "CREATE_IN_PROGRESS", "User Initiated"),
        ("CameraB", "CREATE_FAILED", "Resource creation cancelled"),
        (
            "CameraA",
            "CREATE_FAILED",
            "Resource handler returned message: \"Limit exceeded\n (Service: KinesisVideo)\"",
        ),
        ("CameraC", "CREATE_FAILED", "Resource creation canceled."),
        ("=", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [CameraA]."),
        ("CameraA", "DELETE_COMPLETE", ""),
        ("=", "ROLLBACK_COMPLETE", ""),
    ];
    assert_eq!(
        cause(&story),
        "CameraA (AWS::KinesisVideo::Stream): Resource handler returned message: \"Limit exceeded \
         (Service: KinesisVideo)\""
    );
    assert_eq!(since_ms(STACK, &events(&story)), Some(7));
}

#[test]
fn a_job_that_was_cancelled_elsewhere_is_a_cause() {
    let story = [
        ("=", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("CameraA", "UPDATE_FAILED", "the job was cancelled"),
    ];
    assert_eq!(cause(&story), "CameraA (AWS::KinesisVideo::Stream): the job was cancelled");
}

#[test]
fn an_earlier_operation_is_not_the_cause_of_the_latest() {
    let story = [
        ("=", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("CameraA", "UPDATE_FAILED", "old"),
        (
            "=",
            "UPDATE_ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to update: [CameraA].",
        ),
        ("=", "UPDATE_ROLLBACK_COMPLETE", ""),
        ("=", "UPDATE_IN_PROGRESS", "User Initiated"),
    ];
    assert_eq!(cause(&story), "none");
    assert_eq!(cause(&story[..4]), "CameraA (AWS::KinesisVideo::Stream): old");
}

#[test]
fn a_rollback_that_a_person_asked_for_is_an_operation_of_its_own() {
    let story = [
        ("=", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("CameraA", "UPDATE_FAILED", "first"),
        (
            "=",
            "UPDATE_ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to update: [CameraA].",
        ),
        ("CameraB", "UPDATE_FAILED", "not rolled back"),
        ("CameraC", "UPDATE_FAILED", "Resource update cancelled"),
        ("=", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [CameraB]."),
        ("=", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        ("CameraB", "UPDATE_FAILED", "still not"),
        ("=", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [CameraB]."),
    ];
    assert_eq!(cause(&story[..6]), "CameraA (AWS::KinesisVideo::Stream): first");
    assert_eq!(cause(&story), "CameraB (AWS::KinesisVideo::Stream): still not");
}

#[test]
fn a_rollback_that_went_well_has_no_cause() {
    let story = [
        ("=", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [CameraB]."),
        ("=", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        ("=", "UPDATE_ROLLBACK_COMPLETE", ""),
    ];
    assert_eq!(cause(&story), "none");
}

#[test]
fn an_update_that_failed_and_was_left_so_is_the_cause_until_a_person_takes_it_back() {
    let story = [
        ("=", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("CameraA", "UPDATE_FAILED", "first"),
        ("=", "UPDATE_FAILED", "The following resource(s) failed to update: [CameraA]."),
        ("=", "UPDATE_ROLLBACK_IN_PROGRESS", ""),
        ("=", "UPDATE_ROLLBACK_COMPLETE", ""),
    ];
    assert_eq!(cause(&story), "CameraA (AWS::KinesisVideo::Stream): first");
}

#[test]
fn an_alarm_that_stopped_an_update_is_the_cause() {
    let alarm =
        "Rollback triggered because the alarm arm-us-west-seattle-001-cameras-offline fired";
    let story = [
        ("=", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("CameraA", "UPDATE_FAILED", "Resource update cancelled"),
        ("=", "UPDATE_ROLLBACK_IN_PROGRESS", alarm),
        ("CameraB", "UPDATE_FAILED", "not rolled back"),
        ("=", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [CameraB]."),
    ];
    assert_eq!(cause(&story), format!("{STACK} ({STACK_TYPE}): {alarm}"));
}

#[test]
fn where_all_was_cancelled_the_stack_says_why() {
    let summary = "The following resource(s) failed to create: [CameraA]. Creation was cancelled";
    let story = [
        ("=", "CREATE_IN_PROGRESS", "User Initiated"),
        ("CameraA", "CREATE_FAILED", "Resource creation cancelled"),
        ("=", "ROLLBACK_IN_PROGRESS", summary),
    ];
    assert_eq!(cause(&story), format!("{STACK} ({STACK_TYPE}): {summary}"));
}

#[test]
fn culprits_are_what_failed_in_the_rollback_alone_and_did_not_succeed_later() {
    let story = [
        ("=", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("CameraA", "UPDATE_FAILED", "failed in the update"),
        (
            "=",
            "UPDATE_ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to update: [CameraA].",
        ),
        ("CameraA", "UPDATE_COMPLETE", ""),
        ("CameraB", "UPDATE_IN_PROGRESS", ""),
        ("CameraB", "UPDATE_FAILED", "gone"),
        ("CameraC", "UPDATE_FAILED", "Resource update cancelled"),
        ("CameraD", "UPDATE_FAILED", "once"),
        ("CameraD", "UPDATE_IN_PROGRESS", ""),
        ("CameraD", "UPDATE_COMPLETE", ""),
        ("=", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [CameraB]."),
    ];
    let names: Vec<_> =
        culprits(STACK, &events(&story)).into_iter().map(|it| it.logical_id).collect();
    assert_eq!(names, ["CameraB"]);
}

#[test]
fn what_a_validation_found_stands_for_the_pointer_to_it() {
    let reason = "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. \
                  To troubleshoot Early Validation errors, use the DescribeEvents API for detailed \
                  failure information.";
    assert!(lacks_detail(reason));
    assert_eq!(refusal(reason, &[]), reason);
    let found = [
        StackEvent { status: "CREATE_IN_PROGRESS".to_owned(), ..StackEvent::default() },
        StackEvent {
            logical_id: "CameraA".to_owned(),
            status: VALIDATION_FAILED.to_owned(),
            reason: "#/DataRetentionInHours: expected at most 87600".to_owned(),
            ..StackEvent::default()
        },
    ];
    assert_eq!(refusal(reason, &found), "CameraA: #/DataRetentionInHours: expected at most 87600");
    let in_events =
        events(&[("=", "CREATE_IN_PROGRESS", ""), ("CameraA", VALIDATION_FAILED, "no")]);
    let told = first_cause(STACK, &in_events).unwrap();
    assert_eq!(told.to_string(), "CameraA (AWS::KinesisVideo::Stream): no");
}
