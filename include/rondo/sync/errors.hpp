// What queues, channels, barriers and limiters throw, named as in Python and Trio.
#pragma once

#include <rondo/coro/exceptions.hpp>

#include <stdexcept>

namespace rondo {

/// get_nowait() found nothing.
class queue_empty : public std::runtime_error {
public:
    queue_empty();
};

/// put_nowait() found no room.
class queue_full : public std::runtime_error {
public:
    queue_full();
};

/// The queue takes no more items, or has given all it had.
class queue_shut_down : public std::runtime_error {
public:
    queue_shut_down();
};

/// No sender is left, and every item has been received.
class end_of_channel : public std::runtime_error {
public:
    end_of_channel();
};

/// No receiver is left: nobody will ever get what is sent.
class broken_channel : public std::runtime_error {
public:
    broken_channel();
};

/// This end of the channel was closed, or moved from, by its owner.
class closed_channel : public std::runtime_error {
public:
    closed_channel();
};

/// What was asked for at once could only be had by waiting.
class would_block : public std::runtime_error {
public:
    would_block();
};

/// The barrier was reset while this task waited, or is aborted.
class broken_barrier_error : public rondo::runtime_error {
public:
    using runtime_error::runtime_error;
};

} // namespace rondo
