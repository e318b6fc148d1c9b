# jaeger: Jaeger 2, traces in memory, with .ci/jaeger.yaml.
#   JAEGER_BIN                  the program. Set it yourself to use your own.
#   JAEGER_UI_DIR               a built Jaeger UI, when one was to be had. Likewise.
#   JAEGER_URL                  UI and query API                http://127.0.0.1:16686
#   JAEGER_OTLP_GRPC_URL        Jaeger without the collector    http://127.0.0.1:14317
#   JAEGER_LOG                  what it prints
#   Ports, to be set before `start`:
#   JAEGER_OTLP_GRPC_PORT=14317 JAEGER_QUERY_HTTP_PORT=16686 JAEGER_QUERY_GRPC_PORT=16685
# shellcheck shell=bash disable=SC2154 # root, cache, state, scratch are the driver's

# Jaeger's module has no /v2, so its tag v2.20.0 has no name in Go: the commit has.
readonly JAEGER_VERSION=2.20.0
readonly JAEGER_COMMIT=798e4b0fcf22609e381df764a01461affd813e1e
# A module proxy may refuse bare commits. The last tag it can name holds Jaeger 2.13.0.
readonly JAEGER_FALLBACK_VERSION=2.13.0
readonly JAEGER_FALLBACK_TAG=v1.76.0
# A crate that carries a built Jaeger UI. Jaeger's Go module carries a placeholder page.
readonly UI_CRATE=otlp-embedded
readonly UI_CRATE_VERSION=0.0.2
readonly UI_VERSION=2.14.1

export JAEGER_OTLP_GRPC_PORT=${JAEGER_OTLP_GRPC_PORT:-14317}
export JAEGER_QUERY_HTTP_PORT=${JAEGER_QUERY_HTTP_PORT:-16686}
export JAEGER_QUERY_GRPC_PORT=${JAEGER_QUERY_GRPC_PORT:-16685}

# Fails where the UI is not there, which is no reason not to start.
find_ui() {
  export JAEGER_UI_DIR
  own JAEGER_UI_DIR && return
  JAEGER_UI_DIR=$cache/jaeger-ui-$UI_VERSION
  [[ -f $JAEGER_UI_DIR/index.html ]] && return
  JAEGER_UI_DIR=
  return 1
}

find_jaeger_program() {
  local version
  export JAEGER_BIN
  own JAEGER_BIN && return
  for version in "$JAEGER_VERSION" "$JAEGER_FALLBACK_VERSION"; do
    JAEGER_BIN=$cache/jaeger-$version/jaeger
    [[ -x $JAEGER_BIN ]] && return
  done
  return 1
}

jaeger_find() {
  find_ui || true
  find_jaeger_program
}

jaeger_ldflags() {
  printf -- '-ldflags=-s -w -X github.com/jaegertracing/jaeger/internal/version.latestVersion=v%s' "$1"
}

# Both run in a subshell. Chained with && because `set -e` does not hold inside an `if`.
build_jaeger_from_commit() {
  cd "$scratch" &&
    nice -n 10 go install -trimpath "$(jaeger_ldflags "$JAEGER_VERSION")" \
      "github.com/jaegertracing/jaeger/cmd/jaeger@$JAEGER_COMMIT"
}

# `go install` refuses a module with a `replace`. Its own sources, made the main module,
# build with exactly the dependencies its own go.sum names.
build_jaeger_from_tag() {
  local module=github.com/jaegertracing/jaeger@$JAEGER_FALLBACK_TAG
  cd "$scratch" &&
    go mod download "$module" &&
    cp -R "$(go env GOMODCACHE)/$module" source &&
    chmod -R u+w source &&
    cd source &&
    nice -n 10 go build -trimpath "$(jaeger_ldflags "$JAEGER_FALLBACK_VERSION")" -o "$scratch/jaeger" ./cmd/jaeger
}

# Nice to have: without it everything works but the pages in the browser.
build_ui() {
  local crate
  if find_ui; then return; fi
  if ! command -v cargo >/dev/null || ! cargo info --quiet "$UI_CRATE@$UI_CRATE_VERSION" >/dev/null 2>&1; then
    say "no Jaeger UI: cargo could not fetch $UI_CRATE $UI_CRATE_VERSION"
    return
  fi
  # `cargo info` unpacks the crate into cargo's own cache and prints no path.
  for crate in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$UI_CRATE-$UI_CRATE_VERSION"; do
    if [[ -f $crate/jaeger-ui/build/index.html ]]; then
      new_scratch
      cp -R "$crate/jaeger-ui/build" "$scratch/ui"
      cp "$crate/jaeger-ui/LICENSE" "$scratch/ui/"
      mv "$scratch/ui" "$cache/jaeger-ui-$UI_VERSION"
      remove_scratch
      return
    fi
  done
  say "no Jaeger UI: $UI_CRATE $UI_CRATE_VERSION does not hold one where it should"
}

build_jaeger_program() {
  local version=$JAEGER_VERSION log=$cache/jaeger.log
  if find_jaeger_program; then return; fi
  need_go Jaeger JAEGER_BIN
  say "building Jaeger $version, about 5 minutes (log: $log)"
  new_scratch
  if ! (build_jaeger_from_commit) >"$log" 2>&1; then
    say "Jaeger $version could not be built: $(tail -n 1 "$log")"
    version=$JAEGER_FALLBACK_VERSION
    say "building Jaeger $version instead"
    new_scratch
    if ! (build_jaeger_from_tag) >>"$log" 2>&1; then
      tail -n 20 "$log" >&2
      die "Jaeger did not build, see $log"
    fi
  fi
  mkdir -p "$cache/jaeger-$version"
  mv "$scratch/jaeger" "$cache/jaeger-$version/jaeger"
}

jaeger_build() {
  build_jaeger_program
  build_ui
}

jaeger_ports() { echo JAEGER_OTLP_GRPC_PORT JAEGER_QUERY_HTTP_PORT JAEGER_QUERY_GRPC_PORT; }

jaeger_configs() { echo "$root/.ci/jaeger.yaml"; }

jaeger_start() { start_one jaeger "$JAEGER_BIN" --config "$root/.ci/jaeger.yaml"; }

jaeger_ready() {
  port_open "$JAEGER_OTLP_GRPC_PORT" && answers "$JAEGER_QUERY_HTTP_PORT" /api/services
}

# shellcheck disable=SC2034 # read by name
jaeger_env() {
  JAEGER_URL=http://127.0.0.1:$JAEGER_QUERY_HTTP_PORT
  JAEGER_OTLP_GRPC_URL=http://127.0.0.1:$JAEGER_OTLP_GRPC_PORT
  JAEGER_LOG=$state/jaeger.log
  export_lines JAEGER_BIN JAEGER_UI_DIR JAEGER_URL JAEGER_OTLP_GRPC_URL JAEGER_LOG
}

jaeger_validate() {
  "$JAEGER_BIN" validate --config "$root/.ci/jaeger.yaml" 2>/dev/null ||
    "$JAEGER_BIN" validate --config "$root/.ci/jaeger.yaml"
  say "ok: .ci/jaeger.yaml"
}
