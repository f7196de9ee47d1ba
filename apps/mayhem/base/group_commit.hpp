// Durable writes in groups: whatever is asked for while one group is being written becomes the next one.
#pragma once

#include <rondo/rondo.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace mayhem {

/// Runs operations on an executor, one group at a time and in the order in which they were added; so the cost of making one
/// write durable is shared by all that arrive meanwhile. Needs a running loop, and drain() before its end.
///
/// `write` runs in the executor and makes a whole group durable, or throws: then every operation of the group failed. It may
/// leave an answer in each operation. `written` runs in the loop for each group that was, before anybody who waits for it.
/// What `write` uses must outlive the executor, and the executor this object.
template <class Op> class group_commit {
    struct group {
        std::vector<Op> operations;
        rondo::event over;
        std::exception_ptr error;
    };

public:
    using write_function = std::function<void(std::vector<Op>&)>;
    using written_function = std::function<void(std::vector<Op>&)>;

    /// An operation that was added, whether or not anybody waits for it. Dropping it changes nothing.
    class ticket {
    public:
        /// Until the operation is durable; throws what the write threw. Cancelled: the write goes on.
        rondo::coro<> durable() const { return wait(group_); }
        /// Valid once durable() has returned.
        const Op& operation() const noexcept { return group_->operations[index_]; }

    private:
        friend class group_commit;
        ticket(std::shared_ptr<group> g, std::size_t index) : group_(std::move(g)), index_(index) {}
        static rondo::coro<> wait(std::shared_ptr<group> g) {
            co_await g->over.wait();
            if (g->error) std::rethrow_exception(g->error);
        }
        std::shared_ptr<group> group_;
        std::size_t index_;
    };

    group_commit(rondo::executor& where, write_function write, written_function written = nullptr)
        : state_(std::make_shared<state>(where, std::move(write), std::move(written))) {}
    group_commit(const group_commit&) = delete;
    /// What was added and not drained may or may not have been written; nobody is told.
    ~group_commit() {
        state_->where = nullptr;
        state_->written = nullptr;
    }

    ticket add(Op operation) {
        state& s = *state_;
        s.next->operations.push_back(std::move(operation));
        ticket result(s.next, s.next->operations.size() - 1);
        if (!std::exchange(s.working, true)) {
            s.idle.clear();
            rondo::spawn({.name = "group commit"}, work, state_);
        }
        return result;
    }

    /// Until everything that was added has been written, or has failed.
    rondo::coro<> drain() { co_await state_->idle.wait(); }

private:
    struct state {
        state(rondo::executor& e, write_function w, written_function d)
            : where(&e), write(std::move(w)), written(std::move(d)) {
            idle.set();
        }
        rondo::executor* where; // null: the owner is gone
        write_function write;
        written_function written;
        std::shared_ptr<group> next = std::make_shared<group>();
        bool working = false;
        rondo::event idle;
    };

    static rondo::coro<> work(std::shared_ptr<state> s) {
        while (s->where != nullptr && !s->next->operations.empty()) {
            const std::shared_ptr<group> now = std::exchange(s->next, std::make_shared<group>());
            rondo::result<void> outcome = co_await rondo::as_result(
                rondo::running_loop().run_in_executor(s->where, [s, now] { s->write(now->operations); }));
            if (outcome && s->written) s->written(now->operations);
            now->error = outcome.error();
            now->over.set();
            if (outcome.cancelled()) outcome.value();
        }
        s->working = false;
        s->idle.set();
    }

    std::shared_ptr<state> state_;
};

} // namespace mayhem
