//! What `--json` prints: an object that names its schema.

use serde::Serialize;

/// `content` as an object of this schema, on a line. A schema is called `shm-handoff/SUBCOMMAND/NUMBER`: fields
/// may be added to it; one that drops or changes any has another number.
pub(super) fn object<T: Serialize>(schema: &str, content: &T) -> String {
    #[derive(Serialize)]
    struct Object<'o, T> {
        schema: &'o str,
        #[serde(flatten)]
        content: &'o T,
    }
    serde_json::to_string(&Object { schema, content }).expect("numbers and strings are always JSON") + "\n"
}
