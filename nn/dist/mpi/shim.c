//go:build mpi

#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shim.h"

static MPI_Comm comm;
static int rank, size;

// Headers. One receive of each other rank is always posted; those of a rank arrive in the order in which it sent them.
static MPI_Request *receives, *sends;
static int64_t *inbox, outbox[HEADER];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

// pause_after gives the processor away: for a moment where little time has passed since a call began.
static void pause_after(double seconds) {
  if (seconds < 200e-6) {
    sched_yield();
    return;
  }
  struct timespec t = {0, seconds < 20e-3 ? 20000 : 200000};
  nanosleep(&t, NULL);
}

// finish waits for n requests, until so many seconds have passed.
static int finish(MPI_Request *requests, int n, double seconds) {
  double began = now();
  for (;;) {
    int done, err = MPI_Testall(n, requests, &done, MPI_STATUSES_IGNORE);
    if (err != MPI_SUCCESS || done) return err;
    double passed = now() - began;
    if (passed > seconds) return LATE;
    pause_after(passed);
  }
}

static int receive(int from) {
  return MPI_Irecv(inbox + from * HEADER, HEADER, MPI_INT64_T, from, 0, comm, &receives[from]);
}

int beit_init(int *r, int *s, int *local) {
  int provided, err;
  if ((err = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided))) return err;
  if (provided < MPI_THREAD_FUNNELED) return MPI_ERR_OTHER;
  MPI_Comm node;
  if ((err = MPI_Comm_dup(MPI_COMM_WORLD, &comm))) return err;
  if ((err = MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN))) return err;
  if ((err = MPI_Comm_rank(comm, &rank)) || (err = MPI_Comm_size(comm, &size))) return err;
  if ((err = MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node))) return err;
  if ((err = MPI_Comm_rank(node, local)) || (err = MPI_Comm_free(&node))) return err;
  *r = rank, *s = size;
  receives = malloc(size * sizeof *receives);
  sends = malloc(size * sizeof *sends);
  inbox = calloc(size * HEADER, sizeof *inbox);
  if (!receives || !sends || !inbox) return MPI_ERR_NO_MEM;
  for (int i = 0; i < size; i++) {
    receives[i] = sends[i] = MPI_REQUEST_NULL;
    if (i != rank && (err = receive(i))) return err;
  }
  return MPI_SUCCESS;
}

int beit_library(char *text, int most) {
  char all[MPI_MAX_LIBRARY_VERSION_STRING];
  int n = 0;
  MPI_Get_library_version(all, &n);
  if (n > most) n = most;
  memcpy(text, all, n);
  return n;
}

// tell sends a header to all other ranks.
static int tell(const int64_t *mine) {
  memcpy(outbox, mine, sizeof outbox);
  for (int i = 0; i < size; i++) {
    int err;
    if (i != rank && (err = MPI_Isend(outbox, HEADER, MPI_INT64_T, i, 0, comm, &sends[i]))) return err;
  }
  return MPI_SUCCESS;
}

// hear waits for a header of each rank that has not arrived: any, or one of the operation `only` if that is not negative.
static int hear(int64_t *all, char *arrived, double seconds, int64_t only) {
  double began = now();
  for (;;) {
    int missing = 0;
    for (int i = 0; i < size; i++) {
      if (arrived[i]) continue;
      int done, err = MPI_Test(&receives[i], &done, MPI_STATUS_IGNORE);
      if (err) return err;
      missing += !done;
      if (!done) continue;
      memcpy(all + i * HEADER, inbox + i * HEADER, sizeof outbox);
      if (only < 0 || all[i * HEADER] == only) arrived[i] = 1;
      else missing++;
      if ((err = receive(i))) return err;
    }
    double passed = now() - began;
    if (!missing) return finish(sends, size, seconds - passed);
    if (passed > seconds) return LATE;
    pause_after(passed);
  }
}

int beit_meet(const int64_t *mine, int64_t *all, char *arrived, double seconds) {
  memcpy(all + rank * HEADER, mine, sizeof outbox);
  arrived[rank] = 1;
  int err = tell(mine);
  return err ? err : hear(all, arrived, seconds, -1);
}

// beit_leave tells all that this rank leaves, and waits until those that have not arrived say so too.
int beit_leave(const int64_t *mine, int64_t *all, char *arrived, double seconds) {
  arrived[rank] = 1;
  int err = tell(mine);
  return err ? err : hear(all, arrived, seconds, mine[0]);
}

int beit_alltoall(void *dst, void *src, int each, double seconds) {
  MPI_Request r;
  int err = MPI_Ialltoall(src, each, MPI_BYTE, dst, each, MPI_BYTE, comm, &r);
  return err ? err : finish(&r, 1, seconds);
}

int beit_allgather(void *dst, void *src, int each, double seconds) {
  MPI_Request r;
  int err = MPI_Iallgather(src, each, MPI_BYTE, dst, each, MPI_BYTE, comm, &r);
  return err ? err : finish(&r, 1, seconds);
}

int beit_bcast(void *x, int bytes, int root, double seconds) {
  MPI_Request r;
  int err = MPI_Ibcast(x, bytes, MPI_BYTE, root, comm, &r);
  return err ? err : finish(&r, 1, seconds);
}

int beit_finalize(void) {
  for (int i = 0; i < size; i++) {
    if (receives[i] != MPI_REQUEST_NULL) {
      MPI_Cancel(&receives[i]);
      MPI_Request_free(&receives[i]);
    }
  }
  return MPI_Finalize();
}

void beit_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

int beit_error(int code, char *text, int most) {
  char all[MPI_MAX_ERROR_STRING];
  int n = 0;
  MPI_Error_string(code, all, &n);
  if (n > most) n = most;
  memcpy(text, all, n);
  return n;
}
