# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Starting the programs of a profile directory, before it is stored: what links can still die at every start. For the
# script build.

# Through the loader of the directory, as the library does, and with nothing of the host.
run_program() {
    local directory=$1 program=$1/bin/$2 loader
    shift 2
    loader=$(interpreter_of "$program")
    (cd "$directory/firmware" && timeout --kill-after=10 120 env -i \
        ${emulator:+"$emulator"} ${loader:+"$directory/lib/$(basename "$loader")" --inhibit-cache --library-path "$directory/lib"} \
        "$program" -L "$directory/firmware" -no-user-config -nodefaults -display none "$@")
}

# A machine stands still, answers, and ends without a word. KVM need not be there: qtest runs no guest either.
start_machine() {
    local directory=$1 program=$2 accel=$3 answers
    shift 3
    answers=$(printf '{"execute": "%s"}\n' qmp_capabilities query-status quit |
        run_program "$directory" "$program" -accel "$accel" -S -qmp stdio -machine "$@" 2>"$work/trial.log") &&
        grep -q '"status": "prelaunch"' <<<"$answers" && [ ! -s "$work/trial.log" ] || {
        cat -- "$work/trial.log" >&2
        fail "$program does not start with -machine $*; what it says is above"
    }
}

start_machines() {
    local directory=$1 accel=tcg target line words
    [[ " ${options[*]} " != *" --disable-tcg "* ]] || accel=qtest
    for target in "${targets[@]}"; do
        start_machine "$directory" "qemu-system-$target" "$accel" none
    done
    for line in "${machines[@]}"; do
        read -ra words <<<"$line"
        start_machine "$directory" "qemu-system-${words[0]}" "$accel" "${words[@]:1}"
    done
}

# The devices that a program lists, without processors.
listed_devices() {
    run_program "$1" "qemu-system-$2" -machine none -device help |
        sed -n 's/^name "\([^"]*\)".*/\1/p' | grep -vE -- '-cpu(-core)?$' | LC_ALL=C sort -u
}

# A device too few breaks a key of VMs; one too many is code that a guest can reach and nobody asked for.
compare_devices() {
    local profile=$1 directory=$2 target listed missing extra file
    for target in "${targets[@]}"; do
        file=$recipes/$profile/devices/$target.mak
        listed=$(listed_devices "$directory" "$target")
        missing=$(LC_ALL=C comm -13 <(echo "$listed") <(device_names "$profile" "$target") | xargs)
        extra=$(LC_ALL=C comm -23 <(echo "$listed") <(device_names "$profile" "$target") | xargs)
        [ -z "$missing" ] ||
            fail "qemu-system-$target lacks devices of the recipe's lists: $missing (see $file)"
        [ -z "$extra" ] ||
            fail "qemu-system-$target has devices that are not in the recipe's lists: $extra (see $file)"
    done
}
