//! What travels with every message so that no function has to look a store up.

use serde::{Deserialize, Serialize};

/// The store that a message belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreRef {
    /// The store's id, such as `seattle-001`.
    pub id: String,
    /// The store's name as people say it, such as `Pike Place`.
    pub name: String,
    /// The cell, such as `us-west`.
    pub cell: String,
    /// IANA name of the store's time zone, such as `America/Los_Angeles`; alerts show its time.
    pub timezone: String,
}

/// A run of shelves, as staff call it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AisleRef {
    /// The aisle's id, such as `aisle-5`.
    pub id: String,
    /// The aisle's name in alerts, such as `Aisle 5`.
    pub name: String,
    /// What rules group aisles by, such as `high-value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// An area of one camera's picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// The zone's id, unique within its camera.
    pub id: String,
    /// Left, top, width and height as fractions of the picture, each 0 to 1.
    pub area: [f64; 4],
}
