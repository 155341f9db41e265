//! Who is not told of a store's incidents: the files' addresses beside the subscriptions of its topic.
//!
//! An address that is kept outside git is never shown, only where it is kept; of several of a channel it
//! is not known which is whose. Pure.

use std::collections::BTreeSet;

use crate::diagnostic::cover;
use crate::model::{Address, Channel, Endpoint, Store};

/// A subscription as SNS lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Such as `email`.
    pub protocol: String,
    pub endpoint: String,
    pub is_confirmed: bool,
}

/// Somebody who is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    pub channel: Channel,
    pub audiences: BTreeSet<String>,
    /// The addresses that may be meant, as the files have them, without passwords.
    pub addresses: Vec<String>,
    /// How many of them.
    pub number: usize,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// SNS asked, and there is no answer yet.
    Unconfirmed,
    /// There is no subscription; SNS also deletes one that nobody confirms.
    Unsubscribed,
}

impl Why {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

/// Who of a store is not told.
pub fn unreached(store: &Store, subscriptions: &[Subscription]) -> Vec<Unreached> {
    let mut left: Vec<&Subscription> = subscriptions.iter().collect();
    let (mut found, mut stored) = (Vec::new(), Vec::new());
    for address in store.addresses() {
        let Endpoint::Literal(text) = address.endpoint else {
            stored.push(address);
            continue;
        };
        let is_same = |it: &&Subscription| {
            it.protocol == address.channel.protocol() && it.endpoint.eq_ignore_ascii_case(text)
        };
        let place = left.iter().position(is_same);
        let subscription = place.map(|place| left.swap_remove(place));
        found.extend(one(&address, subscription));
    }
    for channel in [Channel::Email, Channel::Sms, Channel::Https, Channel::Push] {
        let of: Vec<_> = stored.iter().filter(|it| it.channel == channel).collect();
        let is_of = |it: &&&Subscription| it.protocol == channel.protocol();
        let mut add = |number: usize, why| {
            if number > 0 {
                found.push(several(channel, &of, number, why));
            }
        };
        let there = left.iter().filter(is_of).count();
        let pending = left.iter().filter(is_of).filter(|it| !it.is_confirmed).count();
        add(pending.min(of.len()), Why::Unconfirmed);
        add(of.len().saturating_sub(there), Why::Unsubscribed);
    }
    found
}

/// An address that stands in a file.
fn one(address: &Address<'_>, subscription: Option<&Subscription>) -> Option<Unreached> {
    let why = match subscription {
        Some(it) if it.is_confirmed => return None,
        Some(_) => Why::Unconfirmed,
        None => Why::Unsubscribed,
    };
    Some(Unreached {
        channel: address.channel,
        audiences: address.audiences.iter().map(|it| (*it).to_owned()).collect(),
        addresses: vec![cover(&address.endpoint.to_string()).into_owned()],
        number: 1,
        why,
    })
}

/// Some of the addresses of a channel that are kept elsewhere.
fn several(channel: Channel, of: &[&Address<'_>], number: usize, why: Why) -> Unreached {
    let audiences = of.iter().flat_map(|it| it.audiences.iter());
    Unreached {
        channel,
        audiences: audiences.map(|it| (*it).to_owned()).collect(),
        addresses: of.iter().map(|it| it.endpoint.to_string()).collect(),
        number,
        why,
    }
}
