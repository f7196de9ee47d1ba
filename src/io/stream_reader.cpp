#include <rondo/io/stream_reader.hpp>

#include <rondo/coro/exceptions.hpp>

#include "io/inbound.hpp"

#include <optional>
#include <utility>

namespace rondo {

namespace {

class memory_stream final : public detail::shared_core, public detail::inbound {
public:
    explicit memory_stream(std::size_t limit) noexcept
        : inbound(static_cast<detail::shared_core&>(*this), nullptr, limit) {}

private:
    ~memory_stream() override = default;
    void destroy() noexcept override { delete this; }
};

detail::inbound& required(const detail::counted_ptr<detail::inbound>& from) {
    if (!from) throw runtime_error("this stream_reader was moved from");
    return *from;
}

async_generator<bytes> lines_of(detail::counted_ptr<detail::inbound> from) {
    while (std::optional<bytes> line = co_await detail::read_line_awaiter(from)) co_yield std::move(*line);
}

} // namespace

stream_reader::stream_reader(std::size_t limit) {
    detail::inbound::check_limit(limit);
    from_ = detail::counted_ptr<detail::inbound>::adopt(new memory_stream(limit));
}

stream_reader& stream_reader::operator=(stream_reader&& other) noexcept {
    if (this != &other) {
        if (from_) from_->abandon();
        from_ = std::move(other.from_);
    }
    return *this;
}

stream_reader::~stream_reader() {
    if (from_) from_->abandon();
}

async_generator<bytes> stream_reader::lines() { return lines_of(from_); }

void stream_reader::feed_data(bytes_view data) { required(from_).feed(data); }
void stream_reader::feed_eof() { required(from_).feed_end(); }
bool stream_reader::at_eof() const noexcept { return !from_ || from_->at_eof(); }
void stream_reader::set_exception(std::exception_ptr error) { required(from_).set_exception(std::move(error)); }
std::exception_ptr stream_reader::exception() const noexcept { return from_ ? from_->exception() : nullptr; }

} // namespace rondo
