# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_shm_handoff_global_optspecs
    string join \n color= h/help V/version
end

function __fish_shm_handoff_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_shm_handoff_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_shm_handoff_using_subcommand
    set -l cmd (__fish_shm_handoff_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -s h -l help -d 'Print help'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -s V -l version -d 'Print version'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "ls" -d 'Lists the segments that are channels, or could be'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "stat" -d 'Shows what is at a key, and changes nothing'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "who" -d 'Shows every process that has a segment attached, C programs too'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "rm" -d 'Removes segments that provably nobody uses'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "doctor" -d 'Finds what keeps handoffs from working on this machine, and says how to mend it'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "race" -d 'Run the tutorial\'s protocol for real, then ours, and count what goes wrong'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "bench" -d 'Measures both layouts on this machine, beside a pipe and a Unix socket'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "layout" -d 'Shows where the flag and the payload of a declared struct lie'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "lab" -d 'Serves the lab, a page to be the scheduler in, to a browser on this machine'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "record" -d 'Records what goes through a channel, with the times'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "replay" -d 'Sends a recording again, or shows what is in it'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "generate" -d 'Makes the manual pages and the completions of all three programs'
complete -c shm-handoff -n "__fish_shm_handoff_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand ls" -l layout -d 'The struct in the segment: text[1024], a C declaration, FILE.h, FILE.h:NAME, or terms; see shm-handoff layout --help' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand ls" -s o -l output -d 'Columns to print, in this order, separated by commas [default: all]' -r -f -a "(__fish_append , key id owner mode size layout attached messages bytes status writer reader)"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand ls" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand ls" -s a -l all -d 'List all segments of this IPC namespace, also those of other sizes'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand ls" -l no-headings -d 'Print no line of headings'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand ls" -l json -d 'Print JSON, with all columns'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand stat" -l layout -d 'The struct in the segment: text[1024], a C declaration, FILE.h, FILE.h:NAME, or terms; see shm-handoff layout --help' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand stat" -s w -l watch -d 'Look again and again, and show rates; at least 100ms apart' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand stat" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand stat" -l json -d 'Print one JSON object, or with --watch one a line'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand stat" -l metrics -d 'Print OpenMetrics text, for a monitoring system'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand stat" -l all -d 'Every channel that ls lists, as without a KEY'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand stat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand who" -l id -d 'Look at the segment with this number, also if it is removed' -r -f -a "(shm-handoff ls --no-headings -o id 2>/dev/null)"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand who" -l layout -d 'The struct in the segment: text[1024], a C declaration, FILE.h, FILE.h:NAME, or terms; see shm-handoff layout --help' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand who" -s o -l output -d 'Columns to print, in this order, separated by commas [default: all]' -r -f -a "(__fish_append , pid user role times access command)"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand who" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand who" -l no-headings -d 'Print no line of headings'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand who" -l json -d 'Print JSON, with all columns'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand who" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand rm" -l layout -d 'The struct in the segment: text[1024], a C declaration, FILE.h, FILE.h:NAME, or terms; see shm-handoff layout --help' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand rm" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand rm" -s f -l force -d 'Also remove unread messages, and a segment that is no channel, is broken, or may not be read; never one that is in use'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand rm" -s n -l dry-run -d 'Only say what would be removed'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand doctor" -l layout -d 'The struct in the segment: text[1024], a C declaration, FILE.h, FILE.h:NAME, or terms; see shm-handoff layout --help' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand doctor" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand doctor" -l json -d 'Print one JSON object'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand race" -l seconds -d 'How long to run each of the protocols' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand race" -s k -l key -d 'A key that nobody uses: decimal, 0x hexadecimal, or PATH:ID [default: a random one where nothing is]' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand race" -l layout -d 'The struct in the segment: text[1024], a C declaration, FILE.h, FILE.h:NAME, or terms; see shm-handoff layout --help' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand race" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand race" -l json -d 'Print one JSON object (see --help for its fields)'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand race" -s q -l quiet -d 'Show no progress on a terminal'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand race" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -l size -d 'Bytes of a message, 1 to 524280; a classic slot takes 2047' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -l seconds -d 'How long each measurement takes, two for each transport, such as 0.5' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -l only -d 'Measure only these [default: all, classic if a message fits]' -r -f -a "classic\t'The tutorial\'s slot, one for each direction'
ring\t'A ring of 2 MiB for each direction'
pipe\t'A pipe for each direction'
socket\t'One pair of Unix stream sockets'"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -l cores -d 'The cores of the process that sends and of the one that receives [default: the first two that may be used]' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -l svg -d 'Also draw the figures, into this file' -r -F
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -s o -l output -d 'Columns to print, in this order, separated by commas [default: all]' -r -f -a "(__fish_append , transport trips min p50 p90 p99 p99.9 max messages/s bytes/s)"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -l histogram -d 'Also show how the round trips are distributed'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -s q -l quiet -d 'Show no progress on a terminal'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -l no-headings -d 'Print no line of headings'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -l json -d 'Print JSON, with all columns'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand bench" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand layout" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand layout" -l json -d 'Print one JSON object'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand layout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand lab" -l lang -d 'Language of the page whose address is printed; each page has a link to the other' -r -f -a "en\t'English'
zh\t'Chinese'"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand lab" -l port -d 'Port on 127.0.0.1; 0 takes any free one [default: 1234, or a free one if that is in use]' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand lab" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand lab" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l onto -d 'Key of the segment to which each message is handed on' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l ring -d 'A ring instead of the tutorial\'s slot, of CAPACITY bytes (64K to 1G) where it has to be made' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l layout -d 'The struct in the segment: text[1024], a C declaration, FILE.h, or terms; see shm-handoff layout --help' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l mode -d 'Permissions of what has to be made, octal' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l timeout -d 'Longest wait for the other side, such as 500ms or 5s [default: forever]' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l progress -d 'Show messages, bytes, rate and time on stderr: `auto` on a terminal, `always` elsewhere too, as a line a second' -r -f -a "auto\t'On a terminal that is used for nothing else'
always\t'Always'"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l onto-ring -d 'The same of KEY2 [default: as KEY, or what is there]' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l onto-layout -d 'The same of KEY2' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l trust-owner -d 'Use a segment or semaphore set that belongs to another user'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -s v -l verbose -d 'Say on stderr what happens'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l follow -d 'When the writer dies, or the reader at KEY2 has gone, wait for the next one'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l sync -d 'Wait until the disk has each message before it is handed on'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -l json -d 'At the end, print an object of JSON on stdout'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l speed -d 'So many times as fast as it was; `max`: without any pause' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l ring -d 'A ring instead of the tutorial\'s slot, of CAPACITY bytes (64K to 1G) where it has to be made' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l layout -d 'The struct in the segment: text[1024], a C declaration, FILE.h, or terms; see shm-handoff layout --help' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l mode -d 'Permissions of what has to be made, octal' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l timeout -d 'Longest wait for the other side, such as 500ms or 5s [default: forever]' -r
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l progress -d 'Show messages, bytes, rate and time on stderr: `auto` on a terminal, `always` elsewhere too, as a line a second' -r -f -a "auto\t'On a terminal that is used for nothing else'
always\t'Always'"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l step -d 'Send one message at each Enter'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l no-end -d 'Leave out the end of the session'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l list -d 'Print what is in FILE, and send nothing'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l json -d 'Print it as JSON, an object a line'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l trust-owner -d 'Use a segment or semaphore set that belongs to another user'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -s v -l verbose -d 'Say on stderr what happens'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -l follow -d 'When the reader leaves or dies, wait for the next one'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand generate" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "ls" -d 'Lists the segments that are channels, or could be'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "stat" -d 'Shows what is at a key, and changes nothing'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "who" -d 'Shows every process that has a segment attached, C programs too'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "rm" -d 'Removes segments that provably nobody uses'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "doctor" -d 'Finds what keeps handoffs from working on this machine, and says how to mend it'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "race" -d 'Run the tutorial\'s protocol for real, then ours, and count what goes wrong'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "bench" -d 'Measures both layouts on this machine, beside a pipe and a Unix socket'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "layout" -d 'Shows where the flag and the payload of a declared struct lie'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "lab" -d 'Serves the lab, a page to be the scheduler in, to a browser on this machine'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "record" -d 'Records what goes through a channel, with the times'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "replay" -d 'Sends a recording again, or shows what is in it'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "generate" -d 'Makes the manual pages and the completions of all three programs'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand help; and not __fish_seen_subcommand_from ls stat who rm doctor race bench layout lab record replay generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand stat" -f -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand who" -f -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand rm" -f -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand doctor" -f -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand record" -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
complete -c shm-handoff -n "__fish_shm_handoff_using_subcommand replay" -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
