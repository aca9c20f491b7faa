# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_shm_bridge_global_optspecs
    string join \n h/help V/version
end

function __fish_shm_bridge_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_shm_bridge_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_shm_bridge_using_subcommand
    set -l cmd (__fish_shm_bridge_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c shm-bridge -n "__fish_shm_bridge_needs_command" -s h -l help -d 'Print help'
complete -c shm-bridge -n "__fish_shm_bridge_needs_command" -s V -l version -d 'Print version'
complete -c shm-bridge -n "__fish_shm_bridge_needs_command" -f -a "send" -d 'Reads a channel here, and sends what is there'
complete -c shm-bridge -n "__fish_shm_bridge_needs_command" -f -a "receive" -d 'Writes into a channel here what arrives'
complete -c shm-bridge -n "__fish_shm_bridge_needs_command" -f -a "generate" -d 'Makes the manual page and the completions in DIR, such as ~/.local/share'
complete -c shm-bridge -n "__fish_shm_bridge_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -s k -l key -d 'Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it' -r -f -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l mode -d 'Permissions of a segment or semaphore set that has to be made, in octal' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l ring -d 'Use a ring instead of the tutorial\'s slot. A message may hold any bytes, up to a quarter of CAPACITY (64K to 1G). Without CAPACITY, take the ring that is there, or make one of 2M' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l layout -d 'The struct that the other program has, if it is not the tutorial\'s: text[1024], a C declaration, FILE.h, or terms; see shm-handoff layout --help' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l connect -d 'Endpoint to connect to, such as tcp/192.0.2.7:7447 or tls/hub.example:7447; can be repeated' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l listen -d 'Endpoint to listen on; can be repeated' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l config -d 'Configuration of zenoh, in its own JSON5 format' -r -F
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l set -d 'A setting of that format, such as transport/link/tx/lease=2000; can be repeated' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l timeout -d 'Longest wait without progress, such as 500ms or 5s [default: forever]' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l progress -d 'Show messages, bytes, rate and time on stderr: `auto` on a terminal, `always` elsewhere too, as a line a second' -r -f -a "auto\t'On a terminal that is used for nothing else'
always\t'Always'"
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l to -d 'Key of zenoh under which the two bridges meet, such as plant/line1' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l trust-owner -d 'Use a segment or semaphore set that belongs to another user'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -s v -l verbose -d 'Say on stderr what happens'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l json -d 'Print on stderr an object of JSON a line'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l raw -d 'Carry bytes as they come through a ring, without regard to lines; a layout of records implies it'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -l follow -d 'When the writer here dies, tell nobody, and wait for the next one'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -s k -l key -d 'Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it' -r -f -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l mode -d 'Permissions of a segment or semaphore set that has to be made, in octal' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l ring -d 'Use a ring instead of the tutorial\'s slot. A message may hold any bytes, up to a quarter of CAPACITY (64K to 1G). Without CAPACITY, take the ring that is there, or make one of 2M' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l layout -d 'The struct that the other program has, if it is not the tutorial\'s: text[1024], a C declaration, FILE.h, or terms; see shm-handoff layout --help' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l connect -d 'Endpoint to connect to, such as tcp/192.0.2.7:7447 or tls/hub.example:7447; can be repeated' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l listen -d 'Endpoint to listen on; can be repeated' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l config -d 'Configuration of zenoh, in its own JSON5 format' -r -F
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l set -d 'A setting of that format, such as transport/link/tx/lease=2000; can be repeated' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l timeout -d 'Longest wait without progress, such as 500ms or 5s [default: forever]' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l progress -d 'Show messages, bytes, rate and time on stderr: `auto` on a terminal, `always` elsewhere too, as a line a second' -r -f -a "auto\t'On a terminal that is used for nothing else'
always\t'Always'"
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l from -d 'Key of zenoh under which the two bridges meet, such as plant/line1' -r
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l ack -d 'What is acknowledged to the sender, which releases it then' -r -f -a "ring\t'It lies in the channel here: either bridge may die'
received\t'The reader here has released it: this whole machine may die'"
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l trust-owner -d 'Use a segment or semaphore set that belongs to another user'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -s v -l verbose -d 'Say on stderr what happens'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l json -d 'Print on stderr an object of JSON a line'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l raw -d 'Carry bytes as they come through a ring, without regard to lines; a layout of records implies it'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l follow -d 'When the reader here leaves or dies, tell nobody, and wait for the next one'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -l next-stream -d 'Take the next stream once the sender of the last one is gone and the reader here has read everything'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand receive" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand generate" -s h -l help -d 'Print help'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand help; and not __fish_seen_subcommand_from send receive generate help" -f -a "send" -d 'Reads a channel here, and sends what is there'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand help; and not __fish_seen_subcommand_from send receive generate help" -f -a "receive" -d 'Writes into a channel here what arrives'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand help; and not __fish_seen_subcommand_from send receive generate help" -f -a "generate" -d 'Makes the manual page and the completions in DIR, such as ~/.local/share'
complete -c shm-bridge -n "__fish_shm_bridge_using_subcommand help; and not __fish_seen_subcommand_from send receive generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
