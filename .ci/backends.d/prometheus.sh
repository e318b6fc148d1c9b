# prometheus: Prometheus and promtool, with examples/observability/prometheus.yaml; it reads
# the collector, every second.
#   PROMETHEUS_BIN              the program. Set it yourself to use your own.
#   PROMTOOL_BIN                checks its files. Likewise.
#   PROMETHEUS_URL              query API; there is no page     http://127.0.0.1:9090
#   PROMETHEUS_LOG              what it prints
#   Port, to be set before `start`:
#   PROMETHEUS_PORT=9090
# shellcheck shell=bash disable=SC2154 # root, cache, state, scratch are the driver's

readonly PROMETHEUS_VERSION=3.14.0
# In Go the same release is v0.314.0.
readonly PROMETHEUS_TAG=v0.314.0

export PROMETHEUS_PORT=${PROMETHEUS_PORT:-9090}

prometheus_find() {
  local dir=$cache/prometheus-$PROMETHEUS_VERSION
  own PROMETHEUS_BIN || PROMETHEUS_BIN=$dir/prometheus
  own PROMTOOL_BIN || PROMTOOL_BIN=$dir/promtool
  export PROMETHEUS_BIN PROMTOOL_BIN
  [[ -x $PROMETHEUS_BIN && -x $PROMTOOL_BIN ]]
}

# `go install` refuses a module with a `replace`, so it is a dependency of an empty one.
# Without the page, which the module does not hold, and without service discovery.
build_prometheus_in_scratch() {
  local module=github.com/prometheus/prometheus
  mkdir "$scratch/module" "$scratch/out" && cd "$scratch/module" &&
    go mod init scratch &&
    go get "$module/cmd/prometheus@$PROMETHEUS_TAG" "$module/cmd/promtool@$PROMETHEUS_TAG" &&
    nice -n 10 go build -mod=mod -trimpath -tags netgo,remove_all_sd -ldflags='-s -w' -o "$scratch/out/" \
      "$module/cmd/prometheus" "$module/cmd/promtool"
}

prometheus_build() {
  local log=$cache/prometheus.log
  if prometheus_find; then return; fi
  need_go Prometheus PROMETHEUS_BIN
  say "building Prometheus $PROMETHEUS_VERSION, about 5 minutes (log: $log)"
  new_scratch
  if ! (build_prometheus_in_scratch) >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "Prometheus did not build, see $log"
  fi
  mv "$scratch/out" "$cache/prometheus-$PROMETHEUS_VERSION"
}

prometheus_ports() { echo PROMETHEUS_PORT; }

prometheus_configs() {
  echo "$root/examples/observability/prometheus.yaml"
  echo "$root/examples/observability/alerts.yaml"
}

# What the example has, with the ports and the patience of this place.
prometheus_start() {
  local dir=$state/prometheus
  mkdir -p "$dir"
  cp "$root/examples/observability/alerts.yaml" "$dir/"
  sed -e "s/collector:8889/127.0.0.1:$OTELCOL_PROMETHEUS_PORT/" \
    -e "s/collector:8888/127.0.0.1:$OTELCOL_TELEMETRY_PORT/" \
    -e 's/_interval: 15s/_interval: 1s/' \
    "$root/examples/observability/prometheus.yaml" >"$dir/prometheus.yaml"
  start_one prometheus "$PROMETHEUS_BIN" --config.file="$dir/prometheus.yaml" \
    --storage.tsdb.path="$dir/data" --web.listen-address="127.0.0.1:$PROMETHEUS_PORT" \
    --enable-feature=exemplar-storage,created-timestamp-zero-ingestion
}

prometheus_ready() { answers "$PROMETHEUS_PORT" /-/ready; }

# shellcheck disable=SC2034 # read by name
prometheus_env() {
  PROMETHEUS_URL=http://127.0.0.1:$PROMETHEUS_PORT
  PROMETHEUS_LOG=$state/prometheus.log
  export_lines PROMETHEUS_BIN PROMTOOL_BIN PROMETHEUS_URL PROMETHEUS_LOG
}

prometheus_validate() {
  "$PROMTOOL_BIN" check config "$root/examples/observability/prometheus.yaml" >&2
  say "ok: examples/observability/prometheus.yaml and alerts.yaml"
  "$PROMTOOL_BIN" test rules "$root/tests/data/alerts_test.yaml" >&2
  say "ok: the alerts fire when they should"
}
