// The face that a stream shows its user: what sends. What is about receiving is its owner's.
#pragma once

#include <rondo/io/transport.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace rondo::detail {

class stream_core;

class stream_transport : public transport {
public:
    explicit stream_transport(stream_core& stream) noexcept : stream_(stream) {}

    stream_core& stream() const noexcept { return stream_; }

    void close() override;
    void abort() override;
    bool is_closing() const noexcept override;
    address peer_address() const override;
    address local_address() const override;
    int fd() const noexcept override;

    void write(bytes_view data) override;
    void writelines(std::span<const bytes_view> pieces) override;
    void write_eof() override;
    bool can_write_eof() const noexcept override;
    void set_write_buffer_limits(write_limits limits) override;
    std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept override;
    std::size_t get_write_buffer_size() const noexcept override;

private:
    stream_core& stream_;
};

/// Of a stream that has no protocol: stream_writer::transport().
class writer_transport final : public stream_transport {
public:
    using stream_transport::stream_transport;

    void pause_reading() override { paused_ = true; }
    void resume_reading() override;
    bool is_reading() const noexcept override { return !paused_ && !is_closing(); }
    void set_protocol(std::shared_ptr<protocol> p) override;
    std::shared_ptr<protocol> get_protocol() const override { return nullptr; }
    bool is_paused() const noexcept { return paused_; }

private:
    bool paused_ = false;
};

/// low, high. value_error when low is above high.
std::pair<std::size_t, std::size_t> checked_limits(const write_limits& wanted);

} // namespace rondo::detail
