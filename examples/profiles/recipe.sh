# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Reading the recipes of profiles, for the scripts here. They define fail(), recipes, the directory that has them, and
# host, the architecture of the hosts that profiles are for.

# A path without "name/..", as text: no program is run for it, since there are many.
shorten() {
    path=$1
    while [[ $path =~ ^(.*/|)[^/]*[A-Za-z0-9_-][^/]*/\.\./(.*)$ ]]; do
        path=${BASH_REMATCH[1]}${BASH_REMATCH[2]}
    done
}

# The words of a file and of those that it includes, each file once, without comments: into lines, and the names of
# the files into files, which the caller has.
flatten() {
    local path file known word rest
    shorten "$1"
    file=$path
    [ -f "$file" ] || fail "$file: there is no such file"
    for known in "${files[@]}"; do
        [ "$known" != "$file" ] || return 0
    done
    files+=("$file")
    while read -r word rest || [ -n "$word" ]; do
        [[ $word$rest != *$'\r'* ]] || fail "$file has lines that end in CR LF: they must end in LF alone"
        if [ "$word" = on ]; then
            read -r known word rest <<<"$rest"
            [ "$known" = "$host" ] || continue
        fi
        case $word in
            '' | '#'*) ;;
            include) flatten "${file%/*}/$rest" ;;
            *) lines+=("$word${rest:+ $rest}") ;;
        esac
    done <"$file"
}

# What a recipe says, by its words, into arrays of the same names; described has those of profiles of one's own.
read_recipe() {
    local files=() lines=() line word rest
    options=() packages=() targets=() programs=() machines=() firmware=() opensbi=()
    declare -gA described=()
    [[ $1 =~ ^[a-z0-9][a-z0-9-]*$ ]] || fail "$1 cannot be the name of a profile: it has letters a-z, digits and \"-\" alone"
    [ -f "$recipes/$1/recipe" ] || fail "there is no profile $1: the recipes are $(list_recipes)"
    flatten "$recipes/$1/recipe"
    for line in "${lines[@]}"; do
        word=${line%% *} rest=${line#* }
        [ "$line" != "$word" ] || fail "the recipe of $1 says nothing behind $word"
        case $word in
            option) options+=("$rest") ;;
            package) packages+=("$rest") ;;
            target) targets+=("$rest") ;;
            program) programs+=("$rest") ;;
            machine) machines+=("$rest") ;;
            firmware) firmware+=("$rest") ;;
            opensbi) opensbi+=("$rest") ;;
            description | accel | guests | abilities) described[$word]=$rest ;;
            *) fail "the recipe of $1 has a word that is not known: $word" ;;
        esac
    done
    check_recipe "$1"
}

# What would show when all is compiled, or not at all.
check_recipe() {
    local line name
    case $1 in
        kvm-linux | kvm-uefi | emulate-x86 | emulate-foreign) ;;
        *) [[ -n ${described[accel]-} && -n ${described[guests]-} ]] ||
            fail "the recipe of $1, which is none of the library's own, must say accel and guests" ;;
    esac
    for line in "${firmware[@]}"; do
        read -r _ _ name <<<"$line"
        [[ /$name/ != *'/../'* && $name != /* ]] ||
            fail "the recipe of $1 puts firmware outside of its directory: $name"
    done
}

# Whether the recipe that was read is for such hosts. KVM runs guests of the host's own architecture.
is_for_host() {
    local target
    ((${#targets[@]})) || return 1
    [[ " ${options[*]} " == *" --enable-kvm "* ]] || return 0
    for target in "${targets[@]}"; do
        [ "$target" = "$host" ] || return 1
    done
}

list_recipes() {
    local path names=()
    for path in "$recipes"/*/recipe; do
        path=${path%/recipe}
        names+=("${path##*/}")
    done
    echo "${names[*]}"
}

# The devices that a target is built with, as QEMU's own configuration, sorted.
device_lines() {
    local files=() lines=()
    flatten "$recipes/$1/devices/$2.mak"
    printf '%s\n' "${lines[@]}" | LC_ALL=C sort
}

# The devices that its program then has, sorted: those that a VM can ask for, and those that come with them.
device_names() {
    local files=() lines=() lists=() file
    flatten "$recipes/$1/devices/$2.mak"
    for file in "${files[@]}"; do
        file=${file%.mak}.list
        [ ! -f "$file" ] || lists+=("$file")
    done
    sed -n 's/^\([^# ][^ ]*\).*/\1/p' /dev/null "${lists[@]}" | LC_ALL=C sort -u
}

# All that decides what is made, as text.
recipe_text() {
    local files=() lines=() target path
    flatten "$recipes/$1/recipe"
    printf '%s\n' "${lines[@]}"
    for target in "${targets[@]}"; do
        device_lines "$1" "$target" | sed "s/^/device $target /"
        device_names "$1" "$target" | sed "s/^/has $target /"
    done
    for path in "$recipes"/patches/*/*.patch; do
        [ ! -f "$path" ] || echo "patch $(sha256sum <"$path" | cut -d ' ' -f 1) ${path##*/}"
    done
}
