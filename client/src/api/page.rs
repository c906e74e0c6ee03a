//! Where in a list the next page begins, as callers hold it.
//!
//! It is the server's own token after a checksum of it and its query. Servers answer a token that they have not given as
//! they like, some as if they were down or broken.

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sealane_service::http::{Kind, Problem};

/// Enough to tell a mistake. Whoever makes up more than that is told so by the server, or by what it answers next.
const CHECKSUM: usize = 8;

/// Returns what `token` is to callers.
pub(super) fn write(query: &str, token: &[u8]) -> String {
    let mut bytes = checksum(query, token).to_vec();
    bytes.extend_from_slice(token);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the server's token in `page`.
///
/// # Errors
///
/// 400 if it is not a page of `query`.
pub(super) fn read(query: &str, page: &str) -> Result<Vec<u8>, Problem> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(page).unwrap_or_default();
    let parts = bytes.split_first_chunk::<CHECKSUM>();
    let known = parts.filter(|(sum, token)| **sum == checksum(query, token));
    known.map(|(_, token)| token.to_vec()).ok_or_else(refused)
}

/// Says that a page is not one.
pub(super) fn refused() -> Problem {
    let detail = "page is not the nextPage of a page of this query";
    Problem::new(Kind::BadRequest, detail)
}

fn checksum(query: &str, token: &[u8]) -> [u8; CHECKSUM] {
    let mut context = Context::new(&SHA256);
    context.update(&query.len().to_be_bytes());
    context.update(query.as_bytes());
    context.update(token);
    let digest = context.finish();
    let mut sum = [0; CHECKSUM];
    sum.iter_mut()
        .zip(digest.as_ref())
        .for_each(|(to, from)| *to = *from);
    sum
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn a_page_belongs_to_its_query() {
        let page = write("a = 1", b"token");

        assert_eq!(read("a = 1", &page).unwrap(), b"token");
        for (query, page) in [
            ("a = 2", page.as_str()),
            ("a = 1", ""),
            ("a = 1", "!"),
            ("a = 1", "AAAAAAAAAAAAAAAA"),
        ] {
            assert!(read(query, page).is_err(), "{query} {page}");
        }
    }
}
