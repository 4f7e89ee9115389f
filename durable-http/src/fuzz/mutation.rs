//! Bytes made from other bytes.

use rand::RngExt as _;
use rand::rngs::StdRng;

/// Longer inputs are cut: what breaks a reader breaks it in little.
const LONGEST: usize = 4096;
const LETTERS: &[u8] = b"{}[]()\"':,;=&?%+/\\.*-_~ \n\r\t\0aZ09\xc3\xa9\xff";
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e999",
    "-0.0",
    "NaN",
];

/// A changed copy of `bytes`: a few random edits, with pieces of `others` and words of the language among them.
pub(super) fn mutated(
    bytes: &[u8],
    others: &[Vec<u8>],
    words: &[&str],
    random: &mut StdRng,
) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..=6) {
        edit(&mut bytes, others, words, random);
        bytes.truncate(LONGEST);
    }
    bytes
}

fn edit(bytes: &mut Vec<u8>, others: &[Vec<u8>], words: &[&str], random: &mut StdRng) {
    let at = random.random_range(0..=bytes.len());
    let to = random.random_range(at..=bytes.len().min(at + 64));
    match random.random_range(0..9) {
        0 => drop(bytes.drain(at..to)),
        1 => bytes.truncate(at),
        2 => {
            let piece = bytes[at..to].to_vec();
            insert(bytes, random, &piece);
        }
        3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.random_range(0..8);
            }
        }
        4 => {
            let letter = LETTERS[random.random_range(0..LETTERS.len())];
            let times = if random.random_range(0..50) == 0 {
                300
            } else {
                1
            };
            bytes.splice(at..at, std::iter::repeat_n(letter, times));
        }
        5 => {
            let number = NUMBERS[random.random_range(0..NUMBERS.len())];
            bytes.splice(at..to, number.bytes());
        }
        6 if !others.is_empty() => {
            let other = &others[random.random_range(0..others.len())];
            let from = random.random_range(0..=other.len());
            let piece = other[from..other.len().min(from + 200)].to_vec();
            insert(bytes, random, &piece);
        }
        _ => {
            let word = words[random.random_range(0..words.len())];
            insert(bytes, random, word.as_bytes());
        }
    }
}

fn insert(bytes: &mut Vec<u8>, random: &mut StdRng, piece: &[u8]) {
    let at = random.random_range(0..=bytes.len());
    bytes.splice(at..at, piece.iter().copied());
}
