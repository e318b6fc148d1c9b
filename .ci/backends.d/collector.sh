# collector: the OpenTelemetry Collector, with otel-collector.yaml and examples/observability/names.yaml.
#   OTELCOL_BIN                 the program. Set it yourself to use your own.
#   OTELCOL_GRPC_URL            where to send OTLP/gRPC         http://127.0.0.1:4317
#   OTELCOL_HTTP_URL            where to send OTLP/HTTP         http://127.0.0.1:4318
#   OTELCOL_PROMETHEUS_URL      the application's metrics       http://127.0.0.1:8889/metrics
#   OTELCOL_TELEMETRY_URL       the collector's own metrics     http://127.0.0.1:8888/metrics
#   OTELCOL_LOG                 what it prints
#   Ports, to be set before `start`:
#   OTELCOL_OTLP_GRPC_PORT=4317 OTELCOL_OTLP_HTTP_PORT=4318 OTELCOL_PROMETHEUS_PORT=8889
#   OTELCOL_TELEMETRY_PORT=8888
# shellcheck shell=bash disable=SC2154 # root, cache, state, scratch are the driver's

readonly OTELCOL_VERSION=0.159.0

export OTELCOL_OTLP_GRPC_PORT=${OTELCOL_OTLP_GRPC_PORT:-4317}
export OTELCOL_OTLP_HTTP_PORT=${OTELCOL_OTLP_HTTP_PORT:-4318}
export OTELCOL_PROMETHEUS_PORT=${OTELCOL_PROMETHEUS_PORT:-8889}
export OTELCOL_TELEMETRY_PORT=${OTELCOL_TELEMETRY_PORT:-8888}

# The manifest is part of the name: another component is another build.
otelcol_dir() {
  local sum
  sum=$(cksum <"$root/.ci/otelcol-builder.yaml" | cut -d' ' -f1)
  printf '%s/otelcol-%s-%s' "$cache" "$OTELCOL_VERSION" "$sum"
}

collector_find() {
  own OTELCOL_BIN || OTELCOL_BIN=$(otelcol_dir)/otelcol
  export OTELCOL_BIN
  [[ -x $OTELCOL_BIN ]]
}

# Runs in a subshell. Chained with && because `set -e` does not hold inside an `if`.
build_otelcol_in_scratch() {
  cd "$scratch" &&
    go install "go.opentelemetry.io/collector/cmd/builder@v$OTELCOL_VERSION" &&
    nice -n 10 ./builder --config "$root/.ci/otelcol-builder.yaml"
}

collector_build() {
  local dir log=$cache/otelcol.log
  if collector_find; then return; fi
  need_go 'the collector' OTELCOL_BIN
  say "building the collector $OTELCOL_VERSION, about 5 minutes (log: $log)"
  new_scratch
  if ! (build_otelcol_in_scratch) >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "the collector did not build, see $log"
  fi
  dir=$(otelcol_dir)
  mkdir -p "$dir"
  mv "$scratch/out/otelcol" "$dir/otelcol"
}

collector_ports() {
  echo OTELCOL_OTLP_GRPC_PORT OTELCOL_OTLP_HTTP_PORT OTELCOL_PROMETHEUS_PORT OTELCOL_TELEMETRY_PORT
}

collector_configs() {
  echo "$root/otel-collector.yaml"
  echo "$root/examples/observability/names.yaml"
}

collector_start() {
  JAEGER_OTLP_ENDPOINT=127.0.0.1:$JAEGER_OTLP_GRPC_PORT \
    start_one collector "$OTELCOL_BIN" --config "$root/otel-collector.yaml" \
    --config "$root/examples/observability/names.yaml"
}

collector_ready() {
  port_open "$OTELCOL_OTLP_GRPC_PORT" && port_open "$OTELCOL_OTLP_HTTP_PORT" &&
    answers "$OTELCOL_PROMETHEUS_PORT" /metrics
}

# shellcheck disable=SC2034 # read by name
collector_env() {
  OTELCOL_GRPC_URL=http://127.0.0.1:$OTELCOL_OTLP_GRPC_PORT
  OTELCOL_HTTP_URL=http://127.0.0.1:$OTELCOL_OTLP_HTTP_PORT
  OTELCOL_PROMETHEUS_URL=http://127.0.0.1:$OTELCOL_PROMETHEUS_PORT/metrics
  OTELCOL_TELEMETRY_URL=http://127.0.0.1:$OTELCOL_TELEMETRY_PORT/metrics
  OTELCOL_LOG=$state/collector.log
  export_lines OTELCOL_BIN OTELCOL_GRPC_URL OTELCOL_HTTP_URL OTELCOL_PROMETHEUS_URL \
    OTELCOL_TELEMETRY_URL OTELCOL_LOG
}

# The lines of otel-collector.yaml that start with `#| `, without the mark.
gateway_profile() { sed -n 's/^#| \{0,1\}//p' "$root/otel-collector.yaml"; }

collector_validate() {
  local gateway
  gateway=$(gateway_profile)
  [[ -n $gateway ]] || die "otel-collector.yaml holds no gateway profile (lines that start with '#| ')"
  "$OTELCOL_BIN" validate --config "$root/otel-collector.yaml"
  say "ok: otel-collector.yaml"
  "$OTELCOL_BIN" validate --config "$root/otel-collector.yaml" --config "$root/examples/observability/names.yaml"
  say "ok: examples/observability/names.yaml"
  "$OTELCOL_BIN" validate --config "$root/otel-collector.yaml" --config "yaml:$gateway"
  say "ok: the gateway profile in otel-collector.yaml"
}
