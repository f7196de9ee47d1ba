#include <rondo/sync/errors.hpp>

namespace rondo {

queue_empty::queue_empty() : std::runtime_error("the queue is empty") {}
queue_full::queue_full() : std::runtime_error("the queue is full") {}
queue_shut_down::queue_shut_down() : std::runtime_error("the queue is shut down") {}

} // namespace rondo
