# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# From compiled programs to a profile directory: libraries, firmware, and what it was made of. For the script build.

# Without symbols. A program can have a second name, for guests of another architecture.
place_programs() {
    local directory=$1 built=$2 target line
    for target in "${targets[@]}"; do
        "${prefix}strip" --strip-all -o "$directory/bin/qemu-system-$target" "$built/qemu-system-$target"
    done
    for line in "${programs[@]}"; do
        ln -- "$directory/bin/qemu-system-${line#* }" "$directory/bin/qemu-system-${line% *}"
    done
}

# Out of the packages that have it. Images for Arm are 64 MiB of mostly nothing. Prints where each file is from.
place_firmware() {
    local line package path name
    for line in "${firmware[@]}"; do
        read -r package path name <<<"$line"
        [ -f "$path" ] || fail "$path is missing, which the package $package of Debian 12 has"
        name=firmware/${name:-${path##*/}}
        mkdir -p -- "$(dirname "$1/$name")"
        cp -L --sparse=always -- "$path" "$1/$name"
        echo "origin $name $path"
    done
}

# What was compiled of QEMU's source, by the names that its programs look for.
place_opensbi() {
    local directory=$1 built=$2 arch name
    for arch in "${opensbi[@]}"; do
        name=firmware/opensbi-$arch-generic-fw_dynamic.bin
        cp -- "$(opensbi_file "$arch" "$built")" "$directory/$name"
        echo "compiled $name roms/opensbi"
    done
}

place_libraries() {
    local copied
    copied=$(copy_libraries "$1") || exit 1
    if [ -n "$copied" ]; then
        sed 's,^,origin lib/,' <<<"$copied"
        check_libraries "$1"
    else
        rmdir "$1/lib"
        linked_packages "$2" | sed 's/^/linked /'
        component_facts libslirp "$slirp_source"
    fi
}

# The packages whose libraries are in a program: by the names that it was linked with, and the C library.
linked_packages() {
    local word path
    {
        clean ninja -C "$1" -t commands "qemu-system-${targets[0]}" | tail -n 1 | tr ' ' '\n' | grep -E -- '^(-l.+|/.+\.a)$'
        echo -lc
    } | while read -r word; do
        path=$word
        [[ $word != -l* ]] || path=$("${prefix}gcc" -print-file-name="lib${word#-l}.a")
        [[ $path != /* || $path == "$work"/* ]] || dpkg-query --search "$(realpath -- "$path")" 2>/dev/null
    done | sed 's/[:,].*//' | sort -u
}

# What was compiled of other source than QEMU's, and is in the programs.
component_facts() {
    echo "component $1 $(version_of_source "$2")"
    sed -n "s/^file /component-file $1 /p" "$2.facts"
    [ ! -f "$2/debian/copyright" ] || echo "component-copyright $1 $2/debian/copyright"
}

# As the store has them: programs and the loader are executed.
set_modes() {
    local loader
    loader=$(interpreter_of "$1/bin/qemu-system-${targets[0]}")
    find "$1" -type f -exec chmod 0644 {} +
    chmod 0755 "$1"/bin/* ${loader:+"$1/lib/${loader##*/}"}
}

# When the source was released: what is made of it has that date, whenever and wherever it is made. A tree that tells
# none has that of SOURCE_DATE_EPOCH (reproducible-builds.org), or of its file VERSION.
date_of_source() {
    local seconds
    seconds=$(dpkg-parsechangelog -l "$source_tree/debian/changelog" -S Timestamp 2>/dev/null) ||
        seconds=$(git --git-dir="$source_tree/.git" log -1 --format=%ct 2>/dev/null) && [ -n "$seconds" ] ||
        seconds=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$source_tree/VERSION")}
    date -u -d "@$seconds" +%Y-%m-%dT%H:%M:%SZ
}

version_of_source() {
    dpkg-parsechangelog -l "$1/debian/changelog" -S Version 2>/dev/null || cat -- "$1/VERSION"
}

# Another compiler than the usual one is told, without a cache before it and without where it lies.
told_compiler() {
    local words
    read -ra words <<<"${CC:-${prefix}gcc}"
    [[ ${words[0]##*/} != ccache ]] || words=("${words[@]:1}")
    words[0]=${words[0]##*/}
    [ "${words[*]}" = "${prefix}gcc" ] || echo "option --cc=${words[*]}"
}

facts_of() {
    local target patch
    printf '%s\n' "profile $1" "recipe $(recipe_text "$1" | sha256sum | cut -d ' ' -f 1)" "arch $host" \
        "source $source_tree" "version $(cat -- "$source_tree/VERSION")" "release $(version_of_source "$source_tree")" \
        "created $(date_of_source)" "compiler $(compiler)"
    cat -- "$source_tree.facts"
    while read -r patch; do
        echo "patch $(sha256sum <"$patch" | cut -d ' ' -f 1) $(basename "$patch")"
    done < <(patch_files qemu)
    all_options "$1" | sed -e '/^--cc=/d' -e "s,$source_tree,<source>," -e 's/^/option /'
    told_compiler
    [ -z "$foreign" ] || echo "sysroot $sysroot"
    { packages_here "${packages[@]}" && packages_there "${packages[@]}"; } | sed 's/^/tool /'
    printf 'machine %s\n' "${machines[@]}"
    for target in "${targets[@]}"; do
        device_lines "$1" "$target" | sed "s/^/device $target /"
        device_names "$1" "$target" | sed "s/^/has $target /"
    done
}

# The directory appears when it is complete, and was tried.
assemble() {
    local profile=$1 built=$2 directory=$3
    mkdir -p -- "$directory/bin" "$directory/lib" "$directory/firmware" "$directory/share"
    place_programs "$directory" "$built"
    {
        place_firmware "$directory"
        place_opensbi "$directory" "$built"
        place_libraries "$directory" "$built"
        facts_of "$profile"
    } >"$directory.facts"
    set_modes "$directory"
    say "starting each program, and each machine"
    start_machines "$directory"
    compare_devices "$profile" "$directory"
    "$recipes/describe" "$directory" <"$directory.facts"
    rm -- "$directory.facts"
}
