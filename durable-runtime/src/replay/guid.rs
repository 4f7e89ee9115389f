//! GUIDs from history (spec 1.8).

use uuid::Uuid;

use crate::model::Timestamp;

/// The namespace of the isolated worker's SDK.
const NAMESPACE: Uuid = Uuid::from_u128(0x9e95_2958_5e33_4daf_827f_2fa1_2937_b875);

/// The `n`-th GUID of an instance at an instant: RFC 4122 version 5 of `{instance}_{now}_{n}`.
pub(super) fn of(instance_id: &str, now: Timestamp, n: u64) -> Uuid {
    Uuid::new_v5(
        &NAMESPACE,
        format!("{instance_id}_{}_{n}", now.round_trip()).as_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_vectors_of_the_reference() {
        let now = Timestamp::from_micros(1_735_787_045_000_000);
        assert_eq!(now.round_trip(), "2025-01-02T03:04:05.0000000Z");
        assert_eq!(
            of("abc123", now, 0).to_string(),
            "60ce5be9-690d-5da6-aca7-26872a7a11ee"
        );
        assert_eq!(
            of("abc123", now, 1).to_string(),
            "17c66a71-6e6e-5762-a993-9d72c44a23ab"
        );
    }
}
