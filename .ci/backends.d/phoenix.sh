# phoenix: Arize Phoenix, which reads the GenAI conventions and knows prices, from PyPI.
#   PHOENIX_DIR                 its Python environment. Set it yourself to use your own.
#   PHOENIX_URL                 UI, REST and GraphQL            http://127.0.0.1:6006
#   PHOENIX_OTLP_HTTP_URL       where to send OTLP/HTTP, traces only: the same
#   PHOENIX_OTLP_GRPC_URL       where to send OTLP/gRPC         http://127.0.0.1:6007
#   PHOENIX_LOG                 what it prints
#   Ports, to be set before `start`:
#   PHOENIX_PORT=6006 PHOENIX_GRPC_PORT=6007
# shellcheck shell=bash disable=SC2154 # root, cache, state, scratch are the driver's

readonly PHOENIX_VERSION=20.26.1

export PHOENIX_PORT=${PHOENIX_PORT:-6006}
# Phoenix' own default is 4317, which is the collector's here.
export PHOENIX_GRPC_PORT=${PHOENIX_GRPC_PORT:-6007}

phoenix_find() {
  own PHOENIX_DIR || PHOENIX_DIR=$cache/phoenix-$PHOENIX_VERSION
  export PHOENIX_DIR
  # Made last: an environment that was left half done has none.
  [[ -x $PHOENIX_DIR/bin/phoenix ]]
}

# An environment cannot be moved, so it is made in its place.
build_phoenix_environment() {
  rm -rf "$PHOENIX_DIR" &&
    "$1" -m venv "$PHOENIX_DIR" &&
    nice -n 10 "$PHOENIX_DIR/bin/pip" install --quiet --disable-pip-version-check \
      --no-cache-dir "arize-phoenix==$PHOENIX_VERSION"
}

phoenix_build() {
  local python log=$cache/phoenix.log
  if phoenix_find; then return; fi
  python=$(command -v python3) || die "\`python3\` is not on the PATH, and Phoenix is a Python program
backends: (3.10 or later). Without it, set PHOENIX_DIR to an environment that holds it."
  say "installing Phoenix $PHOENIX_VERSION, about 2 minutes and 900 MB (log: $log)"
  if ! (build_phoenix_environment "$python") >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "Phoenix could not be installed, see $log"
  fi
}

phoenix_ports() { echo PHOENIX_PORT PHOENIX_GRPC_PORT; }

phoenix_configs() { echo "$root/.ci/backends.d/serve_phoenix.py"; }

phoenix_start() {
  # It reads half a gigabyte of Python first, and a busy machine takes its time.
  local deadline=$((deadline > 120 ? deadline : 120))
  phoenix_stopped
  mkdir -p "$state/phoenix"
  # It says nothing to its makers, and its pages load nothing from elsewhere.
  PHOENIX_HOST=127.0.0.1 PHOENIX_WORKING_DIR=$state/phoenix PHOENIX_TELEMETRY_ENABLED=false \
    PHOENIX_ALLOW_EXTERNAL_RESOURCES=false PHOENIX_DISABLE_AGENT_ASSISTANT=true \
    start_one phoenix "$PHOENIX_DIR/bin/python" "$root/.ci/backends.d/serve_phoenix.py"
}

# Its database: what one run of the tests left is not there for the next.
phoenix_stopped() { rm -rf "$state/phoenix"; }

phoenix_ready() { port_open "$PHOENIX_GRPC_PORT" && answers "$PHOENIX_PORT" /healthz; }

# shellcheck disable=SC2034 # read by name
phoenix_env() {
  PHOENIX_URL=http://127.0.0.1:$PHOENIX_PORT
  PHOENIX_OTLP_HTTP_URL=$PHOENIX_URL
  PHOENIX_OTLP_GRPC_URL=http://127.0.0.1:$PHOENIX_GRPC_PORT
  PHOENIX_LOG=$state/phoenix.log
  export_lines PHOENIX_DIR PHOENIX_URL PHOENIX_OTLP_HTTP_URL PHOENIX_OTLP_GRPC_URL PHOENIX_LOG
}

phoenix_validate() {
  "$PHOENIX_DIR/bin/python" -c 'import phoenix.server.main'
  say "ok: phoenix"
}
