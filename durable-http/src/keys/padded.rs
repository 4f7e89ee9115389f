//! [`Padded`]: a key's value as it is compared, without a hash of what a request presents.

use subtle::{Choice, ConstantTimeEq};

const WORD: usize = size_of::<u64>();
/// Bytes to which values are filled up: more than generated keys have.
const BLOCK: usize = 8 * WORD;

/// A value, filled up to whole blocks. To compare two takes as long wherever they differ, and whatever their lengths are within a block; only
/// in how many blocks they lie shows, which is one for every key that was not made by hand.
#[derive(Clone)]
pub(super) struct Padded {
    length: u64,
    first: [u64; BLOCK / WORD],
    more: Vec<[u64; BLOCK / WORD]>,
}

impl Padded {
    pub(super) fn of(value: &str) -> Self {
        let mut blocks = value.as_bytes().chunks(BLOCK).map(words);
        Self {
            length: value.len() as u64,
            first: blocks.next().unwrap_or_default(),
            more: blocks.collect(),
        }
    }
}

fn words(block: &[u8]) -> [u64; BLOCK / WORD] {
    let mut bytes = [0; BLOCK];
    bytes[..block.len()].copy_from_slice(block);
    let (bytes, _) = bytes.as_chunks::<WORD>();
    std::array::from_fn(|at| bytes.get(at).map_or(0, |&word| u64::from_le_bytes(word)))
}

impl ConstantTimeEq for Padded {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.length.ct_eq(&other.length)
            & self.first.ct_eq(&other.first)
            & self.more.as_flattened().ct_eq(other.more.as_flattened())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_equal_to_themselves_alone() {
        let mut values: Vec<String> = ["", "\0", "a", "a\0", "b", "é"].map(str::to_owned).into();
        for length in [7, 8, 9, 55, 56, 57, 63, 64, 65, 127, 128, 129, 4096] {
            let text = "k".repeat(length - 1);
            values.extend([format!("{text}x"), format!("{text}y"), format!("x{text}")]);
        }
        for (at, one) in values.iter().enumerate() {
            for (other_at, other) in values.iter().enumerate() {
                let same = bool::from(Padded::of(one).ct_eq(&Padded::of(other)));
                assert_eq!(same, at == other_at, "{one:?} {other:?}");
            }
        }
    }
}
