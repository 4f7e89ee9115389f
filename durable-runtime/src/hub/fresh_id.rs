//! Ids that nobody chose.

use std::sync::Arc;

use uuid::{Builder, Uuid};

use crate::model::Timestamp;

/// A new id of an instance or an execution: a UUID of version 7, 32 hex digits.
///
/// It begins with the time, in milliseconds, so that new rows lie side by side in every index that has the id in it: one that begins at
/// random costs each new instance pages of its own, read and written. The other 74 bits are random, none of them counts: who knows one id
/// cannot guess another of the same instant.
pub(crate) fn fresh_id(now: Timestamp) -> Arc<str> {
    let millis = u64::try_from(now.micros() / 1000).unwrap_or(0);
    let mut random = [0; 10];
    // Its own marks, of version and variant, lie where those of the new one are put.
    random.copy_from_slice(&Uuid::new_v4().as_bytes()[6..]);
    let id = Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
    id.simple().to_string().into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_ascend_with_time_and_differ_within_an_instant() {
        let at = |millis: i64| Timestamp::from_micros(millis * 1000);
        let start = 1_800_000_000_000;
        let ids: Vec<_> = (start..start + 1_000).map(|ms| fresh_id(at(ms))).collect();
        assert!(ids.is_sorted());
        let twins: HashSet<_> = (0..1_000).map(|_| fresh_id(at(start))).collect();
        assert_eq!(twins.len(), 1_000);
    }

    #[test]
    fn an_id_is_a_guid_of_version_7_in_32_lower_case_digits() {
        let id = fresh_id(Timestamp::from_micros(1_800_000_000_000_999));
        let uuid = Uuid::try_parse(&id).unwrap();
        assert_eq!(uuid.simple().to_string(), *id);
        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        assert!(id.starts_with("01a3185c5000"), "{id}");
    }

    #[test]
    fn all_but_the_time_and_the_marks_is_random() {
        let all: Vec<u128> = (0..200)
            .map(|_| {
                let id = fresh_id(Timestamp::from_micros(-5));
                u128::from_str_radix(&id, 16).unwrap()
            })
            .collect();
        let (ever, always) = all
            .iter()
            .fold((0, u128::MAX), |(or, and), id| (or | id, and & id));
        assert_eq!((ever & !always).count_ones(), 74);
        assert_eq!(ever >> 80, 0, "before 1970 there is no time to begin with");
    }
}
