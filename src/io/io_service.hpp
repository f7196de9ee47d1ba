// What a loop's streams, servers and processes have in common: they end with it.
#pragma once

#include <rondo/loop/detail/loop_state.hpp>

namespace rondo::detail {

/// Something that has operations. In its loop's list from birth until it is over.
class io_resource {
public:
    io_resource(const io_resource&) = delete;
    io_resource& operator=(const io_resource&) = delete;

    /// The loop closes; passes still run. Stop accepting, end what is running.
    virtual void loop_is_closing() noexcept = 0;
    /// Something is under way that is worth waiting for: bytes to be sent, a child to be reaped.
    virtual bool is_finishing() const noexcept = 0;
    /// No pass runs any more, and nothing may be submitted. Pending operations complete after this.
    virtual void loop_is_closed() noexcept = 0;
    /// The program may not watch it with add_reader().
    virtual bool owns_descriptor(int) const noexcept { return false; }

protected:
    io_resource() = default;
    ~io_resource() = default;

private:
    friend class io_service;
    io_resource* next_ = nullptr;
    io_resource* previous_ = nullptr;
};

class io_service final : public loop_service {
public:
    void add(io_resource& r) noexcept;
    /// May be said by loop_is_closing() and loop_is_closed().
    void remove(io_resource& r) noexcept;
    /// Something of ours was put into the ready queue (+1), or has left it (-1).
    void note_scheduled(int change) noexcept { scheduled_ += change; }
    /// Nothing is submitted any more.
    bool ended() const noexcept { return ended_; }

    /// After the tasks have ended. What finishes has a second for it.
    void close(event_loop& loop, closing step) noexcept override;
    /// O(number of resources).
    bool owns_descriptor(int fd) const noexcept override;

private:
    template <class F> void for_each(F f) noexcept;
    bool any_finishing() const noexcept;

    io_resource* first_ = nullptr;
    io_resource* next_to_visit_ = nullptr;
    int scheduled_ = 0;
    bool ended_ = false;
};

} // namespace rondo::detail
