#!/usr/bin/env python3
"""Builds benign.txt.gz and SOURCES.tsv from the texts named in README.md. Not part of any test; kept so that the corpus can be built again.

    collect.py CARGO_REGISTRY_SRC RUST_DOC_HTML MIRROR OUT

Deterministic: sources in a fixed order, paragraphs in the order of their file, the first of duplicates kept.
"""
import gzip, hashlib, html.parser, pathlib, re, subprocess, sys, tomllib

REGISTRY, RUST, MIRROR, OUT = map(pathlib.Path, sys.argv[1:5])
SHORTEST, LONGEST = 60, 2_000
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
seen, paragraphs, sources = set(), [], []


def add(name, licence, text, most, step=1):
    """At most `most` paragraphs of `text`, every `step`th."""
    taken = 0
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n"))[::step]:
        block = "\n".join(line.rstrip() for line in block.strip("\n").split("\n"))
        if not SHORTEST <= len(block) <= LONGEST or not block.strip() or EMAIL.search(block):
            continue
        letters = sum(c.isalpha() for c in block)
        if letters < len(block) * 0.4:  # tables of badges, drawings
            continue
        key = hashlib.sha256(re.sub(r"\W+", " ", block).lower().encode()).digest()
        if key in seen:
            continue
        seen.add(key)
        paragraphs.append(block)
        taken += 1
        if taken == most:
            break
    if taken:
        sources.append((name, licence, taken))


class Text(html.parser.HTMLParser):
    """The paragraphs, list items and code blocks of the <main> of an mdBook page."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.main = self.deep = 0
        self.blocks, self.now = [], ""

    def handle_starttag(self, tag, attrs):
        self.main += tag == "main"
        self.deep += tag in ("p", "li", "pre")

    def handle_endtag(self, tag):
        self.main -= tag == "main"
        if tag in ("p", "li", "pre"):
            self.deep -= 1
            if self.deep == 0:
                self.blocks.append(re.sub(r"\n\s*\n", "\n", self.now).strip("\n"))
                self.now = ""

    def handle_data(self, data):
        if self.main and self.deep:
            self.now += data


def git(repo, *args):
    run = ["git", f"--git-dir={MIRROR / repo / 'repo'}", *args]
    return subprocess.run(run, check=True, capture_output=True).stdout.decode("utf-8", "replace")


def files(repo, wanted):
    return sorted(p for p in git(repo, "ls-tree", "-r", "--name-only", "HEAD").split("\n") if re.search(wanted, p))


for book, most in (("book", 900), ("cargo", 900), ("rustc", 300), ("rust-by-example", 400), ("reference", 400)):
    pages = []
    for page in sorted((RUST / book).rglob("*.html")):
        if page.name in ("print.html", "toc.html", "404.html") or page.parent.name in ("zh", "ja", "es", "ko"):
            continue
        parser = Text()
        parser.feed(page.read_text())
        pages += parser.blocks
    add(f"Rust documentation, {book}", "MIT OR Apache-2.0", "\n\n".join(pages), most, 2)

for crate in sorted(REGISTRY.iterdir()):
    try:
        package = tomllib.loads((crate / "Cargo.toml").read_text())["package"]
    except (OSError, KeyError):
        continue
    licence = package.get("license", "")
    if licence.replace("/", " OR ").replace("  ", " ") not in ("MIT OR Apache-2.0", "Apache-2.0 OR MIT", "MIT", "Apache-2.0"):
        continue
    for page in sorted(p for p in crate.glob("*.md") if re.match(r"(?i)readme|changelog|design|guide|faq", p.name)):
        most = 4 if page.name.lower().startswith("changelog") else 12
        add(f"crate {crate.name}, {page.name}", licence, page.read_text(errors="replace"), most)

for repo, wanted, licence, most, step in (
    ("18F+guides", r"^_pages/.*\.md$|^content/.*\.md$|^_.*guide.*\.md$", "CC0-1.0 (US government work)", 8, 1),
    ("danielmiessler+fabric", r"patterns/.*(system|README)\.md$", "MIT", 6, 1),
):
    for path in files(repo, wanted):
        add(f"{repo.replace('+', '/')}, {path}", licence, git(repo, "show", f"HEAD:{path}"), most, step)

for repo, path, most in (
    ("GITenberg+Pride-and-Prejudice_1342", "1342-0.txt", 900),
    ("GITenberg+The-Adventures-of-Sherlock-Holmes_1661", None, 900),
):
    path = path or next(p for p in files(repo, r"^\d+(-0)?\.txt$"))
    text = git(repo, "show", f"HEAD:{path}")
    start, end = re.search(r"\*\*\* ?START OF.*", text), re.search(r"\*\*\* ?END OF", text)
    add(repo.replace("+", "/") + ", " + path, "public domain", text[start.end() if start else 0 : end.start() if end else None], most, 2)

OUT.mkdir(exist_ok=True)
data = ("\n\n".join(re.sub(r"\n\s*\n", "\n", p) for p in paragraphs) + "\n").encode()
(OUT / "benign.txt.gz").write_bytes(gzip.compress(data, 9, mtime=0))
(OUT / "SOURCES.tsv").write_text("".join(f"{n}\t{l}\t{c}\n" for n, l, c in sources))
print(len(paragraphs), "paragraphs", len(data), "bytes,", (OUT / "benign.txt.gz").stat().st_size, "compressed")
