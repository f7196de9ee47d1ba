// The face of a protocol_stream.
#pragma once

#include "io/stream_transport.hpp"

namespace rondo::detail {

class protocol_stream;

class protocol_transport final : public stream_transport {
public:
    explicit protocol_transport(protocol_stream& stream) noexcept;

    void close() override;
    void abort() override;
    void pause_reading() override;
    void resume_reading() override;
    bool is_reading() const noexcept override;
    void set_protocol(std::shared_ptr<protocol> p) override;
    std::shared_ptr<protocol> get_protocol() const override;

private:
    protocol_stream& owner_;
};

} // namespace rondo::detail
