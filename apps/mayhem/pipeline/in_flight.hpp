// The deliveries that are in our hands.
#pragma once

#include "broker/delivery.hpp"

#include <rondo/rondo.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace mayhem {

/// Every delivery that was pulled is here until it is settled, left to the broker or lost: what is still here at the end of
/// the service goes back to the broker.
class in_flight {
public:
    in_flight() { empty_.set(); }

    void enter(delivery_tag d) {
        deliveries_.insert(d);
        most_ = std::max(most_, deliveries_.size());
        empty_.clear();
    }
    void leave(delivery_tag d) {
        deliveries_.erase(d);
        if (deliveries_.empty()) empty_.set();
    }

    /// False: a delivery of this request is being worked on. A lease may be lost while its handler is still winding down.
    bool claim(const std::string& request_id) { return in_work_.insert(request_id).second; }
    void disclaim(const std::string& request_id) { in_work_.erase(request_id); }

    std::size_t size() const noexcept { return deliveries_.size(); }
    std::size_t most() const noexcept { return most_; }
    std::vector<delivery_tag> unsettled() const { return {deliveries_.begin(), deliveries_.end()}; }
    rondo::coro<> wait_until_empty() { co_await empty_.wait(); }

private:
    std::set<delivery_tag> deliveries_;
    std::unordered_set<std::string> in_work_;
    std::size_t most_ = 0;
    rondo::event empty_;
};

} // namespace mayhem
