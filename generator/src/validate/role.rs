//! The role that is assumed in a cell, and its external id. Whether it can be assumed, AWS says.

use std::ops::RangeInclusive;

use crate::config::CellConfig;
use crate::diagnostic::{At, Diagnostic};
use crate::model::Role;

use super::Context;

/// Fewest and most characters of an external id. Source: STS API reference, `AssumeRole`, `ExternalId`.
const EXTERNAL_ID_CHARACTERS: RangeInclusive<usize> = 2..=1_224;
/// Most characters of a role's name. Source: IAM API reference, `CreateRole`, `RoleName`.
const NAME_CHARACTERS_MAX: usize = 64;
/// Most characters of a path, with its slashes. Source: the same, `Path`.
const PATH_CHARACTERS_MAX: usize = 512;

/// `None` where there is none, or where what is wrong with it is reported.
pub(super) fn validate(context: &mut Context<'_>, config: &CellConfig) -> Option<Role> {
    if let Some(external_id) = &config.external_id {
        check_external_id(context, external_id);
        if config.role.is_none() {
            let message = "`external_id` belongs to a role, and the cell has none";
            let help = "add `role: arn:aws:iam::ACCOUNT:role/NAME`, or delete it";
            let problem = Diagnostic::error("bad-external-id", &external_id.place, message);
            context.report(problem.help(help));
        }
    }
    let role = config.role.as_ref()?;
    let account = config.account.as_ref();
    let Some(own) = account_of(&role.value) else {
        let message = format!("`{}` is no ARN of an IAM role", role.value);
        let account = account.map_or("123456789012", |it| it.value.as_str());
        let help = format!("write it as IAM shows it: `arn:aws:iam::{account}:role/NAME`");
        context.report(Diagnostic::error("bad-role", &role.place, message).help(help));
        return None;
    };
    if let Some(account) = account.filter(|account| account.value != own) {
        let message = format!("the role is of the account {own}, the cell of {}", account.value);
        let problem = Diagnostic::error("bad-role", &role.place, message)
            .related(&account.place, "the cell's account")
            .help(
                "name a role of the cell's own account; who may assume it, its trust policy says",
            );
        context.report(problem);
    }
    let external_id = config.external_id.as_ref().map(|it| it.value.clone());
    Some(Role { arn: role.value.clone(), external_id })
}

/// The account of a role's ARN; `None` for anything that is no such ARN.
fn account_of(arn: &str) -> Option<&str> {
    let (account, rest) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    let path_and_name = rest.strip_prefix("role/")?;
    let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
    let digits = account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
    let path_fits =
        path.len() + 2 <= PATH_CHARACTERS_MAX && path.bytes().all(|it| it.is_ascii_graphic());
    let name_fits = (1..=NAME_CHARACTERS_MAX).contains(&name.len()) && is_of(name, b"_+=,.@-");
    (digits && path_fits && name_fits).then_some(account)
}

fn check_external_id(context: &mut Context<'_>, external_id: &At<String>) {
    let text = &external_id.value;
    let length = text.chars().count();
    let message = if EXTERNAL_ID_CHARACTERS.contains(&length) {
        if is_of(text, b"_+=,.@:/-") {
            return;
        }
        format!("`{text}` holds a character that STS does not take in an external id")
    } else {
        let than = if length < 2 { "shorter than 2" } else { "longer than 1,224" };
        format!("the external id is {than} characters")
    };
    let help =
        "write 2 to 1,224 letters, digits and `_+=,.@:/-`, as the role's trust policy has them";
    context.report(Diagnostic::error("bad-external-id", &external_id.place, message).help(help));
}

/// ASCII letters, digits and these.
fn is_of(text: &str, others: &[u8]) -> bool {
    text.bytes().all(|it| it.is_ascii_alphanumeric() || others.contains(&it))
}
