/* The floor of ordering: reads every script and link, sorts, and writes the links and startpar's files, as plain C does it.
 * Knows the scripts of the bench and no others: no override, no alias, no ghost, no loop, no $all, nothing interactive,
 * nothing but additions. Called with the root. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUCKETS (1 << 17)
#define EXPANDED 64

struct edge { int to, next; };
struct script { char *name; int is_script, next, after[2], waits[2], depth[2]; };
struct facility { int name, words[EXPANDED], count; };

static struct script *all;
static int count, room, edges, edge_room, buckets[BUCKETS];
static struct edge *edge;
static struct facility facility[64];
static int facilities;
static char *names;
static size_t used, held;
static char text[1 << 16];

static void fail(const char *what) { perror(what); exit(1); }

static int script(const char *name, size_t length) {
    unsigned hash = 5381;
    for (size_t at = 0; at < length; at++) hash = hash * 33 ^ (unsigned char)name[at];
    int *bucket = &buckets[hash % BUCKETS];
    for (int at = *bucket; at; at = all[at].next)
        if (!strncmp(all[at].name, name, length) && !all[at].name[length]) return at;
    if (count + 1 >= room) all = realloc(all, (room = room ? room * 2 : 1024) * sizeof *all);
    if (used + length + 1 > held || !names) names = malloc(held = 1 << 16), used = 0;
    memcpy(names + used, name, length), names[used + length] = 0;
    all[++count] = (struct script){ .name = names + used, .next = *bucket };
    used += length + 1;
    return *bucket = count;
}

static void before(int first, int then, int phase) {
    if (edges + 1 >= edge_room) edge = realloc(edge, (edge_room = edge_room ? edge_room * 2 : 4096) * sizeof *edge);
    edge[++edges] = (struct edge){ then, all[first].after[phase] };
    all[first].after[phase] = edges;
    all[then].waits[phase]++;
}

static struct facility *known(int name) {
    for (int at = 0; at < facilities; at++)
        if (facility[at].name == name) return &facility[at];
    return 0;
}

static void need(int own, int word, int phase) {
    struct facility *group = known(word);
    for (int at = 0; group && at < group->count; at++) need(own, group->words[at], phase);
    if (group || word == own) return;
    if (phase) before(own, word, phase); else before(word, own, phase);
}

/* The words of one line, one by one. */
static size_t word(char **at) {
    while (**at == ' ' || **at == '\t') ++*at;
    return strcspn(*at, " \t\n");
}

static void header(int own) {
    char *line = strstr(text, "### BEGIN INIT INFO"), *end = line ? strstr(line, "### END INIT INFO") : 0;
    for (; end && line < end; line = strchr(line, '\n') + 1) {
        int start = !strncmp(line, "# Required-Start:", 17), stop = !strncmp(line, "# Required-Stop:", 16);
        if (!start && !stop) continue;
        char *at = line + 16 + start;
        for (size_t length; (length = word(&at)); at += length) need(own, script(at, length), stop);
    }
}

static ssize_t slurp(int directory, const char *name) {
    struct stat facts;
    int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &facts)) return -1;
    ssize_t length = S_ISREG(facts.st_mode) ? read(file, text, sizeof text - 1) : -1;
    close(file);
    if (length >= 0) text[length] = 0;
    return length;
}

static void configuration(void) {
    if (slurp(AT_FDCWD, "etc/insserv.conf") < 0) fail("insserv.conf");
    for (char *line = text; *line; line += strcspn(line, "\n") + 1) {
        struct facility *group = &facility[facilities];
        size_t length = word(&line);
        group->name = script(line, length);
        for (line += length; (length = word(&line)); line += length) {
            char *from = line + (*line == '+');
            group->words[group->count++] = script(from, length - (*line == '+'));
        }
        facilities++;
    }
}

