# Completion of beit in fish. For this shell: beit completion fish | source. For all: beit completion fish > ~/.config/fish/completions/beit.fish
function __beit_complete
    set -l words (commandline -opc) (commandline -ct)
    set -g __beit_found ($words[1] __complete $words[2..-1] 2>/dev/null)
    test (count $__beit_found) -gt 0
end
complete -c beit -n __beit_complete -f -a '$__beit_found'
