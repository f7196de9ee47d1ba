// The sending half of a connection, lent to one who sends on its descriptor himself.
#pragma once

#include <rondo/io/detail/write_awaiter.hpp>
#include <rondo/loop/detail/counted_ptr.hpp>
#include <rondo/loop/detail/operation.hpp>
#include <rondo/task/future.hpp>

#include <exception>

namespace rondo::detail {

/// asked -> granted, once everything that was queued is sent -> (revoked, when the connection ends ->) given back, by the
/// destructor. While it is granted the connection sends nothing itself, and keeps its descriptor.
class sending_lease {
public:
    /// runtime_error when somebody else has it.
    explicit sending_lease(counted_ptr<stream_core> of);
    sending_lease(const sending_lease&) = delete;
    sending_lease& operator=(const sending_lease&) = delete;
    ~sending_lease();

    /// Granted, or revoked.
    const future<>& answered() const noexcept { return answered_; }
    bool is_revoked() const noexcept { return revoked_; }
    /// Why: never null.
    std::exception_ptr reason() const;

    /// While one lives, the operation is called back when the lease is revoked.
    class use {
    public:
        use(sending_lease* lease, operation& op) noexcept : lease_(lease) {
            if (lease_) lease_->running_ = &op;
        }
        use(const use&) = delete;
        use& operator=(const use&) = delete;
        ~use() {
            if (lease_) lease_->running_ = nullptr;
        }

    private:
        sending_lease* lease_;
    };

    // The connection's
    void grant() noexcept { answered_.try_set_result(); }
    void revoke() noexcept;

private:
    counted_ptr<stream_core> of_;
    future<> answered_;
    operation* running_ = nullptr;
    bool revoked_ = false;
};

} // namespace rondo::detail
