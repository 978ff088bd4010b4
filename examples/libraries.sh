# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The dynamic loader and the libraries of a profile directory, for the scripts that make one. They define fail(); and for
# programs of another architecture sysroot, where its libraries are, and emulator, which runs its programs.

interpreter_of() {
    readelf --program-headers --wide "$1" | sed -n 's/.*Requesting program interpreter: \(.*\)]/\1/p'
}

# What in a profile is linked with libraries.
linked_files() {
    local file
    for file in "$1"/bin/* "$1"/lib/qemu/*.so; do
        [ ! -f "$file" ] || echo "$file"
    done
}

# What the dynamic loader finds for a program, as ldd has it.
loaded_by() {
    local loader library_path
    if [ -z "${sysroot:-}" ]; then
        ldd "$1"
    else
        loader=$sysroot$(interpreter_of "$1")
        library_path=$(printf '%s:' "$sysroot"/lib/*-linux-gnu* "$sysroot"/usr/lib/*-linux-gnu*)
        "$emulator" "$loader" --inhibit-cache --library-path "$library_path" --list "$1"
    fi
}

# The name by which a file is looked for, and where the host has it: a line for each library, and for the loader.
libraries_of() {
    local line loader
    while read -r line; do
        case $line in
            /*) ;; # the loader, which is told below
            *"=> not found"*) fail "$(basename "$1") needs ${line%% *}, which is not installed" ;;
            *" => /"*)
                line=${line% (*}
                echo "${line%% *} ${line#* => }"
                ;;
        esac
    done < <(loaded_by "$1")
    loader=$(interpreter_of "$1")
    [ -z "$loader" ] || echo "$(basename "$loader") ${sysroot:-}$loader"
}

# Every library, under the name by which it is looked for. Prints, for each that was copied, a line as above.
copy_libraries() {
    local file needed name path
    while read -r file; do
        needed=$(libraries_of "$file") || return 1
        while read -r name path; do
            [ -n "$name" ] && [ ! -e "$1/lib/$name" ] || continue
            cp -L "$path" "$1/lib/$name" || return 1
            echo "$name $path"
        done <<<"$needed"
    done < <(linked_files "$1")
}

# What the loader does not find in the profile it silently takes from the host: ask it.
check_libraries() {
    local loader file foreign
    loader=$1/lib/$(basename "$(interpreter_of "$(linked_files "$1" | head -n 1)")")
    while read -r file; do
        foreign=$(env -i ${emulator:+"$emulator"} "$loader" --inhibit-cache --library-path "$1/lib" --list "$file" |
            sed -n 's/.* => \(.*\) (0x.*/\1/p' | grep -v "^$1/lib/" || true)
        [ -z "$foreign" ] || fail "$(basename "$file") would use libraries of the host: $foreign"
    done < <(linked_files "$1")
}
