#include <rondo/sync/errors.hpp>

namespace rondo {

queue_empty::queue_empty() : std::runtime_error("the queue is empty") {}
queue_full::queue_full() : std::runtime_error("the queue is full") {}
queue_shut_down::queue_shut_down() : std::runtime_error("the queue is shut down") {}
end_of_channel::end_of_channel() : std::runtime_error("the channel has ended: no sender is left") {}
broken_channel::broken_channel() : std::runtime_error("the channel is broken: no receiver is left") {}
closed_channel::closed_channel() : std::runtime_error("this end of the channel is closed") {}
would_block::would_block() : std::runtime_error("this cannot be done without waiting") {}

} // namespace rondo
