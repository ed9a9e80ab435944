#!/usr/bin/env bash
# The same in the stock server's container: container.sh FOLDER, the folder that holds the models' folders.
# Further arguments go on to the server: --enable_batching --batching_parameters_file=/config/batching.config
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
models="$(cd "${1:?expected the folder that holds the models}" && pwd)"
shift

# Open to this machine only; the models and their configuration are mounted read-only.
exec docker run --rm \
  --publish 127.0.0.1:8500:8500 \
  --publish 127.0.0.1:8501:8501 \
  --mount "type=bind,source=$models,target=/models,readonly" \
  --mount "type=bind,source=$here,target=/config,readonly" \
  "${IMAGE:-tensorflow/serving:2.19.1}" \
  --model_config_file=/config/models.config \
  "$@"
