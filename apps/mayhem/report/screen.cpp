#include "report/screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace mayhem {

namespace {

constexpr std::size_t most_waiting_lines = 65536;

// False: nobody reads any more, and nobody can be told.
bool write_all(int fd, std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n >= 0) {
            text.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) { // whoever shares the terminal with us has made it non-blocking
            pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
            ::poll(&writable, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

} // namespace

screen::screen(options o)
    : options_(o),
      live_(::isatty(o.summary_fd) == 1),
      one_terminal_(live_ && ::isatty(o.log_fd) == 1),
      thread_([this] { work(); }) {}

screen::~screen() { close(); }

screen::extent screen::size() const noexcept {
    winsize w{};
    if (!live_ || ::ioctl(options_.summary_fd, TIOCGWINSZ, &w) != 0 || w.ws_col == 0 || w.ws_row == 0) return {};
    return {.columns = w.ws_col, .rows = w.ws_row};
}

void screen::log_line(std::string line) { push({options_.log_fd, std::move(line)}); }

void screen::summary_line(std::string line) { push({options_.summary_fd, std::move(line)}); }

void screen::redraw(std::vector<std::string> block) {
    if (!live_) return;
    {
        const std::lock_guard hold(mutex_);
        next_.block = std::move(block);
        next_.redraw = true;
    }
    changed_.notify_one();
}

void screen::close() {
    {
        const std::lock_guard hold(mutex_);
        closing_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void screen::push(line l) {
    {
        const std::lock_guard hold(mutex_);
        if (next_.lines.size() < most_waiting_lines) next_.lines.push_back(std::move(l));
        else ++next_.dropped;
    }
    changed_.notify_one();
}

void screen::work() {
    std::unique_lock hold(mutex_);
    for (;;) {
        changed_.wait(hold, [this] { return closing_ || next_.redraw || !next_.lines.empty(); });
        if (!next_.redraw && next_.lines.empty()) return;
        batch now = std::exchange(next_, {});
        hold.unlock();
        show(std::move(now));
        hold.lock();
    }
}

void screen::show(batch b) {
    if (b.redraw) shown_ = std::move(b.block);
    const bool on_top = b.redraw || (live_ && !b.lines.empty());

    // Up to the first line of the block, and clear from there: what follows writes over it.
    std::string text;
    if (on_top && drawn_ > 0) text = fmt::format("\x1b[{}F\x1b[J", drawn_);
    if (!one_terminal_ && !text.empty()) write_all(options_.summary_fd, std::exchange(text, {}));
    for (const line& l : b.lines) {
        if (one_terminal_) text += l.text + '\n';
        else write_all(l.fd, l.text + '\n');
    }
    if (b.dropped > 0) {
        const std::string told =
            fmt::format("({} lines were dropped: they came faster than they could be written)\n", b.dropped);
        if (one_terminal_) text += told;
        else write_all(options_.log_fd, told);
    }
    if (on_top) { // no more than there is room for: what has scrolled away cannot be drawn over
        const extent room = size();
        drawn_ = std::min(shown_.size(), room.rows - 1);
        for (std::size_t i = 0; i < drawn_; ++i) text += shown_[i].substr(0, room.columns - 1) + '\n';
    }
    write_all(options_.summary_fd, text);
}

} // namespace mayhem
