#!/bin/sh
# Finds a Chromium for the browser tests, or installs the system's package where that is allowed. Never fails: without
# one, the browser tests say so in one line and the rest still runs.
for each in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$each" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests"
    (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium fonts-dejavu-core) >/dev/null 2>&1 && exit 0
fi
echo "No Chromium was found, so the browser tests are skipped."