/* Numbers along the longest chains, all that waits for nothing first; gives back the order. */
static int *sorted(int phase) {
    int *queue = malloc((count + 1) * sizeof *queue), head = 0, tail = 0;
    for (int at = 1; at <= count; at++)
        if (all[at].is_script && !all[at].waits[phase]) all[at].depth[phase] = 1, queue[tail++] = at;
    while (head < tail) {
        struct script *first = &all[queue[head++]];
        for (int at = first->after[phase]; at; at = edge[at].next) {
            struct script *then = &all[edge[at].to];
            if (then->depth[phase] <= first->depth[phase]) then->depth[phase] = first->depth[phase] + 1;
            if (!--then->waits[phase]) queue[tail++] = edge[at].to;
        }
    }
    queue[tail] = 0;
    return queue;
}

static void links(char level, int phase, const int *order) {
    char path[] = "etc/rcN.d", name[300], to[300];
    path[6] = level;
    DIR *directory = opendir(path);
    if (!directory) fail(path);
    unsigned char *there = calloc(count + 1, 1);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] != 'S' && entry->d_name[0] != 'K') continue;
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, to, sizeof to - 1);
        if (length < 0) continue;
        to[length] = 0;
        char *last = strrchr(to, '/');
        there[script(last ? last + 1 : to, strlen(last ? last + 1 : to))] = atoi(entry->d_name + 1);
    }
    for (; *order; order++) {
        const struct script *own = &all[*order];
        if (there[*order] == own->depth[phase]) continue;
        snprintf(name, sizeof name, "%c%02d%s", phase ? 'K' : 'S', own->depth[phase], own->name);
        snprintf(to, sizeof to, "../init.d/%s", own->name);
        if (symlinkat(to, dirfd(directory), name)) fail(name);
    }
    free(there);
    closedir(directory);
}

static void depend(const char *path, int phase, const int *order) {
    /* Who waits for whom, the other way round: each script once with all that comes before it. */
    int *first = calloc(count + 1, sizeof *first), *next = malloc((edges + 1) * sizeof *next);
    int *from = malloc((edges + 1) * sizeof *from);
    for (const int *own = order; *own; own++)
        for (int at = all[*own].after[phase]; at; at = edge[at].next)
            from[at] = *own, next[at] = first[edge[at].to], first[edge[at].to] = at;
    char *made = 0;
    size_t size = 0;
    FILE *out = open_memstream(&made, &size);
    fputs("TARGETS =", out);
    for (const int *own = order; *own; own++) fprintf(out, " %s", all[*own].name);
    fputs(phase ? "\n" : "\nINTERACTIVE =\n", out);
    for (const int *own = order; *own; own++) {
        if (!first[*own]) continue;
        fprintf(out, "%s:", all[*own].name);
        for (int at = first[*own]; at; at = next[at]) fprintf(out, " %s", all[from[at]].name);
        fputc('\n', out);
    }
    fclose(out);
    struct stat facts;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || fstat(file, &facts)) fail(path);
    char *old = malloc(size + 1);
    if ((size_t)facts.st_size != size || read(file, old, size) != (ssize_t)size || memcmp(old, made, size)) {
        if (ftruncate(file, 0) || pwrite(file, made, size, 0) != (ssize_t)size) fail(path);
    }
    close(file);
}

int main(int arguments, char **argument) {
    if (arguments != 2 || chdir(argument[1])) fail("root");
    configuration();
    DIR *directory = opendir("etc/init.d");
    if (!directory) fail("init.d");
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.' || slurp(dirfd(directory), entry->d_name) < 0) continue;
        int own = script(entry->d_name, strlen(entry->d_name));
        all[own].is_script = 1;
        header(own);
    }
    closedir(directory);
    int *start = sorted(0), *stop = sorted(1);
    for (const char *level = "016"; *level; level++) links(*level, 1, stop);
    for (const char *level = "2345"; *level; level++) links(*level, 0, start);
    depend("etc/init.d/.depend.start", 0, start);
    depend("etc/init.d/.depend.stop", 1, stop);
    return 0;
}
