// Durable writes in groups: whatever is asked for while one group is being written becomes the next one.
#pragma once

#include <rondo/rondo.hpp>

#include <cstddef>
#include <deque>
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
    // Woken in one pass of the loop: more would keep it from everything else.
    static constexpr std::size_t told_at_once = 64;

    struct group {
        std::vector<Op> operations;
        std::deque<rondo::event> over; // one for each told_at_once operations
        std::exception_ptr error;
    };

public:
    using write_function = std::function<void(std::vector<Op>&)>;
    using written_function = std::function<void(std::vector<Op>&)>;

    /// An operation that was added, whether or not anybody waits for it. Dropping it changes nothing.
    class ticket {
    public:
        /// Until the operation is durable; throws what the write threw. Cancelled: the write goes on.
        rondo::coro<> durable() const { return wait(group_, index_ / told_at_once); }
        /// Valid once durable() has returned.
        const Op& operation() const noexcept { return group_->operations[index_]; }

    private:
        friend class group_commit;
        ticket(std::shared_ptr<group> g, std::size_t index) : group_(std::move(g)), index_(index) {}
        static rondo::coro<> wait(std::shared_ptr<group> g, std::size_t slice) {
            co_await g->over[slice].wait();
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
        if (s.next->operations.size() % told_at_once == 0) s.next->over.emplace_back();
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

        bool has_more() const { return where != nullptr && !next->operations.empty(); }
    };

    static rondo::coro<> work(std::shared_ptr<state> s) {
        std::shared_ptr<group> last; // written, and told while the next one is being written
        while (last || s->has_more()) {
            std::shared_ptr<group> now;
            rondo::future<void> writing;
            if (s->has_more()) {
                now = std::exchange(s->next, std::make_shared<group>());
                writing = rondo::running_loop().run_in_executor(s->where, [s, now] { s->write(now->operations); });
            }
            rondo::result<void> outcome;
            if (last) outcome = co_await rondo::as_result(tell(std::exchange(last, nullptr)));
            if (now) {
                const rondo::result<void> written = co_await rondo::as_result(writing);
                if (written && s->written) s->written(now->operations);
                now->error = written.error();
                if (outcome) outcome = written;
                last = std::move(now);
            }
            if (!outcome.cancelled()) continue;
            if (last) tell_at_once(*last);
            outcome.value();
        }
        s->working = false;
        s->idle.set();
    }

    static rondo::coro<> tell(std::shared_ptr<group> g) {
        try {
            for (rondo::event& slice : g->over) {
                slice.set();
                if (&slice != &g->over.back()) co_await rondo::yield();
            }
        } catch (...) {
            tell_at_once(*g);
            throw;
        }
    }

    static void tell_at_once(group& g) {
        for (rondo::event& slice : g.over) slice.set();
    }

    std::shared_ptr<state> state_;
};

} // namespace mayhem
