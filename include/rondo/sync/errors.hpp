// What the operations of queues throw, named as in Python.
#pragma once

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

} // namespace rondo
