# SPDX-License-Identifier: MIT
# Completion of volt-qemu for bash, by what its --help says.

# What --help lists behind two spaces: commands or options.
_volt_qemu_listed() {
    "$1" help ${2:+"$2"} 2>/dev/null | sed -n "/^Example/q; s/^  \($3[a-z][a-z-]*\) .*/\1/p"
}

# Whether an option of a command has a value: --help has its name one space behind.
_volt_qemu_takes_value() {
    "$1" help ${2:+"$2"} 2>/dev/null | grep -q -- "^  $3 [^ ]"
}

# The store that the line names: --root DIR or --root=DIR, of which bash makes three words unless "=" was taken out of
# COMP_WORDBREAKS.
_volt_qemu_store() {
    local i root
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --root)
            [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
            ((i + 1 < COMP_CWORD)) || continue
            root=${COMP_WORDS[i + 1]} ;;
        --root=?*) root=${COMP_WORDS[i]#*=} ;;
        *) continue ;;
        esac
        printf '%s\n' --root "${root/#\~/$HOME}"
    done
}

# Architectures of guests.
_volt_qemu_archs() {
    "$1" schema 2>/dev/null | sed -n '/"guest_arch": {/,/]/s/^ *"\([a-z0-9_]*\)",\{0,1\}$/\1/p'
}

# Names of revisions and of their profiles.
_volt_qemu_names() {
    local store
    mapfile -t store < <(_volt_qemu_store)
    "$1" "${store[@]}" revisions 2>/dev/null | sed -n '2,$s/^\([^ ]*\)-\([0-9a-f]*\) .*/\1\n\1-\2/p' | sort -u
}

_volt_qemu() {
    local program=$1 word=$2 before=$3 option='' i
    if [[ $word == = ]]; then
        word=''
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $word == --*=* ]]; then
        option=${word%%=*}= before=${word%%=*} word=${word#*=}
    fi
    _volt_qemu_words "$program" "$word" "$before"
    for i in "${!COMPREPLY[@]}"; do
        COMPREPLY[i]=$option${COMPREPLY[i]}
    done
}

# What the word can be, behind the one before.
_volt_qemu_words() {
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
    --guest-arch | --host-arch) mapfile -t COMPREPLY < <(compgen -W "$(_volt_qemu_archs "$program")" -- "$word"); return ;;
    --guest-os) mapfile -t COMPREPLY < <(compgen -W 'linux windows other uefi' -- "$word"); return ;;
    --kvm)
        mapfile -t COMPREPLY < <(compgen -W 'usable absent denied broken software unseen' -- "$word")
        return ;;
    --vhost-net)
        mapfile -t COMPREPLY < <(compgen -W 'usable absent denied broken private unseen' -- "$word")
        return ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_volt_qemu_listed "$program" "$command" --)" -- "$word")
    elif [[ $before == --* ]] && _volt_qemu_takes_value "$program" "$command" "$before"; then
        COMPREPLY=() # a value; readline completes the names of files
    elif [[ -z $command ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
    else
        case $command in
        export | copy | revisions | show | current | pin | unpin | pins | signatures | uses | rm | verify)
            mapfile -t COMPREPLY < <(compgen -W "$(_volt_qemu_names "$program")" -- "$word") ;;
        schema) mapfile -t COMPREPLY < <(compgen -W 'vm policy' -- "$word") ;;
        help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word") ;;
        esac
    fi
}

complete -o default -F _volt_qemu volt-qemu
