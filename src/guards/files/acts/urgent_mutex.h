#pragma once

#include <pthread.h>

#include "base/check.h"

namespace hygie::files {

/// A lock whose holder runs as urgently as whoever waits for it. Who is let go under another lock
/// takes the processor from the thread that does it, and the watch over what it does next would
/// wait behind both.
class UrgentMutex {
  public:
    UrgentMutex() {
        pthread_mutexattr_t kind;
        HYGIE_CHECK(::pthread_mutexattr_init(&kind) == 0, "a lock");
        // A kernel without it has a lock like others.
        (void)::pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
        if (::pthread_mutex_init(&mutex_, &kind) != 0)
            HYGIE_CHECK(::pthread_mutex_init(&mutex_, nullptr) == 0, "a lock");
        (void)::pthread_mutexattr_destroy(&kind);
    }
    ~UrgentMutex() { (void)::pthread_mutex_destroy(&mutex_); }
    UrgentMutex(const UrgentMutex&) = delete;
    UrgentMutex& operator=(const UrgentMutex&) = delete;

    void lock() { HYGIE_CHECK(::pthread_mutex_lock(&mutex_) == 0, "a lock"); }
    bool try_lock() { return ::pthread_mutex_trylock(&mutex_) == 0; }
    void unlock() { HYGIE_CHECK(::pthread_mutex_unlock(&mutex_) == 0, "a lock"); }

  private:
    pthread_mutex_t mutex_{};
};

}  // namespace hygie::files
