#compdef kolaboree-node
# Completion of kolaboree-node in zsh: source <(kolaboree-node completions zsh), or this file as _kolaboree-node in the fpath
_kolaboree-node() {
    local -a whole open
    local line value entry
    for line in "${(@f)$(kolaboree-node ASK "${(@Q)words[1,CURRENT]}" 2> /dev/null)}"; do
        value=${line%%$'\t'*}
        [[ -n $value ]] || continue
        entry=${${value//\\/\\\\}//:/\\:}
        [[ -n ${line#*$'\t'} ]] && entry+=":${line#*$'\t'}"
        if [[ $value == *[:/=] ]]; then
            open+=("$entry")
        else
            whole+=("$entry")
        fi
    done
    # More is typed behind what ends so.
    (( $#open )) && _describe -V 'values' open -S ''
    (( $#whole )) && _describe -V 'values' whole
}
if [[ $funcstack[1] == _kolaboree-node ]]; then
    _kolaboree-node "$@"
else
    compdef _kolaboree-node kolaboree-node
fi
