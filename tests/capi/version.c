/* The header and the library are of one version. */
#include <shm_handoff.h>
#include <stdio.h>
#include <string.h>

#if SHMH_VERSION < 100
#error "the preprocessor compares versions"
#endif

int main(void)
{
    if (shmh_version() != SHMH_VERSION || strcmp(shmh_version_string(), SHMH_VERSION_STRING) != 0) {
        fprintf(stderr, "a header of %s, and a library of %s\n", SHMH_VERSION_STRING, shmh_version_string());
        return 1;
    }
    printf("%d %s\n", SHMH_VERSION, SHMH_VERSION_STRING);
    return 0;
}
