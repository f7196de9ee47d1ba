// What another thread tells a loop without taking memory for it: the node is part of what it tells of.
#pragma once

#include <rondo/loop/detail/ready_queue.hpp>

#include <memory>
#include <utility>

namespace rondo::detail {

/// Sent with loop_door::post(), any number of times, but not before it has arrived the last time.
class message : public ready_node {
public:
    static bool is(const ready_node& node) noexcept { return node.run == &arrive; }
    /// It will not be read: the loop has closed.
    void lose() noexcept { take_(*this, false); }

protected:
    using function = void (*)(message&, bool read) noexcept;
    explicit message(function take) noexcept : ready_node(&arrive), take_(take) {}
    ~message() = default;

private:
    static void arrive(ready_node& node, event_loop&) {
        auto& self = static_cast<message&>(node);
        self.take_(self, true);
    }
    function take_;
};

/// Part of a T, which it keeps while it is under way. Then (owner.*read)() is called in the loop's thread; or, where there is
/// no loop any more, (owner.*lost)(), which may be null.
template <class T> class message_of final : public message {
public:
    using function = void (T::*)() noexcept;
    explicit message_of(function read, function lost = nullptr) noexcept : message(&take), read_(read), lost_(lost) {}
    message_of(const message_of&) = delete;
    message_of& operator=(const message_of&) = delete;

    void keep(std::shared_ptr<T> owner) noexcept { owner_ = std::move(owner); }

private:
    static void take(message& m, bool read) noexcept {
        auto& self = static_cast<message_of&>(m);
        const std::shared_ptr<T> owner = std::move(self.owner_); // from here on it may be sent again
        if (const function told = read ? self.read_ : self.lost_) (owner.get()->*told)();
    }
    function read_;
    function lost_;
    std::shared_ptr<T> owner_;
};

/// The end of the loop: lets go of a callback or a message that will not run. Nodes of other kinds are left alone.
void discard(ready_node& node) noexcept;

} // namespace rondo::detail
