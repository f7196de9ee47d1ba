// add_reader() and add_writer(): callbacks for descriptors that the program itself reads and writes.
#include "support/in_child.hpp"
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/io/server.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/future.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::tracked;

/// Two ends of a connection, non-blocking.
struct socket_pair {
    socket_pair() {
        std::array<int, 2> fds{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
        ours = fds[0];
        theirs = fds[1];
    }
    ~socket_pair() {
        close(ours);
        close(theirs);
    }
    static void close(int& fd) {
        if (fd >= 0) ::close(std::exchange(fd, -1));
    }
    void send(std::string_view text) const {
        EXPECT_EQ(::write(theirs, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    std::string receive(std::size_t at_most = 100) const {
        std::string text(at_most, '\0');
        const ssize_t n = ::read(ours, text.data(), text.size());
        return text.substr(0, n < 0 ? 0 : static_cast<std::size_t>(n));
    }
    /// Until it would have to wait.
    void fill() const {
        const std::string block(4096, 'x');
        while (::write(ours, block.data(), block.size()) > 0) {}
        EXPECT_EQ(errno, EAGAIN);
    }
    void empty() const {
        std::array<char, 65536> sink;
        while (::read(theirs, sink.data(), sink.size()) > 0) {}
    }
    int ours = -1;
    int theirs = -1;
};

/// Of the kernel: reads and writes descriptors beside the loop.
class AddReader : public test::loop_test {
protected:
    /// Enough passes for what is ready to come round, under either backend.
    void settle() { run_passes(4); }
    socket_pair s;
    std::string got;
};
RONDO_ON_EACH_BACKEND(AddReader);
class AddWriter : public AddReader {};
RONDO_ON_EACH_BACKEND(AddWriter);

TEST_P(AddReader, IsCalledWhenThereIsSomethingToRead) {
    loop().add_reader(s.ours, [&] {
        EXPECT_EQ(running_loop_or_null(), &loop());
        got += s.receive();
    });
    settle();
    EXPECT_EQ(got, "");
    s.send("one");
    settle();
    EXPECT_EQ(got, "one");
    s.send("two");
    settle();
    EXPECT_EQ(got, "onetwo");
}

TEST_P(AddReader, WakesALoopThatSleeps) {
    loop().add_reader(s.ours, [&] {
        got += s.receive();
        loop().stop();
    });
    loop().call_later(1ms, [&] { s.send("x"); });
    loop().run_forever();
    EXPECT_EQ(got, "x");
}

TEST_P(AddReader, IsCalledOncePerPassAsLongAsSomethingIsLeft) {
    loop().add_reader(s.ours, [&] { got += s.receive(1); });
    settle();
    s.send("abc");
    std::size_t before = 0;
    while (got.size() < 3) {
        loop().run_once(no_timeout);
        EXPECT_LE(got.size(), before + 1) << "what it leaves waits for the next pass";
        before = got.size();
    }
    EXPECT_EQ(got, "abc");
    settle();
    EXPECT_EQ(got, "abc");
}

TEST_P(AddReader, DoesNotStarveTheOthers) {
    loop().add_reader(s.ours, [] {}); // never reads
    s.send("x");
    int turns = 0;
    bool fired = false;
    loop().call_later(1ms, [&] { fired = true; });
    while (!fired) {
        loop().call_soon([&] { ++turns; });
        loop().run_once(no_timeout);
    }
    EXPECT_GT(turns, 0);
}

TEST_P(AddReader, TheEndAndAnErrorAreSomethingToRead) {
    int calls = 0;
    loop().add_reader(s.ours, [&] {
        ++calls;
        EXPECT_EQ(s.receive(), "");
        EXPECT_TRUE(loop().remove_reader(s.ours));
    });
    settle();
    EXPECT_EQ(calls, 0);
    socket_pair::close(s.theirs);
    settle();
    EXPECT_EQ(calls, 1);
}

TEST_P(AddReader, ReplacesTheOneBefore) {
    int living = 0;
    loop().add_reader(s.ours, [t = tracked(living)] { ADD_FAILURE(); });
    settle();
    loop().add_reader(s.ours, [&] { got += s.receive(); });
    EXPECT_EQ(living, 0);
    s.send("x");
    settle();
    EXPECT_EQ(got, "x");
    EXPECT_TRUE(loop().remove_reader(s.ours));
    EXPECT_FALSE(loop().remove_reader(s.ours));
}

TEST_P(AddReader, RemovedItIsNotCalledAnyMore) {
    int living = 0;
    loop().add_reader(s.ours, [t = tracked(living)] { ADD_FAILURE(); });
    settle();
    s.send("x"); // it is ready, and the kernel may have said so already
    EXPECT_TRUE(loop().remove_reader(s.ours));
    EXPECT_EQ(living, 0);
    settle();
    EXPECT_FALSE(loop().remove_reader(s.ours));
    EXPECT_FALSE(loop().remove_reader(-1));
    EXPECT_FALSE(loop().remove_reader(123456));
}

TEST_P(AddReader, OneThatIsReadyCanStillBeRemoved) {
    socket_pair t;
    const auto first_removes = [&](int other) {
        return [&, other] {
            got.push_back('x');
            EXPECT_TRUE(loop().remove_reader(other));
        };
    };
    loop().add_reader(s.ours, first_removes(t.ours));
    loop().add_reader(t.ours, first_removes(s.ours));
    settle();
    s.send("x");
    t.send("x");
    loop().run_once(no_timeout);
    while (got.empty()) loop().run_once(no_timeout);
    EXPECT_EQ(got.find_first_not_of('x'), std::string::npos);
    const bool first_left = loop().remove_reader(s.ours);
    const bool second_left = loop().remove_reader(t.ours);
    EXPECT_NE(first_left, second_left);
}

TEST_P(AddReader, ACallbackMayRemoveAndReplaceItself) {
    int living = 0;
    loop().add_reader(s.ours, [&, t = tracked(living)] {
        got += s.receive(1);
        loop().add_reader(s.ours, [&] {
            got += s.receive(1) + "!";
            EXPECT_TRUE(loop().remove_reader(s.ours));
        });
        EXPECT_EQ(living, 1) << "it lives while it runs";
    });
    s.send("abc");
    for (int i = 0; i < 10; ++i) loop().run_once(1ms);
    EXPECT_EQ(got, "ab!");
    EXPECT_EQ(living, 0);
}

TEST_P(AddReader, TakesWhatCanOnlyBeMoved) {
    loop().add_reader(s.ours, [this, p = std::make_unique<std::string>("got ")] { got += *p + s.receive(); });
    s.send("x");
    settle();
    EXPECT_EQ(got, "got x");
}

TEST_P(AddReader, ReadersAndWritersOfOneDescriptorAreApart) {
    s.fill();
    loop().add_reader(s.ours, [&] { got += s.receive(); });
    loop().add_writer(s.ours, [&] {
        got.push_back('w');
        EXPECT_TRUE(loop().remove_writer(s.ours));
    });
    settle();
    EXPECT_EQ(got, "");
    s.send("r");
    settle();
    EXPECT_EQ(got, "r");
    s.empty();
    settle();
    EXPECT_EQ(got, "rw");
    EXPECT_FALSE(loop().remove_writer(s.ours));
    EXPECT_TRUE(loop().remove_reader(s.ours));
}

TEST_P(AddReader, ANumberThatIsUsedAgainIsAnotherDescriptor) {
    for (int round = 0; round < 3; ++round) {
        auto once = std::make_unique<socket_pair>();
        const int number = once->ours;
        loop().add_reader(number, [&] { ADD_FAILURE(); });
        settle();
        EXPECT_TRUE(loop().remove_reader(number));
        once.reset();
        socket_pair again;
        loop().add_reader(again.ours, [&] { got += again.receive(); });
        settle();
        again.send("x");
        settle();
        EXPECT_TRUE(loop().remove_reader(again.ours));
    }
    EXPECT_EQ(got, "xxx");
}

TEST_P(AddReader, WhatIsNoOpenDescriptorIsAnError) {
    EXPECT_THROW(loop().add_reader(-1, [] {}), value_error);
    EXPECT_THROW(loop().add_writer(-1, [] {}), value_error);
    int closed = ::dup(s.ours);
    socket_pair::close(closed);
    closed = s.theirs + 500;
    try {
        loop().add_reader(closed, [] {});
        ADD_FAILURE();
    } catch (const std::system_error& e) {
        EXPECT_EQ(e.code(), std::error_code(EBADF, std::system_category()));
    }
    EXPECT_FALSE(loop().remove_reader(closed));
}

TEST_P(AddReader, PipesAndDevicesToo) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_NONBLOCK | O_CLOEXEC), 0);
    loop().add_reader(pipe[0], [&] {
        char c = 0;
        if (::read(pipe[0], &c, 1) == 1) got.push_back(c);
    });
    settle();
    EXPECT_EQ(::write(pipe[1], "p", 1), 1);
    settle();
    EXPECT_EQ(got, "p");
    EXPECT_TRUE(loop().remove_reader(pipe[0]));
    ::close(pipe[0]);
    ::close(pipe[1]);
}

TEST_P(AddReader, WhatItThrowsIsReportedAndItIsCalledAgain) {
    const auto line = std::source_location::current().line() + 1;
    loop().add_reader(s.ours, [&] {
        got += s.receive();
        throw value_error("broken");
    });
    for (int i = 0; i < 2; ++i) {
        s.send("x");
        settle();
    }
    EXPECT_EQ(got, "xx");
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 2u);
    EXPECT_TRUE(told[0].holds<value_error>());
    ASSERT_TRUE(told[0].created_at);
    EXPECT_EQ(told[0].created_at->line(), line) << "where it was added";
    loop().add_reader(s.ours, [] { throw keyboard_interrupt("^C"); });
    s.send("x");
    EXPECT_THROW(loop().run_forever(), keyboard_interrupt);
    EXPECT_TRUE(loop().remove_reader(s.ours));
}

