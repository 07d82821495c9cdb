/*
 * How it works: every watch and timer is one libevent event in a list that the loop owns.
 * Invariant: a watch taken out while its own call runs is only marked, and freed when the loop is
 * free of calls, so a call may unwatch itself.
 */
#include "core/loop.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

struct watch {
    struct watch *next;
    struct event *event;
    rg_loop_call call;
    void *context;
    int fd; /* -1: a timer */
    bool gone;
};

struct rg_loop {
    struct event_base *base;
    struct event *step; /* ends rg_loop_step when nothing else does */
    struct watch *watches;
};

static void step_over(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL) {
        return NULL;
    }
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

struct rg_loop *rg_loop_new(void)
{
    struct rg_loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL) {
        return NULL;
    }
    loop->base = base_new();
    loop->step = loop->base == NULL ? NULL : evtimer_new(loop->base, step_over, NULL);
    if (loop->step == NULL) {
        rg_loop_free(loop);
        return NULL;
    }
    return loop;
}

static void watches_reap(struct rg_loop *loop, bool all)
{
    struct watch **at = &loop->watches;
    while (*at != NULL) {
        struct watch *watch = *at;
        if (!all && !watch->gone) {
            at = &watch->next;
            continue;
        }
        *at = watch->next;
        event_free(watch->event);
        free(watch);
    }
}

void rg_loop_free(struct rg_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    watches_reap(loop, true);
    if (loop->step != NULL) {
        event_free(loop->step);
    }
    if (loop->base != NULL) {
        event_base_free(loop->base);
    }
    free(loop);
}

static void watch_call(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct watch *watch = context;
    if (!watch->gone) {
        watch->call(watch->context);
    }
}

static rg_outcome watch_add(struct rg_loop *loop, const struct watch *form, short what,
                            const struct timeval *every, struct rg_reason *why)
{
    struct watch *watch = malloc(sizeof(*watch));
    RG_CHECK(watch != NULL, why, RG_IO, "out-of-memory", "no memory for an event");
    *watch = *form;
    watch->event = event_new(loop->base, watch->fd, what, watch_call, watch);
    if (watch->event == NULL || event_add(watch->event, every) != 0) {
        if (watch->event != NULL) {
            event_free(watch->event);
        }
        free(watch);
        return rg_fail(why, RG_IO, "out-of-memory", "no memory for an event");
    }
    watch->next = loop->watches;
    loop->watches = watch;
    return rg_ok();
}

rg_outcome rg_loop_watch(struct rg_loop *loop, int fd, rg_loop_call call, void *context,
                         struct rg_reason *why)
{
    struct watch form = {.call = call, .context = context, .fd = fd};
    return watch_add(loop, &form, EV_READ | EV_PERSIST, NULL, why);
}

rg_outcome rg_loop_timer(struct rg_loop *loop, int every_ms, rg_loop_call call, void *context,
                         struct rg_reason *why)
{
    struct watch form = {.call = call, .context = context, .fd = -1};
    struct timeval every = {.tv_sec = every_ms / 1000, .tv_usec = every_ms % 1000 * 1000L};
    return watch_add(loop, &form, EV_PERSIST, &every, why);
}

void rg_loop_unwatch(struct rg_loop *loop, int fd)
{
    for (struct watch *watch = loop->watches; watch != NULL; watch = watch->next) {
        if (watch->fd == fd && !watch->gone) {
            (void)event_del(watch->event);
            watch->gone = true;
        }
    }
}

rg_outcome rg_loop_run(struct rg_loop *loop, struct rg_reason *why)
{
    int result = event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    watches_reap(loop, false);
    RG_CHECK(result >= 0, why, RG_BROKEN, "loop-broken", "the event loop failed");
    return rg_ok();
}

rg_outcome rg_loop_step(struct rg_loop *loop, int wait_ms, struct rg_reason *why)
{
    /* ONCE in both: alone, NONBLOCK goes on for as long as some descriptor stays readable. */
    int flags = wait_ms <= 0 ? EVLOOP_NONBLOCK | EVLOOP_ONCE : EVLOOP_ONCE;
    if (wait_ms > 0) {
        struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000L};
        RG_CHECK(evtimer_add(loop->step, &wait) == 0, why, RG_IO, "out-of-memory",
                 "no memory for an event");
    }
    int result = event_base_loop(loop->base, flags);
    (void)evtimer_del(loop->step);
    watches_reap(loop, false);
    RG_CHECK(result >= 0, why, RG_BROKEN, "loop-broken", "the event loop failed");
    return rg_ok();
}

void rg_loop_stop(struct rg_loop *loop)
{
    (void)event_base_loopbreak(loop->base);
}

struct event_base *rg_loop_base(const struct rg_loop *loop)
{
    return loop->base;
}
