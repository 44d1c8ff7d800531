//! Who may ask for more than pages.
//!
//! A page of ours may have programs of the workbook run on this machine; no other page may, wherever it
//! comes from. As with Jupyter, the reader's browser proves by a token that it was told our address.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use base64::prelude::{BASE64_STANDARD as STANDARD, Engine as _};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use walkdir::WalkDir;

/// The header that carries the token.
pub const TOKEN: &str = "x-workbook-token";

/// What is known of those who may ask.
#[derive(Debug)]
pub struct Door {
    /// The names and ports under which the book is served, the printed one first.
    hosts: Vec<String>,
    /// What only this start knows, and whoever was told.
    pub token: String,
    /// Tells this start from others, and is no secret.
    pub start: String,
}

impl Door {
    /// A door for a book that is served under these names, each with its port; the first is the one
    /// that is printed.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn new(hosts: Vec<String>) -> Result<Self> {
        Ok(Self { hosts, token: random(32)?, start: random(8)? })
    }

    /// The address that the reader opens.
    pub fn address(&self) -> String {
        format!("http://{}/#token={}", self.hosts[0], self.token)
    }

    /// Whether a request may be answered.
    ///
    /// Only `Host` and the token stop a name that was made to point here (DNS rebinding): such a page is
    /// of the same origin as what it asks. The others stop pages of other origins before they can guess.
    ///
    /// # Errors
    ///
    /// Why not, in one line for the reader. It tells nothing that the pages do not.
    pub fn let_in(&self, method: &Method, headers: &HeaderMap) -> Result<(), String> {
        // No browser sends one of them twice: which of two would count?
        let values = |name: &str| headers.get_all(name).iter().collect::<Vec<_>>();
        let host = match values(header::HOST.as_str())[..] {
            [host] => self.hosts.iter().find(|one| one.as_bytes() == host.as_bytes()),
            _ => None,
        };
        let Some(host) = host else {
            return Err(format!("programs are run at http://{}/ alone: open that", self.hosts[0]));
        };
        let other = || Err("this request comes from another page".to_owned());
        match values("sec-fetch-site")[..] {
            [] => {}
            [site] if site == "same-origin" => {}
            _ => return other(),
        }
        match values(header::ORIGIN.as_str())[..] {
            [] if method == Method::GET => {}
            [origin] if *origin == format!("http://{host}") => {}
            _ => return other(),
        }
        let token = match values(TOKEN)[..] {
            [token] => token.as_bytes(),
            _ => b"",
        };
        // Of other lengths nothing has to be kept from whoever guesses.
        if token.ct_eq(self.token.as_bytes()).into() {
            Ok(())
        } else {
            Err("the book has been started anew: open the address that it has printed".to_owned())
        }
    }
}

/// Random bytes as letters and digits.
fn random(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).context("the system has no random numbers")?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The policy for all pages of a built book: nothing from elsewhere, and of scripts that stand in a page
/// those that mdBook has written there.
///
/// # Errors
///
/// If the pages cannot be read.
pub fn policy(book: &Path) -> Result<HeaderValue> {
    let mut hashes = BTreeSet::new();
    for entry in WalkDir::new(book) {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "html") {
            let page = fs::read_to_string(entry.path())?;
            hashes
                .extend(inline_scripts(&page).map(|script| {
                    format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(script)))
                }));
        }
    }
    let hashes: String = hashes.into_iter().collect();
    let policy = format!(
        "default-src 'none'; script-src 'self'{hashes}; style-src 'self'; \
         style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         frame-src 'self'; frame-ancestors 'self'; base-uri 'self'; form-action 'none'"
    );
    HeaderValue::try_from(policy).context("a policy that is no header")
}

/// The texts of the scripts that stand in a page. mdBook writes `<script>` without attributes there.
fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script>").skip(1).filter_map(|rest| Some(rest.split_once("</script>")?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> Door {
        let hosts = vec!["127.0.0.1:3000".to_owned(), "localhost:3000".to_owned()];
        Door { hosts, token: "right".to_owned(), start: "one".to_owned() }
    }

    fn asks(method: Method, headers: &[(&'static str, &'static str)]) -> Result<(), String> {
        let headers = headers.iter().map(|(name, value)| {
            (header::HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name, value);
        }
        door().let_in(&method, &all)
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:3000");
    const ORIGIN: (&str, &str) = ("origin", "http://127.0.0.1:3000");
    const RIGHT: (&str, &str) = (TOKEN, "right");

    #[test]
    fn our_page_may_ask() {
        assert_eq!(asks(Method::POST, &[HOST, ORIGIN, RIGHT]), Ok(()));
        assert_eq!(asks(Method::GET, &[HOST, RIGHT, ("sec-fetch-site", "same-origin")]), Ok(()));
        let other_name = [("host", "localhost:3000"), ("origin", "http://localhost:3000"), RIGHT];
        assert_eq!(asks(Method::POST, &other_name), Ok(()));
    }

    #[test]
    fn nobody_else_may() {
        let refused: [&[(&str, &str)]; 13] = [
            &[HOST, HOST, ORIGIN, RIGHT],
            &[HOST, ORIGIN, ("origin", "null"), RIGHT],
            &[HOST, ORIGIN, (TOKEN, "wrong"), RIGHT],
            &[HOST, ORIGIN],
            &[HOST, ORIGIN, (TOKEN, "wrong")],
            &[HOST, ORIGIN, (TOKEN, "r")],
            &[HOST, ORIGIN, (TOKEN, "")],
            &[HOST, RIGHT],
            &[ORIGIN, RIGHT],
            &[("host", "evil.example:3000"), ("origin", "http://evil.example:3000"), RIGHT],
            &[HOST, ("origin", "http://localhost:3000"), RIGHT],
            &[HOST, ("origin", "null"), RIGHT],
            &[HOST, ORIGIN, RIGHT, ("sec-fetch-site", "same-site")],
        ];
        for headers in refused {
            assert!(asks(Method::POST, headers).is_err(), "{headers:?}");
        }
        assert!(asks(Method::GET, &[HOST, RIGHT, ("sec-fetch-site", "cross-site")]).is_err());
        assert!(asks(Method::GET, &[HOST, RIGHT, ("origin", "http://127.0.0.1:3001")]).is_err());
    }

    #[test]
    fn scripts_that_stand_in_a_page() {
        let page = "<script>a</script><script src=b></script><script>c</script>";
        assert_eq!(inline_scripts(page).collect::<Vec<_>>(), ["a", "c"]);
    }
}
