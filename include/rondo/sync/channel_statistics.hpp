// channel_statistics: what a channel and its two sides look like at one moment.
#pragma once

#include <rondo/sync/capacity.hpp>

#include <cstddef>

namespace rondo {

/// Made by send_channel::statistics() and receive_channel::statistics(); O(1). (trio.MemoryChannelStatistics)
///
///     if (tx.statistics().tasks_waiting_receive == 0) log("every worker is busy");
struct channel_statistics {
    std::size_t buffered = 0; // sent, and on its way to nobody
    rondo::capacity capacity = 0;
    std::size_t open_senders = 0;
    std::size_t open_receivers = 0;
    std::size_t tasks_waiting_send = 0;
    std::size_t tasks_waiting_receive = 0;
};

} // namespace rondo
