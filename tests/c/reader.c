/* The tutorial's reading side. Usage: reader [KEY] */
#define _DEFAULT_SOURCE
#include "peer.h"

int main(int argc, char **argv)
{
    struct slot *slot = attach(argc, argv, "shmat"); /* D15: it is shmget that failed */

    slot->written = 0; /* D4: whatever was there is lost */
    for (int running = 1; running;) {
        if (slot->written != 1) { /* D12: another value is never seen */
            rest();
            continue;
        }
        printf("You wrote: %s", slot->text); /* D6: a NUL is taken for granted */
        rest();
        slot->written = 0;
        running = strncmp(slot->text, "end", 3) != 0; /* D3: after giving it back */
    }
    detach(slot);
    if (shmctl(segment_id, IPC_RMID, NULL) == -1) /* D10: whoever is attached */
        give_up("shmctl(IPC_RMID)");
    return EXIT_SUCCESS;
}
