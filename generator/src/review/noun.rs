//! What people call the resources of a stack: "the queue `arm-us-west-evidence`".
//!
//! Owns the one spelling of intrinsic functions that policies are compared in, [`Nouns::text`]: an
//! ARN that names a resource of the stack and an ARN that is written out are the same text. What is
//! shown names no store. Pure. To teach it another type, add a line to `KINDS`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::STORE;
use crate::change::resource_type::words;
use crate::name::{CAMERA_TAG, CELL_TAG, STORE_TAG};
use crate::template::Template;

/// Type, its property that holds the name, what people call it, and what the ARN has before and
/// after the name. Source: AWS service authorization reference, "Resource types defined by".
const KINDS: [(&str, &str, &str, &str, &str); 12] = [
    ("AWS::DynamoDB::Table", "TableName", "table", "dynamodb:R:A:table/", ""),
    ("AWS::Events::EventBus", "Name", "event bus", "events:R:A:event-bus/", ""),
    ("AWS::IAM::Role", "RoleName", "role", "iam::A:role/", ""),
    ("AWS::IoT::Policy", "PolicyName", "IoT policy", "iot:R:A:policy/", ""),
    ("AWS::IoT::RoleAlias", "RoleAlias", "role alias", "iot:R:A:rolealias/", ""),
    ("AWS::KMS::Key", "", "key", "", ""),
    ("AWS::KinesisVideo::Stream", "Name", "video stream", "", ""),
    ("AWS::Lambda::Function", "FunctionName", "function", "lambda:R:A:function:", ""),
    // The attribute `Arn` of a log group ends so.
    ("AWS::Logs::LogGroup", "LogGroupName", "log group", "logs:R:A:log-group:", ":*"),
    ("AWS::S3::Bucket", "BucketName", "bucket", "s3:::", ""),
    ("AWS::SNS::Topic", "TopicName", "topic", "sns:R:A:", ""),
    ("AWS::SQS::Queue", "QueueName", "queue", "sqs:R:A:", ""),
];

/// The stack's own region in texts.
const REGION: &str = "${Region}";

/// The resources of one template, as people call them.
pub(super) struct Nouns<'a> {
    resources: BTreeMap<&'a str, &'a Value>,
    /// Alias of a key by the key's logical id.
    aliases: BTreeMap<&'a str, &'a str>,
    cell: Option<&'a str>,
    store: Option<&'a str>,
    account: Option<&'a str>,
}

impl<'a> Nouns<'a> {
    /// `account` is the stack's own, where it is known.
    pub(super) fn new(template: &'a Template, account: Option<&'a str>) -> Self {
        let resources: BTreeMap<_, _> = template.resources().collect();
        let aliases = resources.values().filter(|it| kind(it) == "AWS::KMS::Alias");
        let aliases = aliases.filter_map(|alias| {
            let key = alias.pointer("/Properties/TargetKeyId/Ref")?.as_str()?;
            Some((key, alias.pointer("/Properties/AliasName")?.as_str()?))
        });
        let (aliases, tag) =
            (aliases.collect(), |key| resources.values().find_map(|it| tag(it, key)));
        let (cell, store) = (tag(CELL_TAG), tag(STORE_TAG));
        Self { resources, aliases, cell, store, account }
    }

