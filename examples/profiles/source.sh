# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Source packages of the distribution: fetched, checked, unpacked, patched. For the scripts here, which define say(),
# fail(), recipes, and work, a directory of theirs.

# ---- the archive ----

# The distribution's own archives, as sources of packages of a kind, "deb" or "deb-src".
source_list() {
    local kind=$1 release keys=/usr/share/keyrings/debian-archive-keyring.gpg option=
    release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    [ ! -f $keys ] || option="[signed-by=$keys] "
    apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v release="$release" -v start="$kind $option" '
            $3 == "main" && ($2 == release || index($2, release "-") == 1) { print start $0 }' | sort -u
}

# apt with a state of its own, a directory: nothing of this machine's is touched, and no rights are needed.
own_apt() {
    local state=$1 program=$2
    shift 2
    "$program" -q -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
        -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

# Begins such a state: which packages of a kind there are. What apt says is in its log.
read_archive() {
    local state=$1 kind=$2
    shift 2
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
    source_list "$kind" >"$state/sources.list"
    [ -s "$state/sources.list" ] || fail "apt knows no archive of this distribution"
    own_apt "$state" apt-get "$@" update >"$state/log" 2>&1
}

fail_with_log() {
    cat -- "$1" >&2
    fail "$2; what it says is above"
}

# Which versions of which source packages there are is asked once in a run.
archive_asked=
ask_archive() {
    [ -z "$archive_asked" ] || return 0
    command -v apt-get >/dev/null || fail "no apt-get here: name a directory with the source, by --source"
    read_archive "$work/apt" deb-src || fail_with_log "$work/apt/log" "apt cannot read the lists of source packages"
    archive_asked=yes
}

# The versions that the archive has, the newest last.
archive_versions() {
    ask_archive
    own_apt "$work/apt" apt-cache showsrc --only-source "$1" 2>/dev/null |
        awk -v name="$1" '/^Package:/ { mine = $2 == name } /^Version:/ && mine { print $2 }' | sort -uV
}

# apt checks the signature of the list, and by the list the digests of the files.
fetch_package() {
    local name=$1 version=$2
    archive_versions "$name" | grep -qxF -- "$version" ||
        fail "the archive has $name $(archive_versions "$name" | tail -n 1), and no longer $version, which the recipes" \
            "were tried with. Take the new one by --source package; or have the files of $version from elsewhere, such" \
            "as snapshot.debian.org, and name their directory by --source."
    say "fetching the source package $name $version"
    mkdir -p "$work/download"
    (cd "$work/download" && own_apt "$work/apt" apt-get source --download-only "$name=$version") \
        >"$work/apt/log" 2>&1 || fail_with_log "$work/apt/log" "apt cannot fetch the source package $name $version"
}

# ---- pins ----

# Of a package in the file sources: its version, and its files with their digests as sha256sum(1) has them.
pinned_version() {
    awk -v name="$1" '$1 == name { print $2; exit }' "$recipes/sources"
}

pinned_digests() {
    awk -v name="$1" '$1 == name { print $3 "  " $4 }' "$recipes/sources"
}

pinned_description() {
    pinned_digests "$1" | sed -n 's/.*  \(.*\.dsc\)$/\1/p'
}

# Whether a directory has the files that are pinned; one that is there and other is told.
has_pinned() {
    local digest file
    while read -r digest file; do
        [ -f "$2/$file" ] || return 1
        echo "$digest  $2/$file" | sha256sum --check --status ||
            fail "$2/$file is other than what the file sources has pinned: $(sha256sum <"$2/$file" | cut -d ' ' -f 1)" \
                "instead of $digest"
    done < <(pinned_digests "$1")
}

# ---- a directory ----

# The file of a directory that describes a source package; nothing if there is none.
description_file() {
    local path
    for path in "$1/$2"_*.dsc; do
        [ ! -f "$path" ] || echo "$path"
    done | sort -V | tail -n 1
}

# The files that a .dsc names, by their SHA-256, as sha256sum(1) has them.
described_digests() {
    awk '/^Checksums-Sha256:/ { inside = 1; next } inside && !/^ / { exit } inside { print $1 "  " $3 }' "$1"
}

patch_files() {
    local path
    for path in "$recipes/patches/$1"/*.patch; do
        [ ! -f "$path" ] || echo "$path"
    done
}

# What a source tree is made of, as a few letters for its name.
source_name() {
    local name=$1
    shift
    printf '%s-%.12s' "$name" "$(cat -- "$@" | sha256sum)"
}

# A directory appears complete or not at all, instead of one that is there. The command makes the directory that is
# its last argument. It must not be part of a condition: bash goes on after what fails in one.
unfinished=
appear_as() {
    local target=$1
    shift
    rm -rf -- "$target.new"
    unfinished=$target.new
    "$@" "$target.new"
    rm -rf -- "$target"
    mv -T -- "$target.new" "$target"
    unfinished=
}
trap 'rm -rf -- ${unfinished:+"$unfinished"}' EXIT

apply_patches() {
    local path
    while read -r path; do
        patch --quiet --strip=1 --directory="$2" <"$path" || fail "$(basename "$path") does not fit this source of $1"
    done < <(patch_files "$1")
}

unpack() {
    dpkg-source --extract --no-copy "$2" "$3" >"$work/unpack.log" 2>&1 || {
        tail -n 20 "$work/unpack.log" >&2
        fail "dpkg-source cannot unpack $2; what it says is above"
    }
    apply_patches "$1" "$3"
}

copy_tree() {
    cp -a --reflink=auto -- "$2" "$3"
    apply_patches "$1" "$3"
}

# The digest of a tree of source: of each file's content, name, and whether it is executed, and of links. What
# configure and this script add is left out.
tree_digest() {
    local added=(-path ./.git -o -path ./b -o -path ./build -o -path ./GNUmakefile -o -path ./installed -o -name __pycache__
        -o -path './configs/devices/*/volt-*.mak')
    (
        cd -- "$1"
        find . \( "${added[@]}" \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        find . \( "${added[@]}" \) -prune -o \( -type f -perm -100 -printf 'x %p\n' -o -type l -printf 'l %p %l\n' \) |
            LC_ALL=C sort
    ) | sha256sum | cut -d ' ' -f 1
}

is_unpacked() {
    [[ -d $source_tree && -f $source_tree.digest ]]
}

# A tree is what it was when it appeared: what is made of it says so.
unpack_once() {
    if ! is_unpacked; then
        appear_as "$source_tree" "$@"
        tree_digest "$source_tree" >"$source_tree.digest.new"
        mv -- "$source_tree.digest.new" "$source_tree.digest"
        return
    fi
    [ "$(tree_digest "$source_tree")" = "$(cat -- "$source_tree.digest")" ] ||
        fail "the source in $source_tree was changed since it was put there: remove it, and name source of your own by --source"
}

# ---- all of it ----

# Sets source_tree to the unpacked source of a package, and writes what it is into the file source.facts beside it.
# where: "pinned", "package" for the newest of the archive, or a directory.
get_source() {
    local name=$1 where=$2 version description patches
    mapfile -t patches < <(patch_files "$name")
    mkdir -p "$work/source"
    case $where in
        pinned)
            has_pinned "$name" "$work/download" || fetch_package "$name" "$(pinned_version "$name")"
            has_pinned "$name" "$work/download" || fail "apt did not fetch all files of $name that are pinned"
            description=$work/download/$(pinned_description "$name")
            ;;
        package)
            ask_archive
            version=$(archive_versions "$name" | tail -n 1)
            fetch_package "$name" "$version"
            description=$work/download/${name}_${version#*:}.dsc
            ;;
        *)
            [ -d "$where" ] || fail "$where is no directory"
            if has_pinned "$name" "$where"; then
                description=$where/$(pinned_description "$name")
            else
                description=$(description_file "$where" "$name")
                say "what is in $where is not the source that is pinned: nobody has checked it"
            fi
            ;;
    esac
    if [ -n "$description" ]; then
        source_tree=$work/source/$(source_name "$name" "$description" "${patches[@]}")
        is_unpacked || say "unpacking $(basename "$description")"
        unpack_once unpack "$name" "$description"
        {
            echo "file $(sha256sum <"$description" | cut -d ' ' -f 1) $(basename "$description")"
            described_digests "$description" | sed 's/^\([^ ]*\)  /file \1 /'
        } >"$source_tree.facts"
    else
        get_tree "$name" "$where"
    fi
}

# Source as it lies there, which is copied: the build writes into it.
get_tree() {
    local name=$1 where=$2 digest
    [ -f "$where/configure" ] && [ -f "$where/VERSION" ] ||
        fail "$where has neither a source package $name, a .dsc, nor the source itself, a configure and a VERSION"
    digest=$(tree_digest "$where")
    source_tree=$work/source/$(source_name "$name" - <<<"$digest" "${patches[@]}")
    unpack_once copy_tree "$name" "$where"
    echo "tree $digest" >"$source_tree.facts"
}
