# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# From QEMU's source and a recipe to programs. For the script build, which defines say(), fail(), and what is asked for.

# What is built must not depend on who builds it, nor where. A ccache that makes paths relative would put other names
# of headers into the programs. What is at work ends with this script, whatever ended that.
clean() {
    setpriv --pdeathsig TERM env -i \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="${HOME:-/}" LC_ALL=C TZ=UTC PYTHONNOUSERSITE=1 CCACHE_BASEDIR= \
        ${CCACHE_DIR:+CCACHE_DIR="$CCACHE_DIR"} ${slirp_config:+PKG_CONFIG_PATH="$slirp_config"} \
        ${foreign:+PKG_CONFIG=pkg-config PKG_CONFIG_SYSROOT_DIR="$sysroot"} \
        ${foreign:+PKG_CONFIG_LIBDIR="$sysroot/usr/lib/${prefix%-}/pkgconfig:$sysroot/usr/share/pkgconfig"} "$@"
}

# Run with its output in a log, of which the end is shown if it fails.
logged() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 || {
        tail -n 30 -- "$log" >&2
        [ "$1" != clean ] || shift
        fail "$1 failed; all of its output is in $log"
    }
}

# ---- devices ----

# The recipe's devices go where QEMU's configuration looks for some. They are rewritten only if they are others, since
# everything is compiled again then.
place_devices() {
    local target file
    for target in "${targets[@]}"; do
        file=$source_tree/configs/devices/$target-softmmu/volt-$1.mak
        device_lines "$1" "$target" >"$file.new"
        cmp --quiet "$file.new" "$file" || mv -- "$file.new" "$file"
        rm -f -- "$file.new"
    done
}

# Has QEMU's own Kconfig read the devices: a contradiction shows here, rather than when nearly all is compiled.
check_devices() {
    local target arch features=(LINUX=y IVSHMEM=y VIRTFS=y VHOST_USER=y VHOST_KERNEL=y)
    [[ " ${options[*]} " != *" --enable-tpm "* ]] || features+=(TPM=y)
    [[ " ${options[*]} " != *" --enable-kvm "* ]] || features+=(KVM=y)
    [[ " ${options[*]} " == *" --disable-tcg "* ]] || features+=(TCG=y)
    mkdir -p "$work/kconfig"
    for target in "${targets[@]}"; do
        arch=$(sed -n 's/^TARGET_ARCH=//p' "$source_tree/configs/targets/$target-softmmu.mak")
        (cd -- "$source_tree" && clean python3 -B scripts/minikconf.py --allnoconfig \
            "$work/kconfig/mak" "$work/kconfig/mak.d" "configs/devices/$target-softmmu/volt-$1.mak" Kconfig \
            "${features[@]/#/CONFIG_}" "CONFIG_${arch^^}=y") >"$work/kconfig/$1-$target" 2>&1 ||
            fail "QEMU's Kconfig refuses the devices of $recipes/$1/devices/$target.mak:" \
                "$(tail -n 1 "$work/kconfig/$1-$target")"
    done
}

