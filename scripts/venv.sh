# Python packages for the scripts, in a virtual environment of their own. Sourced after lib.sh.
# shellcheck shell=bash disable=SC2154

# Installs a requirements file into build/venv, unless exactly this file was installed there before.
venv_install() {
  local requirements=$1
  local installed="$venv_dir/installed-${requirements##*/}"
  cmp --silent "$requirements" "$installed" && return
  if [[ ! -x "$venv_dir/bin/pip" ]]; then
    python3 -m venv "$venv_dir" ||
      die "python3 -m venv failed (see above): install python3-venv, then run this again"
  fi
  note "installing into build/venv: $(grep -v '^#' "$requirements" | paste -sd ' ')"
  "$venv_dir/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" ||
    die "pip could not install $requirements (see above): check the network or pip's index, then run this again"
  cp "$requirements" "$installed"
}
