# Completion of kolaboree-node in bash: source <(kolaboree-node completions bash)
_kolaboree_node() {
    # Bash splits words at colons too, as in berlin:web: those are put together again.
    local words=() line=$COMP_LINE word start i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i == 0)); then
            line=$word${line#*"$word"}
        fi
        local apart=${line%%[![:space:]]*}
        line=${line#"$apart"}
        if ((i == COMP_CWORD)); then
            start=$((${#COMP_LINE} - ${#line}))
            word=${COMP_LINE:start:COMP_POINT > start ? COMP_POINT - start : 0}
        fi
        if ((i > 0)) && [[ -z $apart ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        line=${line#"$word"}
    done

    local found
    mapfile -t found < <(kolaboree-node ASK "${words[@]}" 2> /dev/null)
    found=("${found[@]%%$'\t'*}")

    # Bash replaces what stands behind the last character that it splits at.
    local current=${words[-1]} kept=""
    if [[ $COMP_WORDBREAKS == *:* ]]; then
        kept=${current%"${current##*:}"}
    fi
    if [[ $COMP_WORDBREAKS == *=* && ${current#"$kept"} == *=* ]]; then
        local rest=${current#"$kept"}
        kept+=${rest%"${rest##*=}"}
    fi
    COMPREPLY=("${found[@]#"$kept"}")
    if ((${#found[@]} == 1)) && [[ ${found[0]} == *[:/=] ]]; then
        compopt -o nospace
    fi
}
complete -o nosort -F _kolaboree_node kolaboree-node
