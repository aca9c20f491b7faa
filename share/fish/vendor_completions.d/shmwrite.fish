complete -c shmwrite -s k -l key -d 'Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it' -r -f -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
complete -c shmwrite -l mode -d 'Permissions of a segment or semaphore set that has to be made, in octal' -r
complete -c shmwrite -l ring -d 'Use a ring instead of the tutorial\'s slot. A message may hold any bytes, up to a quarter of CAPACITY (64K to 1G). Without CAPACITY, take the ring that is there, or make one of 2M' -r
complete -c shmwrite -l layout -d 'The struct that the other program has, if it is not the tutorial\'s: text[1024], a C declaration, FILE.h, or terms; see shm-handoff layout --help' -r
complete -c shmwrite -l timeout -d 'Longest wait for the other side, such as 500ms or 5s; waits for stdin and stdout do not count [default: forever]' -r
complete -c shmwrite -l progress -d 'Show messages, bytes, rate and time on stderr, and the time left if the input is a file. `auto` does so on a terminal; `always` prints a line a second elsewhere, too' -r -f -a "auto\t'On a terminal that is used for nothing else'
always\t'Always'"
complete -c shmwrite -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shmwrite -l long -d 'What to do with a line that is too long. The limit is 2047 bytes in the slot, a quarter of a ring, and one byte less than a declared text' -r -f -a "error\t'Stop with exit 5'
split\t'Send it in pieces, which together equal it'
truncate\t'Send its beginning, and a newline'"
complete -c shmwrite -l raw -d 'Carry bytes as they come through a ring, without regard to lines; a layout of records implies it'
complete -c shmwrite -l trust-owner -d 'Use a segment or semaphore set that belongs to another user'
complete -c shmwrite -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c shmwrite -s v -l verbose -d 'Say on stderr what happens'
complete -c shmwrite -l no-end -d 'Leave the session open at the end of standard input'
complete -c shmwrite -l json -d 'Take JSON objects, one a line, with the fields of the declared struct, as shmread --format json prints them'
complete -c shmwrite -l reply -d 'Wait for the answer to each message and print its bytes, or its fields with --json. The layout says with reply=NAME where the answer lies'
complete -c shmwrite -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shmwrite -s V -l version -d 'Print version'
