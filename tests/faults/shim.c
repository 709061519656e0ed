// Fails file operations below a directory: loaded into the command with LD_PRELOAD by tests/faults.rs.
//
//   FAULT_DIR     the directory; relative paths count as below it
//   FAULT_AT      the number of the operation that fails, from 1; 0: none
//   FAULT_STICKY  1: every later operation fails too
//   FAULT_ERRNO   the error that a failing operation returns
//   FAULT_LOG     a file to which every operation's name is appended
//   FAULT_CLOCK   the seconds that pass at each look at the clock, so that a short run counts as a long one;
//                 -1: it stands still

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static const char *dir;
static long at, sticky, failure, pace;
static int log_file = -1;
static atomic_long count;

__attribute__((constructor)) static void begin(void) {
    const char *text;
    dir = getenv("FAULT_DIR");
    at = (text = getenv("FAULT_AT")) ? atol(text) : 0;
    sticky = (text = getenv("FAULT_STICKY")) ? atol(text) : 0;
    failure = (text = getenv("FAULT_ERRNO")) ? atol(text) : EIO;
    pace = (text = getenv("FAULT_CLOCK")) ? atol(text) : 0;
    if ((text = getenv("FAULT_LOG")))
        log_file = syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

// Whether this operation is to fail.
static int fails(const char *name, const char *path) {
    long number = atomic_fetch_add(&count, 1) + 1;
    int is_due = at > 0 && (sticky ? number >= at : number == at);
    if (log_file >= 0) {
        char line[PATH_MAX + 64];
        int n = snprintf(line, sizeof line, "%s %s%s\n", name, path, is_due ? " FAILS" : "");
        syscall(SYS_write, log_file, line, n < (int)sizeof line ? n : (int)sizeof line);
    }
    if (is_due)
        errno = failure;
    return is_due;
}

static int is_below(const char *path) {
    size_t length = strlen(dir);
    return !strncmp(path, dir, length) && (path[length] == '/' || !path[length]);
}

static int fails_at_path(const char *name, const char *path) {
    if (!dir || !path || (path[0] == '/' ? !is_below(path) : !strncmp(path, "..", 2)))
        return 0;
    return fails(name, path);
}

static int fails_at_file(const char *name, int file) {
    char link[64], path[PATH_MAX];
    if (!dir)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    long n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (n < 0)
        return 0;
    path[n] = 0;
    return is_below(path) && fails(name, path);
}

static int fails_between(const char *name, int folder, const char *path) {
    if (folder == AT_FDCWD || (path && path[0] == '/'))
        return fails_at_path(name, path);
    return fails_at_file(name, folder);
}

#define NEXT(function) \
    static __typeof__(&function) next; \
    if (!next) \
        next = (__typeof__(&function))dlsym(RTLD_NEXT, #function);

#define MODE \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) {
    NEXT(open) MODE
    return fails_at_path("open", path) ? -1 : next(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    NEXT(open64) MODE
    return fails_at_path("open", path) ? -1 : next(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    NEXT(openat) MODE
    return fails_between("openat", folder, path) ? -1 : next(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    NEXT(openat64) MODE
    return fails_between("openat", folder, path) ? -1 : next(folder, path, flags, mode);
}

ssize_t read(int file, void *bytes, size_t length) {
    NEXT(read)
    return fails_at_file("read", file) ? -1 : next(file, bytes, length);
}

ssize_t write(int file, const void *bytes, size_t length) {
    NEXT(write)
    if (!fails_at_file("write", file))
        return next(file, bytes, length);
    // A full disk takes a part before it refuses the rest.
    int reason = errno;
    if (length > 1)
        next(file, bytes, length / 2);
    errno = reason;
    return -1;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static atomic_long looks;
    NEXT(clock_gettime)
    int result = next(clock, time);
    if (!result && pace > 0 && clock == CLOCK_MONOTONIC)
        time->tv_sec += pace * atomic_fetch_add(&looks, 1);
    if (!result && pace < 0 && clock == CLOCK_MONOTONIC)
        *time = (struct timespec){1000, 0};
    return result;
}

int fsync(int file) {
    NEXT(fsync)
    return fails_at_file("fsync", file) ? -1 : next(file);
}

int fdatasync(int file) {
    NEXT(fdatasync)
    return fails_at_file("fdatasync", file) ? -1 : next(file);
}

int ftruncate(int file, off_t length) {
    NEXT(ftruncate)
    return fails_at_file("ftruncate", file) ? -1 : next(file, length);
}

int ftruncate64(int file, off64_t length) {
    NEXT(ftruncate64)
    return fails_at_file("ftruncate", file) ? -1 : next(file, length);
}

int rename(const char *from, const char *to) {
    NEXT(rename)
    return fails_at_path("rename", to) ? -1 : next(from, to);
}

int unlink(const char *path) {
    NEXT(unlink)
    return fails_at_path("unlink", path) ? -1 : next(path);
}

int unlinkat(int folder, const char *path, int flags) {
    NEXT(unlinkat)
    return fails_between("unlinkat", folder, path) ? -1 : next(folder, path, flags);
}

int mkdir(const char *path, mode_t mode) {
    NEXT(mkdir)
    return fails_at_path("mkdir", path) ? -1 : next(path, mode);
}

int rmdir(const char *path) {
    NEXT(rmdir)
    return fails_at_path("rmdir", path) ? -1 : next(path);
}

DIR *opendir(const char *path) {
    NEXT(opendir)
    return fails_at_path("opendir", path) ? NULL : next(path);
}

struct dirent *readdir(DIR *folder) {
    NEXT(readdir)
    return fails_at_file("readdir", dirfd(folder)) ? NULL : next(folder);
}

struct dirent64 *readdir64(DIR *folder) {
    NEXT(readdir64)
    return fails_at_file("readdir", dirfd(folder)) ? NULL : next(folder);
}
