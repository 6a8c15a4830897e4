#!/usr/bin/env bash
# Asks an AWS account what nobody can know without one. README.md explains it.
#
#   SENDER=no-reply@example.com TEST_ADDRESS=you@example.com tests/account/run.sh [STEP ...]
# In this file, backquotes and $default in single quotes belong to JMESPath and to API Gateway.
# shellcheck disable=SC2016
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
here=tests/account

: "${SENDER:?set SENDER to an address known to SES}"
: "${TEST_ADDRESS:?set TEST_ADDRESS to a mailbox of yours}"
PHONE="${PHONE:-}"
STACK="${STACK:-latchkey-account}"
ORIGIN="${ORIGIN:-https://app.example.com}"
ARCHITECTURE="${ARCHITECTURE:-arm64}"
: "${AWS_REGION:?set AWS_REGION}"
export AWS_REGION AWS_DEFAULT_REGION="$AWS_REGION" AWS_PAGER="" SAM_CLI_TELEMETRY=0
results="${RESULTS:-account-results.txt}"
work="$(mktemp -d)"
traffic=
# Whatever ends the script, the changed program comes back.
cleanup() {
  [ -z "$traffic" ] || kill "$traffic" 2> /dev/null
  [ ! -e "$work/jwks" ] || mv "$work/jwks" target/lambda/jwks/bootstrap
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

bold() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
expected() { printf 'expected: %s\n' "$*"; }

# Notes whether a step ended as expected, and what it saw.
note() { # STEP ok|differs|unknown SEEN
  printf 'seen:     %s\n' "$3"
  printf '%-14s %-8s %s\n' "$1" "$2" "$3" | tee -a "$results" > /dev/null
}
same() { # STEP EXPECTED SEEN
  if [ "$2" = "$3" ]; then note "$1" ok "$3"; else note "$1" differs "$3 (expected $2)"; fi
}

# Asks before something is created, changed or deleted.
agreed() {
  printf 'This step %s. Go on? [y/N] ' "$*"
  read -r answer
  [ "$answer" = y ] || { echo "skipped"; return 1; }
}
answer_of() {
  printf '%s ' "$*" >&2
  read -r answer
  printf '%s' "$answer"
}

resource() { # LOGICAL-NAME
  aws cloudformation describe-stack-resource --stack-name "$STACK" --logical-resource-id "$1" \
    --query StackResourceDetail.PhysicalResourceId --output text
}
output() { # NAME
  aws cloudformation describe-stacks --stack-name "$STACK" \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}
status() { # STACK
  aws cloudformation describe-stacks --stack-name "$1" --query 'Stacks[0].StackStatus' --output text 2> /dev/null || echo NONE
}
live() { # LOGICAL-NAME QUERY
  aws lambda get-function-configuration --function-name "$(resource "$1")" --qualifier live --query "$2" --output text
}
has_parameter() { grep -q "^  $1:\$" template.yaml; }

deploy() { # STACK NAME=VALUE ...
  local stack="$1"
  shift
  sam deploy --template-file template.yaml --stack-name "$stack" --s3-prefix "$stack" --resolve-s3 \
    --capabilities CAPABILITY_IAM --no-confirm-changeset \
    --no-fail-on-empty-changeset --parameter-overrides Stage=testing "SenderEmail=$SENDER" \
    "AllowedOrigins=$ORIGIN,http://localhost:3000" CreateSenderIdentity=no "Architecture=$ARCHITECTURE" "$@" \
    > "$work/deploy.log" 2>&1
  local code=$?
  tail -n 5 "$work/deploy.log"
  return $code
}
post() { # PATH BODY [CURL-OPTION ...]
  local path="$1" body="$2"
  shift 2
  curl -sS -X POST "$API$path" -H 'content-type: application/json' -d "$body" "$@"
}
code_of() { post "$1" "$2" -o /dev/null -w '%{http_code}'; }

step_deploy() {
  agreed "creates the stack $STACK in this account" || return 1
  expected "CREATE_COMPLETE, or UPDATE_COMPLETE if the stack exists"
  deploy "$STACK"
  local seen
  seen="$(status "$STACK")"
  case "$seen" in *_COMPLETE) note deploy ok "$seen" ;; *) note deploy differs "$seen"; return 1 ;; esac
}

