#!/bin/sh
# Makes the virtual environment that test/moto runs its server from, once. Needs python3 (with venv) and a package
# index; says so and fails when it cannot.
set -eu
version=5.2.1
venv=${1:-node_modules/.cache/moto-venv}

if [ "$("$venv/bin/python" -c 'import importlib.metadata as m; print(m.version("moto"))' 2>/dev/null || true)" = "$version" ]; then
  exit 0
fi
if ! command -v python3 >/dev/null 2>&1; then
  echo "test:moto needs python3, which is not on this machine" >&2
  exit 1
fi
echo "installing moto[server] $version into $venv" >&2
rm -rf "$venv"
mkdir -p "$(dirname "$venv")"
python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "moto[server]==$version"
