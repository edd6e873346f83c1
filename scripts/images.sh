#!/bin/sh
# Builds the images of all services with docker or buildah, whichever is here.
# Usage: scripts/images.sh [PREFIX] [TAG] [SERVICE...]   default: fanfare dev, all services
# BUILD_OPTIONS is passed on as it is (buildah without privileges: --isolation chroot).
set -eu
cd "$(dirname "$0")/.."
prefix=${1:-fanfare}
tag=${2:-dev}
[ $# -ge 2 ] && shift 2 || shift $#
[ $# -gt 0 ] || set -- gateway quiz leaderboard quiz-master cli
version=$(node -p 'require("./services/cli/package.json").version')
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)

if docker info >/dev/null 2>&1; then build="docker build"
elif command -v buildah >/dev/null; then build="buildah bud --layers"
else
  echo "images are built with docker (with its engine running) or buildah; install one of them" >&2
  exit 1
fi

for service; do
  echo "building $prefix-$service:$tag"
  # shellcheck disable=SC2086
  $build ${BUILD_OPTIONS:-} --quiet -f services/Dockerfile --build-arg "SERVICE=$service" \
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" -t "$prefix-$service:$tag" . >/dev/null
done
