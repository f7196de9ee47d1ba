// Files: async_file, read_file() and write_file().
#include "io/io_test.hpp"
#include "loop/backend/backend.hpp"
#include "support/forwarding_backend.hpp"
#include "support/temporary_directory.hpp"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace rondo {
namespace {

using test::contents;
using test::open_descriptors;
using test::pass_by;
using test::pattern;
using test::put;

/// Of the kernel: files on a disk.
class AsyncFile : public test::io_test {
protected:
    test::temporary_directory directory;
};
RONDO_ON_EACH_BACKEND(AsyncFile);

template <class T> bool mentions(const result<T>& r, std::errc code, const std::string& text) {
    const auto* e = detail::exception_cast<std::system_error>(r.error());
    return e && e->code() == code && std::string(e->what()).find(text) != std::string::npos;
}

TEST_P(AsyncFile, ReadsFromThePositionWhichMovesOnToTheEnd) {
    run_io([this]() -> coro<> {
        put(directory / "file", "0123456789");
        async_file file = co_await open_file(directory / "file");
        EXPECT_EQ(file.path(), directory / "file");
        EXPECT_EQ(file.size(), 10u);
        EXPECT_EQ((co_await file.read(4)).view(), "0123");
        EXPECT_EQ(file.tell(), 4u);
        std::array<std::byte, 3> three{};
        EXPECT_EQ(co_await file.read_into(three), 3u);
        EXPECT_EQ(bytes_view(std::span<const std::byte>(three)).view(), "456");
        EXPECT_EQ((co_await file.read(100)).view(), "789");
        EXPECT_TRUE((co_await file.read(100)).empty());
        EXPECT_EQ(file.seek(2), 2u);
        EXPECT_EQ((co_await file.read_all()).view(), "23456789");
        EXPECT_EQ(file.seek(-1, seek_from::end), 9u);
        EXPECT_EQ(file.seek(-2, seek_from::current), 7u);
        EXPECT_EQ((co_await file.read(1)).view(), "7");
        EXPECT_TRUE((co_await file.read(0)).empty());
    });
}

TEST_P(AsyncFile, ReadAtAndWriteAtLeaveThePosition) {
    run_io([this]() -> coro<> {
        put(directory / "file", "0123456789");
        async_file file = co_await open_file(directory / "file", "r+");
        EXPECT_EQ((co_await file.read_at(3, 4)).view(), "3456");
        EXPECT_EQ((co_await file.read_at(8, 4)).view(), "89");
        EXPECT_TRUE((co_await file.read_at(100, 4)).empty());
        co_await file.write_at(4, "xyz");
        EXPECT_EQ(file.tell(), 0u);
        EXPECT_EQ(contents(directory / "file"), "0123xyz789");
        auto [a, b] = co_await gather(file.read_at(0, 2), file.read_at(8, 2));
        EXPECT_EQ(a.view(), "01");
        EXPECT_EQ(b.view(), "89");
    });
}

TEST_P(AsyncFile, LargeOnesGoThroughWhole) {
    run_io([this]() -> coro<> {
        const std::string text = pattern(5'000'000);
        async_file file = co_await open_file(directory / "file", "w+");
        co_await file.write(text);
        EXPECT_EQ(file.tell(), text.size());
        EXPECT_TRUE(contents(directory / "file") == text);
        file.seek(0);
        EXPECT_TRUE((co_await file.read_all()).view() == text);
        EXPECT_TRUE((co_await file.read_at(1, 4'000'000)).view() == text.substr(1, 4'000'000));
        co_await file.write_at(2, text);
        EXPECT_TRUE(contents(directory / "file").substr(2) == text);
    });
}

TEST_P(AsyncFile, TheModesAreThoseOfFopen) {
    run_io([this]() -> coro<> {
        const std::string path = directory / "file";
        EXPECT_TRUE(mentions(co_await as_result(open_file(path, "r")), std::errc::no_such_file_or_directory, path));
        EXPECT_TRUE(mentions(co_await as_result(open_file(path, "r+")), std::errc::no_such_file_or_directory, path));
        {
            async_file file = co_await open_file(path, "x");
            co_await file.write("first");
            EXPECT_TRUE(mentions(co_await as_result(file.read(1)), std::errc::bad_file_descriptor, path));
        }
        EXPECT_TRUE(mentions(co_await as_result(open_file(path, "x")), std::errc::file_exists, path));
        {
            async_file file = co_await open_file(path, "ab");
            co_await file.write(", second");
            file.seek(0);
            co_await file.write(", third");
            EXPECT_EQ(file.tell(), 20u);
        }
        EXPECT_EQ(contents(path), "first, second, third");
        {
            async_file file = co_await open_file(path, "rb+");
            co_await file.write("FIRST");
            EXPECT_EQ((co_await file.read(3)).view(), ", s");
        }
        {
            async_file file = co_await open_file(path, "r");
            EXPECT_TRUE(mentions(co_await as_result(file.write("x")), std::errc::bad_file_descriptor, path));
        }
        { co_await open_file(path, "w"); }
        EXPECT_EQ(contents(path), "");
        for (const char* wrong : {"", "+", "rw", "q", "r++", "rt"})
            EXPECT_TRUE((co_await as_result(open_file(path, wrong))).holds<value_error>()) << wrong;
    });
}

TEST_P(AsyncFile, ItsOptionsArePermissionsAndMoreFlags) {
    run_io([this]() -> coro<> {
        const ::mode_t before = ::umask(022);
        const async_file file = co_await open_file(directory / "file", "w", {.permissions = 0640});
        ::umask(before);
        struct ::stat found{};
        EXPECT_EQ(::fstat(file.fd(), &found), 0);
        EXPECT_EQ(found.st_mode & 07777, 0640u);
        EXPECT_EQ(::fcntl(file.fd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        EXPECT_EQ(::fcntl(file.fd(), F_GETFL) & O_NONBLOCK, 0);
        EXPECT_EQ(::symlink("file", (directory / "link").c_str()), 0);
        const auto r = co_await as_result(open_file(directory / "link", "r", {.flags = O_NOFOLLOW}));
        EXPECT_TRUE(mentions(r, std::errc::too_many_symbolic_link_levels, "link"));
    });
}

TEST_P(AsyncFile, TruncateCutsOffAndFillsAndSyncWaitsForTheDisk) {
    run_io([this]() -> coro<> {
        async_file file = co_await open_file(directory / "file", "w");
        co_await file.write("0123456789");
        co_await file.truncate(4);
        EXPECT_EQ(contents(directory / "file"), "0123");
        co_await file.truncate(6);
        EXPECT_EQ(contents(directory / "file"), std::string("0123\0\0", 6));
        EXPECT_EQ(file.tell(), 10u);
        co_await file.sync();
        co_await file.sync_data();
        async_file reader = co_await open_file(directory / "file");
        EXPECT_TRUE(mentions(co_await as_result(reader.truncate(1)), std::errc::invalid_argument, directory / "file"));
        async_file null = co_await open_file("/dev/null", "w");
        co_await null.write("nothing");
        EXPECT_TRUE(mentions(co_await as_result(null.sync()), std::errc::invalid_argument, "/dev/null"));
    });
}

TEST_P(AsyncFile, FilesWithoutASizeAreReadToTheirEnd) {
    run_io([]() -> coro<> {
        const bytes status = co_await read_file("/proc/self/status");
        EXPECT_EQ(status.view().substr(0, 5), "Name:");
        async_file zero = co_await open_file("/dev/zero");
        EXPECT_EQ((co_await zero.read(100)).size(), 100u);
    });
}

TEST_P(AsyncFile, AFullDeviceIsAnError) {
    run_io([]() -> coro<> {
        async_file full = co_await open_file("/dev/full", "w");
        EXPECT_TRUE(mentions(co_await as_result(full.write("x")), std::errc::no_space_on_device, "/dev/full"));
    });
}

TEST_P(AsyncFile, FifosSocketsAndDirectoriesAreRefusedWithoutWaiting) {
    run_io([this]() -> coro<> {
        const std::size_t before = open_descriptors();
        EXPECT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
        EXPECT_TRUE((co_await as_result(open_file(directory / "fifo"))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(open_file(directory / "fifo", "r+"))).holds<value_error>());
        EXPECT_TRUE(mentions(co_await as_result(open_file(directory / "fifo", "w")),
                             std::errc::no_such_device_or_address, "fifo"));
        EXPECT_TRUE(mentions(co_await as_result(open_file(directory / ".", "w")), std::errc::is_a_directory, "/."));
        EXPECT_TRUE(mentions(co_await as_result(read_file(directory / ".")), std::errc::is_a_directory, "/."));
        EXPECT_EQ(open_descriptors(), before);
    });
}

TEST_P(AsyncFile, IsClosedByItsDestructorByCloseAndByAclose) {
    run_io([this]() -> coro<> {
        put(directory / "file", "text");
        const std::size_t before = open_descriptors();
        { const async_file file = co_await open_file(directory / "file"); }
        EXPECT_EQ(open_descriptors(), before);
        async_file file = co_await open_file(directory / "file");
        async_file moved = std::move(file);
        EXPECT_FALSE(file.is_open()); // NOLINT(bugprone-use-after-move): that is what is tested
        EXPECT_TRUE(moved.is_open());
        moved.close();
        EXPECT_FALSE(moved.is_open());
        EXPECT_EQ(moved.fd(), -1);
        EXPECT_EQ(open_descriptors(), before);
        moved = co_await open_file(directory / "file");
        co_await moved.aclose();
        EXPECT_FALSE(moved.is_open());
        co_await moved.aclose();
        EXPECT_EQ(open_descriptors(), before);
        async_file none;
        co_await none.aclose();
        EXPECT_TRUE(none.path().empty());
    });
}

TEST_P(AsyncFile, AcloseClosesAlsoInATaskThatIsCancelled) {
    run_io([this]() -> coro<> {
        put(directory / "file", "text");
        const std::size_t before = open_descriptors();
        bool closed = false;
        auto closing = create_task([&]() -> coro<> {
            async_file file = co_await open_file(directory / "file");
            static_cast<void>(current_task().cancel());
            co_await file.aclose();
            closed = !file.is_open() && open_descriptors() == before;
            co_await yield();
        });
        EXPECT_TRUE((co_await as_result(closing)).cancelled());
        EXPECT_TRUE(closed);
    });
}

TEST_P(AsyncFile, AClosedOneRefusesEverything) {
    run_io([this]() -> coro<> {
        put(directory / "file", "text");
        async_file file = co_await open_file(directory / "file");
        file.close();
        EXPECT_TRUE((co_await as_result(file.read(1))).holds<runtime_error>());
        EXPECT_TRUE((co_await as_result(file.read_all())).holds<runtime_error>());
        EXPECT_TRUE((co_await as_result(file.write("x"))).holds<runtime_error>());
        EXPECT_TRUE((co_await as_result(file.sync())).holds<runtime_error>());
        EXPECT_TRUE((co_await as_result(file.truncate(1))).holds<runtime_error>());
        EXPECT_THROW(file.tell(), runtime_error);
        EXPECT_THROW(file.size(), runtime_error);
        EXPECT_THROW(file.seek(1), runtime_error);
        async_file none;
        EXPECT_TRUE((co_await as_result(none.read(1))).holds<runtime_error>());
        EXPECT_THROW(none.tell(), runtime_error);
    });
}

TEST_P(AsyncFile, MayBeMovedAndDestroyedWhileItIsRead) {
    run_io([this]() -> coro<> {
        const std::string text = pattern(3'000'000);
        put(directory / "file", text);
        const std::size_t before = open_descriptors();
        auto file = std::make_unique<async_file>(co_await open_file(directory / "file"));
        auto reading = create_task([](async_file& f) { return f.read_all(); }, std::ref(*file));
        co_await yield();
        co_await yield();
        async_file moved = std::move(*file);
        file.reset();
        moved.close();
        EXPECT_TRUE((co_await reading).view() == text);
        EXPECT_EQ(open_descriptors(), before);
    });
}

TEST_P(AsyncFile, TwoReadsAtThePositionAreARuntimeError) {
    run_io([this]() -> coro<> {
        put(directory / "file", pattern(3'000'000));
        async_file file = co_await open_file(directory / "file");
        auto first = create_task([&] { return file.read(1000); });
        auto second = create_task([&] { return file.read(1000); });
        const auto a = co_await as_result(first);
        const auto b = co_await as_result(second);
        EXPECT_TRUE(a);
        EXPECT_TRUE(b.holds<runtime_error>());
        EXPECT_EQ((co_await file.read(1000)).size(), 1000u);
    });
}

TEST_P(AsyncFile, ALoopThatClosesClosesWhatIsLeft) {
    put(directory / "file", "text");
    const std::size_t before = open_descriptors();
    async_file left;
    {
        const std::unique_ptr<event_loop> own = test::make_loop(GetParam());
        left = own->run_until_complete(open_file(directory / "file"));
        EXPECT_TRUE(left.is_open());
        own->close();
        EXPECT_FALSE(left.is_open());
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST_P(AsyncFile, BelongsToItsLoop) {
    put(directory / "file", "text");
    async_file file = run(open_file(directory / "file"));
    event_loop other;
    other.run_until_complete(
        [](async_file& f) -> coro<> { EXPECT_TRUE((co_await as_result(f.read(1))).holds<runtime_error>()); }(file));
    other.close();
}

TEST_P(AsyncFile, ACancelledReadEitherHappenedAndGaveItsBytesOrLeftThePosition) {
    run_io([this]() -> coro<> {
        put(directory / "file", "0123456789");
        for (int passes = 0; passes < 6; ++passes) {
            async_file file = co_await open_file(directory / "file");
            std::string got;
            auto reading = create_task([&]() -> coro<> {
                got = (co_await file.read(4)).str();
                co_await sleep_forever();
            });
            co_await pass_by(passes);
            reading.cancel();
            EXPECT_TRUE((co_await as_result(reading)).cancelled());
            EXPECT_EQ(file.tell(), got.size()) << "after " << passes << " passes";
            EXPECT_TRUE(got.empty() || got == "0123");
        }
    });
}

TEST_P(AsyncFile, ACancelledWriteIsNeverLate) {
    run_io([this]() -> coro<> {
        const std::string text = pattern(3'000'000);
        for (int passes = 0; passes < 8; ++passes) {
            async_file file = co_await open_file(directory / "file", "w");
            auto writing = create_task([&]() -> coro<> {
                co_await file.write(text);
                co_await sleep_forever();
            });
            co_await pass_by(passes);
            writing.cancel();
            EXPECT_TRUE((co_await as_result(writing)).cancelled());
            const std::string then = contents(directory / "file");
            EXPECT_EQ(file.tell(), then.size());
            EXPECT_TRUE(then == text.substr(0, then.size()));
        }
    });
}

// Where the disk is as slow as the test says: its calls wait in the executor's threads.

/// A door that the file calls of other threads stop at.
class gate {
public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void wait_for_somebody() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return waiting_ > 0; });
    }
    void open() {
        const std::lock_guard<std::mutex> lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int waiting_ = 0;
    bool open_ = false;
};

struct slow_disk_script {
    gate* before_writes = nullptr;
    std::atomic<int> performed = 0;
    int failing_renames = 0;
};

class slow_disk_os final : public test::forwarding_os {
public:
    slow_disk_os(detail::os& real, slow_disk_script& script) noexcept : forwarding_os(real), script_(script) {}
    std::int64_t perform(detail::operation& op) noexcept override {
        ++script_.performed;
        if (op.kind == detail::operation_kind::write && script_.before_writes) script_.before_writes->pass();
        return forwarding_os::perform(op);
    }
    int rename(const std::string& from, const std::string& to) noexcept override {
        return script_.failing_renames-- > 0 ? -EIO : forwarding_os::rename(from, to);
    }

private:
    slow_disk_script& script_;
};

class slow_disk final : public test::forwarding_backend {
public:
    slow_disk(std::unique_ptr<detail::backend> real, slow_disk_script& script)
        : forwarding_backend(std::move(real)), os_(forwarding_backend::os(), script) {}
    bool takes_files() const noexcept override { return false; }
    detail::os& os() noexcept override { return os_; }

private:
    slow_disk_os os_;
};

class SlowDisk : public AsyncFile {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<slow_disk>(kind, script);
    }
    slow_disk_script script;
};
RONDO_ON_EACH_BACKEND(SlowDisk);

TEST_P(SlowDisk, TheLoopGoesOnWhileAThreadWaitsForTheDisk) {
    gate door;
    script.before_writes = &door;
    run_io([&]() -> coro<> {
        async_file file = co_await open_file(directory / "file", "w");
        auto writing = create_task([&] { return file.write("text"); });
        co_await to_thread([&] { door.wait_for_somebody(); });
        co_await pass_by(100);
        EXPECT_FALSE(writing.done());
        door.open();
        co_await writing;
        EXPECT_EQ(contents(directory / "file"), "text");
    });
}

TEST_P(SlowDisk, AWriteThatHasBegunIsWaitedForWhenItIsCancelled) {
    gate door;
    script.before_writes = &door;
    run_io([&]() -> coro<> {
        async_file file = co_await open_file(directory / "file", "w");
        bool written = false;
        auto writing = create_task([&]() -> coro<> {
            co_await file.write("text");
            written = true;
            co_await sleep_forever();
        });
        co_await to_thread([&] { door.wait_for_somebody(); });
        writing.cancel();
        co_await pass_by(100);
        EXPECT_FALSE(writing.done());
        door.open();
        EXPECT_TRUE((co_await as_result(writing)).cancelled());
        EXPECT_TRUE(written);
        EXPECT_EQ(contents(directory / "file"), "text");
    });
}

TEST_P(SlowDisk, OneThatHasNotBegunNeverHappens) {
    const auto one_thread = std::make_shared<thread_pool>(1);
    run_io([&]() -> coro<> {
        async_file file = co_await open_file(directory / "file", "w");
        loop().set_default_executor(one_thread);
        gate busy;
        auto blocking = loop().run_in_executor(nullptr, [&] { busy.pass(); });
        auto writing = create_task([&] { return file.write("text"); });
        co_await pass_by(10);
        const int before = script.performed;
        writing.cancel();
        EXPECT_TRUE((co_await as_result(writing)).cancelled());
        busy.open();
        co_await blocking;
        co_await loop().run_in_executor(nullptr, [] {}); // whatever was queued had its turn
        EXPECT_EQ(script.performed, before);
        EXPECT_EQ(contents(directory / "file"), "");
    });
}

TEST_P(SlowDisk, AReplacementThatFailsLeavesTheOldFileAndNothingElse) {
    run_io([this]() -> coro<> {
        put(directory / "file", "old");
        script.failing_renames = 1;
        const auto r = co_await as_result(write_file(directory / "file", "new", {.replace = true}));
        EXPECT_TRUE(mentions(r, std::errc::io_error, directory / "file"));
        EXPECT_EQ(contents(directory / "file"), "old");
        EXPECT_EQ(directory.names().size(), 1u);
    });
}

TEST_P(SlowDisk, AReplacementThatIsCancelledLeavesTheOldFileAndNothingElse) {
    gate door;
    script.before_writes = &door;
    run_io([&]() -> coro<> {
        put(directory / "file", "old");
        auto writing = create_task([&] { return write_file(directory / "file", "new", {.replace = true}); });
        co_await to_thread([&] { door.wait_for_somebody(); });
        EXPECT_EQ(directory.names().size(), 2u);
        writing.cancel();
        door.open();
        EXPECT_TRUE((co_await as_result(writing)).cancelled());
        EXPECT_EQ(contents(directory / "file"), "old");
        EXPECT_EQ(directory.names().size(), 1u);
    });
}

class WholeFile : public AsyncFile {};
RONDO_ON_EACH_BACKEND(WholeFile);

TEST_P(WholeFile, WhatWriteFileWroteReadFileReads) {
    run_io([this]() -> coro<> {
        const std::string path = directory / "file";
        for (const std::size_t size : {0u, 1u, 16'384u, 2'000'000u}) {
            const std::string text = pattern(size);
            co_await write_file(path, text, {.sync = size == 1});
            EXPECT_TRUE((co_await read_file(path)).view() == text);
        }
        co_await write_file(path, "short");
        EXPECT_EQ(contents(path), "short");
        EXPECT_TRUE(mentions(co_await as_result(read_file(directory / "absent")), std::errc::no_such_file_or_directory,
                             directory / "absent"));
    });
}

TEST_P(WholeFile, WithoutReplaceLinksAndPermissionsStay) {
    run_io([this]() -> coro<> {
        put(directory / "file", "old");
        EXPECT_EQ(::chmod((directory / "file").c_str(), 0600), 0);
        EXPECT_EQ(::link((directory / "file").c_str(), (directory / "other").c_str()), 0);
        co_await write_file(directory / "file", "new");
        EXPECT_EQ(contents(directory / "other"), "new");
        EXPECT_EQ(std::filesystem::status(directory / "file").permissions(), std::filesystem::perms(0600));
    });
}

TEST_P(WholeFile, WithReplaceItIsAnotherFileWithThePermissionsOfTheOldOne) {
    run_io([this]() -> coro<> {
        put(directory / "file", "old");
        EXPECT_EQ(::chmod((directory / "file").c_str(), 0604), 0);
        async_file reader = co_await open_file(directory / "file");
        co_await write_file(directory / "file", "new", {.replace = true, .sync = true, .permissions = 0600});
        EXPECT_EQ((co_await reader.read_all()).view(), "old");
        EXPECT_EQ(contents(directory / "file"), "new");
        EXPECT_EQ(std::filesystem::status(directory / "file").permissions(), std::filesystem::perms(0604));
        co_await write_file(directory / "made", "text", {.replace = true, .permissions = 0600});
        EXPECT_EQ(std::filesystem::status(directory / "made").permissions(), std::filesystem::perms(0600));
        EXPECT_EQ(directory.names().size(), 2u);
        const auto r = co_await as_result(write_file(directory / "absent/file", "x", {.replace = true}));
        EXPECT_TRUE(mentions(r, std::errc::no_such_file_or_directory, "absent/file"));
    });
}

} // namespace
} // namespace rondo