    pub(super) fn resource(&self, logical_id: &str) -> Option<&'a Value> {
        self.resources.get(logical_id).copied()
    }

    pub(super) fn is_store(&self) -> bool {
        self.store.is_some()
    }

    /// A value as text: intrinsic functions resolved as far as the template tells, `${...}` elsewhere.
    pub(super) fn text(&self, value: &Value) -> String {
        let Some((function, given)) = value.as_object().and_then(|it| it.iter().next()) else {
            return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        };
        let texts = |it: &Value| match it {
            Value::Array(all) => all.iter().map(|it| self.text(it)).collect::<Vec<_>>(),
            one => vec![self.text(one)],
        };
        match (function.as_str(), given) {
            ("Ref", Value::String(name)) => self.reference(name),
            ("Fn::GetAtt", Value::String(path)) => self.placeholder(path),
            ("Fn::GetAtt", path) => self.placeholder(&texts(path).join(".")),
            ("Fn::Sub", Value::String(text)) => self.substituted(text, None),
            ("Fn::Sub", Value::Array(parts)) => match &parts[..] {
                [Value::String(text), variables] => self.substituted(text, Some(variables)),
                _ => value.to_string(),
            },
            ("Fn::Join", Value::Array(parts)) => match &parts[..] {
                [Value::String(between), list] => texts(list).join(between),
                _ => value.to_string(),
            },
            _ => value.to_string(),
        }
    }

    /// `${...}` of a text for `Fn::Sub` replaced; `${!x}` is a variable of IAM's, `${x}`.
    fn substituted(&self, text: &str, variables: Option<&Value>) -> String {
        let mut parts = text.split("${");
        let mut result = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let Some((name, rest)) = part.split_once('}') else {
                result.extend(["${", part]);
                continue;
            };
            let given = variables.and_then(|it| it.get(name)).map(|it| self.text(it));
            match name.strip_prefix('!') {
                Some(literal) => result.extend(["${", literal, "}"]),
                None => result += &given.unwrap_or_else(|| self.placeholder(name)),
            }
            result += rest;
        }
        result
    }

    /// What `${path}` stands for: a reference, or an attribute.
    fn placeholder(&self, path: &str) -> String {
        let Some((id, attribute)) = path.split_once('.') else { return self.reference(path) };
        let is_arn = ["Arn", "RoleAliasArn", "TopicArn"].contains(&attribute);
        let arn = if is_arn { self.arn(id) } else { None };
        arn.unwrap_or_else(|| format!("${{{path}}}"))
    }

    fn reference(&self, id: &str) -> String {
        match id {
            // A template is for one partition; written out, it is this one but for China and GovCloud.
            "AWS::Partition" => return "aws".to_owned(),
            "AWS::AccountId" => return self.own_account().to_owned(),
            "AWS::Region" => return REGION.to_owned(),
            _ => {}
        }
        let is_topic = self.resource(id).is_some_and(|it| kind(it) == "AWS::SNS::Topic");
        let found = if is_topic { self.arn(id) } else { self.name(id) };
        found.unwrap_or_else(|| format!("${{{id}}}"))
    }

    /// The physical name, where the template states it.
    pub(super) fn name(&self, id: &str) -> Option<String> {
        let resource = self.resource(id)?;
        let (_, property, ..) = KINDS.iter().find(|it| it.0 == kind(resource))?;
        Some(self.text(resource.get("Properties")?.get(property)?))
    }

    /// The ARN, where the template tells it.
    fn arn(&self, id: &str) -> Option<String> {
        let (_, _, _, before, after) =
            KINDS.iter().find(|it| Some(it.0) == self.resource(id).map(kind))?;
        let name = self.name(id).filter(|_| !before.is_empty())?;
        let mut parts = before.splitn(4, ':');
        let mut next = |long| match parts.next() {
            Some("R" | "A") => long,
            other => other.unwrap_or_default(),
        };
        let (service, region) = (next(""), next(REGION));
        let (account, rest) = (next(self.own_account()), next(""));
        Some(format!("arn:aws:{service}:{region}:{account}:{rest}{name}{after}"))
    }

    /// A resource by its logical id, such as "the queue `arm-us-west-evidence`".
    pub(super) fn of(&self, id: &str) -> String {
        let Some(resource) = self.resource(id) else { return format!("`{id}`") };
        if let Some(camera) = tag(resource, CAMERA_TAG) {
            return format!("the stream of camera `{camera}`");
        }
        if kind(resource) == "AWS::SNS::Subscription"
            && let Some(endpoint) = resource.pointer("/Properties/Endpoint")
        {
            return format!("the subscription of `{}`", self.shown(&self.text(endpoint)));
        }
        let alias = self.aliases.get(id).map(|it| (*it).to_owned());
        let name = self.shown(&self.name(id).or(alias).unwrap_or_else(|| id.to_owned()));
        match KINDS.iter().find(|it| it.0 == kind(resource)) {
            Some((_, _, noun, ..)) => format!("the {noun} `{name}`"),
            None => match words(kind(resource)) {
                Some(words) => format!("the {} `{id}`", words.one),
                None => format!("`{id}` ({})", kind(resource)),
            },
        }
    }

    /// The same; a role by what it is for.
    pub(super) fn called(&self, id: &str) -> String {
        let is_role = self.resource(id).is_some_and(|it| kind(it) == "AWS::IAM::Role");
        match self.name(id).filter(|_| is_role) {
            Some(name) => self.of_role(&name),
            None => self.of(id),
        }
    }

    /// What a text of [`Self::text`] that means a resource is called.
    pub(super) fn of_text(&self, text: &str) -> String {
        if text == "*" {
            return "every resource".to_owned();
        }
        if let Some((path, rest)) = text.strip_prefix("${").and_then(|it| it.split_once('}')) {
            let id = path.split('.').next().unwrap_or_default();
            if self.resource(id).is_some() {
                let of = self.of(id);
                return if rest.is_empty() {
                    of
                } else {
                    format!("`{}` of {of}", self.shown(rest))
                };
            }
            if rest.is_empty() {
                return format!("`{id}`");
            }
        }
        let parts: Vec<_> = text.splitn(6, ':').collect();
        let [_, _, service, _, account, rest] = parts[..] else {
            return format!("`{}`", self.shown(text));
        };
        let noun = self.of_arn(service, rest).unwrap_or_else(|| format!("`{}`", self.shown(text)));
        if self.is_foreign(account) {
            return format!("{noun} of the account `{account}`");
        }
        noun
    }

    fn of_arn(&self, service: &str, rest: &str) -> Option<String> {
        let called = |noun: &str, name: &str| format!("the {noun} `{}`", self.shown(name));
        let rest = rest.strip_suffix(":*").unwrap_or(rest);
        let (kind, name) = rest.split_once(['/', ':']).unwrap_or(("", rest));
        let noun = match (service, kind) {
            ("sqs", "") => called("queue", rest),
            ("sns", "") => called("topic", rest),
            ("s3", "") => called("bucket", rest),
            ("s3", bucket) if name == "*" => format!("everything in {}", called("bucket", bucket)),
            ("s3", bucket) => format!("`{}` in {}", self.shown(name), called("bucket", bucket)),
            ("dynamodb", "table") => match name.split_once('/') {
                None => called("table", name),
                Some((table, part)) => format!("`{part}` of {}", called("table", table)),
            },
            ("iam", "role") => self.of_role(name),
            ("iam", "") if rest == "root" => "this account".to_owned(),
            ("lambda", "function") => called("function", name),
            ("logs", "log-group") => called("log group", name),
            ("events", "event-bus") => called("event bus", name),
            ("events", "rule") => called("rule", name),
            ("kms", "alias") => called("key", rest),
            ("kms", "key") => called("key", name),
            ("iot", "rolealias") => called("role alias", name),
            ("kinesisvideo", "stream") => called("video stream", name),
            ("sagemaker", "endpoint") => called("endpoint", name),
            ("ecr", "repository") => called("repository", name),
            _ => return None,
        };
        Some(noun)
    }

    /// The role of a function is called by the function's short name.
    pub(super) fn of_role(&self, name: &str) -> String {
        let prefix = self.cell.map(|cell| format!("arm-{cell}-"));
        match prefix.and_then(|prefix| name.strip_prefix(prefix.as_str())) {
            Some(short) => format!("the role of `{}`", self.shown(short)),
            None => format!("the role `{}`", self.shown(name)),
        }
    }

    /// The stack's own account in texts.
    pub(super) fn own_account(&self) -> &'a str {
        self.account.unwrap_or("${AccountId}")
    }

    /// Whether this is an account other than the stack's own.
    pub(super) fn is_foreign(&self, account: &str) -> bool {
        let is_number = account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
        is_number && self.account != Some(account)
    }

    /// A name without what differs from store to store, or goes without saying.
    pub(super) fn shown(&self, text: &str) -> String {
        let text = text.replace(&format!("-{}-{REGION}", self.own_account()), "");
        let (Some(cell), Some(store)) = (self.cell, self.store) else { return text };
        replaced(&text, &format!("arm-{cell}-{store}"), &format!("arm-{cell}-{STORE}"))
    }
}

