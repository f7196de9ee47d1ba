// Receives without a buffer: memory is taken when there are bytes.
#include "loop/backend_fixture.hpp"
#include "loop/buffer_pool.hpp"

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace rondo::detail {
namespace {

using namespace testing_support;

constexpr std::size_t small = 4096;
constexpr std::size_t large = 65536;

struct block_receive : probe_operation {
    explicit block_receive(int fd_of, std::size_t bytes = small) : probe_operation(operation_kind::recv, fd_of) {
        size = bytes;
    }
    ~block_receive() { give_back(); }
    std::string take() {
        std::string text = result > 0 ? std::string(static_cast<char*>(buffer), static_cast<std::size_t>(result)) : "";
        give_back();
        return text;
    }
    void give_back() {
        if (buffer) free_buffer(static_cast<std::byte*>(buffer), size);
        buffer = nullptr;
    }
};

class BackendBlocks : public EachBackend {
protected:
    void SetUp() override {
        EachBackend::SetUp();
        if (!IsSkipped() && !io->gives_blocks()) GTEST_SKIP() << "this kernel has no rings of buffers";
        if (!IsSkipped()) poll_a_few_times(); // from here on it is this thread's
    }
};
RONDO_FOR_EACH_BACKEND(BackendBlocks);

TEST_P(BackendBlocks, ComeWithTheBytesThatAreThereAndThoseThatComeLater) {
    auto [ours, other] = stream_pair();
    for (const std::size_t size : {small, large}) {
        block_receive op(ours.fd, size);
        write_all(other.fd, "there");
        EXPECT_EQ(run(op), 5);
        EXPECT_EQ(op.take(), "there");
        EXPECT_FALSE(io->submit(op));
        poll_a_few_times();
        EXPECT_EQ(op.buffer, nullptr);
        write_all(other.fd, "later");
        settle(op);
        EXPECT_EQ(op.result, 5);
        EXPECT_EQ(op.take(), "later");
    }
}

TEST_P(BackendBlocks, AreNotGivenWithoutBytes) {
    for (const std::size_t size : {small, large}) {
        auto [ours, other] = stream_pair();
        block_receive cancelled(ours.fd, size);
        EXPECT_FALSE(io->submit(cancelled));
        io->cancel(cancelled);
        settle(cancelled);
        EXPECT_EQ(cancelled.result, -ECANCELED);
        EXPECT_EQ(cancelled.buffer, nullptr);
        block_receive at_the_end(ours.fd, size);
        other.close();
        EXPECT_EQ(run(at_the_end), 0);
        EXPECT_EQ(at_the_end.buffer, nullptr);
        block_receive wrong(-1, size);
        EXPECT_EQ(run(wrong), -EBADF);
        EXPECT_EQ(wrong.buffer, nullptr);
    }
}

TEST_P(BackendBlocks, OneIsFilledToItsEndAndTheRestComesInTheNext) {
    auto [ours, other] = stream_pair();
    const std::string much(small + 100, 'x');
    write_all(other.fd, much);
    block_receive op(ours.fd);
    EXPECT_EQ(run(op), static_cast<std::int64_t>(small));
    op.give_back();
    EXPECT_EQ(run(op), 100);
}

TEST_P(BackendBlocks, WhatComesWithACancellationIsGivenOrStaysInTheSocket) {
    auto [ours, other] = stream_pair();
    for (const std::size_t size : {small, large}) {
        block_receive op(ours.fd, size);
        EXPECT_FALSE(io->submit(op));
        poll_a_few_times();
        write_all(other.fd, "taken");
        io->cancel(op);
        settle(op);
        std::string text = op.take();
        if (op.result < 0) {
            EXPECT_EQ(run(op), 5);
            text = op.take();
        }
        EXPECT_EQ(text, "taken");
    }
}

// More than lie ready at first, none of which is given back meanwhile.
TEST_P(BackendBlocks, ManyAtOnceAllGetOne) {
    constexpr int count = 300;
    for (int round = 0; round < 2; ++round) {
        std::vector<std::pair<descriptor, descriptor>> pairs;
        std::vector<std::unique_ptr<block_receive>> receives;
        for (int i = 0; i < count; ++i) {
            pairs.push_back(stream_pair());
            receives.push_back(std::make_unique<block_receive>(pairs.back().first.fd));
            EXPECT_FALSE(io->submit(*receives.back()));
        }
        poll_a_few_times();
        for (int i = 0; i < count; ++i) write_all(pairs[static_cast<std::size_t>(i)].second.fd, std::to_string(i));
        for (const auto& op : receives) settle(*op);
        for (int i = 0; i < count; ++i) EXPECT_EQ(receives[static_cast<std::size_t>(i)]->take(), std::to_string(i));
    }
}

// So that those who read have their turn while what they read is hot.
TEST_P(BackendBlocks, LargeOnesAreFilledAFewAtATimeAndNobodyIsForgotten) {
    constexpr int count = 24;
    const std::string message(large, 'y');
    std::vector<std::pair<descriptor, descriptor>> pairs;
    std::vector<std::unique_ptr<block_receive>> receives;
    for (int i = 0; i < count; ++i) {
        pairs.push_back(stream_pair());
        receives.push_back(std::make_unique<block_receive>(pairs.back().first.fd, large));
        EXPECT_FALSE(io->submit(*receives.back()));
    }
    poll_a_few_times();
    for (auto& pair : pairs) write_all(pair.second.fd, message);
    io->wait(time_point::max());
    int done = 0;
    for (const auto& op : receives) done += op->completions;
    EXPECT_GT(done, 0);
    EXPECT_LT(done, count);
    for (const auto& op : receives) settle(*op);
    for (const auto& op : receives) EXPECT_EQ(op->take(), message);
}

TEST_P(BackendBlocks, MayBeAskedForBeforeTheFirstWait) {
    auto fresh = make(GetParam());
    auto [ours, other] = stream_pair();
    block_receive op(ours.fd);
    const bool at_once = fresh->submit(op);
    EXPECT_FALSE(at_once);
    write_all(other.fd, "early");
    while (op.pending()) fresh->wait(time_point::max());
    EXPECT_EQ(op.take(), "early");
    fresh->drain();
}

} // namespace
} // namespace rondo::detail
