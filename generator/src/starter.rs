//! The first files of a fleet, made from a few answers: `arm init`. Pure.
//!
//! An answer is good when the files that it makes read without error or warning, by the very
//! reading that `arm check` does: there is no second validator. To ask for one more thing, add a
//! [`Field`] and write it in [`Answers::fleet_text`] or [`Answers::store_text`].

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::input::{self, Content, InputFile};
use crate::json_schema::modeline;
use crate::model::Aisle;
use crate::scalar::{quoted, written};

/// One thing to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Account,
    Region,
    Cell,
    Endpoint,
    Image,
    Instance,
    Timezone,
    OpsEmail,
    Store,
    Name,
    Email,
}

impl Field {
    /// In the order in which they are asked: later defaults follow from earlier answers.
    pub const ALL: [Self; 11] = [
        Self::Account,
        Self::Region,
        Self::Cell,
        Self::Endpoint,
        Self::Image,
        Self::Instance,
        Self::Timezone,
        Self::OpsEmail,
        Self::Store,
        Self::Name,
        Self::Email,
    ];

    /// The option that answers it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Account => "--account",
            Self::Region => "--region",
            Self::Cell => "--cell",
            Self::Endpoint => "--endpoint",
            Self::Image => "--image",
            Self::Instance => "--instance",
            Self::Timezone => "--timezone",
            Self::OpsEmail => "--ops-email",
            Self::Store => "--store",
            Self::Name => "--name",
            Self::Email => "--email",
        }
    }

    /// What a person is asked; an example that depends on answers is for [`Answers::example`].
    pub fn question(self) -> &'static str {
        match self {
            Self::Account => "AWS account, twelve digits",
            Self::Region => "AWS region",
            Self::Cell => "Short id for this account and region",
            Self::Endpoint => "SageMaker endpoint that watches the video (empty: host an image)",
            Self::Image => "Container image of the model, in Amazon ECR (empty: name an endpoint)",
            Self::Instance => "Type of the instances that run it",
            Self::Timezone => "Time zone of the stores",
            Self::OpsEmail => "E-mail address that is told of errors (empty: nobody)",
            Self::Store => "Id of the first store",
            Self::Name => "Its name, as people say it",
            Self::Email => "E-mail address of those who are alerted in this store",
        }
    }

    /// Whether nothing is an answer too.
    pub fn may_be_empty(self) -> bool {
        matches!(self, Self::Endpoint | Self::Image | Self::OpsEmail)
    }

    /// An answer that is good in itself, for files that are made only to try another.
    fn sample(self) -> &'static str {
        match self {
            Self::Account => "123456789012",
            Self::Region => "us-west-2",
            Self::Cell => "us-west",
            Self::Endpoint | Self::Image => "sample",
            Self::Instance => "ml.g4dn.xlarge",
            Self::Timezone => "America/Los_Angeles",
            Self::OpsEmail | Self::Email => "sample@example.com",
            Self::Store => "store-001",
            Self::Name => "Store",
        }
    }
}

/// What was told so far; what was not is made up, so that every answer can be tried at once.
#[derive(Clone, Debug, Default)]
pub struct Answers(BTreeMap<Field, String>);

impl Answers {
    /// What was told.
    pub fn find(&self, field: Field) -> Option<&str> {
        self.0.get(&field).map(String::as_str)
    }

    /// Whether it must still be told. A model is an endpoint, or an image with its instances.
    pub fn lack(&self, field: Field) -> bool {
        let told = |field| self.0.contains_key(&field);
        match field {
            Field::Endpoint => !told(Field::Endpoint) && !told(Field::Image),
            Field::Image | Field::Instance => !told(Field::Endpoint) && !told(field),
            _ => !told(field),
        }
    }

    /// Takes an answer, or returns what is wrong with it. Quotes around it are not part of it: people
    /// write them because a message shows them so.
    pub fn tell(&mut self, field: Field, answer: &str) -> Result<(), String> {
        let bare = ['"', '\'']
            .into_iter()
            .find_map(|quote| answer.strip_prefix(quote)?.strip_suffix(quote));
        let answer = bare.unwrap_or(answer);
        let mut with = self.clone();
        with.0.insert(field, answer.to_owned());
        if let Some(problem) = with.problem() {
            return Err(problem);
        }
        *self = with;
        Ok(())
    }