step_routes() {
  expected "8 routes with a rate of 20 requests a second, as numbers"
  same routes "8" "$(aws apigatewayv2 get-stage --api-id "$(resource HttpApi)" --stage-name '$default' \
    --query 'length(values(RouteSettings)[?ThrottlingRateLimit==`20`])' --output text)"
  expected "both origins are allowed, with credentials"
  same cors "true 2" "$(aws apigatewayv2 get-api --api-id "$(resource HttpApi)" \
    --query 'join(`" "`, [to_string(CorsConfiguration.AllowCredentials), to_string(length(CorsConfiguration.AllowOrigins))])' \
    --output text)"
}

step_slash() {
  local path
  for path in /api/auth/otp/request /api/auth/otp/verify /api/auth/token/refresh /api/auth/logout; do
    expected "400 at $path, and 400 (or 308 to the path without the slash) at $path/"
    local with without
    without="$(code_of "$path" '{}')" with="$(code_of "$path/" '{}')"
    case "$without $with" in
      "400 400") note slash ok "$path: 400 and 400" ;;
      "400 308") note slash ok "$path/: 308, so the greedy route does not match an empty rest" ;;
      *) note slash differs "$path: $without and $with" ;;
    esac
  done
  sleep 10
  echo "the routes that API Gateway chose:"
  aws logs filter-log-events --log-group-name "$(resource AccessLog)" --start-time "$((($(date +%s) - 120) * 1000))" \
    --query 'events[].message' --output text | tr '\t' '\n' | grep -o '"route":"[^"]*"' | sort | uniq -c
}

preflight() { # PATH ORIGIN: whether it succeeds, and the allowed origin
  curl -sS -i -X OPTIONS "$API$1" -H "origin: $2" -H 'access-control-request-method: POST' \
    -H 'access-control-request-headers: content-type' | tr -d '\r' |
    awk -F': ' 'NR==1{split($1,line," "); found=(line[2]~/^2/)?"ok":line[2]} tolower($1)=="access-control-allow-origin"{found=found" "$2} END{print found}'
}
step_preflight() {
  local path
  for path in /api/auth/otp/request /api/auth/otp/request/ /api/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA; do
    expected "OPTIONS at $path succeeds: $ORIGIN for our page, nothing for a foreign one"
    same preflight "ok $ORIGIN, ok" "$(preflight "$path" "$ORIGIN"), $(preflight "$path" https://foreign.example)"
  done
  sleep 10
  expected "unknown: does the gateway answer by itself, or the function Fallback by the default route?"
  note preflight-by unknown "$(aws logs filter-log-events --log-group-name "$(resource FunctionsLog)" \
    --start-time "$((($(date +%s) - 120) * 1000))" --filter-pattern '{ $.function = "fallback" }' --query 'length(events)' --output text) lines of Fallback"
}

step_sign_up() {
  agreed "sends a code to $TEST_ADDRESS and creates a user" || return 0
  local challenge answer code
  challenge="$(post /api/auth/otp/request/ "{\"identifier\":\"$TEST_ADDRESS\"}" |
    python3 -c 'import json,sys; print(json.load(sys.stdin).get("challenge_id", ""))')"
  expected "a mail arrives, and its code signs you in: the transaction under dynamodb:LeadingKeys is allowed"
  code="$(answer_of "The code from the mail?")"
  answer="$(post /api/auth/otp/verify/ \
    "{\"identifier\":\"$TEST_ADDRESS\",\"otp_code\":\"$code\",\"challenge_id\":\"$challenge\"}" -o "$work/verify.json" -w '%{http_code}')"
  same sign-up 200 "$answer"
}

