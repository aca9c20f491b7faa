complete -c shmread -s k -l key -d 'Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it' -r -f -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
complete -c shmread -l mode -d 'Permissions of a segment or semaphore set that has to be made, in octal' -r
complete -c shmread -l ring -d 'Use a ring instead of the tutorial\'s slot. A message may hold any bytes, up to a quarter of CAPACITY (64K to 1G). Without CAPACITY, take the ring that is there, or make one of 2M' -r
complete -c shmread -l layout -d 'The struct that the other program has, if it is not the tutorial\'s: text[1024], a C declaration, FILE.h, or terms; see shm-handoff layout --help' -r
complete -c shmread -l timeout -d 'Longest wait for the other side, such as 500ms or 5s; waits for stdin and stdout do not count [default: forever]' -r
complete -c shmread -l progress -d 'Show messages, bytes, rate and time on stderr, and the time left if the input is a file. `auto` does so on a terminal; `always` prints a line a second elsewhere, too' -r -f -a "auto\t'On a terminal that is used for nothing else'
always\t'Always'"
complete -c shmread -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shmread -l format -d 'How to print a message [default: label on a terminal, else plain]' -r -f -a "label\t'`You wrote: ` before each message, as the tutorial does'
plain\t'The messages and nothing else'
json\t'One object a line'
hex\t'Two hexadecimal digits a byte, one message a line'"
complete -c shmread -l count -d 'Stop after this many messages, and leave the segment' -r
complete -c shmread -l raw -d 'Carry bytes as they come through a ring, without regard to lines; a layout of records implies it'
complete -c shmread -l trust-owner -d 'Use a segment or semaphore set that belongs to another user'
complete -c shmread -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c shmread -s v -l verbose -d 'Say on stderr what happens'
complete -c shmread -l follow -d 'When a writer dies, wait for the next one'
complete -c shmread -l keep -d 'Leave the segment where it is at the end of the session'
complete -c shmread -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shmread -s V -l version -d 'Print version'