    /// What is wrong with the files, as `arm check` sees it.
    fn problem(&self) -> Option<String> {
        let store = self.get(Field::Store);
        let file = |stem: &str, text: String| InputFile {
            name: format!("{stem}.yaml"),
            stem: stem.to_owned(),
            content: Content::Bytes(text.into_bytes()),
        };
        let fleet = file("fleet", self.fleet_text());
        // Nothing is accepted for a time here, so any day does.
        let read = input::read(fleet, vec![file(store, self.store_text())], Date::MIN);
        let problem = read.problems.iter().find(|problem| problem.is_error())?;
        let help = match problem.code {
            // Not of any region: of the one that was told.
            "bad-image" => format!("write `{}`", self.image_example()),
            _ => problem.help.clone(),
        };
        let lead = if help.is_empty() { "" } else { "\n  help: " };
        Some(format!("{}{lead}{help}", problem.message))
    }

    /// An answer as it could be, where the question alone does not show its form.
    pub fn example(&self, field: Field) -> Option<String> {
        (field == Field::Image).then(|| self.image_example())
    }

    fn image_example(&self) -> String {
        let (account, region) = (self.get(Field::Account), self.get(Field::Region));
        format!("{account}.dkr.ecr.{region}.amazonaws.com/repository:tag")
    }

    fn get(&self, field: Field) -> &str {
        self.find(field).unwrap_or(field.sample())
    }

