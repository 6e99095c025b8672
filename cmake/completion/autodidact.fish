# fish completion of autodidact: the program itself says its commands, options and keys (--help=words).
function __autodidact_words
    set -l words (commandline -opc)
    set -l command $words[2]
    if test "$command" = study -a (count $words) -gt 2
        set command study $words[3]
    end
    $words[1] $command --help=words 2>/dev/null
end
function __autodidact_keys
    set -l words (commandline -opc)
    $words[1] train --keys-markdown 2>/dev/null | string replace -rf '^\| `([a-z_.]*)` \|.*' '$1='
end
function __autodidact_at
    test (count (commandline -opc)) -eq $argv[1]
end
complete -c autodidact -n '__autodidact_at 1' -f -a '(__autodidact_words)'
complete -c autodidact -n '__autodidact_at 2; and __fish_seen_subcommand_from study' -f -a '(__autodidact_words)'
complete -c autodidact -n 'not __autodidact_at 1; and string match -q -- "-*" (commandline -ct)' -f -a '(__autodidact_words)'
complete -c autodidact -n 'string match -qr "^[a-z]+\\." (commandline -ct)' -f -a '(__autodidact_keys)'
