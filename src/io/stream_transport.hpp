// The face that a protocol_stream shows its user.
#pragma once

#include <rondo/io/transport.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace rondo::detail {

class protocol_stream;

class stream_transport final : public transport {
public:
    explicit stream_transport(protocol_stream& stream) noexcept : stream_(stream) {}
    protocol_stream& stream() const noexcept { return stream_; }

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
    void pause_reading() override;
    void resume_reading() override;
    bool is_reading() const noexcept override;
    void set_protocol(std::shared_ptr<protocol> p) override;
    std::shared_ptr<protocol> get_protocol() const override;

private:
    protocol_stream& stream_;
};

/// low, high. value_error when low is above high.
std::pair<std::size_t, std::size_t> checked_limits(const write_limits& wanted);

} // namespace rondo::detail
