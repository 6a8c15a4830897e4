#!/usr/bin/env bash
# Lints openapi.yaml, generates clients with the usual generators, and compiles or imports each of them. Needs `npm ci` in this
# folder, and the Python packages of .ci/requirements.txt.
set -euo pipefail
cd "$(dirname "$0")"
document=../../openapi.yaml
bin=node_modules/.bin
rm -rf generated
mkdir generated

"$bin/redocly" lint --config lint.yaml "$document"
"$bin/openapi-typescript" "$document" --output generated/api.ts
"$bin/openapi-ts" --input "$document" --output generated/hey-api --client @hey-api/client-fetch --no-log-file
"$bin/orval" --input "$document" --output generated/orval.ts --client fetch
"$bin/tsc" --project .
"$bin/tsc" --project tsconfig.generated.json

datamodel-codegen --input "$document" --input-file-type openapi --output generated/models.py \
  --output-model-type pydantic_v2.BaseModel --formatters builtin --disable-timestamp
openapi-python-client generate --path "$document" --output-path generated/openapi_client --meta none --fail-on-warning
