#include "report/screen.hpp"

#include "report/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

using testing::HasSubstr;
using testing::MatchesRegex;

namespace mayhem {
namespace {

class pipe_pair {
public:
    pipe_pair() {
        if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    }
    ~pipe_pair() {
        close_write();
        ::close(ends_[0]);
    }
    int write_end() const { return ends_[1]; }
    void close_write() {
        if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
    }
    std::string read_all() {
        close_write();
        std::string text;
        std::array<char, 4096> buffer{};
        for (ssize_t n = 0; (n = ::read(ends_[0], buffer.data(), buffer.size())) > 0;)
            text.append(buffer.data(), static_cast<std::size_t>(n));
        return text;
    }

private:
    std::array<int, 2> ends_{};
};

/** A terminal of `size`, and what a person would have seen on it. */
class terminal_pair {
public:
    explicit terminal_pair(const winsize* size = nullptr) {
        if (::openpty(&master_, &terminal_, nullptr, nullptr, size) != 0) throw std::runtime_error("openpty");
    }
    ~terminal_pair() {
        close_terminal();
        ::close(master_);
    }
    int terminal() const { return terminal_; }
    void close_terminal() {
        if (terminal_ >= 0) ::close(std::exchange(terminal_, -1));
    }
    /** Everything that was written; a terminal hands it on in portions, and says EIO after the last (pty(7)). */
    std::string read_all() {
        close_terminal();
        std::string text;
        std::array<char, 4096> buffer{};
        for (ssize_t n = 0; (n = ::read(master_, buffer.data(), buffer.size())) > 0;)
            text.append(buffer.data(), static_cast<std::size_t>(n));
        return text;
    }

private:
    int master_ = -1;
    int terminal_ = -1;
};

} // namespace

TEST(Screen, WritesEveryLineInOrderBeforeItCloses) {
    pipe_pair out;
    pipe_pair err;
    std::string expected;
    {
        screen s({.summary_fd = out.write_end(), .log_fd = err.write_end()});
        for (int i = 0; i < 500; ++i) {
            s.log_line("line " + std::to_string(i));
            expected += "line " + std::to_string(i) + '\n';
        }
        s.summary_line("the end");
        s.close();
        s.close();
    }
    EXPECT_EQ(err.read_all(), expected);
    EXPECT_EQ(out.read_all(), "the end\n");
}

TEST(Screen, DoesNotRedrawWhereThereIsNoTerminal) {
    pipe_pair out;
    screen s({.summary_fd = out.write_end(), .log_fd = out.write_end()});
    EXPECT_FALSE(s.live());
    s.redraw({"block"});
    s.close();
    EXPECT_EQ(out.read_all(), "");
}

TEST(Screen, OnATerminalKeepsTheBlockBelowTheLog) {
    terminal_pair pty;
    {
        screen s({.summary_fd = pty.terminal(), .log_fd = pty.terminal()});
        EXPECT_TRUE(s.live());
        s.redraw({"first", "block"});
        s.close();
    }
    {
        screen s({.summary_fd = pty.terminal(), .log_fd = pty.terminal()});
        s.redraw({"one", "two"});
        s.log_line("something happened");
        s.close();
    }
    const std::string shown = pty.read_all();
    EXPECT_THAT(shown, HasSubstr("first\r\nblock\r\n"));
    ASSERT_THAT(shown, HasSubstr("something happened\r\n"));
    ASSERT_THAT(shown, HasSubstr("one\r\ntwo\r\n"));
    // Either in one go or the block first and then redrawn: the log line ends up above it.
    EXPECT_GT(shown.rfind("one\r\ntwo\r\n"), shown.find("something happened\r\n"));
}

TEST(Screen, ABlockIsNeverLargerThanTheTerminal) {
    const winsize small{.ws_row = 4, .ws_col = 10, .ws_xpixel = 0, .ws_ypixel = 0};
    terminal_pair pty(&small);
    {
        screen s({.summary_fd = pty.terminal(), .log_fd = pty.terminal()});
        s.redraw({"a line that is too long", "two", "three", "four", "five"});
        s.close();
    }
    EXPECT_EQ(pty.read_all(), "a line th\r\ntwo\r\nthree\r\n");
}

TEST(Screen, ReaderThatGoesAwayHoldsUpNobody) {
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    auto out = std::make_unique<pipe_pair>();
    const int fd = ::fcntl(out->write_end(), F_DUPFD_CLOEXEC, 3);
    out.reset();
    screen s({.summary_fd = fd, .log_fd = fd});
    for (int i = 0; i < 1000; ++i) s.log_line("nobody reads this");
    s.close();
    ::close(fd);
    ::signal(SIGPIPE, before);
}

TEST(Log, ALineIsTimeLevelAndTextWithoutLineEnds) {
    pipe_pair err;
    {
        screen s({.summary_fd = err.write_end(), .log_fd = err.write_end()});
        log l(s);
        l.warning("{} of {}", 1, "two\nlines");
    }
    EXPECT_THAT(
        err.read_all(),
        MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z WARN  1 of two lines\n"));
}

TEST(SparseLog, WritesSoManyInASecondAndTellsOfTheRestWithTheNext) {
    using namespace std::chrono_literals;
    pipe_pair err;
    {
        screen s({.summary_fd = err.write_end(), .log_fd = err.write_end()});
        log l(s);
        std::chrono::steady_clock::time_point now(100s);
        sparse_log sparse(l, 2, [&] { return now; });
        for (int n = 1; n <= 5; ++n) sparse.info("line {}", n);
        now += 1s;
        sparse.info("line 6");
    }
    const std::string written = err.read_all();
    EXPECT_THAT(written, HasSubstr("line 2\n"));
    EXPECT_THAT(written, testing::Not(HasSubstr("line 3")));
    EXPECT_LT(written.find("(3 more like the last ones)"), written.find("line 6"));
}

} // namespace mayhem
