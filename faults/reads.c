/* Reads of some folders, below whatever library makes them: the one whose turn has come fails with EIO.

   Loaded before the C library (LD_PRELOAD). Nothing fails before faults_arm() is called. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FOLDERS 32

static char folders[MOST_FOLDERS][PATH_MAX];
static int folder_count;
static long failing, last;

/* Shared with the processes that are forked, so that their parent learns what came of it. */
static struct {
    long number;
    char struck[PATH_MAX + 32];
} *seen;

__attribute__((constructor)) static void share(void) {
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* Count from now on the reads below `paths`, one a line; those from `first` on fail, `count` of them.
   Without paths, nothing fails any more, and what was counted stays. */
void faults_arm(const char *paths, long first, long count) {
    folder_count = 0;
    for (const char *at = paths; *at && folder_count < MOST_FOLDERS;) {
        size_t length = strcspn(at, "\n");
        if (length && length < PATH_MAX) {
            memcpy(folders[folder_count], at, length);
            folders[folder_count++][length] = 0;
        }
        at += length + (at[length] == '\n');
    }
    if (!folder_count)
        return;
    seen->struck[0] = 0;
    failing = first;
    last = first + count - 1;
    __atomic_store_n(&seen->number, 0, __ATOMIC_SEQ_CST);
}

long faults_count(void) { return __atomic_load_n(&seen->number, __ATOMIC_SEQ_CST); }

/* What failed last: the call and the file. */
const char *faults_struck(void) { return seen->struck; }

static int below(const char *path) {
    for (int i = 0; i < folder_count; i++) {
        size_t length = strlen(folders[i]);
        if (!strncmp(path, folders[i], length) && (path[length] == '/' || !path[length]))
            return 1;
    }
    return 0;
}

static int fails(const char *call, const char *path) {
    char absolute[PATH_MAX], here[PATH_MAX];
    if (path[0] != '/') {
        if (!getcwd(here, sizeof here) || snprintf(absolute, sizeof absolute, "%s/%s", here, path) >= PATH_MAX)
            return 0;
        path = absolute;
    }
    if (!below(path))
        return 0;
    long mine = __atomic_fetch_add(&seen->number, 1, __ATOMIC_SEQ_CST);
    if (mine < failing || mine > last)
        return 0;
    snprintf(seen->struck, sizeof seen->struck, "%s %s", call, path);
    errno = EIO;
    return 1;
}

static int fails_open(const char *call, int descriptor) {
    char link[64], path[PATH_MAX];
    if (!folder_count || descriptor < 0)
        return 0;
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length <= 0)
        return 0;
    path[length] = 0;
    return fails(call, path);
}

static int reads(int flags) { return folder_count && (flags & O_ACCMODE) == O_RDONLY && !(flags & O_DIRECTORY); }

#define REAL(name) ({ static __typeof__(&name) found; if (!found) found = dlsym(RTLD_NEXT, #name); found; })

#define OPEN(name)                                                                                   \
    int name(const char *path, int flags, ...) {                                                     \
        va_list more;                                                                                \
        va_start(more, flags);                                                                       \
        int mode = va_arg(more, int);                                                                \
        va_end(more);                                                                                \
        return reads(flags) && fails("open", path) ? -1 : REAL(name)(path, flags, mode);             \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                 \
    int name(int folder, const char *path, int flags, ...) {                                         \
        va_list more;                                                                                \
        va_start(more, flags);                                                                       \
        int mode = va_arg(more, int);                                                                \
        va_end(more);                                                                                \
        return reads(flags) && fails("open", path) ? -1 : REAL(name)(folder, path, flags, mode);     \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                                                  \
    FILE *name(const char *path, const char *mode) {                                                 \
        return folder_count && mode[0] == 'r' && fails("open", path) ? NULL : REAL(name)(path, mode); \
    }
FOPEN(fopen)
FOPEN(fopen64)

ssize_t read(int descriptor, void *to, size_t size) {
    return fails_open("read", descriptor) ? -1 : REAL(read)(descriptor, to, size);
}

ssize_t readv(int descriptor, const struct iovec *to, int count) {
    return fails_open("read", descriptor) ? -1 : REAL(readv)(descriptor, to, count);
}

#define PREAD(name)                                                                                  \
    ssize_t name(int descriptor, void *to, size_t size, off_t from) {                                \
        return fails_open("read", descriptor) ? -1 : REAL(name)(descriptor, to, size, from);         \
    }
PREAD(pread)
PREAD(pread64)

#define MMAP(name)                                                                                   \
    void *name(void *at, size_t size, int rights, int flags, int descriptor, off_t from) {           \
        if (!(flags & MAP_ANONYMOUS) && fails_open("map", descriptor))                               \
            return MAP_FAILED;                                                                       \
        return REAL(name)(at, size, rights, flags, descriptor, from);                                \
    }
MMAP(mmap)
MMAP(mmap64)