step_versions() {
  agreed "deploys OtpLength=8 to $STACK, then 6 again" || return 0
  local before after
  before="$(live RequestOtp Version)"
  expected "the alias live has a new version and OTP_LENGTH=8; no message 'A version for this Lambda function exists'"
  deploy "$STACK" OtpLength=8
  grep -h "version for this Lambda function exists" "$work/deploy.log"
  after="$(live RequestOtp Version)"
  [ "$before" != "$after" ] && after=new
  same versions "new 8" "$after $(live RequestOtp Environment.Variables.OTP_LENGTH)"
  expected "OTP_LENGTH=6 in a further version: the same settings as before are not 'nothing to publish'"
  deploy "$STACK" OtpLength=6
  same versions-back 6 "$(live RequestOtp Environment.Variables.OTP_LENGTH)"
}

step_refusal() {
  agreed "tries to deploy SmsCountries=UK, which must fail, and then deploys $STACK without it" || return 0
  expected "CloudFormation refuses within a minute, with a sentence that names UK, and rolls back"
  local began
  began="$(date +%s)"
  deploy "$STACK" SmsCountries=UK
  aws cloudformation describe-stack-events --stack-name "$STACK" \
    --query 'StackEvents[?ends_with(ResourceStatus,`_FAILED`)].[LogicalResourceId,ResourceStatusReason]' --output text | head -n 3
  same refusal UPDATE_ROLLBACK_COMPLETE "$(status "$STACK")"
  note refusal-time unknown "$(($(date +%s) - began)) s until the end of the rollback"
  expected "the next deployment works: versions of the failed one are not in its way"
  deploy "$STACK" 'SmsCountries=""' SmsDailyBudget=201
  same refusal-next "UPDATE_COMPLETE 201" "$(status "$STACK") $(live RequestOtp Environment.Variables.SMS_DAILY_BUDGET)"
}

step_canary() {
  has_parameter Rollout || { echo "template.yaml has no parameter Rollout"; return 0; }
  agreed "deploys a jwks function that ends at once to $STACK, as a canary, for about ten minutes" || return 0
  local program=target/lambda/jwks/bootstrap before
  cp -p "$program" "$work/jwks"
  before="$(live Jwks Version)"
  printf '#!/bin/sh\nexit 1\n' > "$program"
  (while sleep 0.5; do curl -sS -o /dev/null "$API/.well-known/jwks.json"; done) 2> /dev/null &
  traffic=$!
  expected "the alarm of the new version rises within two minutes, and CodeDeploy and the stack roll back"
  # Only production has a canary. The rollback brings the stage back too.
  deploy "$STACK" Stage=production Rollout=canary
  kill "$traffic"
  traffic=
  mv "$work/jwks" "$program"
  same canary "UPDATE_ROLLBACK_COMPLETE $before" "$(status "$STACK") $(live Jwks Version)"
}

# A function that tells its two clocks.
step_clock() {
  agreed "creates a role and a Python function, both named $STACK-clock, for two minutes" || return 0
  local role first second
  printf '%s\n' 'import time' 'def handler(event, context):' '    return [time.monotonic(), time.time()]' > "$work/clock.py"
  (cd "$work" && python3 -m zipfile -c clock.zip clock.py)
  role="$(aws iam create-role --role-name "$STACK-clock" --query Role.Arn --output text --assume-role-policy-document \
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}')"
  sleep 12
  aws lambda create-function --function-name "$STACK-clock" --runtime python3.13 --handler clock.handler --role "$role" \
    --zip-file "fileb://$work/clock.zip" --query FunctionName --output text
  aws lambda wait function-active-v2 --function-name "$STACK-clock"
  aws lambda invoke --function-name "$STACK-clock" "$work/1" > /dev/null
  sleep 60
  aws lambda invoke --function-name "$STACK-clock" "$work/2" > /dev/null
  first="$(cat "$work/1")" second="$(cat "$work/2")"
  expected "the wall clock moves 60 s; whether the monotonic clock does is the question (the same instance is needed)"
  note clock unknown "$(python3 -c 'import json,sys; a,b=map(json.loads,sys.argv[1:]); print(f"monotonic {b[0]-a[0]:.1f} s, wall {b[1]-a[1]:.1f} s")' "$first" "$second")"
  aws lambda delete-function --function-name "$STACK-clock"
  aws iam delete-role --role-name "$STACK-clock"
}

