# Images without an engine: buildah makes them, and a namespace runs them. Sourced after lib.sh; needs root.
# shellcheck shell=bash

image_folder="$PWD/build/image"

in_buildah() {
  STORAGE_DRIVER=vfs buildah --root "$image_folder/storage" --runroot "$image_folder/run" "$@"
}

# The sources that apt is to use: $APT_SOURCES, or the machine's own for Debian. They are handed to what builds, and stay out of
# every image.
apt_sources() {
  local file
  for file in ${APT_SOURCES:+"$APT_SOURCES"} /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    [[ -s "$file" ]] && printf '%s\n' "$file" && return
  done
  die "no apt sources of Debian found: name a file with them, APT_SOURCES=<file>.sources"
}

debian_suite() {
  # shellcheck source=/dev/null
  (source /etc/os-release && printf '%s\n' "${VERSION_CODENAME:?}")
}

# debian_base <tar> <comma-separated packages>: a small Debian without sources, made once.
debian_base() {
  local tar=$1 packages=$2 sources key
  sources=$(apt_sources)
  key=$(printf '%s' "$packages $(debian_suite)" | cat - "$sources" | sha256sum)
  [[ -f "$tar" && "$(cat "$tar.key" 2>/dev/null)" == "$key" ]] && return
  note "making a base of Debian $(debian_suite): ${tar##*/}"
  # shellcheck disable=SC2016  # $1 is mmdebstrap's
  quietly mmdebstrap --variant=apt --include="$packages" --format=tar \
    --customize-hook='rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*' \
    "$(debian_suite)" "$tar" "$sources" ||
    die "mmdebstrap could not make a base (see above): check the network and $sources"
  printf '%s\n' "$key" >"$tar.key"
}

# image_config <image> <python expression of c>: a line for each of its items, of what the image says of how it is run.
image_config() {
  in_buildah inspect --type image "$1" |
    python3 -c 'import json, sys
c = json.load(sys.stdin)["Docker"]["config"]
value = eval(sys.argv[1])
print(*(value if isinstance(value, list) else [value]), sep="\n")' "$2"
}

# image_root <image>: the folder with its files.
image_root() {
  local container
  container=$(in_buildah from --pull-never "$1")
  in_buildah mount "$container"
}

# run_image <root> <image> [-v FROM:TO]... [-e NAME=VALUE]... [argument]...  As an engine would: its entry point, environment and
# user, process 1 of a namespace with a network of its own, a read-only root, no capability. In place of this shell.
run_image() {
  local root=$1 image=$2 mounts=() environment=() entry command user
  shift 2
  mapfile -t environment < <(image_config "$image" 'c["Env"]')
  while [[ "${1:-}" == -[ve] ]]; do
    if [[ $1 == -v ]]; then mounts+=("$2"); else environment+=("$2"); fi
    shift 2
  done
  mapfile -t entry < <(image_config "$image" 'c["Entrypoint"]')
  mapfile -t command < <(image_config "$image" 'c["Cmd"]')
  [[ $# -eq 0 ]] || command=("$@")
  user=$(image_config "$image" 'c["User"]')
  mkdir -p "$root"/{proc,dev}
  # shellcheck disable=SC2016  # for the shell within
  exec unshare --mount --pid --net --fork --kill-child=KILL bash -euc '
    root=$1 mounts=$2; shift 2
    ip link set lo up
    mount --bind "$root" "$root"
    for pair in $mounts; do
      mkdir -p "$root${pair#*:}"
      mount --bind "${pair%%:*}" "$root${pair#*:}"
    done
    mount -t tmpfs tmpfs "$root/dev"
    touch "$root/dev/null"
    mount --bind /dev/null "$root/dev/null"
    mount -t proc proc "$root/proc"
    mount -o remount,bind,ro "$root"
    exec setpriv --bounding-set=-all,+sys_chroot,+setuid,+setgid --no-new-privs env -i "$@"' \
    run "$root" "${mounts[*]}" "${environment[@]}" "$(command -v chroot)" --userspec="$user" --groups= "$root" "${entry[@]}" "${command[@]}"
}

# first_process <process of run_image> <image>: process 1 of the namespace, once the image's program runs in it.
first_process() {
  local pid program
  program=$(basename "$(image_config "$2" 'c["Entrypoint"][0]')")
  for _ in {1..100}; do
    pid=$(cat "/proc/$1/task/$1/children" 2>/dev/null) && pid=${pid%% *} &&
      [[ -n "$pid" && "$(cat "/proc/$pid/comm" 2>/dev/null)" == "${program:0:15}" ]] && printf '%s\n' "$pid" && return
    sleep 0.1
  done
  return 1
}
