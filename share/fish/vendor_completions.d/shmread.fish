complete -c shmread -s k -l key -d 'Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it' -r -f -a "(shm-handoff ls --no-headings -o key 2>/dev/null)"
complete -c shmread -l mode -d 'Permissions of what has to be made, octal' -r
complete -c shmread -l ring -d 'A ring instead of the tutorial\'s slot: any bytes, messages up to a quarter of CAPACITY (64K to 1G). Without CAPACITY: the ring that is there, or one of 2M' -r
complete -c shmread -l layout -d 'The struct that the other program really has, where it is not the tutorial\'s: text[1024], a C declaration, FILE.h, or terms; see shm-handoff layout --help' -r
complete -c shmread -l timeout -d 'Longest wait for the other side, such as 500ms or 5s; stdin and stdout may take longer [default: forever]' -r
complete -c shmread -l progress -d 'Show messages, bytes, rate and time on stderr, and the time left if the input is a file: `auto` on a terminal, `always` elsewhere too, as a line a second' -r -f -a "auto\t'On a terminal on which nobody types and nothing else is printed'
always\t'Always'"
complete -c shmread -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c shmread -l format -d 'How to print a message [default: label on a terminal, else plain]' -r -f -a "label\t'`You wrote: ` before each, as the tutorial does'
plain\t'What was sent and nothing else'
json\t'One object a line'
hex\t'Two hexadecimal digits a byte, one message a line'"
complete -c shmread -l count -d 'Stop after this many messages, and leave the segment' -r
complete -c shmread -l raw -d 'Bytes as they come, without regard to lines, through a ring; a layout of records implies it'
complete -c shmread -l trust-owner -d 'Use a segment or semaphore set that belongs to another user'
complete -c shmread -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c shmread -s v -l verbose -d 'Say on stderr what happens'
complete -c shmread -l follow -d 'When a writer dies, wait for the next one'
complete -c shmread -l keep -d 'At the end, leave the segment where it is'
complete -c shmread -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shmread -s V -l version -d 'Print version'
