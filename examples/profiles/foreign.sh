# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Profiles for hosts of another architecture than this machine's. Its compiler is a package here; what programs are
# linked with is of that architecture's packages, unpacked into a directory: this machine's own packages stay as they
# are, and need not be of the same versions. For the script build, which defines say(), fail(), host and work.

# foreign: Debian's name of the other architecture, or nothing. prefix: of the names of its tools.
name_host() {
    foreign='' prefix='' sysroot='' emulator=''
    [ "$host" != "$(uname -m)" ] || return 0
    case $host in
        aarch64) foreign=arm64 prefix=aarch64-linux-gnu- ;;
        *) fail "--host $host: for hosts of other architectures than this one's, $(uname -m), profiles can be made if" \
            "that is aarch64; build this one there" ;;
    esac
}

# What of a recipe's packages must be installed here: all; or, for another architecture, the tools.
packages_here() {
    local name
    for name; do
        case $foreign:$name in
            :* | *:make | *:meson | *:ninja-build | *:pkg-config | *:python3) echo "$name" ;;
            *:gcc | *:binutils) echo "$name-${prefix%-}" ;;
            *:gcc-* | *:binutils-*) echo "$name" ;;
        esac
    done
}

# Those of the other architecture, as dpkg names them.
packages_there() {
    local name
    for name; do
        [[ -z $foreign || $name != *-dev ]] || echo "$name:$foreign"
    done
}

foreign_apt() {
    own_apt "$work/apt-$foreign" "$@"
}

# Packages that the archive has, and all that these need, with their versions.
newest_packages() {
    foreign_apt apt-get "${foreign_options[@]}" --simulate install "$@" |
        sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1 \2/p' | sort
}

read_foreign_archive() {
    foreign_options=(-o "APT::Architecture=$foreign" -o "APT::Architectures=$foreign" --yes --no-install-recommends)
    read_archive "$work/apt-$foreign" deb "${foreign_options[@]:0:4}"
}

# What the programs of apt are asked from here on, they answer of the other architecture's packages.
use_foreign_archive() {
    local state=$work/apt-$foreign
    read_foreign_archive || fail_with_log "$state/log" "apt cannot read the lists of packages for $foreign"
    foreign_apt apt-config "${foreign_options[@]:0:4}" dump >"$state/apt.conf"
    export APT_CONFIG=$state/apt.conf
}

# Sets up sysroot with the packages that are named, anew if the archive has others than are there. Without network, what
# is there is good enough if it has them all.
get_sysroot() {
    local state=$work/apt-$foreign names=("${@%:*}") newest
    [ -n "$foreign" ] || return 0
    sysroot=$work/hosts/$foreign
    emulator=$(command -v "qemu-$host") || fail "there is no qemu-$host, which starts programs of such hosts here"
    if ! read_foreign_archive; then
        dpkg-query --admindir="$sysroot/var/lib/dpkg" --show "$@" >/dev/null 2>&1 ||
            fail_with_log "$state/log" "apt cannot read the lists of packages for $foreign"
        say "apt cannot read the lists of packages for $foreign now: those are taken that are here already"
        return 0
    fi
    newest=$(newest_packages "${names[@]}")
    [ -n "$newest" ] || fail "the archive lacks packages for $foreign, of these: ${names[*]}"
    [ "$(cat -- "$sysroot.packages" 2>/dev/null)" != "$newest" ] || return 0
    say "fetching $(wc -l <<<"$newest") packages for $foreign"
    rm -f -- "$state"/cache/archives/*.deb
    foreign_apt apt-get "${foreign_options[@]}" --download-only install "${names[@]}" >"$state/log" 2>&1 ||
        fail_with_log "$state/log" "apt cannot fetch the packages for $foreign"
    mkdir -p -- "$(dirname "$sysroot")"
    rm -f -- "$sysroot.packages"
    appear_as "$sysroot" unpack_packages "$state/cache/archives"
    printf '%s\n' "$newest" >"$sysroot.packages"
}

# With a database in it by which dpkg-query tells which package has a file.
unpack_packages() {
    local archive database=$2/var/lib/dpkg path
    mkdir -p -- "$database/info"
    echo 1 >"$database/info/format"
    for archive in "$1"/*.deb; do unpack_package "$archive" "$2" "$database"; done
    # Links that begin at the root would lead out of it.
    find "$2" -type l -lname '/*' | while read -r path; do ln -snf -- "$sysroot$(readlink "$path")" "$path"; done
}

unpack_package() {
    local name control
    control=$(dpkg-deb --field "$1")
    name=$(sed -n 's/^Package: //p' <<<"$control")
    [[ $control != *$'\nMulti-Arch: same'* ]] || name+=:$foreign
    dpkg-deb --vextract "$1" "$2" | sed -e 's,^\.,,' -e 's,/$,,' -e 's,^$,/.,' >"$3/info/$name.list"
    printf '%s\nStatus: install ok installed\n\n' "$control" >>"$3/status"
}
