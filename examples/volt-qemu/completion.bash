# SPDX-License-Identifier: MIT
# Completion of volt-qemu for bash, by what its --help says.

# What --help lists behind two spaces: commands or options.
_volt_qemu_listed() {
    "$1" help ${2:+"$2"} 2>/dev/null | sed -n "/^Example/q; s/^  \($3[a-z][a-z-]*\) .*/\1/p"
}

# The store that the line names.
_volt_qemu_store() {
    local i
    for ((i = 1; i + 1 < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == --root ]] && printf '%s\n' --root "${COMP_WORDS[i + 1]/#\~/$HOME}"
    done
}

# Names of revisions and of their profiles.
_volt_qemu_names() {
    local store
    mapfile -t store < <(_volt_qemu_store)
    "$1" "${store[@]}" revisions 2>/dev/null | sed -n '2,$s/^\([^ ]*\)-\([0-9a-f]*\) .*/\1\n\1-\2/p' | sort -u
}

_volt_qemu() {
    local program=$1 word=$2 before=$3 command='' i
    local commands
    commands=$(_volt_qemu_listed "$program" '' '' | tr '\n' ' ')
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ " $commands" == *" ${COMP_WORDS[i]} "* ]] && command=${COMP_WORDS[i]} && break
    done
    case $before in
    --profile | --revision)
        mapfile -t COMPREPLY < <(compgen -W "$(_volt_qemu_names "$program") kvm-linux kvm-uefi
            emulate-x86 emulate-foreign" -- "$word")
        return ;;
    --mode) mapfile -t COMPREPLY < <(compgen -W 'hybrid-kvm hybrid-emulated' -- "$word"); return ;;
    --accel) mapfile -t COMPREPLY < <(compgen -W 'kvm tcg' -- "$word"); return ;;
    --guest-os) mapfile -t COMPREPLY < <(compgen -W 'linux windows other uefi' -- "$word"); return ;;
    --kvm)
        mapfile -t COMPREPLY < <(compgen -W 'usable absent denied broken software unseen' -- "$word")
        return ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_volt_qemu_listed "$program" "$command" --)" -- "$word")
    elif [[ $before == --* && $before != --json && $before != --read-only ]]; then
        COMPREPLY=() # a value; readline completes the names of files
    elif [[ -z $command ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
    else
        case $command in
        export | copy | revisions | show | current | pin | unpin | pins | uses | rm | verify)
            mapfile -t COMPREPLY < <(compgen -W "$(_volt_qemu_names "$program")" -- "$word") ;;
        help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word") ;;
        esac
    fi
}

complete -o default -F _volt_qemu volt-qemu
