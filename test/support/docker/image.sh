#!/usr/bin/env bash
# Makes the image pgb/postgis:15 of Debian's packages alone: image.sh WORK_DIR. DOCKER_HOST names the engine.
set -Eeuo pipefail
work=$1
here=$(cd "$(dirname "$0")" && pwd)
tar=$work/rootfs.tar
docker image inspect pgb/postgis:15 >/dev/null 2>&1 && exit 0
if [ ! -s "$tar" ]; then
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -1)
  here=$here mmdebstrap --mode=root --variant=essential --format=tar \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
    --essential-hook='mkdir -p "$1/etc/postgresql-common"; echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
    --include=postgresql-15,postgresql-15-postgis-3 \
    --customize-hook='install -m 755 "$here/entrypoint.sh" "$1/usr/local/bin/docker-entrypoint.sh"' \
    --customize-hook='install -d "$1/docker-entrypoint-initdb.d"' \
    --customize-hook='sed -ri "s!^#?listen_addresses.*!listen_addresses = \x27*\x27!" "$1/usr/share/postgresql/15/postgresql.conf.sample"' \
    --customize-hook='rm -rf "$1"/usr/lib/*/libLLVM-* "$1"/usr/lib/postgresql/15/lib/llvmjit* "$1"/usr/share/doc/* "$1"/var/cache/* "$1"/var/lib/apt/lists/*' \
    bookworm "$tar.part" "deb ${mirror%/} bookworm main"
  mv "$tar.part" "$tar"
fi
docker import --change 'ENTRYPOINT ["docker-entrypoint.sh"]' --change 'CMD ["postgres"]' --change 'EXPOSE 5432' \
  --change 'VOLUME /var/lib/postgresql/data' --change 'ENV PGDATA=/var/lib/postgresql/data' --change 'ENV LANG=C.UTF-8' \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin' \
  "$tar" pgb/postgis:15 >/dev/null