# An option that this QEMU does not know would end in a message about all of them.
check_options() {
    local known option feature
    known=$(cd -- "$source_tree" && clean ./configure --help)
    for option in "${options[@]}"; do
        option=${option%%=*}
        feature=${option#--*able-}
        [[ $option =~ ^--[a-z0-9-]+$ ]] || fail "the recipe $1 has an option that configure cannot have: $option"
        grep -qE -e "^ +($option|$feature|--(en|dis)able-$feature)([ =[]|$)" <<<"$known" ||
            fail "the configure of this QEMU does not know the option $option of the recipe $1"
    done
}

# ---- the build ----

# The options of configure that a recipe does not say itself.
all_options() {
    local target list=''
    for target in "${targets[@]}"; do
        list+=${list:+,}$target-softmmu
        printf '%s\n' "--with-devices-$target=volt-$1"
    done
    printf '%s\n' "--target-list=$list" "${options[@]}"
    [ $static = no ] || echo --static
    # Messages of QEMU name files of the source, by paths that must be the same wherever it lies.
    printf '%s\n' "--with-pkgversion=$1 $(recipe_digest "$1")" "--extra-cflags=-ffile-prefix-map=$source_tree/="
    [ -z "$foreign" ] || echo "--cross-prefix=$prefix"
    echo "--cc=${CC:-${prefix}gcc}${sysroot:+ --sysroot=$sysroot}"
}

# The first letters of it are in what -version says, and in the answer of query-version.
recipe_digest() {
    printf '%.16s' "$(recipe_text "$1" | sha256sum)"
}

compiler() {
    ${CC:-${prefix}gcc} --version | head -n 1
}

# The versions of all packages that something is compiled by, or of. An update of one brings headers and libraries that
# are older than what was compiled before, which ninja does not see.
tool_versions() {
    local names
    [ -z "$foreign" ] || cat -- "$sysroot.packages"
    mapfile -t names < <(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks \
        --no-replaces --no-enhances -- $(packages_here "${packages[@]}") 2>/dev/null | sed -n 's/^\([a-z0-9].*\)/\1/p' | sort -u)
    ((${#names[@]} == 0)) || dpkg-query --show -- "${names[@]}" 2>/dev/null || true
}

# Configured anew if anything of it is other than it was.
configure_profile() {
    local directory=$2 made
    made=$(all_options "$1" && device_texts "$1" && compiler && tool_versions)
    [ "$(cat -- "$directory/volt-configuration" 2>/dev/null)" != "$made" ] || return 0
    say "configuring"
    rm -rf -- "$directory"
    mkdir -p -- "$directory"
    mapfile -t all < <(all_options "$1")
    (cd -- "$directory" && logged "$directory/configure.log" clean ../../configure "${all[@]}")
    printf '%s\n' "$made" >"$directory/volt-configuration"
}

device_texts() {
    local target
    for target in "${targets[@]}"; do device_lines "$1" "$target"; done
}

# Reads what ninja says, and says it shorter.
follow() {
    local line tenth last=-1
    while read -r line; do
        [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
        tenth=$((BASH_REMATCH[1] * 10 / BASH_REMATCH[2]))
        ((tenth == last)) || say "   ${tenth}0 %: ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]} steps"
        last=$tenth
    done
}

# The programs and nothing else: the unit tests would be half as many steps more.
compile_profile() {
    local directory=$2 failed=no
    say "compiling ${#targets[@]} $( ((${#targets[@]} == 1)) && echo program || echo programs), $jobs files at once"
    clean ninja -C "$directory" -j "$jobs" "${targets[@]/#/qemu-system-}" \
        > >(tee -- "$directory/ninja.log" | follow) 2>&1 || failed=yes
    wait $!
    [ $failed = no ] || {
        grep -A 20 '^FAILED' "$directory/ninja.log" >&2
        fail "the build failed; all of its output is in $directory/ninja.log"
    }
    check_headers "$directory"
}

# What lies in /usr/local comes before what packages have, and nothing would tell that it was taken.
check_headers() {
    local found
    found=$(clean ninja -C "$1" -t deps | awk '$1 ~ "^/usr/local/" { found = $1 } END { print found }')
    [ -z "$found" ] || fail "$found was compiled in, which is of no package: move it away while this compiles"
    [ $static = no ] || found=$(find /usr/local/lib -maxdepth 2 -name 'lib*.a' -print -quit)
    [ -z "$found" ] || fail "$found would be linked instead of a package's library: move it away while this compiles"
}

# ---- firmware that no package has ----

# Where the firmware of RISC-V guests of this architecture is compiled, below the directory of the programs, and the
# file that comes of it.
opensbi_directory() {
    echo "$2/opensbi-$1"
}
opensbi_file() {
    echo "$(opensbi_directory "$@")/platform/generic/firmware/fw_dynamic.bin"
}

# Of the source that comes with QEMU's. One compiler is for guests of 32 and of 64 bits.
compile_opensbi() {
    local arch built=$1 source=$source_tree/roms/opensbi
    for arch in "${opensbi[@]}"; do
        [ ! -f "$(opensbi_file "$arch" "$built")" ] || continue
        [ -f "$source/Makefile" ] ||
            fail "$source is missing, of which firmware for guests of $arch is compiled: QEMU's releases and Debian's" \
                "source package have it, a checkout has it after git submodule update --init roms/opensbi"
        say "compiling OpenSBI for $arch"
        logged "$built/opensbi.log" clean make -C "$source" O="$(opensbi_directory "$arch" "$built")" -j "$jobs" \
            CROSS_COMPILE=riscv64-linux-gnu- PLATFORM=generic PLATFORM_RISCV_XLEN="${arch#riscv}" \
            FW_DYNAMIC=y FW_JUMP=n FW_PAYLOAD=n
    done
}

# ---- static programs ----

# Debian has all libraries for linking them in, but for libslirp.
slirp_config='' slirp_source=''
build_slirp() {
    local where=$1 source_tree installed made
    [ ! -d "$where" ] || [ -n "$(description_file "$where" libslirp)" ] || where=pinned
    get_source libslirp "$where"
    slirp_source=$source_tree
    installed=$source_tree/installed
    slirp_config=$installed/lib/pkgconfig
    made=$(compiler && tool_versions)
    [ "$(cat -- "$installed/volt-configuration" 2>/dev/null)" != "$made" ] || return 0
    say "compiling libslirp, which there is as a shared library only"
    rm -rf -- "$installed"
    (cd -- "$source_tree" && rm -rf b && logged "$work/slirp.log" clean meson setup b --prefix="$installed" --libdir=lib \
        --buildtype=release --default-library=static -Dc_args="-ffile-prefix-map=$source_tree/=" &&
        logged "$work/slirp.log" clean ninja -C b install)
    printf '%s\n' "$made" >"$installed/volt-configuration"
}
