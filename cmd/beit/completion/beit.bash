# Completion of beit in bash. For this shell: source <(beit completion bash). For all: beit completion bash > ~/.local/share/bash-completion/completions/beit
_beit() {
    # bash parts words at = and : too. beit wants them whole, and bash wants what follows the last of these.
    local line="${COMP_LINE:0:COMP_POINT}" words reply one
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    local current="${words[${#words[@]} - 1]}"
    local cut="${current%"${current##*[=:]}"}"
    COMPREPLY=()
    while IFS=$'\t' read -r reply _; do
        COMPREPLY+=("${reply#"$cut"}")
    done < <("${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null)
    for one in "${COMPREPLY[@]}"; do
        [[ $one == *= ]] && compopt -o nospace
    done
}
complete -o default -o bashdefault -F _beit beit