TEST_P(AddReader, RunsInACopyOfTheContextTheSameForAllCalls) {
    context_var<int> v("v", 0);
    context added_in;
    added_in.run([&] {
        v.assign(1);
        loop().add_reader(s.ours, [&] {
            s.receive();
            got += std::to_string(v.get());
            v.assign(v.get() + 1);
        });
        v.assign(100);
    });
    for (int i = 0; i < 3; ++i) {
        s.send("x");
        settle();
    }
    EXPECT_EQ(got, "123");
    EXPECT_EQ(v.get(), 0);
    context shared;
    loop().add_reader(s.ours, [&] { v.assign(static_cast<int>(s.receive().size())); }, {.context = shared});
    s.send("12345");
    settle();
    EXPECT_EQ(v.get(shared), 5);
}

/// The only socket of this process that listens.
int listening_descriptor() {
    for (int fd = 3; fd < 1024; ++fd) {
        int listens = 0;
        ::socklen_t size = sizeof listens;
        if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens) return fd;
    }
    ADD_FAILURE() << "nothing listens";
    return -1;
}

TEST_P(AddReader, ADescriptorOfTheLibraryIsRefused) {
    run([&]() -> coro<> {
        server srv = co_await start_server([](stream_reader, stream_writer) -> coro<> { co_return; }, "127.0.0.1", 0);
        const int listening = listening_descriptor();
        EXPECT_THROW(loop().add_reader(listening, [] {}), runtime_error);
        EXPECT_THROW(loop().add_writer(listening, [] {}), runtime_error);
        EXPECT_FALSE(loop().remove_reader(listening));
        srv.close();
        co_await srv.wait_closed();
    });
}

