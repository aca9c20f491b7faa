complete -c shmwrite -s k -l key -d 'Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it' -r -f -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
complete -c shmwrite -l mode -d 'Permissions of what has to be made, octal' -r
complete -c shmwrite -l ring -d 'A ring instead of the tutorial\'s slot: any bytes, messages up to a quarter of CAPACITY (64K to 1G). Without CAPACITY: the ring that is there, or one of 2M' -r
complete -c shmwrite -l layout -d 'The struct that the other program really has, where it is not the tutorial\'s: text[1024], a C declaration, FILE.h, or terms; see shm-handoff layout --help' -r
complete -c shmwrite -l timeout -d 'Longest wait for the other side, such as 500ms or 5s; stdin and stdout may take longer [default: forever]' -r
complete -c shmwrite -l progress -d 'Show messages, bytes, rate and time on stderr, and the time left if the input is a file: `auto` on a terminal, `always` elsewhere too, as a line a second' -r -f -a "auto\t'On a terminal on which nobody types and nothing else is printed'
always\t'Always'"
complete -c shmwrite -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shmwrite -l long -d 'What to do with a line that is too long: of more than 2047 bytes, in a ring of more than a quarter of it, in a declared text of as many bytes as that has' -r -f -a "error\t'Stop with exit 5'
split\t'Send it in pieces, which together equal it'
truncate\t'Send its beginning, and a newline'"
complete -c shmwrite -l raw -d 'Bytes as they come, without regard to lines, through a ring; a layout of records implies it'
complete -c shmwrite -l trust-owner -d 'Use a segment or semaphore set that belongs to another user'
complete -c shmwrite -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c shmwrite -s v -l verbose -d 'Say on stderr what happens'
complete -c shmwrite -l no-end -d 'Leave the session open at the end of standard input'
complete -c shmwrite -l json -d 'Take objects of JSON, a line each, with the fields of the declared struct, as shmread --format json prints them'
complete -c shmwrite -l reply -d 'Wait for the answer to each message, and print its bytes; with --json its fields. The layout says with reply=NAME where it lies'
complete -c shmwrite -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shmwrite -s V -l version -d 'Print version'
