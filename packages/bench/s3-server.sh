#!/bin/bash
# Starts OpenStack Swift with its S3 API on 127.0.0.1 as a single node, from Debian's packages:
#   apt-get install --no-install-recommends swift-proxy swift-account swift-container swift-object memcached
# Usage: s3-server.sh DIR PORT   (prints the endpoint, keeps running until it gets SIGTERM)
set -euo pipefail
dir=$(realpath -m "$1"); port=$2; user=$(id -un)
mkdir -p "$dir"/{devices/d1,log,cache}
cd "$dir"
printf '[swift-hash]\nswift_hash_path_prefix = pgbranch\nswift_hash_path_suffix = pgbranch\n' > swift.conf
export SWIFT_CONF_FILE=$dir/swift.conf
i=1
for ring in account container object; do
  if [ ! -f $ring.ring.gz ]; then
    swift-ring-builder $ring.builder create 4 1 0 >/dev/null
    swift-ring-builder $ring.builder add "r1z1-127.0.0.1:$((port + i))/d1" 1 >/dev/null
    swift-ring-builder $ring.builder rebalance >/dev/null || [ $? = 1 ]
  fi
  cat > $ring.conf <<C
[DEFAULT]
devices = $dir/devices
mount_check = false
bind_ip = 127.0.0.1
bind_port = $((port + i))
workers = 1
user = $user
swift_dir = $dir
recon_cache_path = $dir/cache
log_level = WARNING
fallocate_reserve = 0
[pipeline:main]
pipeline = $ring-server
[app:$ring-server]
use = egg:swift#$ring
C
  i=$((i + 1))
done
cat > proxy.conf <<C
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $port
workers = 1
user = $user
swift_dir = $dir
log_level = WARNING
[pipeline:main]
pipeline = catch_errors healthcheck cache s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# A busy machine is slow to answer, and that is no reason to say that there is nothing.
conn_timeout = 20
node_timeout = 60
allow_account_management = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = a-secret-for-tests .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
dns_compliant_bucket_names = yes
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$((port + 9))
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
C
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait' EXIT TERM INT
memcached -l 127.0.0.1 -p $((port + 9)) -U 0 -m 32 -u "$user" & pids+=($!)
for ring in account container object; do swift-$ring-server $ring.conf >log/$ring.log 2>&1 & pids+=($!); done
swift-proxy-server proxy.conf >log/proxy.log 2>&1 & pids+=($!)
for _ in $(seq 100); do curl -fs "http://127.0.0.1:$port/healthcheck" >/dev/null && break; sleep 0.1; done
curl -fs "http://127.0.0.1:$port/healthcheck" >/dev/null
echo "endpoint=http://127.0.0.1:$port region=us-east-1 accessKeyId=test:tester secretAccessKey=a-secret-for-tests (path style)"
wait
