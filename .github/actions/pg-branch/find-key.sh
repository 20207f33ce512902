#!/usr/bin/env bash
# Says which template the project needs, and lets all steps that follow know where it is shared.
set -euo pipefail
case "$STORE" in
  none) store='' ;;
  cache) store="${RUNNER_TEMP:?}/pg-branch-templates" ;;
  *) store="$STORE" ;;
esac
export PG_BRANCH_STORE="$store"
echo "PG_BRANCH_STORE=$store" >> "$GITHUB_ENV"
if [ -n "$REGISTRY_PASSWORD" ]; then
  echo "::add-mask::$REGISTRY_PASSWORD"
  {
    echo "PG_BRANCH_REGISTRY_USER=$REGISTRY_USER"
    echo "PG_BRANCH_REGISTRY_PASSWORD=$REGISTRY_PASSWORD"
  } >> "$GITHUB_ENV"
fi
plan=$($PG_BRANCH template why --json)
key=$(node -e 'console.log(JSON.parse(process.argv[1]).key)' "$plan")
echo "key=$key" >> "$GITHUB_OUTPUT"
echo "store=$store" >> "$GITHUB_OUTPUT"
echo "template ${key:0:8}"