TEST_P(AddReader, ClosingTheLoopRemovesThem) {
    int living = 0;
    socket_pair t;
    loop().add_reader(s.ours, [k = tracked(living)] { ADD_FAILURE(); });
    loop().add_writer(s.ours, [k = tracked(living)] {}); // ready at once
    loop().add_reader(t.ours, [k = tracked(living)] {});
    t.send("x");
    settle();
    EXPECT_EQ(living, 3);
    loop().close();
    EXPECT_EQ(living, 0);
    EXPECT_FALSE(loop().remove_reader(s.ours));
    EXPECT_FALSE(loop().remove_writer(s.ours));
    loop().notify_closing(s.ours);
    EXPECT_THROW(loop().add_reader(s.ours, [] {}), runtime_error);
    EXPECT_THROW(loop().add_writer(s.ours, [] {}), runtime_error);
}

TEST_P(AddReader, WorksWhileTasksCleanUpAtTheEnd) {
    run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            auto answer = create_future<std::string>();
            loop().add_reader(s.ours, [&]() mutable {
                loop().remove_reader(s.ours);
                answer.set_result(s.receive());
            });
            s.send("bye");
            got = co_await answer;
        });
        co_await yield();
    });
    loop().close();
    EXPECT_EQ(got, "bye");
}

