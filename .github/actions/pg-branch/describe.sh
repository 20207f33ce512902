#!/usr/bin/env bash
# For whoever looks into a job that was slow, or failed.
set -uo pipefail
echo '::group::pg-branch doctor'
report=$($PG_BRANCH doctor 2>&1)
code=$?
echo "$report"
echo '::endgroup::'
if [ $code -ne 0 ]; then echo '::warning::pg-branch doctor has found something; see its output'; fi
{
  echo '<details><summary>pg-branch doctor</summary>'
  echo
  echo '```'
  echo "$report"
  echo '```'
  echo '</details>'
} >> "$GITHUB_STEP_SUMMARY"
