#include "io/make_stream.hpp"

#include <rondo/loop/event_loop.hpp>

#include "io/descriptor_guard.hpp"
#include "io/inbound.hpp"
#include "io/stream_transport.hpp"

#include <memory>
#include <utility>

namespace rondo::detail {

namespace {

/// A stream that is read through a stream_reader. One allocation.
class read_stream final : public stream_core, public inbound {
public:
    read_stream(event_loop& loop, int fd, stream_kind kind, address peer, std::size_t limit, std::source_location where)
        : stream_core(loop, fd, kind, std::move(peer), where), inbound(static_cast<shared_core&>(*this), this, limit) {
        start(*this);
    }
    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* block, std::size_t size) noexcept { free_block(block, size); }

    rondo::transport& face() noexcept override { return transport_; }
    std::exception_ptr reader_error() const noexcept override { return inbound::exception(); }

private:
    ~read_stream() override = default;
    void destroy() noexcept override { delete this; }
    appetite wants() const noexcept override { return transport_.is_paused() ? appetite::none : inbound::wants(); }

    writer_transport transport_{*this};
};

/// A pipe that is only written to: nothing comes in but the news that nobody reads any more.
class write_stream final : public stream_core, private stream_consumer {
public:
    write_stream(event_loop& loop, int fd, std::source_location where)
        : stream_core(loop, fd, stream_kind::write_pipe, address(), where) {
        start(*this);
    }

    rondo::transport& face() noexcept override { return transport_; }

private:
    ~write_stream() override = default;
    void destroy() noexcept override { delete this; }
    appetite wants() const noexcept override { return appetite::ahead; }
    receive_room room() override { return {}; }
    void received(std::size_t, std::byte*) noexcept override {}
    void ended() noexcept override {}
    void lost(const std::exception_ptr&) noexcept override {}

    writer_transport transport_{*this};
};

} // namespace

inbound& stream_access::incoming(const stream_reader& reader) {
    if (!reader.from_) throw runtime_error("this stream_reader was moved from");
    return *reader.from_;
}

stream_core* stream_access::core(const stream_reader& reader) noexcept { return reader.from_->source(); }

connection make_connection(event_loop& loop, int fd, stream_kind kind, address peer, std::size_t limit,
                           std::source_location where) {
    descriptor_guard guard(loop, fd);
    auto* made = new read_stream(loop, fd, kind, std::move(peer), limit, where);
    guard.taken();
    return {stream_reader(counted_ptr<inbound>::adopt(made)), stream_writer(counted_ptr<stream_core>(made))};
}

stream_reader make_pipe_reader(event_loop& loop, int fd, std::size_t limit, std::source_location where) {
    descriptor_guard guard(loop, fd);
    auto* made = new read_stream(loop, fd, stream_kind::read_pipe, address(), limit, where);
    guard.taken();
    return stream_reader(counted_ptr<inbound>::adopt(made));
}

stream_writer make_pipe_writer(event_loop& loop, int fd, std::source_location where) {
    descriptor_guard guard(loop, fd);
    auto* made = new write_stream(loop, fd, where);
    guard.taken();
    return stream_writer(counted_ptr<stream_core>::adopt(made));
}

} // namespace rondo::detail
