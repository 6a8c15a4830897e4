//! Receives the answers of custom resources: documents uploaded to a URL, in CloudFormation's place.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use http::{Method, Request, Response};

use crate::lock::locked;

const FOLDER: &str = "/cloudformation/";

/// The uploaded documents, by the id in their URL.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<BTreeMap<String, Bytes>>);

impl Uploads {
    /// The path for the document with this id.
    pub(crate) fn path(id: &str) -> String {
        format!("{FOLDER}{id}")
    }

    /// Keeps the document, if `request` uploads one. The first upload counts, as in CloudFormation.
    pub(crate) fn receive(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let id = request.uri().path().strip_prefix(FOLDER).filter(|_| request.method() == Method::PUT)?;
        locked(&self.0).entry(id.to_owned()).or_insert_with(|| request.body().clone());
        Some(Response::new(Bytes::new()))
    }

    /// The document with this id, once.
    pub(crate) fn take(&self, id: &str) -> Option<Bytes> {
        locked(&self.0).remove(id)
    }
}
