// What package mpi calls: MPI with one communicator, one deadline for each call, and error codes of MPI. LATE is no code of MPI.

#include <stdint.h>

#define LATE (-1)
#define HEADER 3 // numbers

int beit_init(int *rank, int *size, int *local);
int beit_library(char *text, int most); // length of the text
int beit_meet(const int64_t *mine, int64_t *all, char *arrived, double seconds);
int beit_leave(const int64_t *mine, int64_t *all, char *arrived, double seconds);
int beit_alltoall(void *dst, void *src, int each, double seconds);
int beit_allgather(void *dst, void *src, int each, double seconds);
int beit_bcast(void *x, int bytes, int root, double seconds);
int beit_finalize(void);
void beit_abort(int code);
int beit_error(int code, char *text, int most); // length of the text
