/* Loads libtorch when a program first calls it, not when it starts.
 *
 * libtorch registers its operators as it is loaded, which takes a quarter of a second. A program
 * linked with this file and the stubs that delay.py writes starts without it: each function of tch's
 * C interface is a jump through `gymnast_tch_functions`, whose entries lead here until the first call
 * has loaded the real ones. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What libtorch calls in tch, to read and write streams. */
#define CALLBACKS(X)                                                                               \
    X(tch_read_stream_destructor)                                                                  \
    X(tch_read_stream_stream_position)                                                             \
    X(tch_read_stream_seek_start)                                                                  \
    X(tch_read_stream_seek_end)                                                                    \
    X(tch_read_stream_read)                                                                        \
    X(tch_write_stream_destructor)                                                                 \
    X(tch_write_stream_write)

typedef _Bool callback(void *, unsigned long, unsigned long, void *); /* all take at most these */

#ifdef INSIDE_INTERFACE /* compiled into libtch.so */

struct callbacks {
#define FIELD(name) callback *name;
    CALLBACKS(FIELD)
} gymnast_tch_callbacks;

#define FORWARD(name)                                                                              \
    _Bool name(void *stream, unsigned long a, unsigned long b, void *out) {                        \
        return gymnast_tch_callbacks.name(stream, a, b, out);                                      \
    }
CALLBACKS(FORWARD)

#else /* compiled into the program */

#define DECLARE(name) __attribute__((weak)) callback name; /* absent in programs that use no streams */
CALLBACKS(DECLARE)

extern const char *const gymnast_tch_names[];
extern void *gymnast_tch_functions[];
extern const unsigned long gymnast_tch_count;

static char tried[4 * PATH_MAX];

/* Loads one library of a folder. `tried` keeps why not. */
static void *load(const char *folder, const char *name, int flags) {
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    void *library = dlopen(path, RTLD_NOW | flags);
    if (!library) {
        size_t used = strlen(tried);
        snprintf(tried + used, sizeof tried - used, "\n  %s", dlerror());
    }
    return library;
}

/* Loads libtorch from one folder and the interface from another. */
static void *load_both(const char *libtorch, const char *interface) {
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/libtorch_cuda.so", libtorch);
    int has_cuda = access(path, R_OK) == 0;
    if (!load(libtorch, "libc10.so", RTLD_GLOBAL) || !load(libtorch, "libtorch_cpu.so", RTLD_GLOBAL)
        || (has_cuda && !load(libtorch, "libtorch_cuda.so", RTLD_GLOBAL)))
        return NULL;
    return load(interface, "libtch.so", RTLD_LOCAL);
}

/* Whether a folder says that it is another version of libtorch. */
static int is_other_version(const char *folder) {
    char path[2 * PATH_MAX], version[sizeof GYMNAST_VERSION] = "";
    snprintf(path, sizeof path, "%s/build-version", folder);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    int is_other = !fgets(version, sizeof version, file) || strcmp(version, GYMNAST_VERSION);
    fclose(file);
    return is_other;
}

/* Beside the program; else $LIBTORCH, if it is set and not of another version; else where ./setup put it. */
static void *find(void) {
    char folder[2 * PATH_MAX], program[PATH_MAX];
    char interface[3 * PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    char *name = strrchr(program, '/');
    for (int place = 0; name && place < 2; place++) {
        *name = 0;
        snprintf(folder, sizeof folder, "%s%s", program, place ? "/lib" : "");
        snprintf(interface, sizeof interface, "%s/libtch.so", folder);
        if (access(interface, R_OK) == 0)
            return load_both(folder, folder);
    }
    const char *users = getenv("LIBTORCH");
    int is_usable = users && *users && !is_other_version(users);
    snprintf(folder, sizeof folder, "%s/lib", is_usable ? users : GYMNAST_LIBTORCH);
    return load_both(folder, GYMNAST_INTERFACE);
}

static void load_all(void) {
    void *interface = find();
    if (!interface) {
        fprintf(stderr,
                "error: libtorch was not found, and this needs it: run ./setup in Gymnast's folder, or set "
                "LIBTORCH to the folder of libtorch " GYMNAST_VERSION ". Tried:%s\n",
                tried);
        exit(1);
    }
#define ADDRESS(name) name,
    callback *const callbacks[] = {CALLBACKS(ADDRESS)};
    void *table = dlsym(interface, "gymnast_tch_callbacks");
    if (!table) {
        fputs("error: libtch.so is not Gymnast's: remove it from the program's folder.\n", stderr);
        exit(1);
    }
    memcpy(table, callbacks, sizeof callbacks);
    for (unsigned long i = 0; i < gymnast_tch_count; i++) {
        void *function = dlsym(interface, gymnast_tch_names[i]);
        if (!function) {
            fprintf(stderr, "error: libtch.so has no %s: run ./setup again.\n", gymnast_tch_names[i]);
            exit(1);
        }
        __atomic_store_n(&gymnast_tch_functions[i], function, __ATOMIC_RELEASE);
    }
}

/* Called by the stubs: the functions are there when it returns. */
__attribute__((visibility("hidden"))) void gymnast_tch_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_all);
}

#endif
