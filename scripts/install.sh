#!/usr/bin/env bash
# Installs what the named groups need and what is missing: install.sh [build|run|test|format|lint|deploy|...]..., those of scripts/packages.sh
# Where everything is there it does nothing and needs no network. It never removes a package.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source scripts/packages.sh

# Everything that a group lists, without repeats: members_of packages build run
members_of() {
  local kind=$1 group
  for group in "${@:2}"; do
    local -n members="${kind}_${group}"
    printf '%s\n' "${members[@]}"
  done | sort -u
}

missing_packages() {
  local package
  for package in "$@"; do
    [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] ||
      printf '%s\n' "$package"
  done
}

# Prints the words that run a command as root, nothing for root itself; fails where there is no way.
as_root() {
  [[ $EUID -eq 0 ]] && return
  command -v sudo >/dev/null && sudo -n true 2>/dev/null && printf 'sudo -n env DEBIAN_FRONTEND=noninteractive'
}

install_packages() {
  local missing root simulation
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0

  local command="apt-get install -y --no-install-recommends ${missing[*]}"
  root=$(as_root) || die "these packages are missing; install them as root, then run this again: sudo $command"
  note "installing ${#missing[@]} packages: ${missing[*]}"

  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086  # $root is words
  quietly $root apt-get update ||
    die "apt-get update failed (see above): check the network and /etc/apt/sources.list, then run this again"
  simulation=$(apt-get install --simulate --no-install-recommends "${missing[@]}" 2>&1) || {
    printf '%s\n' "$simulation" >&2
    die "apt cannot install what is missing (see above); once that is mended, run: sudo $command"
  }
  if grep '^Remv ' <<<"$simulation" >&2; then
    die "installing would remove the packages above, so nothing was done; if that is fine for you, run: sudo $command"
  fi
  # shellcheck disable=SC2086
  $root apt-get install -y --no-remove --no-install-recommends "${missing[@]}" </dev/null ||
    die "apt-get install failed (see above): check the network, then run this again"
}

check_commands() {
  local command missing=()
  for command in "$@"; do
    command -v "$command" >/dev/null || missing+=("$command")
  done
  [[ ${#missing[@]} -eq 0 ]] ||
    die "no apt-get here; install these yourself, with the libraries that scripts/packages.sh lists: ${missing[*]}"
}

groups=("$@")
[[ ${#groups[@]} -gt 0 ]] || groups=(build)
for group in "${groups[@]}"; do
  declare -p "packages_$group" &>/dev/null || die "no such group: $group"
done

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
  mapfile -t packages < <(members_of packages "${groups[@]}")
  install_packages "${packages[@]}"
else
  mapfile -t commands < <(members_of commands "${groups[@]}")
  check_commands "${commands[@]}"
fi

for group in "${groups[@]}"; do
  case $group in
    run) scripts/install_envoy.sh ;;
    test) scripts/install_envoy.sh && scripts/install_test_tools.sh ;;
    deploy) scripts/install_deploy_tools.sh ;;
  esac
done
