// The server as a coroutine for each guest: what has happened so far is where it stands.
#include "chatterbox/cleaned.hpp"
#include "chatterbox/servers.hpp"

#include <rondo/rondo.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace chatterbox {

namespace {

// region streams
class visitor final : public guest {
public:
    visitor(room& where, rondo::stream_reader reader, rondo::stream_writer writer)
        : guest(where), reader_(std::move(reader)), writer_(std::move(writer)) {}

    rondo::coro<> visit() {
        welcome();
        auto line = co_await next_line();
        while (line && !enter(*line)) line = co_await next_line();
        while (line && (line = co_await next_line())) say(*line);
    }
    void hang_up() {
        leave();
        writer_.close();
    }

    /// co_await writer_.write(text) would wait for this guest's network, and with it everybody whose turn comes after.
    void tell(std::string_view text) override {
        if (writer_.is_closing()) return;
        writer_.write_nowait(text);
        if (writer_.transport().get_write_buffer_size() > too_far_behind) writer_.transport().abort();
    }

private:
    rondo::coro<std::optional<std::string>> next_line() {
        auto line = co_await reader_.read_line();
        while (line && is_too_long(line->view())) line = co_await reader_.read_line();
        if (!line) co_return std::nullopt;
        co_return cleaned(line->view());
    }

    rondo::stream_reader reader_;
    rondo::stream_writer writer_;
};
// endregion

rondo::coro<> receive(room* where, rondo::stream_reader reader, rondo::stream_writer writer) {
    visitor who(*where, std::move(reader), std::move(writer));
    try {
        co_await who.visit();
    } catch (const rondo::connection_error&) { // an abrupt end is an end
    } catch (const rondo::value_error&) {      // a line beyond the reader's limit: that is no chat
    }
    who.hang_up();
}

} // namespace

rondo::coro<rondo::server> serve_with_streams(room& where, std::uint16_t port) {
    co_return co_await rondo::start_server(std::bind_front(receive, &where), "127.0.0.1", port,
                                           {.limit = endless_line, .backlog = 1024});
}

} // namespace chatterbox
