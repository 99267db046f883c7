//! The format of times in responses of the Hub's API.

use serde_json::Value;

/// The first time in a response with another format than `2025-06-01T10:00:00.000001Z`, whose fraction is never all
/// zero. `expires_at` is what the client sent, echoed, and so is the `data` of the audit.
pub fn find_imprecise(answer: &Value) -> Option<&str> {
    match answer {
        Value::String(text) => is_time(text).then_some(text.as_str()).filter(|text| !is_precise(text)),
        Value::Array(list) => list.iter().find_map(find_imprecise),
        Value::Object(members) => {
            let own = members.iter().filter(|(name, _)| !["expires_at", "data"].contains(&name.as_str()));
            own.map(|(_, value)| value).find_map(find_imprecise)
        }
        _ => None,
    }
}

/// Whether a text begins as a time does.
fn is_time(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.split_once('T').map(|(date, time)| (date.replace('-', ""), time.get(..8).unwrap_or_default()));
    parts.is_some_and(|(date, time)| {
        date.len() == 8 && digits(&date) && time.len() == 8 && digits(&time.replace(':', ""))
    })
}

fn is_precise(text: &str) -> bool {
    let fraction = text.split_once('.').and_then(|(_, fraction)| fraction.strip_suffix('Z')).unwrap_or_default();
    fraction.len() == 6 && fraction.bytes().all(|byte| byte.is_ascii_digit()) && fraction != "000000"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn imprecise_time_is_found_at_any_depth() {
        for (answer, found) in [
            (json!({ "a": [{ "b": "2025-06-01T10:00:00Z" }] }), true),
            (json!(["2025-06-01T10:00:00.000000Z"]), true),
            (json!(["2025-06-01T10:00:00.5Z"]), true),
            (json!(["2025-06-01T10:00:00.500000+00:00"]), true),
            (json!({ "a": "2025-06-01T10:00:00.000001Z", "b": "Tuesday", "c": 7, "d": null }), false),
            (json!({ "expires_at": "2025-06-01T10:00:00Z", "data": { "expires_at": "2025-06-01T10:00:00Z" } }), false),
        ] {
            assert_eq!(find_imprecise(&answer).is_some(), found, "{answer}");
        }
    }
}