/// Replaces a name where it stands for itself, not inside of another word.
pub(super) fn replaced(text: &str, name: &str, by: &str) -> String {
    let mut out = String::new();
    let (mut rest, mut last) = (text, None);
    while let Some(at) = rest.find(name).filter(|_| !name.is_empty()) {
        let (head, tail) = rest.split_at(at);
        let tail = tail.get(name.len()..).unwrap_or_default();
        let before = head.chars().next_back().or(last);
        let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let stands_alone = !is_word(before) && !is_word(tail.chars().next());
        out.push_str(head);
        out.push_str(if stands_alone { by } else { name });
        last = name.chars().next_back();
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// A resource's type.
pub(super) fn kind(resource: &Value) -> &str {
    resource.get("Type").and_then(Value::as_str).unwrap_or_default()
}

/// The value of one of a resource's tags.
pub(super) fn tag<'a>(resource: &'a Value, key: &str) -> Option<&'a str> {
    let tags = resource.pointer("/Properties/Tags")?.as_array()?;
    let found = tags.iter().find(|it| it.get("Key").and_then(Value::as_str) == Some(key))?;
    found.get("Value")?.as_str()
}

/// Most names that a sentence holds. Our choice: what is read at a glance.
const NAMES_MAX: usize = 5;

/// "a", "a and b", "a, b and c"; of many the first five "and N more".
pub(super) fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMES_MAX);
    let shown: Vec<_> = names.iter().take(NAMES_MAX).map(String::as_str).collect();
    match (&shown[..], more) {
        ([], _) => String::new(),
        ([only], 0) => (*only).to_owned(),
        ([most @ .., last], 0) => format!("{} and {last}", most.join(", ")),
        (all, more) => format!("{} and {more} more", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_replaced_only_where_it_stands_for_itself() {
        let text = "https://hooks.example.com/s-01/floor?x=s-012&y=as-01,s-01";
        let expected = "https://hooks.example.com/<store>/floor?x=s-012&y=as-01,<store>";
        assert_eq!(replaced(text, "s-01", STORE), expected);
        assert_eq!(replaced("aaa", "a", "b"), "aaa");
        assert_eq!(replaced("x", "", "b"), "x");
    }
}
