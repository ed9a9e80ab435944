#!/usr/bin/env bash
# Serves the models of models.config with tensorflow_model_server, which must be on the PATH.
# Arguments go on to the server: model_server.sh --enable_batching --batching_parameters_file="$PWD/batching.config"
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

exec tensorflow_model_server \
  --port=8500 \
  --rest_api_port=8501 \
  --model_config_file="$here/models.config" \
  "$@"
