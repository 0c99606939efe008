/*
 * The bare loop of each process model, as short as C allows: what the machine gives, and the limit that foobard is held
 * against. No limits, no signals handled beyond those the model is made of, no log. Every loop answers like foobard's
 * echo service: what is received is sent back until the peer ends.
 *
 *     reference MODEL PORT WORKERS [PROGRAM]
 *
 * PROGRAM is for the model "exec": executed for each connection, with the socket as its standard streams.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 2048, BACKLOG = 4096, GRACE_US = 20000, EVENTS = 256 };

static int port, workers;
static char *program;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int listener(int flags) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, BACKLOG))
        fail("listen");
    return fd;
}

/* Sends all of it. Returns 0, or -1 when the peer is gone. */
static int put(int fd, const char *bytes, ssize_t left) {
    while (left > 0) {
        ssize_t sent = send(fd, bytes, left, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -1;
        bytes += sent;
        left -= sent;
    }
    return 0;
}

static void echo(int fd) {
    char buffer[SIZE];
    for (;;) {
        ssize_t got = recv(fd, buffer, SIZE, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || put(fd, buffer, got))
            return;
    }
}

/* One connection after the other. Also the body of a worker of both pools. */
static void iterative(int listening) {
    for (;;) {
        int fd = accept(listening, NULL, NULL);
        if (fd < 0)
            continue;
        echo(fd);
        close(fd);
    }
}

static void reap(int signal) {
    int kept = errno;
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    errno = kept;
}

static void reap_at_sigchld(void) {
    struct sigaction action = {.sa_handler = reap, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
}

static void by_fork(int listening) {
    reap_at_sigchld();
    for (;;) {
        int fd = accept(listening, NULL, NULL);
        if (fd < 0)
            continue;
        if (fork() == 0) {
            close(listening);
            echo(fd);
            _exit(0);
        }
        close(fd);
    }
}

static void prefork(int listening) {
    for (int i = 0; i < workers; i++)
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            iterative(listening);
        }
    for (;;)
        pause();
}

/*
 * Delayed allocation: each request is begun by the acceptor itself. When it outlives the timer, the handler forks; the
 * child returns into the request, the parent jumps back to accepting.
 */
static sigjmp_buf accepting;
static int current, is_child;

static void too_long(int signal) {
    (void)signal;
    if (is_child)
        return;
    if (fork() == 0) {
        is_child = 1;
        return;
    }
    close(current);
    siglongjmp(accepting, 1);
}

static void delayed(int listening) {
    const struct itimerval grace = {.it_value.tv_usec = GRACE_US}, none = {0};
    struct sigaction action = {.sa_handler = too_long, .sa_flags = SA_RESTART};
    reap_at_sigchld();
    sigaction(SIGALRM, &action, NULL);
    sigsetjmp(accepting, 1);
    for (;;) {
        current = accept(listening, NULL, NULL);
        if (current < 0)
            continue;
        setitimer(ITIMER_REAL, &grace, NULL);
        echo(current);
        if (is_child)
            _exit(0);
        setitimer(ITIMER_REAL, &none, NULL);
        close(current);
    }
}

static void *serve_one(void *fd) {
    echo((int)(intptr_t)fd);
    close((int)(intptr_t)fd);
    return NULL;
}

static void by_thread(int listening) {
    pthread_attr_t small;
    pthread_t thread;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * 1024);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    for (;;) {
        int fd = accept(listening, NULL, NULL);
        if (fd >= 0 && pthread_create(&thread, &small, serve_one, (void *)(intptr_t)fd))
            close(fd);
    }
}

static void *serve_for_ever(void *listening) {
    iterative((int)(intptr_t)listening);
    return NULL;
}

static void prethreaded(int listening) {
    pthread_t thread;
    for (int i = 0; i < workers; i++)
        if (pthread_create(&thread, NULL, serve_for_ever, (void *)(intptr_t)listening))
            fail("pthread_create");
    for (;;)
        pause();
}

/* One process for all. Answers this short always fit into the buffer of the socket, so a partial send ends the peer. */
static void event(int listening) {
    struct epoll_event events[EVENTS], one = {.events = EPOLLIN, .data.fd = listening};
    char buffer[SIZE];
    int poll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(poll, EPOLL_CTL_ADD, listening, &one);
    for (;;) {
        int count = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listening) {
                while ((one.data.fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0)
                    epoll_ctl(poll, EPOLL_CTL_ADD, one.data.fd, &one);
                continue;
            }
            ssize_t got = recv(fd, buffer, SIZE, 0);
            if (got < 0 && (errno == EAGAIN || errno == EINTR))
                continue;
            if (got <= 0 || send(fd, buffer, got, MSG_NOSIGNAL) != got)
                close(fd);
        }
    }
}

static void by_exec(int listening) {
    char *const arguments[] = {program, NULL}, *const nothing[] = {NULL};
    reap_at_sigchld();
    for (;;) {
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        if (vfork() == 0) {
            dup2(fd, 0);
            dup2(fd, 1);
            execve(program, arguments, nothing);
            _exit(111);
        }
        close(fd);
    }
}

int main(int count, char **arguments) {
    static const struct {
        const char *name;
        void (*loop)(int);
        int flags;
    } models[] = {
        {"iterative", iterative, 0}, {"fork", by_fork, 0},      {"prefork", prefork, 0},
        {"delayed", delayed, 0},     {"threads", by_thread, 0}, {"prethreaded", prethreaded, 0},
        {"event", event, SOCK_NONBLOCK}, {"exec", by_exec, 0},
    };
    if (count < 4) {
        fprintf(stderr, "usage: reference MODEL PORT WORKERS [PROGRAM]\n");
        return 2;
    }
    port = atoi(arguments[2]);
    workers = atoi(arguments[3]);
    program = arguments[4];
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (!strcmp(models[i].name, arguments[1]))
            models[i].loop(listener(models[i].flags));
    fprintf(stderr, "no such model: %s\n", arguments[1]);
    return 2;
}