step_freeze() {
  agreed "sends six mails to SES's mailbox simulator, with pauses of up to two minutes" || return 0
  local pause number=0
  for pause in 0 20 30 60 80 120; do
    sleep "$pause"
    number=$((number + 1))
    expected "200 after $pause s without a request"
    same freeze 200 "$(code_of /api/auth/otp/request/ "{\"identifier\":\"success+$number-$RANDOM@simulator.amazonses.com\"}")"
  done
  sleep 10
  expected "no line about a send whose outcome is unknown"
  same freeze-log 0 "$(aws logs filter-log-events --log-group-name "$(resource FunctionsLog)" \
    --start-time "$((($(date +%s) - 600) * 1000))" --filter-pattern '?unknown ?"no answer"' --query 'length(events)' --output text)"
}

# Tries calls under a role whose condition lists attributes.
step_attributes() {
  agreed "creates the table and the role $STACK-attributes, for two minutes" || return 0
  local name="$STACK-attributes" arn account role
  account="$(aws sts get-caller-identity --query Account --output text)"
  aws dynamodb create-table --table-name "$name" --billing-mode PAY_PER_REQUEST --key-schema AttributeName=pk,KeyType=HASH \
    --attribute-definitions AttributeName=pk,AttributeType=S --query TableDescription.TableStatus --output text
  aws dynamodb wait table-exists --table-name "$name"
  arn="$(aws dynamodb describe-table --table-name "$name" --query Table.TableArn --output text)"
  aws dynamodb put-item --table-name "$name" --item '{"pk":{"S":"a"},"ss":{"S":"x"},"name":{"S":"n"}}'
  role="$(aws iam create-role --role-name "$name" --query Role.Arn --output text --assume-role-policy-document \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::$account:root\"},\"Action\":\"sts:AssumeRole\"}]}")"
  aws iam put-role-policy --role-name "$name" --policy-name attributes --policy-document \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"dynamodb:UpdateItem\",\"Resource\":\"$arn\",\"Condition\":{\"ForAllValues:StringEquals\":{\"dynamodb:Attributes\":[\"pk\",\"name\"]}}}]}"
  sleep 15
  (
    read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN < <(aws sts assume-role --role-arn "$role" \
      --role-session-name account --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    unset AWS_PROFILE
    update() { # NAME EXPECTED OPTION ...
      local step="$1" wanted="$2" seen
      shift 2
      expected "$step: $wanted"
      seen="$(aws dynamodb update-item --table-name "$name" --key '{"pk":{"S":"a"}}' --update-expression 'SET #n = :v' \
        --expression-attribute-names '{"#n":"name"}' --expression-attribute-values '{":v":{"S":"y"}}' "$@" 2>&1)"
      case "$seen" in
        *AccessDenied*) seen=denied ;;
        *ConditionalCheckFailed*) seen=condition-failed ;;
        *rror*) seen="${seen##*: }" ;;
        *) seen=allowed ;;
      esac
      if [ "$wanted" = "?" ]; then note "$step" unknown "$seen"; else same "$step" "$wanted" "$seen"; fi
    }
    update attributes allowed
    update attr-condition denied --condition-expression 'attribute_exists(ss)'
    update attr-all-new '?' --return-values ALL_NEW
    update attr-on-failure '?' --condition-expression 'attribute_not_exists(#n)' --return-values-on-condition-check-failure ALL_OLD
  )
  aws iam delete-role-policy --role-name "$name" --policy-name attributes
  aws iam delete-role --role-name "$name"
  aws dynamodb delete-table --table-name "$name" --query TableDescription.TableStatus --output text
}

