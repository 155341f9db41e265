//! The function bundle: one `bootstrap` binary -> a reproducible zip, named by its SHA-256.
//!
//! The same binary always gives the same bytes: one entry, fixed time, fixed permissions, fixed
//! compression. A binary that Lambda's runtime could not start is refused here, with the reason
//! and the remedy, because Lambda itself says so only at the first invocation. Pure.

use std::io::{Cursor, Write};

use object::read::elf::{ElfFile64, FileHeader, SectionHeader};
use object::{Endianness, Object, elf};

use crate::digest::sha256;
use crate::model::Architecture;

/// Newest glibc that `provided.al2023` has. Source: Amazon Linux 2023 ships glibc 2.34,
/// <https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html>.
pub const GLIBC_MAX: (u32, u32) = (2, 34);
/// Largest zip that Lambda takes from S3, unpacked. Source: Lambda quotas, "Deployment package".
pub const UNPACKED_BYTES_MAX: usize = 262_144_000;
/// Libraries that every Amazon Linux 2023 image has: glibc's own, and gcc's unwinder.
const LIBRARIES: [&str; 8] = [
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libgcc_s.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
];

/// A finished bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// SHA-256 of [`Bundle::zip`] in lower-case hex.
    pub sha256: String,
    pub zip: Vec<u8>,
    pub architecture: Architecture,
}

impl Bundle {
    /// The object's key in the artifacts bucket.
    pub fn key(&self) -> String {
        format!("functions/{}.zip", self.sha256)
    }
}

/// Why a binary cannot be a Lambda function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BinaryError {
    #[error(
        "the binary is no 64-bit Linux program ({0})\n  help: build it with `arm bundle`, or for \
         Linux with `cargo build --release --bin bootstrap`"
    )]
    NotElf(String),
    #[error(
        "the binary is for {found}, the cell's functions run on {wanted}\n  help: build it for \
         {wanted} (`cargo build --release --bin bootstrap --target {target}`) and give it with \
         `--binary`, or set the cell's `architecture`"
    )]
    WrongCpu { found: String, wanted: &'static str, target: &'static str },
    #[error(
        "the binary needs the symbol version `{symbol}`, Lambda's provided.al2023 has glibc \
         {}.{}\n  help: build on a system with an older glibc (Debian 12, Amazon Linux 2023), or \
         with `cargo zigbuild --target x86_64-unknown-linux-gnu.2.34`", GLIBC_MAX.0, GLIBC_MAX.1
    )]
    GlibcTooNew { symbol: String },
    #[error(
        "the binary needs the library `{0}`, which Lambda's provided.al2023 lacks\n  help: link \
         it statically, or leave out the dependency that wants it"
    )]
    LibraryMissing(String),
    #[error(
        "the binary is no Lambda function: nothing in it asks Lambda's runtime for events\n  help: \
         give the program `bootstrap` that `cargo build --release --bin bootstrap` makes"
    )]
    NotAFunction,
    #[error(
        "the binary has {0} bytes, over the {UNPACKED_BYTES_MAX} that Lambda unpacks\n  help: \
         build with `--release`, which strips and optimises"
    )]
    TooLarge(usize),
}

/// Checks a binary and packs it.
pub fn assemble(binary: &[u8], architecture: Architecture) -> Result<Bundle, BinaryError> {
    check_binary(binary, architecture)?;
    let zip = zip(binary);
    Ok(Bundle { sha256: sha256(&zip), zip, architecture })
}

/// Refuses a binary that `provided.al2023` could not start.
pub fn check_binary(binary: &[u8], architecture: Architecture) -> Result<(), BinaryError> {
    if binary.len() > UNPACKED_BYTES_MAX {
        return Err(BinaryError::TooLarge(binary.len()));
    }
    let not_elf = |error: object::Error| BinaryError::NotElf(error.to_string());
    let file = ElfFile64::<Endianness>::parse(binary).map_err(not_elf)?;
    let endian = file.endian();
    let machine = file.elf_header().e_machine(endian);
    let (wanted, target) = match architecture {
        Architecture::X86_64 => (elf::EM_X86_64, "x86_64-unknown-linux-gnu"),
        Architecture::Arm64 => (elf::EM_AARCH64, "aarch64-unknown-linux-gnu"),
    };
    if machine != wanted {
        let found = match machine {
            elf::EM_X86_64 => "x86_64".to_owned(),
            elf::EM_AARCH64 => "arm64".to_owned(),
            other => format!("another CPU (ELF machine {other})"),
        };
        return Err(BinaryError::WrongCpu { found, wanted: architecture.as_str(), target });
    }
    for (library, symbol) in versions_needed(&file).map_err(not_elf)? {
        if let Some(text) = symbol.strip_prefix("GLIBC_") {
            // What is no number, such as `GLIBC_ABI_DT_RELR`, came after 2.34.
            let needed = version(text);
            if needed.is_none_or(|needed| needed > GLIBC_MAX) {
                return Err(BinaryError::GlibcTooNew { symbol });
            }
        }
        check_library(&library)?;
    }
    for library in file.import_libraries().map_err(not_elf)? {
        check_library(&String::from_utf8_lossy(library.map_err(not_elf)?.name()))?;
    }
    // Put together here, so that this program does not hold what it looks for.
    let marker = ["AWS", "LAMBDA", "RUNTIME", "API"].join("_");
    let asks = binary.windows(marker.len()).any(|it| it == marker.as_bytes());
    if asks { Ok(()) } else { Err(BinaryError::NotAFunction) }
}

