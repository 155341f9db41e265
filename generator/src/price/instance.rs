//! What an hour of an instance that hosts a model costs.
//!
//! In us-east-1 SageMaker asks for hosting what EC2 asks, times 1.4 for the smallest size with a GPU,
//! 1.25 for larger ones, 1.2 without. g4dn, g5, g6, inf2, m5 and c5 are as published lists of 2024 to
//! 2026 have them (one of four has larger sizes dearer); what these leave out, and c7i, follows that
//! ratio. Other regions follow EC2's prices of the family there (Apache Libcloud 3.9.1, 2025-03-02), which
//! gives AWS's own number where one was at hand. To add a family, add its row.

use super::{BASE_REGION, Known, Origin, dollars, region, scaled};

/// Instance types of one kind of machine.
struct Family {
    name: &'static str,
    /// Sizes with micro-dollars an hour in us-east-1.
    sizes: &'static [(&'static str, u64)],
    /// Regions with thousandths of that price. Of one that is not here no price was found: it is
    /// estimated as other prices are.
    factors: &'static [(&'static str, u64)],
}

const US: [(&str, u64); 2] = [("us-east-2", 1_000), ("us-west-2", 1_000)];

const FAMILIES: &[Family] = &[
    Family {
        name: "g4dn",
        sizes: &[
            ("xlarge", 736_400),
            ("2xlarge", 940_000),
            ("4xlarge", 1_505_000),
            ("8xlarge", 2_720_000),
            ("12xlarge", 4_890_000),
            ("16xlarge", 5_440_000),
        ],
        factors: &[
            US[0],
            US[1],
            ("ap-east-1", 1_540),
            ("ap-northeast-1", 1_350),
            ("ap-northeast-2", 1_230),
            ("ap-south-1", 1_101),
            ("ap-southeast-1", 1_399),
            ("ap-southeast-2", 1_300),
            ("ca-central-1", 1_110),
            ("eu-central-1", 1_251),
            ("eu-west-1", 1_116),
            ("eu-west-2", 1_169),
            ("eu-west-3", 1_169),
            ("sa-east-1", 1_700),
        ],
    },
    Family {
        name: "g5",
        sizes: &[
            ("xlarge", 1_408_400),
            ("2xlarge", 1_515_000),
            ("4xlarge", 2_030_000),
            ("8xlarge", 3_060_000),
            ("12xlarge", 7_090_000),
            ("16xlarge", 5_120_000),
            ("24xlarge", 10_180_000),
            ("48xlarge", 20_360_000),
        ],
        factors: &[
            US[0],
            US[1],
            ("ap-northeast-1", 1_450),
            ("ap-northeast-2", 1_230),
            ("ap-south-1", 1_201),
            ("ap-southeast-2", 1_300),
            ("ca-central-1", 1_110),
            ("eu-central-1", 1_250),
            ("eu-west-1", 1_116),
            ("eu-west-2", 1_269),
            ("il-central-1", 1_172),
            ("sa-east-1", 1_700),
        ],
    },
    Family {
        name: "g6",
        sizes: &[
            ("xlarge", 1_126_700),
            ("2xlarge", 1_222_000),
            ("4xlarge", 1_654_000),
            ("8xlarge", 2_518_000),
            ("12xlarge", 5_752_000),
            ("16xlarge", 4_246_000),
            ("24xlarge", 8_344_000),
            ("48xlarge", 16_688_000),
        ],
        factors: &[
            US[0],
            US[1],
            ("ap-northeast-1", 1_450),
            ("ap-northeast-2", 1_230),
            ("ap-south-1", 1_201),
            ("ap-southeast-2", 1_300),
            ("ap-southeast-5", 1_260),
            ("ca-central-1", 1_110),
            ("eu-central-1", 1_250),
            ("eu-south-2", 1_054),
            ("eu-west-2", 1_269),
            ("eu-west-3", 1_269),
            ("sa-east-1", 1_700),
        ],
    },
    Family {
        name: "inf2",
        sizes: &[
            ("xlarge", 990_000),
            ("8xlarge", 2_360_000),
            ("24xlarge", 7_790_000),
            ("48xlarge", 15_580_000),
        ],
        factors: &[
            US[0],
            US[1],
            ("ap-northeast-1", 1_500),
            ("ap-south-1", 1_300),
            ("ap-southeast-1", 1_400),
            ("ap-southeast-2", 1_300),
            ("eu-central-1", 1_500),
            ("eu-west-1", 1_375),
            ("eu-west-2", 1_500),
            ("eu-west-3", 1_400),
            ("sa-east-1", 1_700),
        ],
    },
    Family {
        name: "m5",
        sizes: &[
            ("large", 115_000),
            ("xlarge", 230_000),
            ("2xlarge", 461_000),
            ("4xlarge", 922_000),
            ("12xlarge", 2_765_000),
            ("24xlarge", 5_530_000),
        ],
        factors: &[
            US[0],
            US[1],
            ("ap-east-1", 1_375),
            ("ap-northeast-1", 1_292),
            ("ap-northeast-2", 1_229),
            ("ap-south-1", 1_052),
            ("ap-southeast-1", 1_250),
            ("ap-southeast-2", 1_250),
            ("ca-central-1", 1_115),
            ("eu-central-1", 1_198),
            ("eu-south-2", 1_115),
            ("eu-west-1", 1_115),
            ("eu-west-2", 1_156),
            ("eu-west-3", 1_167),
            ("il-central-1", 1_170),
            ("sa-east-1", 1_594),
        ],
    },
    Family {
        name: "c5",
        sizes: &[
            ("large", 102_000),
            ("xlarge", 204_000),
            ("2xlarge", 408_000),
            ("4xlarge", 816_000),
            ("9xlarge", 1_836_000),
            ("18xlarge", 3_672_000),
        ],
        factors: &[
            US[0],
            US[1],
            ("ap-east-1", 1_271),
            ("ap-northeast-1", 1_259),
            ("ap-northeast-2", 1_129),
            ("ap-south-1", 1_000),
            ("ap-southeast-1", 1_153),
            ("ap-southeast-2", 1_306),
            ("ca-central-1", 1_094),
            ("eu-central-1", 1_141),
            ("eu-south-2", 1_129),
            ("eu-west-1", 1_129),
            ("eu-west-2", 1_188),
            ("eu-west-3", 1_188),
            ("il-central-1", 1_186),
            ("sa-east-1", 1_541),
        ],
    },
    Family {
        name: "c6i",
        sizes: &[
            ("large", 102_000),
            ("xlarge", 204_000),
            ("2xlarge", 408_000),
            ("4xlarge", 816_000),
            ("8xlarge", 1_632_000),
            ("12xlarge", 2_448_000),
            ("16xlarge", 3_264_000),
            ("24xlarge", 4_896_000),
            ("32xlarge", 6_528_000),
        ],
        factors: &[
            US[0],
            US[1],
            ("ap-east-1", 1_271),
            ("ap-northeast-1", 1_259),
            ("ap-northeast-2", 1_129),
            ("ap-south-1", 1_000),
            ("ap-southeast-1", 1_153),
            ("ap-southeast-2", 1_306),
            ("ap-southeast-5", 980),
            ("ca-central-1", 1_094),
            ("eu-central-1", 1_141),
            ("eu-west-1", 1_073),
            ("eu-west-2", 1_188),
            ("eu-west-3", 1_188),
            ("il-central-1", 1_127),
            ("sa-east-1", 1_541),
        ],
    },
    Family {
        name: "c7i",
        sizes: &[
            ("large", 107_100),
            ("xlarge", 214_200),
            ("2xlarge", 428_400),
            ("4xlarge", 856_800),
            ("8xlarge", 1_713_600),
            ("12xlarge", 2_570_400),
            ("16xlarge", 3_427_200),
            ("24xlarge", 5_140_800),
            ("48xlarge", 10_281_600),
        ],
        factors: &[
            US[0],
            US[1],
            ("ap-northeast-1", 1_259),
            ("ap-northeast-2", 1_129),
            ("ap-south-1", 1_000),
            ("ap-southeast-1", 1_153),
            ("ap-southeast-2", 1_306),
            ("ap-southeast-5", 980),
            ("ca-central-1", 1_094),
            ("eu-central-1", 1_141),
            ("eu-south-2", 1_129),
            ("eu-west-1", 1_073),
            ("eu-west-2", 1_188),
            ("eu-west-3", 1_188),
            ("sa-east-1", 1_541),
        ],
    },
];

/// What an hour costs; `None` for a type that is not here.
pub(super) fn price(instance: &str, region: &str) -> Option<Known> {
    let (family, size) = instance.strip_prefix("ml.")?.split_once('.')?;
    let family = FAMILIES.iter().find(|it| it.name == family)?;
    let (_, micros) = family.sizes.iter().find(|(name, _)| *name == size)?;
    if region == BASE_REGION {
        return Some(Known { micros: *micros, origin: Origin::Listed });
    }
    let own = family.factors.iter().find(|(name, _)| *name == region).map(|(_, it)| *it);
    Some(scaled(*micros, own.unwrap_or_else(|| region::factor("", region)), region))
}

/// Every type with its price, by family.
pub(super) fn reference() -> String {
    let mut text = "| types | dollars an hour in us-east-1 |\n|---|---|\n".to_owned();
    for family in FAMILIES {
        let sizes: Vec<_> = family
            .sizes
            .iter()
            .map(|(size, micros)| format!("{size} {}", dollars(*micros).trim_start_matches('$')))
            .collect();
        let row = format!("| `ml.{}` | {} |\n", family.name, sizes.join(", "));
        text.push_str(&row);
    }
    text
}
