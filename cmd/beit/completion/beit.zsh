#compdef beit
# Completion of beit in zsh. For this shell: source <(beit completion zsh). For all: beit completion zsh > a file _beit in a folder of $fpath
_beit() {
    local line
    local -a found shown open
    while IFS= read -r line; do
        if [[ ${line%%$'\t'*} == *= ]]; then
            open+=("${line%%$'\t'*}")
        else
            found+=("${line%%$'\t'*}")
            shown+=("${line/$'\t'/  -- }")
        fi
    done < <("${words[1]/#\~/$HOME}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( ! ${#found} && ! ${#open} )); then
        [[ ${words[CURRENT]} == --*=* ]] && compset -P '*='
        _files
        return
    fi
    compadd -Q -S '' -a open
    compadd -Q -l -d shown -a found
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _beit "$@"
else
    compdef _beit beit
fi
