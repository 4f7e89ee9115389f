//! How key values are made: random bytes, the provider's mark, and a checksum that tells scanners what they found.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use rand::Rng as _;

use super::Secret;

/// What a key is for: it decides the checksum's seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// `_master`.
    Master,
    /// Keys of extensions.
    System,
    /// Keys of functions, of one or of all.
    Function,
}

impl KeyKind {
    const fn seed(self) -> u64 {
        match self {
            Self::Master => 0x4d61_7374_6572_3030,
            Self::System => 0x5379_7374_656d_3030,
            Self::Function => 0x4675_6e63_7469_3030,
        }
    }
}

const RANDOM: usize = 33;
const MARKED: usize = 36;
const WHOLE: usize = 40;
/// `AzFu` in base64, at characters 44 to 48 of every key.
const MARK: [u8; 3] = [0x03, 0x31, 0x6e];

/// A new value: 56 characters, the last ten of which are mark and checksum.
pub(crate) fn generate(kind: KeyKind) -> Secret {
    let mut random = [0; RANDOM];
    rand::rng().fill_bytes(&mut random);
    Secret::from(assemble(&random, kind))
}

fn assemble(random: &[u8; RANDOM], kind: KeyKind) -> String {
    let mut bytes = [0; WHOLE];
    bytes[..RANDOM].copy_from_slice(random);
    bytes[RANDOM..MARKED].copy_from_slice(&MARK);
    let (_, checksum) = marvin32(kind.seed(), &bytes[..MARKED]);
    bytes[MARKED..].copy_from_slice(&checksum.to_le_bytes());
    URL_SAFE.encode(bytes)
}

/// Marvin32: the two halves of its state, and their exclusive or, which is the 32-bit checksum.
fn marvin32(seed: u64, bytes: &[u8]) -> ([u32; 2], u32) {
    let [a0, a1, a2, a3, b0, b1, b2, b3] = seed.to_le_bytes();
    let mut state = Marvin {
        a: u32::from_le_bytes([a0, a1, a2, a3]),
        b: u32::from_le_bytes([b0, b1, b2, b3]),
    };
    let (words, tail) = bytes.as_chunks::<4>();
    for word in words {
        state.take(u32::from_le_bytes(*word));
    }
    let mut last = [0; 4];
    last[..tail.len()].copy_from_slice(tail);
    last[tail.len()] = 0x80;
    state.take(u32::from_le_bytes(last));
    state.block();
    ([state.a, state.b], state.a ^ state.b)
}

struct Marvin {
    a: u32,
    b: u32,
}

impl Marvin {
    fn take(&mut self, word: u32) {
        self.a = self.a.wrapping_add(word);
        self.block();
    }

    fn block(&mut self) {
        self.b ^= self.a;
        self.a = self.a.rotate_left(20).wrapping_add(self.b);
        self.b = self.b.rotate_left(9) ^ self.a;
        self.a = self.a.rotate_left(27).wrapping_add(self.b);
        self.b = self.b.rotate_left(19);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [KeyKind; 3] = [KeyKind::Master, KeyKind::System, KeyKind::Function];

    /// Whether the value carries the kind's checksum.
    fn belongs_to(kind: KeyKind, value: &str) -> bool {
        URL_SAFE.decode(value).is_ok_and(|bytes| {
            bytes.len() == WHOLE
                && bytes[RANDOM..MARKED] == MARK
                && bytes[MARKED..] == marvin32(kind.seed(), &bytes[..MARKED]).1.to_le_bytes()
        })
    }

    #[test]
    fn the_checksum_gives_the_published_state() {
        let (state, _) = marvin32(0x004f_b61a_001b_dbcc, b"");
        assert_eq!(state, [0x00cd_3c7d, 0x30ed_35c1]);
    }

    #[test]
    fn check_values_come_out_to_the_letter() {
        let zeros = [0; RANDOM];
        let mut counting = [0; RANDOM];
        for (byte, value) in counting.iter_mut().zip(0..) {
            *byte = value;
        }
        let mut ds = [0; RANDOM];
        ds.copy_from_slice(&URL_SAFE.decode("d".repeat(44)).unwrap());
        for (random, kind, key) in [
            (
                zeros,
                KeyKind::Master,
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAzFu-N70jA==",
            ),
            (
                ds,
                KeyKind::System,
                "ddddddddddddddddddddddddddddddddddddddddddddAzFu182vhA==",
            ),
            (
                counting,
                KeyKind::Function,
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gAzFusvnZbw==",
            ),
        ] {
            assert_eq!(assemble(&random, kind), key);
        }
    }

    #[test]
    fn a_key_is_identifiable_under_its_own_seed_only() {
        for kind in KINDS {
            let key = generate(kind);
            for other in KINDS {
                assert_eq!(belongs_to(other, key.expose()), kind == other);
            }
        }
    }

    #[test]
    fn keys_have_the_known_shape() {
        let shape = regex::Regex::new("^[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{5}[AQgw]==$").unwrap();
        for _ in 0..50 {
            assert!(shape.is_match(generate(KeyKind::Function).expose()));
        }
    }
}
