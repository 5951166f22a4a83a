//! The messages as the protocol has them (cucumber/messages, `messages.schema.json`): names and shapes are its own.
//! Only what is used here.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::gherkin_document::Document;

/// The version of the protocol that this is written to.
pub(super) const PROTOCOL: &str = "34.2.1";

/// What stands on one line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Envelope<'a> {
    Meta(Meta<'a>),
    Source(Source<'a>),
    GherkinDocument(&'a Document),
    Pickle(Pickle<'a>),
    StepDefinition(StepDefinition<'a>),
    Hook(Hook<'a>),
    TestRunStarted(TestRunStarted),
    TestCase(TestCase<'a>),
    TestCaseStarted(TestCaseStarted),
    TestStepStarted(TestStepStarted),
    Attachment(Attachment<'a>),
    TestStepFinished(TestStepFinished),
    TestCaseFinished(TestCaseFinished),
    TestRunHookStarted(TestRunHookStarted),
    TestRunHookFinished(TestRunHookFinished),
    TestRunFinished(TestRunFinished),
}

/// Unique in a stream. A number, which the protocol wants as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(usize);

/// Gives out IDs, each once.
#[derive(Default)]
pub(super) struct Ids(usize);

impl Ids {
    pub fn next(&mut self) -> Id {
        self.0 += 1;
        Id(self.0)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta<'a> {
    pub protocol_version: &'static str,
    pub implementation: Product<'a>,
    pub runtime: Product<'a>,
    pub os: Product<'a>,
    pub cpu: Product<'a>,
}

#[derive(Serialize)]
pub(super) struct Product<'a> {
    pub name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Source<'a> {
    pub uri: &'a str,
    pub data: &'a str,
    pub media_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pickle<'a> {
    pub id: Id,
    pub uri: &'a str,
    pub location: Location,
    pub ast_node_ids: Vec<Id>,
    pub name: &'a str,
    pub language: &'a str,
    pub steps: Vec<PickleStep<'a>>,
    pub tags: Vec<PickleTag<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PickleStep<'a> {
    pub id: Id,
    pub text: &'a str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub ast_node_ids: Vec<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argument: Option<PickleArgument<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PickleArgument<'a> {
    pub data_table: PickleTable<'a>,
}

#[derive(Serialize)]
pub(super) struct PickleTable<'a> {
    pub rows: Vec<PickleRow<'a>>,
}

#[derive(Serialize)]
pub(super) struct PickleRow<'a> {
    pub cells: Vec<PickleCell<'a>>,
}

#[derive(Serialize)]
pub(super) struct PickleCell<'a> {
    pub value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PickleTag<'a> {
    pub name: &'a str,
    pub ast_node_id: Id,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StepDefinition<'a> {
    pub id: Id,
    pub pattern: Pattern<'a>,
    pub source_reference: SourceReference<'a>,
}

#[derive(Serialize)]
pub(super) struct Pattern<'a> {
    pub source: &'a str,
    #[serde(rename = "type")]
    pub kind: &'static str,
}

#[derive(Serialize)]
pub(super) struct SourceReference<'a> {
    pub uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Line>,
}

/// A place of which only the line is known.
#[derive(Serialize)]
pub(super) struct Line {
    pub line: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Location {
    pub line: usize,
    pub column: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hook<'a> {
    pub id: Id,
    pub name: &'a str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub source_reference: SourceReference<'a>,
}

#[derive(Serialize)]
pub(super) struct TestRunStarted {
    pub id: Id,
    pub timestamp: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestCase<'a> {
    pub id: Id,
    pub pickle_id: Id,
    pub test_steps: Vec<TestStep<'a>>,
    pub test_run_started_id: Id,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestStep<'a> {
    pub id: Id,
    pub pickle_step_id: Id,
    pub step_definition_ids: Vec<Id>,
    pub step_match_arguments_lists: Vec<Arguments<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments<'a> {
    pub step_match_arguments: Vec<Argument<'a>>,
}

#[derive(Serialize)]
pub(super) struct Argument<'a> {
    pub group: Group<'a>,
}

#[derive(Serialize)]
pub(super) struct Group<'a> {
    pub start: usize,
    pub value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestCaseStarted {
    pub id: Id,
    pub test_case_id: Id,
    pub timestamp: Timestamp,
    pub attempt: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestStepStarted {
    pub test_case_started_id: Id,
    pub test_step_id: Id,
    pub timestamp: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestStepFinished {
    pub test_case_started_id: Id,
    pub test_step_id: Id,
    pub test_step_result: TestStepResult,
    pub timestamp: Timestamp,
}

#[derive(Serialize)]
pub(super) struct TestStepResult {
    pub status: Status,
    pub duration: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
}

#[derive(Serialize)]
pub(super) struct Exception {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub message: String,
}

/// The statuses that are used here. `UNDEFINED` and `AMBIGUOUS` never are: such steps are refused before anything is
/// played. `UNKNOWN` is not either: readers rank it below `PASSED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Status {
    Passed,
    Skipped,
    Pending,
    Failed,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestCaseFinished {
    pub test_case_started_id: Id,
    pub timestamp: Timestamp,
    pub will_be_retried: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment<'a> {
    pub body: &'a str,
    pub content_encoding: &'static str,
    pub media_type: &'static str,
    pub test_case_started_id: Id,
    pub test_step_id: Id,
    pub timestamp: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestRunHookStarted {
    pub id: Id,
    pub test_run_started_id: Id,
    pub hook_id: Id,
    pub timestamp: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestRunHookFinished {
    pub test_run_hook_started_id: Id,
    pub result: TestStepResult,
    pub timestamp: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestRunFinished {
    pub success: bool,
    pub timestamp: Timestamp,
    pub message: String,
    pub test_run_started_id: Id,
}

/// A moment, as seconds since 1970 and what is over.
#[derive(Serialize)]
pub(super) struct Timestamp {
    seconds: i64,
    nanos: u32,
}

#[derive(Serialize)]
pub(super) struct Duration {
    seconds: u64,
    nanos: u32,
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self { seconds: at.timestamp(), nanos: at.timestamp_subsec_nanos() }
    }
}

impl From<std::time::Duration> for Duration {
    fn from(of: std::time::Duration) -> Self {
        Self { seconds: of.as_secs(), nanos: of.subsec_nanos() }
    }
}