TEST_P(AddReader, FromAnotherThreadItThrowsInDebugMode) {
    loop().set_debug(true);
    run([&]() -> coro<> {
        std::thread([&] {
            EXPECT_THROW(loop().add_reader(s.ours, [] {}), runtime_error);
            EXPECT_THROW(loop().remove_reader(s.ours), runtime_error);
        }).join();
        co_return;
    });
}

TEST_P(AddReader, AForkedChildHarmsNobody) {
    loop().add_reader(s.ours, [&] { got += s.receive(); });
    settle();
    EXPECT_EQ(test::in_child([&] {
                  bool refused = false;
                  try {
                      loop().remove_reader(s.ours);
                  } catch (const runtime_error&) {
                      refused = true;
                  }
                  destroy_loop();
                  return refused;
              }),
              0);
    s.send("x");
    settle();
    EXPECT_EQ(got, "x");
}

TEST_P(AddReader, ManyAtOnce) {
    std::vector<std::unique_ptr<socket_pair>> pairs;
    std::vector<int> calls(100, 0);
    for (std::size_t i = 0; i < calls.size(); ++i) {
        pairs.push_back(std::make_unique<socket_pair>());
        loop().add_reader(pairs[i]->ours, [&, i] {
            pairs[i]->receive();
            ++calls[i];
        });
    }
    for (int round = 1; round <= 5; ++round) {
        for (const auto& p : pairs) p->send("x");
        for (int i = 0; i < 20; ++i) loop().run_once(0s);
        EXPECT_EQ(calls, std::vector<int>(100, round));
    }
    for (const auto& p : pairs) loop().remove_reader(p->ours);
}

TEST_P(AddWriter, IsCalledWhileThereIsRoom) {
    s.fill();
    loop().add_writer(s.ours, [&] {
        got.push_back('w');
        s.fill();
    });
    settle();
    EXPECT_EQ(got, "");
    s.empty();
    settle();
    EXPECT_EQ(got, "w");
    s.empty();
    settle();
    EXPECT_EQ(got, "ww");
}

TEST_P(AddWriter, ABrokenConnectionIsWritable) {
    s.fill();
    loop().add_writer(s.ours, [&] {
        got.push_back('w');
        loop().remove_writer(s.ours);
    });
    settle();
    socket_pair::close(s.theirs);
    settle();
    EXPECT_EQ(got, "w");
}

} // namespace
} // namespace rondo
