//! A feature file as a tree: the GherkinDocument of the protocol.

use serde::Serialize;

use super::envelope::{Id, Location};

#[derive(Serialize)]
pub(super) struct Document {
    pub uri: String,
    pub feature: Feature,
    pub comments: Vec<Comment>,
}

#[derive(Serialize)]
pub(super) struct Feature {
    pub location: Location,
    pub tags: Vec<Tag>,
    pub language: String,
    pub keyword: String,
    pub name: String,
    pub description: String,
    pub children: Vec<Child>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Child {
    Background(Background),
    Scenario(Scenario),
    Rule(Rule),
}

#[derive(Serialize)]
pub(super) struct Rule {
    pub id: Id,
    pub location: Location,
    pub tags: Vec<Tag>,
    pub keyword: String,
    pub name: String,
    pub description: String,
    pub children: Vec<Child>,
}

#[derive(Serialize)]
pub(super) struct Background {
    pub id: Id,
    pub location: Location,
    pub keyword: String,
    pub name: String,
    pub description: String,
    pub steps: Vec<Step>,
}

#[derive(Serialize)]
pub(super) struct Scenario {
    pub id: Id,
    pub location: Location,
    pub tags: Vec<Tag>,
    pub keyword: String,
    pub name: String,
    pub description: String,
    pub steps: Vec<Step>,
    pub examples: Vec<Examples>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Examples {
    pub id: Id,
    pub location: Location,
    pub tags: Vec<Tag>,
    pub keyword: String,
    pub name: String,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_header: Option<Row>,
    pub table_body: Vec<Row>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    pub id: Id,
    pub location: Location,
    pub keyword: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword_type: Option<&'static str>,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc_string: Option<DocString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_table: Option<DataTable>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DocString {
    pub location: Location,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    pub content: String,
    pub delimiter: &'static str,
}

#[derive(Serialize)]
pub(super) struct DataTable {
    pub location: Location,
    pub rows: Vec<Row>,
}

#[derive(Serialize)]
pub(super) struct Row {
    pub id: Id,
    pub location: Location,
    pub cells: Vec<Cell>,
}

#[derive(Serialize)]
pub(super) struct Cell {
    pub location: Location,
    pub value: String,
}

#[derive(Clone, Serialize)]
pub(super) struct Tag {
    pub id: Id,
    pub location: Location,
    pub name: String,
}

#[derive(Serialize)]
pub(super) struct Comment {
    pub location: Location,
    pub text: String,
}
