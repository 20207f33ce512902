#!/usr/bin/env bash
# Without the volume every branch is a copy, which is slower and no reason to fail.
set -uo pipefail
if [ "$VOLUME" = none ]; then exit 0; fi
sudo=()
if [ "$(id -u)" != 0 ]; then sudo=(sudo --preserve-env=PG_BRANCH_HOME env "PATH=$PATH"); fi
if ! PATH="$PATH:/sbin:/usr/sbin" command -v mkfs.btrfs > /dev/null; then
  "${sudo[@]}" apt-get update -qq && "${sudo[@]}" apt-get install -qq -y btrfs-progs > /dev/null
fi
# shellcheck disable=SC2086 # A command with its arguments.
"${sudo[@]}" $PG_BRANCH volume create --size "$VOLUME" || echo '::warning::pg-branch: no copy-on-write volume, so every branch is a copy'