fn check_library(library: &str) -> Result<(), BinaryError> {
    if LIBRARIES.contains(&library) {
        return Ok(());
    }
    Err(BinaryError::LibraryMissing(library.to_owned()))
}

/// `2.34`, or `2.2.5`, of which the first two parts count.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
    Some((parts.next()??, parts.next()??))
}

/// Library and symbol version of everything that the dynamic linker must find.
fn versions_needed(
    file: &ElfFile64<'_, Endianness>,
) -> Result<Vec<(String, String)>, object::Error> {
    let (endian, data) = (file.endian(), file.data());
    let mut needed = Vec::new();
    for section in file.elf_section_table().iter() {
        let Some((mut entries, strings)) = section.gnu_verneed(endian, data)? else { continue };
        let strings = file.elf_section_table().strings(endian, data, strings)?;
        let text = |offset: u32| {
            strings
                .get(offset)
                .map(|it| String::from_utf8_lossy(it).into_owned())
                .unwrap_or_default()
        };
        while let Some((library, mut versions)) = entries.next()? {
            let library = text(library.vn_file.get(endian));
            while let Some(version) = versions.next()? {
                needed.push((library.clone(), text(version.vna_name.get(endian))));
            }
        }
    }
    Ok(needed)
}

/// One entry, `bootstrap`, executable, dated 1980-01-01 (the first day that a zip can name).
fn zip(binary: &[u8]) -> Vec<u8> {
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o755);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bootstrap", options).expect("a zip in memory takes a file");
    writer.write_all(binary).expect("a zip in memory takes any bytes");
    writer.finish().expect("a zip in memory can be finished").into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This test's own program, as a real binary of this machine.
    #[expect(clippy::disallowed_methods, reason = "reads the running test as a sample binary")]
    fn own_binary() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    fn own_architecture() -> Architecture {
        if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::X86_64 }
    }

    #[test]
    fn the_same_binary_gives_the_same_bytes() {
        let binary = b"\x7fELF not really";
        assert_eq!(zip(binary), zip(binary));
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let refused = check_binary(b"#!/bin/sh\n", Architecture::X86_64).unwrap_err();
        assert!(matches!(refused, BinaryError::NotElf(_)), "{refused}");
    }

    #[test]
    fn a_binary_for_another_cpu_is_refused_with_the_remedy() {
        let other = match own_architecture() {
            Architecture::X86_64 => Architecture::Arm64,
            Architecture::Arm64 => Architecture::X86_64,
        };
        let refused = check_binary(&own_binary(), other).unwrap_err();
        assert!(matches!(refused, BinaryError::WrongCpu { .. }), "{refused}");
    }

    #[test]
    fn a_binary_that_needs_a_newer_glibc_is_refused_by_the_symbol_that_needs_it() {
        // The same length, so that every offset in the file still holds.
        let mut binary = own_binary();
        let old = b"GLIBC_2.34\0";
        let at = binary.windows(old.len()).position(|it| it == old).unwrap();
        binary[at..at + old.len()].copy_from_slice(b"GLIBC_2.39\0");
        assert_eq!(
            check_binary(&binary, own_architecture()),
            Err(BinaryError::GlibcTooNew { symbol: "GLIBC_2.39".to_owned() })
        );
    }

    #[test]
    fn a_binary_that_needs_a_library_that_lambda_lacks_is_refused_by_its_name() {
        let mut binary = own_binary();
        let old = b"libc.so.6\0";
        for at in 0..binary.len() - old.len() {
            if binary[at..].starts_with(old) {
                binary[at..at + old.len()].copy_from_slice(b"libq.so.6\0");
            }
        }
        let refused = check_binary(&binary, own_architecture()).unwrap_err();
        assert_eq!(refused, BinaryError::LibraryMissing("libq.so.6".to_owned()));
    }

    #[test]
    fn a_program_that_is_no_function_is_refused() {
        let refused = check_binary(&own_binary(), own_architecture());
        assert_eq!(refused, Err(BinaryError::NotAFunction));
    }
}
