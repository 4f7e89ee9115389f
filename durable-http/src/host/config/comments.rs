//! JSON as people write it for the reference, whose parser takes comments and a comma after the last member.

/// Plain JSON: comments and such commas are blanks, so that everything else stands where it stood.
pub(super) fn plain(written: &str) -> String {
    let written = written.trim_start_matches('\u{feff}');
    let mut text = written.to_owned();
    if json_strip_comments::strip(&mut text).is_err() {
        // What the JSON parser says of such a text has a line.
        return written.to_owned();
    }
    // Ends of lines within comments have become blanks too.
    let pairs = text.bytes().zip(written.bytes());
    let restored = pairs.map(|(now, was)| if was == b'\n' { was } else { now });
    String::from_utf8(restored.collect()).unwrap_or(text)
}