# IAM's own simulator: nothing is created.
step_paths() {
  local seen policy
  policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:api/$default/POST/users/*/suspension"}]}'
  expected "allowed: a star in a path also matches slashes, so a role's part must come first in a path"
  seen="$(aws iam simulate-custom-policy --policy-input-list "$policy" --action-names execute-api:Invoke --resource-arns \
    "arn:aws:execute-api:$AWS_REGION:123456789012:api/\$default/POST/users/1/deletion/suspension" \
    --query 'EvaluationResults[0].EvalDecision' --output text)"
  same paths allowed "$seen"
}

step_ses() {
  local set topic
  set="$(resource ConfigurationSet)"
  expected "SuppressedReasons is an empty list"
  same suppression '[]' "$(aws sesv2 get-configuration-set --configuration-set-name "$set" \
    --query 'to_string(SuppressionOptions.SuppressedReasons)' --output text)"
  agreed "creates the topic $STACK-mail and makes it a destination of the configuration set" || return 0
  topic="$(aws sns create-topic --name "$STACK-mail" --query TopicArn --output text)"
  aws sns set-topic-attributes --topic-arn "$topic" --attribute-name Policy --attribute-value \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ses.amazonaws.com\"},\"Action\":\"sns:Publish\",\"Resource\":\"$topic\"}]}"
  expected "SES accepts the destination, because the topic's policy is there before it"
  aws sesv2 create-configuration-set-event-destination --configuration-set-name "$set" --event-destination-name account \
    --event-destination "{\"Enabled\":true,\"MatchingEventTypes\":[\"BOUNCE\"],\"SnsDestination\":{\"TopicArn\":\"$topic\"}}"
  same ses-destination 0 "$?"
  aws sesv2 delete-configuration-set-event-destination --configuration-set-name "$set" --event-destination-name account
  aws sns delete-topic --topic-arn "$topic"
}

# Metric math over a metric that was never written, like the one of SMS in a stack that has sent none.
step_math() {
  local queries metric
  metric='"Period":300,"Stat":"Sum","Metric":{"Namespace":'
  queries="[{\"Id\":\"watched\",\"Expression\":\"FILL(one, 0) + FILL(never, 0)\"},
    {\"Id\":\"one\",\"ReturnData\":false,\"MetricStat\":{$metric\"AWS/Lambda\",\"MetricName\":\"Invocations\",
      \"Dimensions\":[{\"Name\":\"FunctionName\",\"Value\":\"$(resource Jwks)\"}]}}},
    {\"Id\":\"never\",\"ReturnData\":false,\"MetricStat\":{$metric\"Latchkey\",\"MetricName\":\"NeverWritten\"}}}]"
  curl -sS -o /dev/null "$API/.well-known/jwks.json"
  sleep 90
  expected "a sum: FILL makes zeros of a metric without data, so Sends, UnknownSends and Throttles can rise"
  same math True "$(aws cloudwatch get-metric-data --metric-data-queries "$queries" --start-time "$(($(date +%s) - 900))" \
    --end-time "$(date +%s)" --query 'length(MetricDataResults[0].Values) > `0`' --output text)"
}

step_rotation() {
  agreed "rotates the keys of $STACK" || return 0
  local secret
  for secret in $(aws cloudformation describe-stack-resources --stack-name "$STACK" \
    --query "StackResources[?ResourceType=='AWS::SecretsManager::RotationSchedule'].PhysicalResourceId" --output text); do
    expected "the rotation ends within two minutes, and nothing is pending"
    aws secretsmanager rotate-secret --secret-id "$secret" --query Name --output text
    sleep 90
    same rotation 0 "$(aws secretsmanager describe-secret --secret-id "$secret" \
      --query 'length(values(VersionIdsToStages)[?contains(@, `AWSPENDING`) && !contains(@, `AWSCURRENT`)])' --output text)"
  done
}

step_rollback() {
  agreed "creates the stack $STACK-fails, which must fail and vanish" || return 0
  expected "ROLLBACK_COMPLETE, not ROLLBACK_FAILED, in production too: SES knows $SENDER already"
  deploy "$STACK-fails" CreateSenderIdentity=yes Stage=production
  same rollback ROLLBACK_COMPLETE "$(status "$STACK-fails")"
  aws cloudformation delete-stack --stack-name "$STACK-fails"
  aws cloudformation wait stack-delete-complete --stack-name "$STACK-fails"
}

step_sms() {
  [ -n "$PHONE" ] || { echo "set PHONE to a number of yours"; return 0; }
  local country
  country="$(answer_of "The ISO 3166 country of $PHONE?")"
  agreed "deploys SmsCountries=$country to $STACK and sends an SMS to $PHONE" || return 0
  deploy "$STACK" "SmsCountries=$country"
  expected "200, and an SMS within a minute"
  same sms 200 "$(code_of /api/auth/otp/request/ "{\"identifier\":\"$PHONE\"}")"
  note sms-arrived unknown "$(answer_of "Did it arrive, and from which sender?")"
  deploy "$STACK" 'SmsCountries=""'
}

public_keys() { curl -sS "$API/.well-known/jwks.json" | python3 -c 'import json,sys; print(*sorted(key["kid"] for key in json.load(sys.stdin)["keys"]))'; }
users() { aws dynamodb scan --table-name "$1" --select COUNT --query Count --output text | head -n 1; }

# "Coming back" in docs/operations.md.
step_import() {
  agreed "DELETES the stack $STACK, and takes its tables and secrets into a new stack" || return 0
  local table name parts before
  table="$(resource UserTable)"
  parts=("UserTable=$table" "RecordTable=$(resource RecordTable)")
  for name in IndexSecret CodesSecret RefreshSecret SigningSecret; do parts+=("$name=$(resource "$name")"); done
  before="$(public_keys) $(users "$table")"
  sam delete --stack-name "$STACK" --no-prompts
  (cd "$work" && python3 "$OLDPWD/tools/import_stack.py" "${parts[@]}") || return 1
  expected "an import of six resources, and nothing else"
  aws cloudformation create-change-set --stack-name "$STACK" --change-set-name import --change-set-type IMPORT \
    --template-body "file://$work/import.yaml" --resources-to-import "file://$work/import.json" --query Id --output text \
    --parameters ParameterKey=Stage,ParameterValue=testing "ParameterKey=SenderEmail,ParameterValue=$SENDER" \
    "ParameterKey=AllowedOrigins,ParameterValue=$ORIGIN"
  aws cloudformation wait change-set-create-complete --stack-name "$STACK" --change-set-name import
  same import-changes "Import Import Import Import Import Import" "$(aws cloudformation describe-change-set --stack-name "$STACK" \
    --change-set-name import --query 'join(`" "`, Changes[].ResourceChange.Action)' --output text)"
  aws cloudformation execute-change-set --stack-name "$STACK" --change-set-name import
  aws cloudformation wait stack-import-complete --stack-name "$STACK"
  expected "a deployment into this stack keeps the keys and the users"
  deploy "$STACK"
  API="$(output ApiUrl)"
  same import "UPDATE_COMPLETE $before" "$(status "$STACK") $(public_keys) $(users "$(resource UserTable)")"
  expected "both functions read the stream of the imported table"
  same import-stream "Enabled Enabled" "$(readers "$(stream "$table")")"
}

stream() { # TABLE: the ARN of its stream
  aws dynamodb describe-table --table-name "$1" --query Table.LatestStreamArn --output text
}
mapping() { # LOGICAL-NAME
  aws lambda list-event-source-mappings --function-name "$(resource "$1"):live" --query 'EventSourceMappings[0].UUID' --output text
}
# The states of the mappings that read this stream for record and erase.
readers() { # STREAM
  local name
  for name in Record Erase; do
    aws lambda list-event-source-mappings --function-name "$(resource "$name"):live" --event-source-arn "$1" \
      --query 'EventSourceMappings[].State' --output text
  done | xargs
}
# Makes a mapping like the one that the function has, for another stream.
follow() { # LOGICAL-NAME STREAM
  local old
  old="$(mapping "$1")"
  aws lambda get-event-source-mapping --uuid "$old" --query '{FunctionName:FunctionArn,StartingPosition:StartingPosition,
    BatchSize:BatchSize,MaximumBatchingWindowInSeconds:MaximumBatchingWindowInSeconds,ParallelizationFactor:ParallelizationFactor,
    TumblingWindowInSeconds:TumblingWindowInSeconds,BisectBatchOnFunctionError:BisectBatchOnFunctionError,
    MaximumRetryAttempts:MaximumRetryAttempts,MaximumRecordAgeInSeconds:MaximumRecordAgeInSeconds,FilterCriteria:FilterCriteria}' \
    > "$work/mapping.json"
  aws lambda create-event-source-mapping --cli-input-json "file://$work/mapping.json" --event-source-arn "$2" --query State --output text
  aws lambda delete-event-source-mapping --uuid "$old" --query State --output text
}

wait_for_table() { # EVENT TABLE
  # One wait ends after eight minutes.
  for _ in 1 2 3 4 5 6; do aws dynamodb wait "$1" --table-name "$2" && return; done
  return 1
}

# "Restore from a backup" in docs/operations.md. It may take an hour, so it runs only by name.
step_restore() {
  agreed "stops $STACK for up to an hour, and replaces its users' table by a backup of this moment" || return 0
  local table functions before backup f refresh
  table="$(resource UserTable)"
  before="$(users "$table")"
  functions="$(aws cloudformation list-stack-resources --stack-name "$STACK" --output text --query \
    "StackResourceSummaries[?ResourceType=='AWS::Lambda::Function'&&LogicalResourceId!='RotateKeys'].PhysicalResourceId")"
  for f in $functions; do
    aws lambda put-function-concurrency --function-name "$f" --reserved-concurrent-executions 0 --output text
  done
  note restore-stopped unknown "$(code_of /api/auth/otp/verify '{}') while the functions are stopped"
  # The latest moment that can be restored is about five minutes ago.
  sleep 360
  aws dynamodb restore-table-to-point-in-time --source-table-name "$table" --target-table-name "$table-restored" \
    --use-latest-restorable-time --query TableDescription.TableStatus --output text
  wait_for_table table-exists "$table-restored" || return 1
  backup="$(aws dynamodb create-backup --table-name "$table-restored" --backup-name restored \
    --query BackupDetails.BackupArn --output text)"
  until [ "$(aws dynamodb describe-backup --backup-arn "$backup" \
    --query BackupDescription.BackupDetails.BackupStatus --output text)" = AVAILABLE ]; do sleep 10; done
  aws dynamodb delete-table --table-name "$table" --query TableDescription.TableStatus --output text
  wait_for_table table-not-exists "$table" || return 1
  aws dynamodb restore-table-from-backup --target-table-name "$table" --backup-arn "$backup" \
    --query TableDescription.TableStatus --output text
  wait_for_table table-exists "$table" || return 1
  aws dynamodb update-time-to-live --table-name "$table" --time-to-live-specification Enabled=true,AttributeName=ttl
  aws dynamodb update-continuous-backups --table-name "$table" --point-in-time-recovery-specification \
    PointInTimeRecoveryEnabled=true --query ContinuousBackupsDescription.ContinuousBackupsStatus --output text
  aws dynamodb update-table --table-name "$table" --on-demand-throughput MaxReadRequestUnits=1000,MaxWriteRequestUnits=1000 \
    --query TableDescription.TableStatus --output text
  wait_for_table table-exists "$table" || return 1
  aws dynamodb update-table --table-name "$table" --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES \
    --query TableDescription.TableStatus --output text
  wait_for_table table-exists "$table" || return 1
  for f in Record Erase; do follow "$f" "$(stream "$table")"; done
  aws lambda invoke --function-name "$(resource RotateKeys)" --cli-binary-format raw-in-base64-out \
    --payload '{"mode":"restore"}' /dev/stdout
  sleep 300
  for f in $functions; do aws lambda delete-function-concurrency --function-name "$f"; done
  expected "the same items, the functions answer again, and CloudFormation accepts the table"
  deploy "$STACK" SmsDailyBudget=202
  same restore "$before 400 UPDATE_COMPLETE" "$(users "$table") $(code_of /api/auth/otp/verify '{}') $(status "$STACK")"
  expected "both functions read the stream of the restored table, after a deployment too"
  same restore-stream "Enabled Enabled" "$(readers "$(stream "$table")")"
  if [ -e "$work/verify.json" ]; then
    expected "401: the session from before the restore has ended"
    refresh="$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1])).get("tokens", {}).get("refresh", ""))' "$work/verify.json")"
    same restore-sessions 401 "$(code_of /api/auth/token/refresh "{\"refresh\":\"$refresh\"}")"
  fi
  aws dynamodb delete-table --table-name "$table-restored" --query TableDescription.TableStatus --output text
  aws dynamodb delete-backup --backup-arn "$backup" --query BackupDescription.BackupDetails.BackupStatus --output text
}

step_delete() {
  agreed "DELETES the stack $STACK with its tables and its secrets" || return 0
  local tables table secrets f
  tables=("$(resource UserTable)" "$(resource RecordTable)")
  secrets="$(aws cloudformation describe-stack-resources --stack-name "$STACK" \
    --query "StackResources[?ResourceType=='AWS::SecretsManager::Secret'].PhysicalResourceId" --output text)"
  # CloudFormation does not know the mappings of the step restore.
  for f in Record Erase; do
    [ "$(mapping "$f")" = "$(resource "${f}Mapping")" ] ||
      aws lambda delete-event-source-mapping --uuid "$(mapping "$f")" --query State --output text
  done
  sam delete --stack-name "$STACK" --no-prompts
  for table in "${tables[@]}"; do
    expected "the table $table outlived the stack"
    same retained ACTIVE "$(aws dynamodb describe-table --table-name "$table" --query Table.TableStatus --output text)"
    aws dynamodb update-table --table-name "$table" --no-deletion-protection-enabled --query TableDescription.TableStatus --output text
    sleep 5
    aws dynamodb delete-table --table-name "$table" --query TableDescription.TableStatus --output text
  done
  local secret
  for secret in $secrets; do
    aws secretsmanager delete-secret --secret-id "$secret" --force-delete-without-recovery --query Name --output text
  done
}

# What an interrupted step has left.
step_clean() {
  agreed "deletes what interrupted steps may have left: $STACK-clock, $STACK-attributes, $STACK-mail" || return 0
  aws lambda delete-function --function-name "$STACK-clock"
  aws iam delete-role --role-name "$STACK-clock"
  aws iam delete-role-policy --role-name "$STACK-attributes" --policy-name attributes
  aws iam delete-role --role-name "$STACK-attributes"
  aws dynamodb delete-table --table-name "$STACK-attributes" --query TableDescription.TableStatus --output text
  local account
  account="$(aws sts get-caller-identity --query Account --output text)"
  aws sns delete-topic --topic-arn "arn:aws:sns:$AWS_REGION:$account:$STACK-mail"
} 2> /dev/null

steps=(deploy routes slash preflight sign_up versions refusal canary clock freeze attributes paths ses math rotation rollback sms import delete)
chosen=("$@")
[ $# -gt 0 ] || chosen=("${steps[@]}")

# An unpacked archive has the right programs.
if [ -e tools/release.py ]; then python3 tools/release.py check --architecture "$ARCHITECTURE" || exit 1; fi
account="$(aws sts get-caller-identity --query Account --output text)" || exit 1
[ "$(answer_of "Type the number of the account in which stacks, roles and tables may be created and deleted ($account):")" = "$account" ] || exit 1
printf '# %s %s %s %s\n' "$(date -u +%FT%TZ)" "$AWS_REGION" "$(git rev-parse --short HEAD 2> /dev/null || echo archive)" "$STACK" >> "$results"
for step in "${chosen[@]}"; do
  declare -F "step_$step" > /dev/null || { echo "$here has no step $step. Steps: ${steps[*]}"; exit 1; }
  bold "$step"
  if [ "$step" != deploy ] && [ "$step" != clean ] && [ -z "${API:-}" ]; then
    API="$(output ApiUrl)"
    [ -n "$API" ] || { echo "There is no stack $STACK. Run the step deploy first."; exit 1; }
  fi
  "step_$step" || { echo "The step $step has ended early."; [ "$step" != deploy ] || exit 1; }
done
bold "$results"
cat "$results"
! grep -q ' differs ' "$results"