    /// What most people would answer, given the answers before; `None` where nobody can guess.
    pub fn usual(&self, field: Field) -> Option<String> {
        match field {
            Field::Region | Field::Instance => Some(field.sample().to_owned()),
            Field::Store => Some("store-001".to_owned()),
            Field::Cell => {
                let region = self.get(Field::Region);
                Some(region.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-').to_owned())
            }
            Field::Timezone => timezone(self.get(Field::Region)).map(str::to_owned),
            Field::Name => Some(Aisle::name_from(self.get(Field::Store))),
            _ => None,
        }
    }

    /// `fleet.yaml`, in its one layout.
    pub fn fleet_text(&self) -> String {
        let [cell, region, timezone] =
            [Field::Cell, Field::Region, Field::Timezone].map(|field| written(self.get(field)));
        let account = quoted(self.get(Field::Account));
        let ops_email = self.find(Field::OpsEmail).map_or_else(String::new, |email| {
            let comment = "# is told of errors, dead letters and silent cameras";
            format!("\n    ops_email: {} {comment}", written(email))
        });
        let model = match self.find(Field::Image) {
            None => format!("endpoint: {}", written(self.get(Field::Endpoint))),
            Some(image) => {
                let instance = written(self.get(Field::Instance));
                format!("image: {}\n  instance: {instance}", written(image))
            }
        };
        let modeline = modeline("fleet");
        format!(
            "\
{modeline}
# What all stores share. A store's own file counts first, then this.

# Where stores are deployed to: accounts and regions, each with up to 200 stores.
cells:
  {cell}:
    account: {account}
    region: {region}{ops_email}

# What watches the video.
model:
  {model}

# Who can be told. Each store says by what, under `subscribers`.
audiences: [loss-prevention]

defaults:
  cell: {cell}
  timezone: {timezone}
  # Tried from top to bottom; the first that matches wins. A store's own rules come before these.
  rules:
    # Whatever is seen while nobody should be in the store; see the store's `hours`.
    - name: after-hours
      when: {{ min_confidence: 0.5, period: closed }}
      priority: critical
      notify: [loss-prevention]
    - name: shelf-sweep
      when: {{ event_type: shelf_sweep }}
      priority: high
      notify: [loss-prevention]
    - name: concealment
      when: {{ event_type: concealment, min_confidence: 0.7 }}
      priority: medium
      notify: [loss-prevention]
"
        )
    }

    /// The first store's file, in its one layout.
    pub fn store_text(&self) -> String {
        let [store, name, email] =
            [Field::Store, Field::Name, Field::Email].map(|field| written(self.get(field)));
        let modeline = modeline(self.get(Field::Store));
        format!(
            "\
{modeline}
# The first store. Give it your own hours, aisles and cameras; `arm check` says what does not fit.
store: {store} # equals the file's name
name: {name}
# When customers may be in the store. Days that are not named are closed.
hours: {{ mon-sat: 08:00-22:00, sun: 10:00-20:00 }}

aisles:
  - {{ id: aisle-1, name: Aisle 1, kind: high-value }}
  - {{ id: entrance, name: Entrance }}

# Each is one Kinesis video stream, and looks at one aisle.
cameras:
  - {{ id: aisle-1-a, aisle: aisle-1 }}
  - {{ id: aisle-1-b, aisle: aisle-1 }}
  # Its video is kept at all times, and watched while the store is closed.
  - {{ id: entrance-a, aisle: entrance, watch: {{ when: closed }} }}

# Besides `email` there are `sms`, `push` and `https`. An address that shall not stand here can be
# kept in a parameter or a secret: `ssm:/path` or `secret:name` in its place.
subscribers:
  - {{ audience: loss-prevention, email: {email} }}
"
        )
    }
}

/// The time zone of the place that a region is named for. Source: AWS, "Regions and Availability
/// Zones", <https://aws.amazon.com/about-aws/global-infrastructure/regions_az/>.
fn timezone(region: &str) -> Option<&'static str> {
    let zone = match region {
        "ap-east-1" => "Asia/Hong_Kong",
        "ap-northeast-1" => "Asia/Tokyo",
        "ap-northeast-2" => "Asia/Seoul",
        "ap-south-1" => "Asia/Kolkata",
        "ap-southeast-1" => "Asia/Singapore",
        "ap-southeast-2" => "Australia/Sydney",
        "ap-southeast-5" => "Asia/Kuala_Lumpur",
        "ca-central-1" => "America/Toronto",
        "eu-central-1" => "Europe/Berlin",
        "eu-south-2" => "Europe/Madrid",
        "eu-west-1" => "Europe/Dublin",
        "eu-west-2" => "Europe/London",
        "eu-west-3" => "Europe/Paris",
        "il-central-1" => "Asia/Jerusalem",
        "sa-east-1" => "America/Sao_Paulo",
        "us-east-1" | "us-east-2" => "America/New_York",
        "us-west-2" => "America/Los_Angeles",
        _ => return None,
    };
    Some(zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Sources;
    use crate::layout::layout;
    use crate::schema::{FLEET, STORE};

    const IMAGE: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shelf:1";

    fn told(answers: &[(Field, &str)]) -> Answers {
        let mut told = Answers::default();
        for (field, answer) in answers {
            told.tell(*field, answer).unwrap();
        }
        told
    }

    #[test]
    fn what_is_made_is_laid_out_and_has_no_problem() {
        let hosted = [(Field::Region, "eu-west-1"), (Field::Image, IMAGE)];
        let named = [(Field::OpsEmail, "ops@example.com"), (Field::Name, "No: 1, & \u{df}")];
        for answers in [told(&[]), told(&hosted), told(&named)] {
            assert_eq!(answers.problem(), None);
            let file = Sources::default().add(String::new(), String::new());
            for (text, noun) in [(answers.fleet_text(), &FLEET), (answers.store_text(), &STORE)] {
                assert_eq!(layout(file, &text, noun).unwrap(), text);
            }
        }
    }

    #[test]
    fn an_answer_is_refused_as_check_refuses_it() {
        let wrong = [
            (Field::Account, "12"),
            (Field::Region, "us-west"),
            (Field::Cell, "US West"),
            (Field::Endpoint, "-x"),
            (Field::Image, IMAGE),
            (Field::Instance, "g4dn.xlarge"),
            (Field::Timezone, "Pacific"),
            (Field::OpsEmail, "ops"),
            (Field::Store, "gw-1"),
            (Field::Name, "<b>\n"),
            (Field::Email, "a: b # c"),
        ];
        let refused = wrong.map(|(field, answer)| {
            let mut answers = Answers::default();
            if field == Field::Instance {
                answers.tell(Field::Image, &IMAGE.replace("eu-west-1", "us-west-2")).unwrap();
            }
            format!("{}: {}", field.flag(), answers.tell(field, answer).unwrap_err())
        });
        insta::assert_snapshot!(refused.join("\n"));
    }

    #[test]
    fn defaults_follow_from_what_was_told() {
        let answers = told(&[(Field::Region, "eu-west-1"), (Field::Store, "cork-012")]);
        let defaults = Field::ALL.map(|field| answers.usual(field).unwrap_or_default());
        assert_eq!(
            defaults.join(" | "),
            " | us-west-2 | eu-west |  |  | ml.g4dn.xlarge | Europe/Dublin |  | store-001 | Cork 012 | "
        );
        assert!(answers.lack(Field::Endpoint) && answers.lack(Field::Image));
        let hosted = told(&[(Field::Endpoint, "shelf")]);
        assert!(!hosted.lack(Field::Image) && !hosted.lack(Field::Instance));
    }
}
