# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# From QEMU's source and a recipe to programs. For the script build, which defines say(), fail(), and what is asked for.

# What is built must not depend on who builds it, nor where. A ccache that makes paths relative would put other names
# of headers into the programs.
clean() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="${HOME:-/}" LC_ALL=C TZ=UTC PYTHONNOUSERSITE=1 CCACHE_BASEDIR= \
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
        (cd "$source_tree" && logged "$work/kconfig/$1-$target" python3 -B scripts/minikconf.py --allnoconfig \
            "$work/kconfig/mak" "$work/kconfig/mak.d" "configs/devices/$target-softmmu/volt-$1.mak" Kconfig \
            "${features[@]/#/CONFIG_}" "CONFIG_${arch^^}=y")
    done
}

# An option that this QEMU does not know would end in a message about all of them.
check_options() {
    local known option feature
    known=$(cd "$source_tree" && clean ./configure --help)
    for option in "${options[@]}"; do
        option=${option%%=*}
        feature=${option#--*able-}
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

# Configured anew if anything of it is other than it was.
configure_profile() {
    local directory=$2 made
    made=$(all_options "$1" && device_texts "$1" && compiler)
    [ "$(cat -- "$directory/volt-configuration" 2>/dev/null)" != "$made" ] || return 0
    say "configuring"
    rm -rf -- "$directory"
    mkdir -p -- "$directory"
    mapfile -t all < <(all_options "$1")
    (cd "$directory" && logged "$directory/configure.log" clean ../../configure "${all[@]}")
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
    local directory=$2
    say "compiling ${#targets[@]} $( ((${#targets[@]} == 1)) && echo program || echo programs), $jobs files at once"
    clean ninja -C "$directory" -j "$jobs" "${targets[@]/#/qemu-system-}" 2>&1 | tee "$directory/ninja.log" | follow || {
        grep -A 20 '^FAILED' "$directory/ninja.log" >&2
        fail "the build failed; all of its output is in $directory/ninja.log"
    }
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
slirp_config=
build_slirp() {
    local where=$1 source_tree prefix
    get_source libslirp "$where"
    prefix=$source_tree/installed
    slirp_config=$prefix/lib/pkgconfig
    [ ! -f "$slirp_config/slirp.pc" ] || return 0
    say "compiling libslirp, which there is as a shared library only"
    (cd "$source_tree" && rm -rf b && logged "$work/slirp.log" clean meson setup b --prefix="$prefix" --libdir=lib \
        --buildtype=release --default-library=static -Dc_args="-ffile-prefix-map=$source_tree/=" &&
        logged "$work/slirp.log" clean ninja -C b install)
}
