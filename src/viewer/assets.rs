//! What a browser loads, as it lies in this directory: no build step, nothing from elsewhere.

/// One file.
pub(super) struct Asset {
    pub(super) name: &'static str,
    pub(super) content_type: &'static str,
    pub(super) text: &'static str,
}

macro_rules! assets {
    ($($name:literal: $content_type:expr,)*) => {
        &[$(Asset { name: $name, content_type: $content_type, text: include_str!(concat!("assets/", $name)) },)*]
    };
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The page itself.
pub(super) const INDEX: &str = "index.html";

pub(super) const ALL: &[Asset] = assets! {
    "index.html": HTML,
    "app.css": CSS,
    "app.js": JAVASCRIPT,
    "content.js": JAVASCRIPT,
    "detail.js": JAVASCRIPT,
    "dom.js": JAVASCRIPT,
    "format.js": JAVASCRIPT,
    "icon.svg": SVG,
    "icons.js": JAVASCRIPT,
    "keys.js": JAVASCRIPT,
    "list.js": JAVASCRIPT,
    "live.js": JAVASCRIPT,
    "models.js": JAVASCRIPT,
    "run.js": JAVASCRIPT,
    "runs.js": JAVASCRIPT,
    "store.js": JAVASCRIPT,
    "theme.js": JAVASCRIPT,
    "tree.js": JAVASCRIPT,
    "waterfall.js": JAVASCRIPT,
};

pub(super) fn find(name: &str) -> Option<&'static Asset> {
    ALL.iter().find(|asset| asset.name == name)
}
