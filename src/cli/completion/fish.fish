# Completion of kolaboree-node in fish: kolaboree-node completions fish | source
complete --keep-order --exclusive --command kolaboree-node --arguments "(kolaboree-node ASK (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token --cut-at-cursor) 2> /dev/null)"
